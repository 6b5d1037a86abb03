"""The audio of a file as its header describes it, whatever the format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from .reader import Extent, TagBlock

# ffmpeg turns eight bits of DSD into one sample of PCM.
DSD_BITS_PER_SAMPLE: Final = 8

Code = TypeVar("Code", int, bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The audio of a file as its header describes it; none of it has been decoded.

    Attributes:
        codec: what the audio is coded with; "unknown" if it was not recognised.
        demuxer: the ffmpeg demuxer that opens the file; "" if none of ours does.
        coding: whatever else decides how the audio bytes are read, as the format writes it.
        decoder: the ffmpeg decoder to force where it would choose the wrong one; else "".
        lossless: None if the content doesn't say.
        rate_hz: that of ffmpeg's decoder output; 0 if unknown.
        channels: 0 if unknown.
        bits: per sample; 0 if unknown.
        samples: per channel at `rate_hz`; None if unknown or doubtful.
        audio: the bytes that change only when the audio does, in order, none past the file's end.
        md5: FLAC's MD5 of the decoded audio; "" if it is not set.
        tags: where the text tags are, the most important first.
    """

    codec: str = "unknown"
    demuxer: str = ""
    coding: str = ""
    decoder: str = ""
    lossless: bool | None = None
    rate_hz: int = 0
    channels: int = 0
    bits: int = 0
    samples: int | None = None
    audio: tuple[Extent, ...] = ()
    md5: str = ""
    tags: tuple[TagBlock, ...] = ()


def by_code(codecs: Mapping[str, Sequence[Code]]) -> dict[Code, str]:
    """Return the codec by code, from a table of the codes that a container has for each codec."""
    return {code: codec for codec, codes in codecs.items() for code in codes}
