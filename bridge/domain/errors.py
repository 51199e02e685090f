"""What every layer may need to know about a failure."""


class Unavailable(Exception):
    """A part we depend on, Postgres or Asterisk, is away for now.  Nothing was decided."""
