"""Entries as the first layout had them: their private frame said where they were made."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote_from_bytes

from audio_cache import AudioCache
from audio_cache.encoding import mp3
from audio_cache.quality import QualityLevel


def write_legacy(
    cache: AudioCache, source: Path, quality: QualityLevel, **changes: object
) -> bytes:
    """Write the entry of a source as layout 1 had it; return its audio frames.

    Args:
        cache: where it is to lie.
        source: what it is of.
        quality: the quality.
        changes: to the fields of its private frame.
    """
    rendition = cache.get_rendition(source, quality)
    md5 = rendition.source.audio.partition("-md5:")[2].partition("-")[0]
    status = source.stat()
    origin = {
        "layout": 1,
        "quality": quality,
        "frames": rendition.frames,
        "samples": rendition.samples,
        "size_bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "fingerprint": f"flac-md5:{md5}-44100-2-16-1" if md5 else "blocks:0123456789abcdef",
        "encoder": "ffmpeg 7.0 lame 3.100",
        "path": quote_from_bytes(os.fsencode(source)),
        **changes,
    }
    payload = json.dumps(origin, separators=(",", ":")).encode("ascii")
    header = mp3.id3_tag([("comment", "private")], payload)
    header += mp3.info_frame(rendition.bitrate_bps, rendition.samples)
    frames = b"".join(rendition.encode())
    cache.get_cache_path(source, quality).write_bytes(header + frames)
    return frames
