"""How loud each party of a recording was."""

import io
import wave
from array import array

import pytest

from bridge.embedded.meter import levels, waveform
from tests.sounds import tone


def test_each_party_is_shown_when_it_speaks() -> None:
    speech, silence = tone(1, hz=440), [0] * 8000  # at -20 dBov
    caller, callee = [*speech, *silence], [*silence, *speech]
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        pairs = zip(caller, callee, strict=True)
        file.writeframes(array("h", [sample for pair in pairs for sample in pair]).tobytes())
    left, right = levels(content.getvalue(), columns=4)
    assert left[:2] == right[2:] == pytest.approx([-20, -20], abs=1)
    assert waveform(left) == waveform(right)[::-1] == "▆▆  "
