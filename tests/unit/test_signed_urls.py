"""Signatures of recordings' URLs."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.signed_urls import UrlSigner, Verdict

SIGNER = UrlSigner(b"one secret", lifetime=60)
ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


def test_a_signature_is_good_until_its_time() -> None:
    expires, signature = SIGNER.sign(ONE, now=1000.9)
    assert expires == 1060
    assert SIGNER.judge(ONE, expires, signature, now=1059.9) is Verdict.GOOD
    assert SIGNER.judge(ONE, expires, signature, now=1060.0) is Verdict.OVER


def test_it_is_good_for_one_recording_one_time_and_one_secret() -> None:
    expires, signature = SIGNER.sign(ONE, now=1000)
    assert SIGNER.judge(OTHER, expires, signature, now=1000) is Verdict.FORGED
    assert SIGNER.judge(ONE, expires + 1, signature, now=1000) is Verdict.FORGED
    other = UrlSigner(b"another secret", lifetime=60)
    assert other.judge(ONE, expires, signature, now=1000) is Verdict.FORGED
    assert SIGNER.judge(ONE, 0, signature, now=1000) is Verdict.FORGED, "also when it is over"


@given(st.text().filter(lambda text: not text.isascii() or len(text) != 43))
def test_nothing_else_is_a_signature(text: str) -> None:
    assert SIGNER.judge(ONE, 1060, text, now=1000) is Verdict.FORGED


def test_the_secret_is_not_shown() -> None:
    assert "one secret" not in repr(SIGNER)
