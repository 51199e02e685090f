"""What can come of a request to an address that a client named."""


class EgressError(Exception):
    """There was no answer.  ``reason`` is one of a few words in kebab-case, fit for a report."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Forbidden(EgressError):
    """The URL leads where no request of ours may go; a `bridge.domain.egress.Fault`, or
    ``too-many-redirects``."""


class TimedOut(EgressError):
    """The answer was not there in time: ``timed-out``."""


class TooLarge(EgressError):
    """The answer is longer than allowed: ``too-large``."""


class Unreachable(EgressError):
    """Nobody there, or nobody who speaks HTTP: ``no-such-host``, ``no-connection``, ``tls``,
    ``broken-answer``."""
