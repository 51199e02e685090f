"""What can go wrong with Postgres, as the rest of the service knows it."""

from bridge.domain.errors import Unavailable
from bridge.domain.readiness import Trouble


class StoreError(Exception):
    """Something went wrong in the store."""


class StoreUnavailable(StoreError, Unavailable):
    """Postgres is away, too slow, or had to undo it.  Nothing was decided; try again."""


class StoreMisconfigured(StoreUnavailable):
    """Postgres does not serve us, and will not until somebody changes something.

    It is a `StoreUnavailable` too, because nothing was decided and nothing is lost: what waits for
    Postgres waits for that change.  At the start nothing waits yet, and the service ends.

    Args:
        trouble: what is wrong and what to do, in our own words.  Postgres's own text may hold the
            password, a name or a number, and is left out.
    """

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble


class SchemaError(StoreError):
    """The database's schema is not one this program can work with."""
