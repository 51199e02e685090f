"""What a file is, by its content.  Its name and what a server says of it tell nothing."""

from typing import Literal

Kind = Literal["mp3", "wav"]


def kind_of(content: bytes) -> Kind | None:
    """``wav`` or ``mp3``; ``None`` for everything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "wav"
    return "mp3" if _begins_layer_3(content, _after_id3(content)) else None


def _after_id3(content: bytes) -> int:
    """Where the sound begins: ID3v2 tags stand before it (id3.org, ID3v2.4 3.1)."""
    at = 0
    while content[at : at + 3] == b"ID3":
        size = content[at + 6 : at + 10]
        if len(size) < 4 or max(size) > 0x7F:
            break
        at += 10 + sum(byte << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))
    return at


def _begins_layer_3(content: bytes, at: int) -> bool:
    """Whether an MPEG audio frame header of layer III is there (ISO 11172-3, 2.4.2.3)."""
    header = content[at : at + 4]
    if len(header) < 4:
        return False
    word = int.from_bytes(header, "big")
    sync, version, layer = word >> 21, word >> 19 & 0b11, word >> 17 & 0b11
    bitrate, rate = word >> 12 & 0b1111, word >> 10 & 0b11
    return (
        sync == 0x7FF and version != 0b01 and layer == 0b01 and bitrate != 0b1111 and rate != 0b11
    )
