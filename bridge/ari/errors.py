"""What can go wrong between us and Asterisk."""

from bridge.domain.errors import Unavailable


class AriError(Exception):
    """Asterisk did not do what it was asked."""


class AsteriskUnreachable(AriError, Unavailable):
    """Asterisk is away, starting up, or did not answer in time."""


class RequestRefused(AriError):
    """Asterisk understood the request and refused it.

    ``status`` is the HTTP status; Asterisk's own words may hold a number and are left out.
    """

    def __init__(self, operation: str, status: int) -> None:
        super().__init__(f"{operation}: HTTP {status}")
        self.status = status


class Gone(RequestRefused):
    """The channel or bridge is no more, or no longer ours (404, 409, 412, 422).

    For a command on a leg this means that the leg has ended and its event is on the way.
    """
