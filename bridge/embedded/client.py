"""A small client of the REST API, for the demo, `make run` and the tests."""

import base64
import json
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any

Json = dict[str, Any]


class Client:
    """One account's access."""

    def __init__(self, api_url: str, auth_id: str, auth_token: str) -> None:
        self.auth_id = auth_id
        self.auth_token = auth_token
        self._root = f"{api_url}/v1/Account/{auth_id}"
        credentials = base64.b64encode(f"{auth_id}:{auth_token}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {credentials}",
            "Content-Type": "application/json",
        }

    def request(self, method: str, path: str, body: Json | None = None) -> tuple[HTTPStatus, Json]:
        """Status and body of the answer to a request; ``path`` is relative to the account."""
        request = urllib.request.Request(  # noqa: S310 - our own API
            f"{self._root}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers=self._headers,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                status, text = HTTPStatus(response.status), response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, text = HTTPStatus(error.code), error.read()
        return status, json.loads(text) if text else {}

    def add_numbers(self, *numbers: str) -> None:
        self._expect(HTTPStatus.CREATED, "POST", "Number/", {"numbers": ",".join(numbers)})

    def create_session(self, first_party: str, second_party: str, **arguments: Any) -> Json:
        """A new session, as the API describes it."""
        body = {"first_party": first_party, "second_party": second_party, **arguments}
        return self._expect(HTTPStatus.CREATED, "POST", "Masking/Session/", body)

    def call_parties(self, session_uuid: str) -> Json:
        """Have the first party called, and then the second."""
        path = f"Masking/Session/{session_uuid}/Call/"
        return self._expect(HTTPStatus.CREATED, "POST", path, {"first": "first"})

    def session(self, session_uuid: str) -> Json:
        answer = self._expect(HTTPStatus.OK, "GET", f"Masking/Session/{session_uuid}/")
        found: Json = answer["response"]
        return found

    def recording(self, recording_id: str) -> Json:
        """What is known of a recording."""
        return self._expect(HTTPStatus.OK, "GET", f"Recording/{recording_id}/")

    def audio(self, recording_id: str) -> bytes:
        """A recording itself."""
        request = urllib.request.Request(  # noqa: S310 - our own API
            f"{self._root}/Recording/{recording_id}/Media/", headers=self._headers
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            content: bytes = response.read()
        return content

    def expire(self, session_uuid: str) -> None:
        self._expect(HTTPStatus.OK, "DELETE", f"Masking/Session/{session_uuid}/")

    def _expect(self, wanted: HTTPStatus, method: str, path: str, body: Json | None = None) -> Json:
        status, answer = self.request(method, path, body)
        if status is not wanted:
            raise RuntimeError(f"{method} {path}: {status} {answer.get('error', '')}")
        return answer
