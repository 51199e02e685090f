"""What can go wrong with Postgres, as the rest of the service knows it."""

from bridge.domain.errors import Unavailable


class StoreError(Exception):
    """Something went wrong in the store."""


class StoreUnavailable(StoreError, Unavailable):
    """Postgres is away, too slow, or had to undo it.  Nothing was decided; try again."""


class SchemaError(StoreError):
    """The database's schema is not one this program can work with."""
