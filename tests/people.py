"""The people and numbers of the tests (numbers reserved for fiction)."""

import uuid
from datetime import timedelta

from bridge.domain.numbers import PhoneNumber
from bridge.domain.routing import Lookup
from bridge.domain.sessions import Session, Side
from tests.fakes.asterisk import EPOCH

ALICE = PhoneNumber("+14155550123")
BOB = PhoneNumber("+12165550145")
CAROL = PhoneNumber("+13035550177")
MALLORY = PhoneNumber("+13035550166")
VIRTUAL = PhoneNumber("+12025550142")

SESSION = Session(
    id=uuid.UUID(int=1),
    account="MAAAAAAAAAAAAAAAAAAA",
    first_party=ALICE,
    second_party=BOB,
    virtual_number=VIRTUAL,
    created_at=EPOCH,
    modified_at=EPOCH,
    expires_at=EPOCH + timedelta(hours=1),
    closed_at=None,
    ring_timeout=120,
    call_time_limit=3600,
)

ALICE_CALLS = Lookup(
    now=EPOCH, number_in_service=True, caller=ALICE, session=SESSION, caller_side=Side.FIRST
)
A_STRANGER_CALLS = Lookup(now=EPOCH, number_in_service=True, caller=MALLORY)
