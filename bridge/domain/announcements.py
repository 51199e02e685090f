"""What Asterisk's own English voice says where a call must say something and no prompt is given.

All of it is in Debian's ``asterisk-core-sounds-en-gsm``, which our Asterisk has anyway.  What that
voice has never said is put together of what it has, or said with what comes nearest.
"""

import enum


class Announcement(enum.Enum):
    """What is to be said; the value is what Asterisk plays for it, one after the other."""

    ENTER_PIN = ("sound:confbridge-pin",)
    """Says "Please enter your personal identification number followed by the pound, or hash key."
    So that key is to be taken for the end of the PIN."""

    INCORRECT_PIN = ("sound:privacy-incorrect",)
    """Says "I'm sorry, that number is not valid."  The other candidates call it a password, or ask
    for it again in the same breath, which would be wrong after the last try."""

    TOO_MANY_PINS = ("sound:confbridge-pin-bad", "sound:vm-goodbye")
    """Says "You have entered too many invalid personal identification numbers.  Goodbye."."""

    UNKNOWN_CALLER = ("sound:cannot-complete-as-dialed",)
    """Says "Your call cannot be completed as dialed."  It tells a stranger nothing: not that the
    number is in use, not that it is out of use, and not that somebody else would get through."""

    GOODBYE = ("sound:vm-goodbye",)
    """Says "Goodbye", more soberly than the sound that is called ``goodbye``."""

    BEING_RECORDED = ("sound:beep", "sound:conf-now-recording")
    """Says, after a beep, "The conference is now being recorded."  There is no other sentence about
    recording among the core sounds.  Asterisk's extra sounds, which Debian does not package, have
    ``this-call-may-be-monitored-or-recorded``; where the law asks for certain words, a prompt of
    one's own is to be given."""

    AGREE_TO_RECORDING = ("sound:beep", "sound:conf-now-recording", "sound:vm-saveoper")
    """Says, after a beep, "The conference is now being recorded.  Press 1 to accept this recording,
    otherwise, please continue to hold."  The last sentence is voicemail's, and just what is meant;
    the one before says what it is about, if a little early."""

    PRESS_1_TO_ACCEPT = ("sound:followme/no-recording", "sound:followme/options")
    """Says "You have an incoming call.  Press 1 to accept this call, or 2 to reject it."."""

    ONE_MINUTE_LEFT = ("sound:beep", "sound:vm-youhave", "sound:digits/1", "sound:queue-minute")
    """Says "You have one minute", as Dial() warns of its limit, after a beep that is heard over
    talk."""

    @property
    def media(self) -> tuple[str, ...]:
        """What Asterisk is told to play."""
        sounds: tuple[str, ...] = self.value
        return sounds
