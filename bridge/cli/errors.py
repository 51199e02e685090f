"""What can be wrong with a command."""


class CommandError(Exception):
    """What was asked for cannot be done; the message says why."""
