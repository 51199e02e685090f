"""What is learnt of legs that ended while nobody saw it."""

import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.ari.client import Asterisk
from bridge.ari.legs import Legs
from bridge.ari.remains import Remains
from bridge.ari.requests import Requests
from bridge.domain.records import Arrival, OpenCall
from bridge.domain.sessions import AnswerGuard
from tests.people import ALICE, BOB, SESSION, VIRTUAL

_LAST_BEAT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


class ToldRequests(Requests):
    """To an Asterisk that had no bridge for an hour, and has the channels that the test says."""

    def __init__(self) -> None:  # no connection, so nothing to close
        self.app = "bridge"
        self.channels: list[str] = []

    async def call(self, resource: str, operation: str, /, **arguments: Any) -> Any:
        match resource, operation:
            case "asterisk", "getInfo":
                return {"status": {"startup_time": "2026-01-01T00:00:00.000+0000"}}
            case "channels", "list":
                made_at = (_LAST_BEAT - timedelta(minutes=1)).isoformat()
                channel = {"name": "PJSIP/carrier-1", "creationtime": made_at, "state": "Up"}
                return [SimpleNamespace(json={"id": one, **channel}) for one in self.channels]
            case "bridges", "list":
                return []
            case "channels", "getChannelVar":
                return {"value": ""}
            case _:
                raise AssertionError((resource, operation))

    async def variable(self, name: str) -> str:
        known = {
            "BRIDGE_HEARTBEAT": str(int(_LAST_BEAT.timestamp())),
            "BRIDGE_KEEPS_ENDS": "yes",
        }
        return known.get(name, "")


@pytest.mark.parametrize("was_there", [True, False])
async def test_a_leg_without_a_word_ended_after_our_first_beat_if_it_was_there_before(
    *, was_there: bool
) -> None:
    """Else before the dialplan took the last bridge for gone: of all between the two it has one."""
    requests, legs = ToldRequests(), Legs()
    asterisk = Asterisk(requests, legs, trunk="carrier")
    legs.serve(asterisk)
    remains = Remains(requests, legs, asterisk)
    call = open_call()
    requests.channels = [call.arrival.channel_id] if was_there else []
    await remains.look_back()
    await remains.resynchronise()
    connected_at = datetime.now(UTC)
    a_leg, _ = remains.take_up(call)
    requests.channels = []
    await remains.resynchronise()
    assert a_leg.state.lost
    assert a_leg.state.ended_at
    if was_there:
        assert connected_at <= a_leg.state.ended_at
    else:
        assert a_leg.state.ended_at == _LAST_BEAT + timedelta(seconds=2)


def open_call() -> OpenCall:
    return OpenCall(
        arrival=Arrival(
            call_id=uuid.uuid4(),
            channel_id="1-2@phone",
            caller=ALICE,
            dialled=VIRTUAL.e164,
            started_at=_LAST_BEAT - timedelta(minutes=1),
        ),
        callee=BOB,
        limits=SESSION.limits,
        guard=AnswerGuard.NONE,
        ringing_at=None,
        answered_at=_LAST_BEAT,
    )
