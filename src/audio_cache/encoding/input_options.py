"""How ffmpeg has to open a source, so that it reads all of its audio and no other file."""

from __future__ import annotations

import os
from typing import Final

from ..errors import EncodeError
from ..sources.source import Source
from .ffmpeg import FFmpeg, FFmpegRun

# Playlists and network protocols stay shut: a file may name no other file for ffmpeg to open.
_LIMITS: Final = (
    "-protocol_whitelist",
    "file,pipe,subfile",
    "-format_whitelist",
    "flac,wav,w64,aiff,mov,ape,wv,tta,dsf,iff",
)
# Without it a frame whose checksum is wrong counts as good, and the noise in it as music.
_STRICT: Final = ("-xerror", "-err_detect:a", "crccheck+explode")
# ffmpeg seeks these to the very sample.
_SEEKABLE: Final = frozenset({"flac", "wav", "aiff", "mov", "ape", "wv", "tta", "dsf", "iff"})
# These have no end of their own: tags behind the audio would be read as damaged audio.
_OPEN_ENDED: Final = frozenset({"flac", "wv"})


def input_arguments(source: Source, *, start_us: int = 0) -> list[str]:
    """Return the options that make ffmpeg open a source.

    Args:
        source: the file to decode.
        start_us: microseconds to skip, exact where the demuxer can seek to a sample.
    """
    form = ["-f", source.demuxer] if source.demuxer else []
    # Only where ffmpeg's own choice would decode wrongly: 24 bits in 32-bit extensible WAV.
    decoder = ["-c:a", source.decoder] if source.decoder else []
    seek = ["-ss", f"{start_us}us"] if start_us else []
    strict = _STRICT if stops_at_errors(source) else ()
    return [*strict, *("-threads", "1"), *_LIMITS, *form, *decoder, *seek, "-i", _url(source)]


def can_seek(source: Source) -> bool:
    """Say whether ffmpeg can start to decode at the start of any group of frames."""
    # A group lasts 32/25 s: only at rates divisible by 25 does it start on a source sample.
    return source.demuxer in _SEEKABLE and source.rate_hz % 25 == 0


def name_of(source: Source) -> str:
    """Return a source's name as messages show it."""
    return repr(os.fspath(source.path))


def stops_at_errors(source: Source) -> bool:
    """Say whether ffmpeg ends at the first error; else only counting shows that audio is missing.

    PCM has nothing that could be damaged but its end, and a WAV that was streamed states no end:
    ffmpeg calls the last piece of it corrupt.
    """
    return source.codec != "pcm"


def count_samples(ffmpeg: FFmpeg, source: Source) -> int:
    """Return the samples per channel that a file decodes to, by decoding it once.

    Raises:
        EncodeInterruptedError: somebody ended the ffmpeg.
        EncodeError: ffmpeg cannot decode the file, or not all of it.
    """
    # Raw samples to a pipe rather than `-f null`: a limit on waiting then holds for any decoder.
    output = ("-map", "0:a:0", "-vn", "-f", "s16le", "{out}")
    with FFmpegRun(ffmpeg, [*input_arguments(source), *output]) as run:
        for _ in run.read():
            pass
        report = run.finish()
    if report.returncode != 0 or report.decoded_samples is None:
        raise EncodeError(
            f"{name_of(source)} cannot be decoded",
            returncode=report.returncode,
            cmd=run.command,
            stderr=report.stderr,
        )
    return report.decoded_samples


def _url(source: Source) -> str:
    url = f"file:{os.fspath(source.path)}"
    if source.demuxer in _OPEN_ENDED and 0 < source.audio_end < source.size_bytes:
        return f"subfile,,start,0,end,{source.audio_end},,:{url}"
    return url
