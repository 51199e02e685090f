"""The API's description.  Every test of the API holds its answers to it (`conftest.Api`)."""

import json
import re

import jsonschema
import pytest

from bridge.api.operations import OPERATIONS
from bridge.api.schemas.sessions import CreateSession
from tests.adapters.conftest import PARTIES, Api


async def test_every_operation_is_in_it_with_its_parameters(api: Api) -> None:
    _, document = await api("GET", "/openapi.json", headers={})
    assert document["openapi"] == "3.1.0"
    for operation in OPERATIONS:
        path = operation.path if operation.public else f"{operation.path}/"
        described = document["paths"][path][operation.method.lower()]
        names = {one["name"] for one in described["parameters"] if one["in"] == "path"}
        assert names == set(re.findall(r"\{(\w+)\}", operation.path))
    ids = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(ids) == len(set(ids)) == len(OPERATIONS)


async def test_its_references_lead_somewhere_and_its_schemas_are_json_schema(api: Api) -> None:
    _, document = await api("GET", "/openapi.json", headers={})
    schemas = document["components"]["schemas"]
    references = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(document)))
    assert references == {f"#/components/schemas/{name}" for name in schemas}
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        (PARTIES, True),
        ({**PARTIES, "record": True, "callback_url": "https://example.test/"}, True),
        ({"first_party": "nobody", "second_party": "+12165550145"}, False),
        ({**PARTIES, "session_expiry": 5}, False),
        ({**PARTIES, "nonsense": 1}, False),
        ({}, False),
    ],
)
async def test_what_its_schema_allows_is_allowed_and_the_other_way_round(
    api: Api, body: dict[str, object], valid: bool
) -> None:
    schema = jsonschema.Draft202012Validator(CreateSession.model_json_schema())
    assert schema.is_valid(body) is valid
    assert (await api("POST", "Masking/Session/", body))[0] == (201 if valid else 400)


async def test_the_page_for_people_loads_nothing_from_elsewhere(api: Api) -> None:
    async with api.client.get("/docs") as response:
        page = await response.text()
        assert response.headers["Content-Type"].startswith("text/html")
    assert "Create a session" in page
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
