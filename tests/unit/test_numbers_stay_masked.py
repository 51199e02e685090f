"""Where the digits of a number may leave: everywhere else it prints itself masked."""

from pathlib import Path

ROOT = Path(__file__).parents[2]

DIGITS_LEAVE = {
    "bridge/api/render/forms.py": "to the customer, who gave them",
    "bridge/api/render/sessions.py": "the same",
    "bridge/calls/crossing.py": "nowhere: compared with what was dialled",
    "bridge/cli/numbers.py": "virtual numbers, to the operator",
    "bridge/cli/trunk.py": "to the operator who tests the trunk's rules",
    "bridge/domain/grants.py": "to Postgres, as the ends of ranges of virtual numbers",
    "bridge/domain/numbers.py": "the number itself",
    "bridge/domain/privacy.py": "to the customer, in an event, as far as its account says",
    "bridge/domain/signalling.py": "the dialled number, which is a virtual one, as text",
    "bridge/domain/trunk_rules.py": "to Asterisk, as its carrier wants them",
    "bridge/store/allocations.py": "to Postgres",
    "bridge/store/numbers.py": "to Postgres",
    "bridge/store/rates.py": "to Postgres",
    "bridge/store/recordings.py": "to Postgres",
    "bridge/store/session_rows.py": "to Postgres",
    "bridge/store/sessions.py": "the same",
}


def test_digits_leave_only_where_they_must() -> None:
    """A new place is to be thought about, and then to be listed here."""
    found = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "bridge").rglob("*.py")
        if ".e164" in file.read_text()
    }
    assert found == set(DIGITS_LEAVE)
