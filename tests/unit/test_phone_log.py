"""What is read of SIPp's message log, which it is still writing."""

from pathlib import Path

import pytest

from bridge.embedded.phones.phone import Phone, PhoneError

ANSWER = "SIP/2.0 200 OK\r\nContent-Length: 12\r\n\r\nv=0\r\ns=-\r\n\r\n"


def logged(text: str) -> str:
    at = "2026-11-25\t11:00:00.000000\t1764068400.000000"
    return (
        f"----------------------------------------------- {at}\n"
        f"UDP message received [{len(text)}] bytes :\n\n{text}\n"
    )


def test_a_message_is_seen_when_the_whole_of_it_is_in_the_log(tmp_path: Path) -> None:
    phone = Phone("alice", "", tmp_path, address="127.0.0.1:5070")
    assert phone.received == []
    whole = logged("SIP/2.0 100 Trying\r\n\r\n") + logged(ANSWER)
    log = tmp_path / "alice.messages"
    begins = whole.index(ANSWER)
    for length in range(begins, begins + len(ANSWER)):
        log.write_bytes(whole[:length].encode())
        assert phone.received == ["SIP/2.0 100 Trying"]
    log.write_bytes(whole.encode())
    assert phone.received == ["SIP/2.0 100 Trying", ANSWER.replace("\r\n", "\n").strip("\n")]


def test_waits_that_ended_as_foreseen_are_left_out_of_what_went_wrong(tmp_path: Path) -> None:
    at = "2026-11-25\t11:00:00.000000\t1764068400.000000"
    foreseen = f"{at}: Call-Id: 5f4f-1, receive timeout on message :2, jumping to label 6"
    wrong = f"{at}: Aborting call on unexpected message for Call-Id '5f4f-1'\n"
    phone = Phone("bob", "", tmp_path, address="127.0.0.1:5070")
    errors = tmp_path / "bob.errors"
    errors.write_text("The following events occurred:\n" + 3 * foreseen + wrong + 3 * foreseen)
    with pytest.raises(PhoneError) as trouble:
        phone.has_seen("SIP/2.0 200")
    assert "receive timeout" not in str(trouble.value)
    assert wrong.strip() in str(trouble.value)
