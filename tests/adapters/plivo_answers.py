"""What Plivo answers, verbatim from the tests of its SDKs but for numbers, ids, hosts and times.

Both SDKs are held to it: `test_plivo_sdk.py` (Python) and `test_plivo_node.py`.
"""

import re
from typing import Any

from tests.people import ALICE, BOB, VIRTUAL

Json = dict[str, Any]

_SOUND = "https://plivobin.example.test/demo/{}.mp3"

ASKED: Json = {
    "session_expiry": 200,
    "call_time_limit": 14400,
    "ring_timeout": 45,
    "is_pin_authentication_required": True,
    "first_party_pin": "1234",
    "second_party_pin": "4321",
    "pin_prompt_play": _SOUND.format("pin"),
    "pin_retry": 2,
    "pin_retry_wait": 7,
    "incorrect_pin_play": _SOUND.format("wrong"),
    "unknown_caller_play": _SOUND.format("unknown"),
    "virtual_number_cooloff_period": 3500,
    "force_pin_authentication": True,
}
"""What a client asked for, beside the two parties, to be answered with `CREATED`."""

CREATED: Json = {
    "api_id": "e0218e45-53f5-435b-83d2-936010e40acc",
    "session_uuid": "1091db69-2290-4633-9222-c9473c4815b6",
    "virtual_number": VIRTUAL.e164,
    "message": "Session created",
    "session": {
        "first_party": ALICE.e164[1:],
        "second_party": BOB.e164[1:],
        "virtual_number": VIRTUAL.e164[1:],
        "status": "active",
        "initiate_call_to_first_party": False,
        "session_uuid": "1091db69-2290-4633-9222-c9473c4815b6",
        "callback_url": "",
        "callback_method": "POST",
        "created_time": "2024-09-05 06:43:26 +0000 UTC",
        "modified_time": "2024-09-05 06:43:26 +0000 UTC",
        "expiry_time": "2024-09-05 06:46:46 +0000 UTC",
        "duration": 200,
        "amount": 0,
        "call_time_limit": 14400,
        "ring_timeout": 45,
        "first_party_play_url": "",
        "second_party_play_url": "",
        "record": False,
        "record_file_format": "mp3",
        "recording_callback_url": "",
        "recording_callback_method": "POST",
        "interaction": None,
        "total_call_amount": 0,
        "total_call_count": 0,
        "total_call_billed_duration": 0,
        "total_session_amount": 0,
        "last_interaction_time": "",
        "unknown_caller_play": _SOUND.format("unknown"),
        "is_pin_authentication_required": True,
        "generate_pin": False,
        "generate_pin_length": 4,
        "first_party_pin": "1234",
        "second_party_pin": "4321",
        "pin_prompt_play": _SOUND.format("pin"),
        "pin_retry": 2,
        "pin_retry_wait": 7,
        "incorrect_pin_play": _SOUND.format("wrong"),
        "create_session_with_single_party": None,
        "virtual_number_cooloff_period": 3500,
        "force_pin_authentication": True,
    },
}

INTERACTION: Json = {
    "call_billed_duration": 30,
    "duration": 48,
    "end_time": "2024-05-29 04:47:49 +0000 UTC",
    "first_party_resource_url": "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Call/19e00290-9b1f-4a2f-8c4e-1",
    "second_party_resource_url": "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Call/e6d7a9db-9b1f-4a2f-8c4e-1",
    "start_time": "2024-05-29 04:47:18 +0000 UTC",
    "total_call_amount": 0.025,
    "total_call_count": 2,
    "type": "call",
}
"""One call of a session, with two legs."""

_VARYING = {"api_id", "session_uuid", "created_time", "modified_time", "expiry_time"}


def assert_is_as(plivo: Json, ours: Json) -> None:
    """Every field of Plivo's is in ours, with its type, and its value unless that always varies."""
    shared = _shared(plivo, ours)
    assert _kinds(shared) == _kinds(plivo)
    assert _lasting(shared) == _lasting(plivo)


def assert_is_of_the_kind_of(plivo: Json, ours: Json) -> None:
    """Every field of Plivo's is in ours, with its type."""
    assert _kinds(_shared(plivo, ours)) == _kinds(plivo)


def camel_case(answer: Any) -> Any:
    """An answer as the Node SDK hands it on."""
    match answer:
        case dict():
            return {
                re.sub("_([a-z])", lambda found: found[1].upper(), name): camel_case(value)
                for name, value in answer.items()
            }
        case list():
            return [camel_case(one) for one in answer]
        case _:
            return answer


def _shared(plivo: Json, ours: Json) -> Json:
    """Ours, without the fields that Plivo does not have."""
    return {
        name: _shared(value, ours[name]) if isinstance(value, dict) else ours[name]
        for name, value in plivo.items()
    }


def _lasting(answer: Json) -> Json:
    """An answer without what is another every time."""
    varying = _VARYING | camel_case(dict.fromkeys(_VARYING)).keys()
    return {
        name: _lasting(value) if isinstance(value, dict) else value
        for name, value in answer.items()
        if name not in varying
    }


def _kinds(value: Any) -> Any:
    """The JSON type of a value, and of each field of an object."""
    match value:
        case dict():
            return {name: _kinds(one) for name, one in value.items()}
        case int() | float() if not isinstance(value, bool):
            return "number"
        case _:
            return type(value).__name__
