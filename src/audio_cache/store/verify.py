"""Verification of entries, to the last frame, and the repair of bad ones."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final

from ..encoding import mp3
from ..encoding.ffmpeg import Cancellation, FFmpeg, FFmpegRun
from ..encoding.rendition import Identity
from ..errors import AudioCacheError, EncodeError, EncodeInterruptedError
from ..quality import QualityLevel, bitrate_bps, parse_quality
from .cache import AudioCache
from .entry import Entry, Verdict, count_intact_frames, judge, read_entry, stat_or_none

# Entries are ours, but somebody may have put a playlist there under an entry's name.
_INPUT: Final = ("-xerror", "-threads", "1", "-protocol_whitelist", "file", "-f", "mp3")
_DECODE_LIMIT_S: Final = 600.0
_FIRST_BYTES: Final = 64


class State(Enum):
    """The condition of an entry."""

    SOUND = "sound"
    OUTDATED = "outdated"
    DAMAGED = "damaged"
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True)
class Inspection:
    """The result of inspecting an entry.

    Args:
        path: the entry.
        state: its condition, after the repair if there was one.
        reason: what is wrong with it, in words; for a sound one, anything unusual about it.
        source: what it was made from; None if audio_cache did not make it.
        quality: of the entry.
    """

    path: Path
    state: State
    reason: str = ""
    source: Path | None = None
    quality: QualityLevel | None = None

    @property
    def is_good(self) -> bool:
        """Say whether the entry can be trusted now."""
        return self.state in (State.SOUND, State.REPAIRED)


def inspect_entry(
    cache: AudioCache, path: Path, cancellation: Cancellation | None = None
) -> Inspection | None:
    """Read and decode a whole entry; None if it is gone.

    Raises:
        EncodeInterruptedError: somebody interrupted it.
        FFmpegNotFoundError: there is no ffmpeg to decode it.
    """
    on_start = (cancellation or Cancellation()).hold
    try:
        entry = read_entry(path)
        if entry is None:
            return None
        found = Inspection(path, State.SOUND)
        identity = entry.identity
        if identity is not None:
            quality = parse_quality(identity.quality)
            found = replace(found, source=identity.source_path, quality=quality)
        damage = find_damage(cache, path, entry)
        damage = damage or _decode(cache.ffmpeg, path, identity, on_start)
        if damage is not None:
            return replace(found, state=State.DAMAGED, reason=damage)
        return _compare_with_source(found, entry)
    except FileNotFoundError as error:
        if isinstance(error, AudioCacheError):
            raise
        return None
    except OSError as error:
        return Inspection(path, State.DAMAGED, f"it cannot be read: {error.strerror or error}")


def find_damage(cache: AudioCache, path: Path, entry: Entry) -> str | None:
    """Return what is wrong with an entry's bytes, as far as reading shows; None if nothing is.

    Raises:
        OSError: it can't be read.
    """
    identity = entry.identity
    if not entry.size_bytes:
        return Verdict.EMPTY.value
    if identity is None:
        return _find_foreign_damage(path)
    quality = parse_quality(identity.quality)
    if cache.get_cache_path(identity.source_path, quality).name != path.name:
        return f"its name belongs to a source other than {str(identity.source_path)!r}"
    if entry.size_bytes != entry.expected_size():
        return f"it has {entry.size_bytes:,} bytes instead of {entry.expected_size():,}"
    with open(path, "rb") as file:
        bitrate = bitrate_bps(quality)
        info = mp3.info_frame(bitrate, identity.samples)
        file.seek(entry.tag_bytes)
        if mp3.frame_count(identity.samples) != identity.frames or file.read(len(info)) != info:
            return "its Info frame does not match its length"
        intact = count_intact_frames(file.fileno(), entry.header_bytes, bitrate, identity.frames)
    if intact < identity.frames:
        return f"frame {intact:,} of {identity.frames:,} is damaged"
    return None


def repair_entry(cache: AudioCache, inspection: Inspection) -> Inspection:
    """Encode a bad entry again if its source exists; return its condition after that."""
    source, quality = inspection.source, inspection.quality
    if inspection.is_good:
        return inspection
    if source is None or quality is None:
        return _hopeless(inspection, "and there is no record of what it was made from: delete it")
    if stat_or_none(source) is None:
        return _hopeless(inspection, "and its source is gone")
    try:
        # An outdated one may hold the right audio with old tags, which needs no encoding.
        cache.transcode_file(source, quality, overwrite=inspection.state is State.DAMAGED)
    except EncodeInterruptedError:
        raise
    except (AudioCacheError, OSError) as error:
        return _hopeless(inspection, f"and cannot be encoded again: {error}")
    if cache.get_cache_path(source, quality) != inspection.path:
        # It was under another source's name, where no lookup of its own source would find it.
        inspection.path.unlink(missing_ok=True)
    return replace(inspection, state=State.REPAIRED)


def verify(
    cache: AudioCache, *, repair: bool = False, jobs: int = 1, entries: Iterable[Path] | None = None
) -> Iterator[Inspection]:
    """Yield the inspection of every entry, in the order in which they finish.

    Args:
        cache: the cache to verify.
        repair: encode bad ones again if their source exists.
        jobs: how many entries to decode at once.
        entries: those to verify; all by default.
    """
    cancellation = Cancellation()

    def inspect(path: Path) -> Inspection | None:
        found = inspect_entry(cache, path, cancellation)
        return repair_entry(cache, found) if repair and found is not None else found

    pool = ThreadPoolExecutor(jobs, thread_name_prefix="verify")
    try:
        paths = sorted(cache.entries()) if entries is None else entries
        for future in as_completed([pool.submit(inspect, path) for path in paths]):
            found = future.result()
            if found is not None:
                yield found
    finally:
        cancellation.set()
        pool.shutdown(cancel_futures=True)


def _find_foreign_damage(path: Path) -> str | None:
    """Return what is wrong with the beginning of a file of unknown origin."""
    with open(path, "rb") as file:
        start = file.read(_FIRST_BYTES)
    if mp3.find_private_payload(start) is not None:
        return "what it says about its origin cannot be read"
    if start[:3] != b"ID3" and not (start[0] == 0xFF and start[1:2] >= b"\xe0"):
        return "it does not begin like an MP3 file"
    return None


def _compare_with_source(found: Inspection, entry: Entry) -> Inspection:
    if found.source is None:
        return replace(found, reason="it was not made by audio_cache: only its decoding was tried")
    status = None
    with contextlib.suppress(OSError):
        status = stat_or_none(found.source)
    verdict = judge(entry, status)
    if not verdict:
        return replace(found, state=State.OUTDATED, reason=verdict.value)
    return found if status else replace(found, reason="its source is gone")


def _hopeless(inspection: Inspection, why: str) -> Inspection:
    return replace(inspection, reason=f"{inspection.reason}, {why}")


def _decode(
    ffmpeg: FFmpeg, path: Path, identity: Identity | None, on_start: Callable[[FFmpegRun], None]
) -> str | None:
    """Return what ffmpeg finds wrong with an entry; None if it decodes to the stated length."""
    arguments = [*_INPUT, "-i", f"file:{os.fspath(path)}", "-map", "0:a:0"]
    duration_s = identity.samples / mp3.SAMPLE_RATE_HZ if identity else 0.0
    limit_s = _DECODE_LIMIT_S + duration_s
    output = ("-c:a", "pcm_s16le", "-f", "s16le", "{out}")
    try:
        with FFmpegRun(ffmpeg, [*arguments, *output], wait_limit_s=limit_s) as run:
            on_start(run)
            for _ in run.read():
                pass
            report = run.finish()
    except EncodeError as error:
        return str(error)
    said = report.stderr.splitlines()[:1]
    if report.returncode != 0 or report.decode_errors or said:
        words = said[0] if said else f"{report.decode_errors} errors"
        return f"it cannot be decoded (ffmpeg said: {words})"
    samples = sum(report.encoded_samples)
    if identity is not None and samples != identity.samples:
        return f"it decodes to {samples:,} samples instead of {identity.samples:,}"
    return None
