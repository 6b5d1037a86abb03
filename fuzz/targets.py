"""What is fuzzed: each target takes bytes, and raises where they break what is promised."""

from __future__ import annotations

import contextlib
import os
import tempfile
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Final

from audio_cache.encoding import mp3
from audio_cache.encoding.ffmpeg_options import input_arguments
from audio_cache.errors import CueSheetError
from audio_cache.sources.sheet_tracks import read_sheet
from audio_cache.sources.source import hash_audio, read_source, stat_source, version_of
from audio_cache.sources.suffixes import AUDIO_SUFFIXES
from audio_cache.store.entry import count_intact_frames, judge_alone, read_open_entry
from mixtape.files.tags import read_track_tags
from mixtape.server.arrival import MAX_HEAD_BYTES, Arrival, Stage
from tests.helpers.renditions import make_identity

DATA: Final = Path(__file__).parents[1] / "tests" / "data"
SUFFIXES: Final = tuple(sorted(AUDIO_SUFFIXES))
_FOLDER: Final = tempfile.TemporaryDirectory(prefix="fuzz-")
_MOST_BODY_BYTES: Final = 1 << 17


def sources(data: bytes) -> None:
    """Read a music file; the first byte chooses its suffix. Nothing in it may be an error."""
    if not data:
        return
    path = Path(_FOLDER.name) / f"x{SUFFIXES[data[0] % len(SUFFIXES)]}"
    path.write_bytes(data[1:])
    source = read_source(path)
    read_track_tags(source.tags)
    input_arguments(source)
    for extent in source.extents:
        assert 0 <= extent.start <= extent.end <= source.size_bytes, source.extents
    if source.has_sheet:
        with contextlib.suppress(CueSheetError):
            for track in read_sheet(path):
                assert version_of(stat_source(track.path)) == read_source(track.path).version
    for name, text in source.tags:
        assert name
        assert "\0" not in text
    if source.lossless and source.samples and source.rate_hz:
        assert mp3.output_samples(source.samples, source.rate_hz) > 0
        hash_audio(source)


def entries(data: bytes) -> None:
    """Look at a file of the cache, which anybody may have put there."""
    path = Path(_FOLDER.name) / "entry.mp3"
    path.write_bytes(data)
    with path.open("rb") as file:
        entry = read_open_entry(file.fileno())
        judge_alone(entry, None)
        if entry.identity is not None:
            count_intact_frames(file.fileno(), entry.header_bytes, 128_000, 10)


def sheets(data: bytes) -> None:
    """Read a CUE sheet, and cut a file by it. Nothing in it may be an error of another kind."""
    sheet = Path(_FOLDER.name) / "x.cue"
    sheet.write_bytes(data)
    album = Path(_FOLDER.name) / "album.wav"
    if not album.exists():
        with wave.open(os.fspath(album), "wb") as file:
            file.setparams((1, 1, 8000, 0, "NONE", ""))
            file.writeframes(bytes(80_000))
    try:
        tracks = read_sheet(sheet)
    except CueSheetError:
        return
    at: int | None = 0
    for track in tracks:
        source = read_source(track.path)
        assert source.samples
        assert track.start == at or source.first_sample
        assert source.first_sample + source.samples <= (source.file.samples or 0)
        assert version_of(stat_source(track.path)) == source.version
        read_track_tags(source.tags)
        at = track.stop


def requests(data: bytes) -> None:
    """Take requests from a connection; how they are cut into pieces must not matter."""
    whole = _arrive([data])
    size = 1 + data[0] % 61 if data else 1
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert _arrive(pieces) == whole


def _arrive(pieces: list[bytes]) -> tuple[object, ...]:
    """Return what the first request on a connection is."""
    arrival = Arrival(_MOST_BODY_BYTES)
    try:
        for piece in pieces:
            arrival.add(piece)
        assert arrival.stage is Stage.WHOLE or not arrival.refusal
        if arrival.stage is not Stage.WHOLE or arrival.must_close:
            # How much too much there was of a refused one is left to chance.
            is_sized = arrival.length <= _MOST_BODY_BYTES
            return arrival.stage, arrival.refusal, arrival.must_close, is_sized
        request = b"".join(arrival.pieces())
        assert len(request) <= MAX_HEAD_BYTES + _MOST_BODY_BYTES + 4
        return arrival.stage, request, arrival.rest()
    finally:
        arrival.close()


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "sources": sources,
    "entries": entries,
    "sheets": sheets,
    "requests": requests,
}


def seeds_of(target: str) -> list[bytes]:
    """Return inputs to begin with, besides those that were kept."""
    if target == "sources":
        files = [path for path in sorted(DATA.iterdir()) if path.suffix in SUFFIXES]
        return [
            bytes([SUFFIXES.index(path.suffix)]) + path.read_bytes()
            for path in files
            if os.stat(path).st_size < 1 << 16
        ]
    if target == "sheets":
        text = 'FILE "album.wav" WAVE\n TRACK 01 AUDIO\n  TITLE "A"\n  INDEX 01 00:00:00\n'
        text += " TRACK 02 AUDIO\n  PERFORMER B\n  INDEX 00 00:02:00\n  INDEX 01 00:03:10\n"
        return [text.encode(coding) for coding in ("utf-8", "utf-16")]
    if target == "requests":
        return [
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"\r\nPOST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n",
            b"PUT / HTTP/1.1\r\nContent-Length: 70000\r\nExpect: 100-continue\r\n\r\n",
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ]
    samples = 10 * mp3.FRAME_SAMPLES
    identity = make_identity(samples=samples, frames=mp3.frame_count(samples)).payload()
    header = mp3.id3_tag((("title", "A"),), identity) + mp3.info_frame(128_000, samples)
    return [header, header + mp3.silence(128_000, 0, 4000)]
