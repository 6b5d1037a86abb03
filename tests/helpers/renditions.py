"""Renditions: making them, and taking apart what was made."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote_from_bytes

import numpy as np

from audio_cache import AudioCache
from audio_cache.encoding import mp3
from audio_cache.encoding.ffmpeg import find_ffmpeg
from audio_cache.encoding.rendition import (
    LAYOUT_VERSION,
    Identity,
    Rendition,
    make_rendition,
)
from audio_cache.quality import QualityLevel
from audio_cache.sources.source import read_source
from audio_cache.store.entry import ENTRY_NAME
from audio_cache.store.facts import FILE_NAME
from audio_cache.store.partial import partial_path
from tests.helpers.audio import file_url, run_ffmpeg


def rendition_of(path: Path, quality: QualityLevel = "low", *, timeout_s: float = 0.0) -> Rendition:
    return make_rendition(read_source(path), quality, find_ffmpeg(), timeout_s=timeout_s)


def partial_of(cache: AudioCache, path: Path, quality: QualityLevel = "low") -> Path:
    """Return where the rendition of a source grows before it is an entry."""
    return partial_path(cache.get_cache_path(path, quality), cache.get_rendition(path, quality))


def files_under(directory: Path) -> set[str]:
    """Return the relative names of all files in a cache's directory, but for its index."""
    files = (path for path in directory.rglob("*") if not path.is_dir())
    names = {path.relative_to(directory).as_posix() for path in files}
    return {name for name in names if not name.startswith(FILE_NAME)}


def whole_file(rendition: Rendition) -> bytes:
    """Return the file that an undisturbed encode gives."""
    return rendition.header + b"".join(rendition.encode())


def undisturbed(path: Path, directory: Path, quality: QualityLevel = "low") -> bytes:
    """Return what a cache of its own stores of a source."""
    return AudioCache(directory / "undisturbed").transcode_file(path, quality).read_bytes()


def split_frames(audio: bytes, bitrate_bps: int) -> list[bytes]:
    """Return the frames of a stream by what their own headers say of their sizes."""
    frames, at = [], 0
    base = 144 * bitrate_bps // mp3.SAMPLE_RATE_HZ
    while at < len(audio):
        assert audio[at : at + 2] == b"\xff\xfb", f"no frame at byte {at}"
        size = base + (audio[at + 2] >> 1 & 1)
        frames.append(audio[at : at + size])
        at += size
    return frames


def decode_stereo(path: Path) -> np.ndarray:
    """Return the audio at 44.1 kHz in stereo, as float, with what ffmpeg itself makes of it."""
    options = ["-map", "0:a:0", "-ar", "44100", "-ac", "2", "-f", "f32le", "pipe:1"]
    return np.frombuffer(run_ffmpeg("-i", file_url(path), *options).stdout, "<f4").reshape(-1, 2)


def find_lag(made: np.ndarray, source: np.ndarray) -> int:
    """Return by how many samples one recording is later than another."""
    size = 2 ** (len(made) + len(source)).bit_length()
    spectrum = np.fft.rfft(made.sum(1), size) * np.conj(np.fft.rfft(source.sum(1), size))
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return peak if peak < size // 2 else peak - size


def growing_of(cache: AudioCache, source: Path, quality: QualityLevel = "low") -> Path:
    """Return where a source's rendition grows; the directory is there, for a test to write in."""
    path = partial_path(cache.get_cache_path(source, quality), cache.get_rendition(source, quality))
    path.parent.mkdir(exist_ok=True)
    return path


def files_of(cache_dir: Path) -> list[Path]:
    """Return the files of a cache, without its index and the objects that its entries name."""
    files = [Path(folder, name) for folder, _, names in os.walk(cache_dir) for name in names]
    entries = {path.stat().st_ino for path in files if ENTRY_NAME.fullmatch(path.name)}
    objects = cache_dir / "objects"
    return sorted(
        path
        for path in files
        if not path.name.startswith(FILE_NAME)
        and not (path.is_relative_to(objects) and path.stat().st_ino in entries)
    )


def make_identity(**changes: object) -> Identity:
    """Return an identity, with some of its fields changed."""
    fields: dict[str, object] = {
        "layout": LAYOUT_VERSION,
        "quality": "low",
        "bitrate": "128k",
        "frames": 116,
        "samples": 132_300,
        "encoder": "ffmpeg-1",
    }
    return Identity(**{**fields, **changes})  # type: ignore[arg-type]


def legacy_payload(**changes: object) -> bytes:
    """Return what stands in the private frame of an entry of layout 1."""
    fields: dict[str, object] = {
        "layout": 1,
        "quality": "low",
        "frames": 116,
        "samples": 132_300,
        "size_bytes": 5_000,
        "mtime_ns": 1_700_000_000_000_000_000,
        "fingerprint": "flac-md5:00112233445566778899aabbccddeeff-44100-2-16-132300",
        "encoder": "ffmpeg-1",
        "path": "/music/a%20song.flac",
    }
    return json.dumps({**fields, **changes}, separators=(",", ":")).encode("ascii")


def write_legacy(cache: AudioCache, source: Path, quality: QualityLevel = "low") -> Path:
    """Give a source an entry as layout 1 made it: with all tags, and with where it was made."""
    rendition = rendition_of(source, quality)
    payload = legacy_payload(
        quality=quality,
        frames=rendition.frames,
        samples=rendition.samples,
        size_bytes=rendition.source.size_bytes,
        mtime_ns=rendition.source.mtime_ns,
        fingerprint=legacy_fingerprint(rendition),
        encoder=rendition.identity.encoder,
        path=quote_from_bytes(os.fsencode(source)),
    )
    tag = mp3.id3_tag(rendition.source.tags, payload)
    info = mp3.info_frame(rendition.bitrate_bps, rendition.samples)
    entry = cache.get_cache_path(source, quality)
    entry.write_bytes(tag + info + b"".join(rendition.encode()))
    return entry


def legacy_fingerprint(rendition: Rendition) -> str:
    """Return what layout 1 told audio by: the MD5 of FLAC, and else some blocks of the file."""
    source = rendition.source
    if not source.audio:
        return "blocks:00112233445566778899aabbccddeeff"
    md5 = source.audio.removeprefix("flac-md5:").partition("-")[0]
    return f"flac-md5:{md5}-{source.rate_hz}-{source.channels}-{source.bits}-{source.samples}"
