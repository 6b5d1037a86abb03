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
class Format:
    """The format of the audio in a file.

    Attributes:
        codec: "flac", "pcm", "alac", "ape", "wavpack", "tta", "dsd" or "dst"; for lossy content
            its name, such as "aac"; "unknown" where nothing known was found.
        demuxer: the demuxer of ffmpeg that must open the file; "" where none of ours does.
        decoder: the decoder of ffmpeg to force, where it would choose a wrong one; else "".
        rate_hz: as ffmpeg's decoder puts out, which for DSD is an eighth; 0 where unknown.
        channels: 0 where unknown.
        bits: per sample; 0 where unknown.
        samples: per channel at `rate_hz`, as the header states even where the file ends before;
            None where unknown or doubtful, so that only decoding tells.
    """

    codec: str = "unknown"
    demuxer: str = ""
    decoder: str = ""
    rate_hz: int = 0
    channels: int = 0
    bits: int = 0
    samples: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream(Format):
    """The audio of a file as its header describes it; nothing of it was decoded.

    Attributes:
        coding: what else decides how the bytes of the audio are to be read, in a form of its own.
        lossless: None where the content doesn't tell.
        audio: the bytes that change only when the audio does, in order, none past the file's end.
        md5: FLAC's MD5 of the decoded audio; "" if it is not set.
        tags: where the text tags are, the most important first.
    """

    coding: str = ""
    lossless: bool | None = None
    audio: tuple[Extent, ...] = ()
    md5: str = ""
    tags: tuple[TagBlock, ...] = ()


def by_code(codecs: Mapping[str, Sequence[Code]]) -> dict[Code, str]:
    """Return the codec by code, from a table of the codes that a container has for each codec."""
    return {code: codec for codec, codes in codecs.items() for code in codes}
