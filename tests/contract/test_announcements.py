"""Whether Asterisk has what we would have it say."""

import pytest

from bridge.domain.announcements import Announcement
from bridge.embedded.install import install


@pytest.mark.parametrize("announcement", Announcement)
def test_asterisk_has_the_sounds(announcement: Announcement) -> None:
    sounds = install() / "usr/share/asterisk/sounds"
    for media in announcement.media:
        name = media.removeprefix("sound:")
        assert list(sounds.glob(f"en_US*/{name}.gsm")), f"{name} is missing"
