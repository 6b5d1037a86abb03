"""What the header of a file says about its audio."""

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
    """The audio of a file as its header describes it; nothing of it was decoded.

    Attributes:
        codec: what the audio is coded with; "unknown" where nothing known was found.
        demuxer: the demuxer of ffmpeg that opens the file; "" where none of ours does.
        coding: what else decides how the bytes of the audio are to be read, in a form of its own.
        decoder: the decoder of ffmpeg to force, where it would choose a wrong one; else "".
        lossless: None where the content doesn't tell.
        rate_hz: as ffmpeg's decoder puts out; 0 where unknown.
        channels: 0 where unknown.
        bits: per sample; 0 where unknown.
        samples: per channel at `rate_hz`; None where unknown or doubtful.
        audio: the bytes that change only when the audio does, in order, none past the file's end.
        md5: FLAC's MD5 of the decoded audio; "" where not set, or where it cannot be checked.
        tags: where text tags lie, those first that count most.
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
    """Turn a table of codecs, each with the codes that a container has for it, inside out."""
    return {code: codec for codec, codes in codecs.items() for code in codes}
