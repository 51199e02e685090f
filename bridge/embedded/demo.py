"""`make demo`: two phones, one virtual number, on real SIP; each step is seen on the wire or fails.

Asterisk, Postgres and the bridge are the real ones; the two people are played by SIPp.
"""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from bridge.embedded.client import Client
from bridge.embedded.meter import levels, waveform
from bridge.embedded.phones.phone import Phone, header, media, user
from bridge.embedded.phones.sound import Sound
from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from bridge.embedded.processes import until
from bridge.embedded.stage import Stage

# Numbers reserved for fiction.
ALICE, BOB, STRANGER = "+14155550123", "+12165550145", "+13035550166"
VIRTUAL, VIRTUAL_WITH_PIN, VIRTUAL_RECORDED = "+12025550142", "+12025550143", "+12025550144"

_NAMES = {ALICE: "Alice", BOB: "Bob", STRANGER: "A stranger"}
_TURN = 50  # frames of 20 ms that somebody speaks at a time when recorded
_COLUMNS = 60
_HEARD = -40.0  # dBov that somebody who speaks has at least

_CALLS = """
SELECT call.started_at, call.disposition, call.reason, call.hung_up_by,
       coalesce(round(extract(epoch FROM call.ended_at - call.answered_at), 1)::text, '') AS talked,
       string_agg(coalesce(leg.sip_code::text, ''), ' / ' ORDER BY leg.role) AS sip
  FROM call JOIN leg ON leg.call = call.id
 WHERE call.ended_at IS NOT NULL
 GROUP BY call.id ORDER BY call.started_at
"""


class Demo(Stage):
    """The steps, each told on ``console`` with the time it happened."""

    def run(self) -> None:
        """All of it.

        Raises:
            DemoError: a step was not seen.
            PhoneError: a phone saw something else.
        """
        with self._with_stops:
            client = Client(self._stack.place.api_url, *self._stack.create_account("demo"))
            client.add_numbers(VIRTUAL, VIRTUAL_WITH_PIN, VIRTUAL_RECORDED)
            session = client.create_session(ALICE, BOB, virtual_number=VIRTUAL)
            virtual = str(session["virtual_number"])
            self._tell("A session over REST", f"Alice {ALICE} and Bob {BOB} share {virtual}")
            self._they_talk(ALICE, BOB, virtual)
            self._they_talk(BOB, ALICE, virtual)
            self._stranger_is_refused(virtual)
            self._call_me(client, str(session["session_uuid"]), virtual)
            self._another_phone_with_a_pin(client)
            self._recorded(client)
            self._show_records(client, str(session["session_uuid"]))

    def _they_talk(self, number: str, other: str, virtual: str) -> None:
        me, them = _NAMES[number], _NAMES[other]
        a_sound, b_sound = self._sound(self._caller_address), self._sound(self._callee_address)
        caller, callee = self._call(number, virtual, a_sound, b_sound)
        self._tell(f"{me} calls {virtual}", "INVITE to Asterisk")
        invite = callee.has_seen("INVITE")
        shown = user(header(invite, "From"))
        self._must(shown == virtual, f"{them}'s phone shows {shown}")
        self._tell(f"{them}'s phone rings", f"and shows {shown}")
        callee.has_seen("ACK")
        answer = caller.has_seen("SIP/2.0 200")
        with a_sound.speaking_to(media(answer)), b_sound.speaking_to(media(invite)):
            self._must(b_sound.hears(a_sound), f"{them} does not hear {me}")
            self._must(a_sound.hears(b_sound), f"{me} does not hear {them}")
        self._tell("They talk", "each hears what the other says, frame by frame")
        caller.cue()
        caller.finish()
        callee.finish()
        self._must(other[2:] not in "".join(caller.received), f"{me} saw {them}'s number")
        self._must(number[2:] not in "".join(callee.received), f"{them} saw {me}'s number")
        self._tell(f"{me} hangs up", "neither phone received a byte of the other's number")
        # Until the bridge has heard of it, they are busy to each other.
        self._must(until(self._nobody_talks), "a call has not ended")

    def _stranger_is_refused(self, virtual: str) -> None:
        a = Caller()
        silent = self._phone(scenario(Callee().is_called()), address=self._stack.place.trunk_host)
        self._phone(
            scenario(a.invite(), a.is_refused(403)),
            address=f"{self._caller_address}:0",
            target=self._stack.place.sip,
            dialled=virtual,
            keywords={"number": STRANGER},
        ).finish()
        self._must(silent.received == [], "a phone rang for a stranger")
        silent.stop()
        self._tell(f"A stranger calls {virtual}", "403, and no phone rings")

    def _call_me(self, client: Client, session_uuid: str, virtual: str) -> None:
        """Both are called on the trunk, so one phone plays both, in two calls."""
        b = Callee()
        sounds = [self._sound(self._callee_address) for _ in range(2)]
        phone = self._phone(
            scenario(
                b.is_called(), b.rings(), b.answers(), b.hangs_up_on_cue_or_is_hung_up_on()
            ).replace("[rtp_port]", "[field0]"),
            address=self._stack.place.trunk_host,
            calls=2,
            callers=[str(sound.port) for sound in sounds],
        )
        client.call_parties(session_uuid)
        self._tell("Alice asks to be called", "by a request over REST")
        self._is_rung(phone, 1, ALICE, virtual)
        self._is_rung(phone, 2, BOB, virtual)
        a_sound, b_sound = sounds
        first, second = (media(invite) for invite in phone.calls)
        with a_sound.speaking_to(first), b_sound.speaking_to(second):
            self._must(b_sound.hears(a_sound), "Bob does not hear Alice")
            self._must(a_sound.hears(b_sound), "Alice does not hear Bob")
        phone.cue()
        phone.finish()
        self._tell("They talk", "and hang up")

    def _another_phone_with_a_pin(self, client: Client) -> None:
        """Bob has a friend's phone.  The prompt's URL leads nowhere, so Asterisk asks."""
        session = client.create_session(
            ALICE,
            BOB,
            virtual_number=VIRTUAL_WITH_PIN,
            is_pin_authentication_required=True,
            generate_pin=True,
            generate_pin_length=6,
            pin_prompt_play="https://prompts.invalid/pin.mp3",
        )["session"]
        self._tell("A session with PINs", "one for Alice, one for Bob")
        a, b = Caller(), Callee()
        b_sound, a_sound = self._sound(self._caller_address), self._sound(self._callee_address)
        callee = self._phone(
            scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()),
            address=self._stack.place.trunk_host,
            keywords={"rtp_port": str(a_sound.port)},
        )
        caller = self._phone(
            scenario(a.invite(), a.is_answered_at_once(), wait_for_cue(), a.hangs_up()),
            address=f"{self._caller_address}:0",
            target=self._stack.place.sip,
            dialled=VIRTUAL_WITH_PIN,
            keywords={"number": STRANGER, "rtp_port": str(b_sound.port)},
        )
        asterisk = media(caller.has_seen("SIP/2.0 200"))
        with b_sound.listening():
            self._must(until(lambda: len(b_sound.heard) > 10), "no PIN is asked for")
            self._tell("Bob calls from a friend's phone", "and is asked for his PIN")
            b_sound.presses(session["second_party_pin"] + "#", asterisk)
        invite = callee.has_seen("INVITE")
        shown = user(header(invite, "From"))
        self._must(shown == VIRTUAL_WITH_PIN, f"Alice's phone shows {shown}")
        self._tell("He types it, Alice's phone rings", f"and shows {shown}")
        callee.has_seen("ACK")
        with a_sound.speaking_to(media(invite)), b_sound.speaking_to(asterisk):
            self._must(a_sound.hears(b_sound), "Alice does not hear Bob")
            self._must(b_sound.hears(a_sound), "Bob does not hear Alice")
        caller.cue()
        caller.finish()
        callee.finish()
        self._must(STRANGER[2:] not in "".join(callee.received), "Alice saw the friend's number")
        self._tell("They talk", "and Alice saw nothing of the friend's number")

    def _recorded(self, client: Client) -> None:
        """Alice speaks, then Bob, then both; and so it must be in the recording."""
        session = client.create_session(
            ALICE, BOB, virtual_number=VIRTUAL_RECORDED, record=True, record_file_format="wav"
        )
        a_sound, b_sound = self._sound(self._caller_address), self._sound(self._callee_address)
        caller, callee = self._call(ALICE, VIRTUAL_RECORDED, a_sound, b_sound)
        callee.has_seen("ACK")
        alice = (a_sound, media(caller.has_seen("SIP/2.0 200")))
        bob = (b_sound, media(callee.has_seen("INVITE")))
        for turn, silent in (([alice], b_sound), ([bob], a_sound), ([alice, bob], None)):
            with contextlib.ExitStack() as busy:
                for sound, target in turn:
                    busy.enter_context(sound.speaking_to(target))
                if silent:
                    busy.enter_context(silent.listening())
                self._must(_hears_more(silent or b_sound), "they do not hear each other")
        caller.cue()
        caller.finish()
        callee.finish()
        self._tell("They talk and are recorded", "Alice alone, then Bob alone, then both")
        self._show_recording(client, str(session["session_uuid"]))

    def _show_recording(self, client: Client, session_uuid: str) -> None:
        [interaction] = client.session(session_uuid)["interaction"]
        recording_id = str(interaction["recording_resource_url"]).rstrip("/").rpartition("/")[2]
        ready = until(lambda: client.recording(recording_id)["status"] == "ready")
        self._must(ready, "the recording is not ready")
        content = client.audio(recording_id)
        self._tell("The recording", f"{len(content)} bytes over REST, a party to each channel")
        alice, bob = levels(content, columns=_COLUMNS)
        for name, channel in (("Alice", alice), ("Bob", bob)):
            self._console.print(f"{name:>13}  [cyan]{waveform(channel)}[/cyan]")
        self._must(max(alice) > _HEARD, "Alice is not in the recording")
        self._must(max(bob) > _HEARD, "Bob is not in the recording")
        # Wherever that is: how long each of them was heard depends on how busy the machine is.
        both = list(zip(alice, bob, strict=True))
        self._must(any(a > _HEARD > b for a, b in both), "Alice is in Bob's channel")
        self._must(any(b > _HEARD > a for a, b in both), "Bob is in Alice's channel")

    def _call(
        self, number: str, dialled: str, a_sound: Sound, b_sound: Sound
    ) -> tuple[Phone, Phone]:
        """The phone that calls and hangs up on its cue, and the one that answers."""
        a, b = Caller(), Callee()
        callee = self._phone(
            scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()),
            address=self._stack.place.trunk_host,
            keywords={"rtp_port": str(b_sound.port)},
        )
        caller = self._phone(
            scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()),
            address=f"{self._caller_address}:0",
            target=self._stack.place.sip,
            dialled=dialled,
            keywords={"number": number, "rtp_port": str(a_sound.port)},
        )
        return caller, callee

    def _is_rung(self, phone: Phone, count: int, number: str, virtual: str) -> None:
        name = _NAMES[number]
        self._must(until(lambda: len(phone.calls) >= count), f"{name} is not rung")
        invite = phone.calls[count - 1]
        shown = user(header(invite, "From"))
        self._must(invite.startswith(f"INVITE sip:{number}@"), f"not {name} is rung")
        self._must(shown == virtual, f"{name}'s phone shows {shown}")
        self._tell(f"{name}'s phone rings", f"and shows {shown}")

    def _nobody_talks(self) -> bool:
        return not self._stack.rows("SELECT FROM call WHERE ended_at IS NULL")

    def _show_records(self, client: Client, session_uuid: str) -> None:
        self._must(until(lambda: len(self._stack.rows(_CALLS)) == 6), "records are missing")
        report = client.session(session_uuid)
        self._must(len(report["interaction"]) == 3, "the session does not show its three calls")
        table = Table("started (UTC)", "outcome", "reason", "talked s", "ended by", "SIP a / b")
        for row in self._stack.rows(_CALLS):
            table.add_row(
                f"{row['started_at']:%H:%M:%S.%f}"[:-3],
                row["disposition"],
                row["reason"],
                row["talked"],
                row["hung_up_by"],
                row["sip"],
            )
        self._console.print(table)


def _hears_more(sound: Sound) -> bool:
    enough = len(sound.heard) + _TURN
    return until(lambda: len(sound.heard) > enough)


@contextlib.contextmanager
def told(console: Console, what: str) -> Iterator[None]:
    """A spinner for the length of the block, and how long it took."""
    began = time.monotonic()
    with console.status(f"{what} …"):
        yield
    console.print(f"[green]✓[/green] {what} ({time.monotonic() - began:.1f} s)")
