"""What can be wrong with a sound."""


class Unusable(Exception):
    """A file that no sound could be made of.

    ``reason`` is ``not-audio``, ``unusable-format``, ``too-long`` or ``conversion-failed``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
