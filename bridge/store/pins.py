"""What the store knows of strangers: what they are asked, and how often they guessed wrongly."""

import secrets
import string

from bridge.domain.pins import LONGEST_PIN, Tries
from bridge.domain.routing import AskPin
from bridge.store.pool import Row


def random_pin(length: int) -> str:
    """A PIN of so many digits that nobody can foretell."""
    return "".join(secrets.choice(string.digits) for _ in range(length))


def pin_question(row: Row) -> AskPin | None:
    """What the caller of an arrival is asked: as its own session says, or the number's newest."""
    session, options = row["pin_session"], row["pin_options"]
    if row["registered"] and _must_type_its_pin(row):
        session, options = row["id"], row["options"]
    if session is None:
        return None
    return AskPin(
        session=session,
        prompt=options["pin_prompt_play"],
        incorrect=options.get("incorrect_pin_play"),
        retries=options.get("pin_retry", 1),
        wait=options.get("pin_retry_wait", 5),
        length=row["longest_pin"] or LONGEST_PIN,
        pause=tries(row).wait,
    )


def _must_type_its_pin(row: Row) -> bool:
    """Whether the number of a session's party does not prove enough to that session."""
    options = row["options"]
    asks = options.get("is_pin_authentication_required", False)
    return bool(options.get("force_pin_authentication") or (asks and row["unattested"]))


def tries(row: Row) -> Tries:
    """What was typed wrongly of late, as function ``wrong_pins`` of Postgres has it."""
    return Tries(
        of_caller=row["of_caller"] or 0,
        on_number=row["on_number"] or 0,
        on_number_at=row["on_number_at"] or (),
        in_account=row["in_account"] or 0,
        in_account_at=row["in_account_at"] or (),
        withheld=row["withheld"] or 0,
        withheld_at=row["withheld_at"] or (),
        registered=row["registered"],
    )
