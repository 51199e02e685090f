"""Real Asterisk, real Postgres, the bridge as a process, and phones played by SIPp."""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bridge.embedded.client import Client, Json
from bridge.embedded.phones.phone import Phone, media
from bridge.embedded.phones.sound import Sound
from bridge.embedded.phones.steps import SILENT_PHONES, Callee, Caller, scenario, wait_for_cue
from bridge.embedded.processes import until
from bridge.embedded.stack import Stack, private_place
from tests.e2e.careless import CarelessSound

# Numbers reserved for fiction: 100 in each of these areas.
_NUMBERS = (
    f"+1{area}55501{last:02}"
    for area in (202, 212, 303, 312, 404, 415, 512, 617, 702, 718)
    for last in range(100)
)
_SEEDS = itertools.count(1)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all tests of a run; each test has numbers of its own."""
    directory = tmp_path_factory.mktemp("stack")
    settings = {
        **SILENT_PHONES,
        "BRIDGE_API_RATE_LIMIT": "100000",
        "BRIDGE_EGRESS_ALLOW_NETWORKS": "127.0.0.0/8",  # where the tests' own web servers are
        "BRIDGE_ROUTING_WEBHOOK_TIMEOUT": "10",  # and they may be slow on a busy machine
    }
    with Stack(directory, private_place(), settings=settings, durable=False).running() as stack:
        yield stack
    log = (directory / "bridge.log").read_text()
    assert "stopped" in log.splitlines()[-1], "the bridge did not end by itself"
    assert '"draining"' not in log.splitlines()[-2], "a call's task was left at the end"


@pytest.fixture(scope="session")
def client(stack: Stack) -> Client:
    return Client(stack.place.api_url, *stack.create_account("tests"))


@dataclasses.dataclass
class Site:
    """One session between Alice and Bob, and the phones of a test."""

    stack: Stack
    client: Client
    directory: Path
    alice: str
    bob: str
    virtual: str
    session: Json = dataclasses.field(default_factory=dict)
    phones: list[Phone] = dataclasses.field(default_factory=list)
    sounds: list[Sound] = dataclasses.field(default_factory=list)
    more_numbers: list[str] = dataclasses.field(default_factory=list)

    def another_virtual_number(self) -> str:
        """One more in the pool, for the length of the test."""
        number = next(_NUMBERS)
        self.client.add_numbers(number)
        self.more_numbers.append(number)
        return number

    def create_session(self, **arguments: Any) -> Json:
        self.session = self.client.create_session(self.alice, self.bob, **arguments)
        return self.session

    def calls(
        self, steps: str, *, number: str | None = None, dialled: str | None = None, **options: Any
    ) -> Phone:
        """A phone that calls: Alice's, and the virtual number, unless it is said otherwise."""
        keywords = {"number": number or self.alice, **options.pop("keywords", {})}
        return self._phone(
            f"caller-{len(self.phones)}",
            steps,
            address=f"{self.stack.place.caller_address}:0",
            target=self.stack.place.sip,
            dialled=dialled or self.virtual,
            keywords=keywords,
            **options,
        )

    def waits(self, steps: str, **options: Any) -> Phone:
        """A phone that calls of ours reach through the trunk."""
        name = f"callee-{len(self.phones)}"
        return self._phone(name, steps, address=self.stack.place.trunk_host, **options)

    @property
    def callee_address(self) -> str:
        """Where phones are that are called."""
        return self.stack.place.trunk_host.partition(":")[0]

    @property
    def foreign_address(self) -> str:
        """Where a stranger is: nothing of the trunk's."""
        return f"{self.stack.place.sip_host.rpartition('.')[0]}.9"

    def caller_sound(self) -> Sound:
        """The audio of a phone that calls."""
        return self._sound(self.stack.place.caller_address)

    def callee_sound(self) -> Sound:
        """The audio of a phone that is called."""
        return self._sound(self.callee_address)

    def careless_sounds(
        self, *numbers: str, kinds: tuple[int, int] = (0, 0)
    ) -> tuple[CarelessSound, CarelessSound]:
        """The audio of two phones with these numbers, which they tell with it: caller, callee."""
        addresses = self.stack.place.caller_address, self.callee_address
        caller, callee = (
            CarelessSound(address, seed=next(_SEEDS), number=number, kind=kind)
            for address, number, kind in zip(addresses, numbers, kinds, strict=True)
        )
        self.sounds += [caller, callee]
        return caller, callee

    @contextlib.contextmanager
    def talking(self, a_sound: Sound, b_sound: Sound) -> Iterator[tuple[Phone, Phone]]:
        """The phones of a caller and a callee, in a call, while both speak; the caller hangs up.

        Each phone has the codec of its sound.
        """
        with self.in_call(a_sound, b_sound) as (caller, callee):
            targets = media(caller.has_seen("SIP/2.0 200")), media(callee.has_seen("INVITE"))
            with a_sound.speaking_to(targets[0]), b_sound.speaking_to(targets[1]):
                yield caller, callee

    @contextlib.contextmanager
    def in_call(self, a_sound: Sound, b_sound: Sound) -> Iterator[tuple[Phone, Phone]]:
        """The same, and neither says a word yet."""
        a, b = Caller(), Callee()
        answers = scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on())
        calls = scenario(
            a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()
        )
        callee = self.waits(_with_codec(b_sound, answers), keywords=_port(b_sound))
        caller = self.calls(_with_codec(a_sound, calls), keywords=_port(a_sound))
        callee.has_seen("ACK")
        caller.has_sent("ACK")
        yield caller, callee
        caller.cue()
        caller.finish()
        callee.finish()

    def call_record(
        self, number: str | None = None, *, dialled: str | None = None
    ) -> Mapping[str, Any]:
        """The one call of a caller, once its record is complete."""
        found: list[Mapping[str, Any]] = []

        def complete() -> bool:
            found[:] = self.stack.rows(
                "SELECT * FROM call WHERE virtual_number = $1 AND ($2::text IS NULL OR caller = $2)"
                " AND ended_at IS NOT NULL",
                dialled or self.virtual,
                number,
            )
            return bool(found)

        assert until(complete), "no complete record"
        [record] = found
        return record

    def leg_records(self, call: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Its legs, the caller's first."""
        return self.stack.rows("SELECT * FROM leg WHERE call = $1 ORDER BY role", call["id"])

    def _sound(self, address: str) -> Sound:
        sound = Sound(address, seed=next(_SEEDS))
        self.sounds.append(sound)
        return sound

    def _phone(self, name: str, steps: str, **options: Any) -> Phone:
        phone = Phone(name, steps, self.directory, **options)
        self.phones.append(phone)
        return phone.start()


def _with_codec(sound: Sound, steps: str) -> str:
    return (
        steps if sound.kind == 0 else steps.replace("AVP 0 ", "AVP 8 ").replace("0 PCMU", "8 PCMA")
    )


def _port(sound: Sound) -> dict[str, str]:
    return {"rtp_port": str(sound.port)}


@pytest.fixture
def site(stack: Stack, client: Client, tmp_path: Path) -> Iterator[Site]:
    """A virtual number and two parties; after the test nothing of its calls is left."""
    alice, bob, virtual = itertools.islice(_NUMBERS, 3)
    client.add_numbers(virtual)
    site = Site(stack, client, tmp_path, alice, bob, virtual)
    try:
        yield site
        assert_nothing_left(stack)
    finally:
        # So that what one test left cannot disturb the next: phones that are gone would not answer,
        # and Asterisk would tell theirs of another test for half a minute that the call is over.
        stack.asterisk.cli("channel request hangup all")
        until(lambda: "0 active channels" in stack.asterisk.cli("core show channels"))
        for phone in site.phones:
            phone.stop()
        for sound in site.sounds:
            sound.close()
        for number in (virtual, *site.more_numbers):
            client.request("DELETE", f"Number/{number}/")


def assert_nothing_left(stack: Stack) -> None:
    """No channel, no bridge, no call without its end, no recording that was not taken away."""
    assert until(lambda: "0 active channels" in stack.asterisk.cli("core show channels"))
    assert until(lambda: _bridges(stack) == []), _bridges(stack)
    open_calls = "SELECT id FROM call WHERE ended_at IS NULL"
    assert until(lambda: stack.rows(open_calls) == [])
    assert until(lambda: not [*stack.asterisk.recordings.iterdir()])


def _bridges(stack: Stack) -> list[str]:
    return stack.asterisk.cli("bridge show all").splitlines()[1:]
