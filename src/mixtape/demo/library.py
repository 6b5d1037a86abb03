"""A small library of music to try mixtape with, made once where there is no other."""

from __future__ import annotations

import fcntl
import math
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import mutagen
from mutagen.flac import Picture
from mutagen.id3 import TALB, TCON, TIT2, TPE1, TRCK
from PIL import Image, ImageDraw, ImageFilter

from audio_cache import AudioCacheSettings, find_ffmpeg

from .pieces import ARTIST, DEMO_TRACKS, SIDE_A, SIDE_B, DemoTrack
from .synth import filter_graph

DEMO_FOLDER: Final = "demo-library"
ENCODE_TIMEOUT_S: Final = 120
_GENRE: Final = "Sketches"
_EDGE: Final = 800
_UTF_8: Final = 3  # as ID3 numbers encodings
_FRONT_COVER: Final = 3  # as ID3 and FLAC number pictures
# Per album: sky at the top, sky at the bottom, disc, the file that the cover is kept in.
_COVERS: Final = {
    SIDE_A: ((255, 214, 153), (240, 108, 94), (255, 244, 214), "cover.jpg"),
    SIDE_B: ((22, 24, 62), (88, 52, 120), (244, 226, 190), "cover.png"),
}


class DemoError(RuntimeError):
    """The demo library could not be made."""


def ensure_demo_library(data_root: Path) -> Path:
    """Return the demo library under DATA_ROOT, made first if it is not there yet.

    Raises:
        DemoError: ffmpeg is missing or failed, or the folder cannot be written.
    """
    library = data_root / DEMO_FOLDER
    if library.is_dir():
        return library
    data_root.mkdir(parents=True, exist_ok=True)
    with (data_root / f".{DEMO_FOLDER}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back when the file is closed
        if not library.is_dir():
            _remove_leftovers(data_root)
            _build(data_root, library)
    return library


def _build(data_root: Path, library: Path) -> None:
    building = Path(tempfile.mkdtemp(prefix=f".{DEMO_FOLDER}-", dir=data_root))
    try:
        for album in _COVERS:
            (building / album).mkdir()
            draw_cover(album, building / album / _COVERS[album][3])
        ffmpeg = find_ffmpeg(AudioCacheSettings().ffmpeg).path
        longest_first = sorted(DEMO_TRACKS, key=lambda track: -track.rate_hz)
        # Two at a time: ffmpeg evaluates expressions on one core.
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(lambda track: _record(ffmpeg, track, building), longest_first))
        building.chmod(0o755)
        os.rename(building, library)
    except OSError as error:
        raise DemoError(f"the demo library could not be made in {data_root}: {error}") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _remove_leftovers(data_root: Path) -> None:
    """Delete what a start that was killed half way has left; the lock says nobody works on it."""
    for leftover in data_root.glob(f".{DEMO_FOLDER}-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _record(ffmpeg: str, track: DemoTrack, library: Path) -> None:
    path = library / track.album / track.file_name
    command = [ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error"]
    command += ["-filter_complex", filter_graph(track.compose(), track.rate_hz)]
    command += ["-map", "[out]", "-c:a", track.codec, *_depth(track), os.fspath(path)]
    try:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=ENCODE_TIMEOUT_S,
        )
    except subprocess.SubprocessError as error:
        said = getattr(error, "stderr", None) or b""
        reason = (said.decode("utf-8", "replace").strip().splitlines() or [str(error)])[-1]
        raise DemoError(f"the demo piece {track.title!r} could not be made: {reason}") from error
    write_tags(track, path)


def _depth(track: DemoTrack) -> list[str]:
    """Return ffmpeg's words for 16 bits, or 24 at high rates; each codec names them otherwise."""
    if track.codec.startswith("pcm"):
        return []
    if track.codec == "alac":
        return ["-sample_fmt", "s16p"]
    return ["-sample_fmt", "s32" if track.rate_hz > 48_000 else "s16"]


def write_tags(track: DemoTrack, path: Path) -> None:
    """Write title, artist, album and number into a track, and its picture where it has one."""
    file: Any = mutagen.File(path)
    texts = (track.title, ARTIST, track.album, _GENRE)
    if track.suffix == ".flac":
        file.update(zip(("title", "artist", "album", "genre"), texts, strict=True))
        file["tracknumber"] = str(track.number)
        if track.has_picture:
            file.add_picture(_picture(path.parent / _COVERS[track.album][3]))
    elif track.suffix == ".m4a":
        file.update(zip(("\xa9nam", "\xa9ART", "\xa9alb", "\xa9gen"), texts, strict=True))
        file["trkn"] = [(track.number, 0)]
    else:  # WAV and AIFF hold ID3, which ffmpeg writes into neither unasked
        file.add_tags()
        frames: tuple[Any, ...] = (TIT2, TPE1, TALB, TCON, TRCK)
        for frame, text in zip(frames, (*texts, str(track.number)), strict=True):
            file.tags.add(frame(encoding=_UTF_8, text=[text]))
    file.save()


def _picture(path: Path) -> Picture:
    picture = Picture()  # type: ignore[no-untyped-call]
    picture.type, picture.mime, picture.data = _FRONT_COVER, "image/jpeg", path.read_bytes()
    picture.width = picture.height = _EDGE
    picture.depth = 24
    return picture


def draw_cover(album: str, path: Path) -> None:
    """Draw an album's cover: a sun or moon over hills, as a JPEG or PNG by the path's suffix."""
    top, bottom, disc, _ = _COVERS[album]
    edge = 2 * _EDGE  # drawn at twice the size, then shrunk: Pillow's shapes have hard edges
    shade = Image.linear_gradient("L").resize((edge, edge))
    sky = Image.composite(
        Image.new("RGB", shade.size, bottom), Image.new("RGB", shade.size, top), shade
    )
    glow = Image.new("L", sky.size)
    ImageDraw.Draw(glow).ellipse((380, 260, 1220, 1100), fill=150)
    sky.paste(disc, mask=glow.filter(ImageFilter.GaussianBlur(120)))
    draw = ImageDraw.Draw(sky)
    draw.ellipse((520, 400, 1080, 960), fill=disc)
    for layer in range(5):
        share = (layer + 1) / 6
        red, green, blue = (round(part * (1 - share)) for part in bottom)
        draw.polygon(_hills(layer, edge), fill=(red, green, blue))
    sky.resize((_EDGE, _EDGE), Image.Resampling.LANCZOS).save(path, quality=88)


def _hills(layer: int, edge: int) -> list[tuple[float, float]]:
    """Return the outline of one of five ranges of hills, the nearest last and lowest."""
    ridge = []
    for x in range(0, edge + 16, 16):
        wave = (92 - 10 * layer) * math.sin(x / (184 + 46 * layer) + 1.7 * layer)
        ridge.append((float(x), 940 + 124 * layer + wave + 28 * math.sin(x / 74 + layer)))
    return [*ridge, (float(edge), float(edge)), (0.0, float(edge))]
