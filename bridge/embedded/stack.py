"""The whole: Postgres, Asterisk and the bridge, started and stopped together."""

import asyncio
import contextlib
import dataclasses
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pydantic

from bridge import firewall
from bridge.config import SiteSettings
from bridge.embedded.asterisk import Asterisk
from bridge.embedded.bridge_process import BridgeProcess
from bridge.embedded.install import install
from bridge.embedded.postgres import Postgres
from bridge.embedded.processes import StartError, free_port, is_free

# Reserved for fiction: 100 numbers in each of these areas.
_FICTION = [
    *(
        f"+1{area}5550100-+1{area}5550199"
        for area in (202, 212, 303, 312, 404, 415, 512, 617, 702, 718)
    ),
    "+442079460000-+442079460999",
    "+541150320000-+541150320999",  # Argentina reserves none: to try sessions between countries
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Addresses and ports of one stack on this machine."""

    api_port: int
    sip_host: str
    sip_port: int
    ari_port: int
    postgres_port: int
    rtp_port_start: int
    rtp_port_end: int
    caller_address: str
    """Where callers' phones are."""
    trunk_match: str
    """Where SIP and audio from the carrier may come from."""
    trunk_host: str
    """Where calls go out to."""

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def sip(self) -> str:
        return f"{self.sip_host}:{self.sip_port}"


def standard_place() -> Place:
    """Where `make run` serves.

    Raises:
        StartError: naming every port that somebody else has, and how to choose another.
    """
    api_port = int(os.environ.get("BRIDGE_API_PORT", "8080"))
    place = Place(
        api_port=api_port,
        sip_host="127.0.0.1",
        sip_port=int(os.environ.get("BRIDGE_SIP_PORT", "5060")),
        ari_port=free_port(besides={api_port}),
        postgres_port=free_port(besides={api_port}),
        rtp_port_start=10000,
        rtp_port_end=20000,
        caller_address="127.0.0.2",
        trunk_match="127.0.0.2",
        trunk_host=os.environ.get("BRIDGE_TRUNK_HOST", "127.0.0.2:5080"),
    )
    taken = []
    if not is_free("127.0.0.1", place.api_port):
        taken.append(f"port {place.api_port} (API) is taken: set BRIDGE_API_PORT to another")
    if not is_free(place.sip_host, place.sip_port, socket.SOCK_DGRAM):
        taken.append(f"port {place.sip_port} (SIP) is taken: set BRIDGE_SIP_PORT to another")
    if taken:
        raise StartError("\n".join(taken))
    return place


def private_place() -> Place:
    """Addresses that nobody else has, so that any number of stacks run side by side.

    Loopback is a whole network: each stack takes three addresses of it, one for Asterisk and one
    each for the phones on either side, and so has every port to itself.
    """
    while True:
        network = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250) + 1}"
        if is_free(f"{network}.1", 5060, socket.SOCK_DGRAM):
            break
    return Place(
        api_port=free_port(),
        sip_host=f"{network}.1",
        sip_port=5060,
        ari_port=free_port(),
        postgres_port=free_port(),
        rtp_port_start=10000,
        rtp_port_end=20000,
        caller_address=f"{network}.2",
        trunk_match=f"{network}.2/31",
        trunk_host=f"{network}.3:5080",
    )


class Stack:
    """Postgres, Asterisk and the bridge in ``directory``.

    Args:
        directory: for data and logs; kept.
        settings: further ``BRIDGE_*`` variables for the bridge.
        site: further settings of Asterisk's, by their names in `SiteSettings`.
        durable: ``False`` for tests, whose data may be lost with the machine.
    """

    def __init__(
        self,
        directory: Path,
        place: Place,
        *,
        settings: Mapping[str, str] | None = None,
        site: Mapping[str, str] | None = None,
        durable: bool = True,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.place = place
        self.directory = directory
        self.recordings = directory / "recordings"
        self.postgres = Postgres(directory / "postgres", port=place.postgres_port, durable=durable)
        self._settings = dict(settings or {})
        self._site = dict(site or {})
        self._ari_password = secrets.token_hex(32)
        self._url_secret = secrets.token_hex(32)
        self.asterisk: Asterisk
        self.bridge: BridgeProcess

    @contextlib.contextmanager
    def running(self) -> Iterator["Stack"]:
        """All three, up and ready; stopped when the block is left, however that is.

        Raises:
            StartError: a part did not start, or cannot be had.
        """
        root = install()
        with contextlib.ExitStack() as stops:
            stops.callback(self.postgres.stop)
            self.postgres.start()
            site = SiteSettings.model_validate(
                {
                    "ari_password": pydantic.SecretStr(self._ari_password),
                    "ari_port": self.place.ari_port,
                    "sip_host": self.place.sip_host,
                    "sip_port": self.place.sip_port,
                    "rtp_port_start": self.place.rtp_port_start,
                    "rtp_port_end": self.place.rtp_port_end,
                    "trunk_host": self.place.trunk_host,
                    "trunk_match": self.place.trunk_match,
                    "trunk_media_match": self.place.trunk_match,
                    **self._site,
                }
            )
            (self.directory / "firewall.nft").write_text(firewall.rules(site))
            self.asterisk = Asterisk(root, site, log_file=self._log("asterisk"))
            stops.callback(self.asterisk.stop)
            self.asterisk.start()
            self.bridge = BridgeProcess(
                self._bridge_settings(),
                api_url=self.place.api_url,
                log_file=self._log("bridge"),
            )
            stops.callback(self.bridge.stop)
            self.bridge.start()
            yield self

    def wait(self) -> None:
        """Return never, as long as all three run.

        Raises:
            StartError: naming the part that ended.
        """
        parts = (self.postgres, self.asterisk, self.bridge)
        while all(part.running for part in parts):
            time.sleep(0.5)
        ended = next(part for part in parts if not part.running)
        raise StartError(f"{type(ended).__name__} ended; its log is in {self.directory}")

    def another_bridge(self, **settings: str) -> BridgeProcess:
        """A second bridge on the same Asterisk, as a mistake would start it.

        Args:
            settings: ``BRIDGE_*`` variables in which it differs.
        """
        port = free_port()
        return BridgeProcess(
            {**self._bridge_settings(), "BRIDGE_API_PORT": str(port), **settings},
            api_url=f"http://127.0.0.1:{port}",
            log_file=self._log("another-bridge"),
        )

    def create_account(self, name: str) -> tuple[str, str]:
        """A new account's Auth ID and Auth Token, made by the product's own commands.

        It may add numbers that are reserved for fiction, if no account before it may.
        """
        made = json.loads(self._command("account", "create", name, "--json").stdout)
        self.grant_numbers(made["auth_id"])
        return made["auth_id"], made["auth_token"]

    def grant_numbers(self, auth_id: str) -> None:
        """Let an account add numbers that are reserved for fiction, if no other may."""
        self._command("number", "grant", auth_id, *_FICTION, check=False)

    def _command(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "bridge", *arguments],
            env=self.bridge.environment,
            capture_output=True,
            text=True,
            check=check,
        )

    def rows(self, statement: str, *arguments: Any) -> Sequence[Mapping[str, Any]]:
        """What Postgres answers to ``statement``."""

        async def fetch() -> list[Any]:
            connection = await asyncpg.connect(self.postgres.url)
            try:
                return await connection.fetch(statement, *arguments)
            finally:
                await connection.close()

        # A loop of its own, so that a caller's event loop is left as it is.
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(fetch())

    def _bridge_settings(self) -> dict[str, str]:
        return {
            "BRIDGE_DATABASE_URL": self.postgres.url,
            "BRIDGE_ARI_URL": f"http://127.0.0.1:{self.place.ari_port}",
            "BRIDGE_ARI_PASSWORD": self._ari_password,
            "BRIDGE_API_PORT": str(self.place.api_port),
            "BRIDGE_NODE": "embedded",
            "BRIDGE_PROMPT_DIRECTORY": str(self.asterisk.prompts),
            "BRIDGE_PROMPT_ASTERISK_DIRECTORY": str(self.asterisk.prompts_inside),
            "BRIDGE_RECORDING_SPOOL_DIRECTORY": str(self.asterisk.recordings),
            "BRIDGE_RECORDING_SPOOL_ASTERISK_DIRECTORY": str(
                self.asterisk.site.spool_as_asterisk_calls_it
            ),
            "BRIDGE_RECORDING_DIRECTORY": str(self.recordings),
            "BRIDGE_RECORDING_URL_SECRET": self._url_secret,
            **self._settings,
        }

    def _log(self, name: str) -> Path:
        return self.directory / f"{name}.log"
