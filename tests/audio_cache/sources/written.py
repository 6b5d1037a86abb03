"""Files written for one test."""

from __future__ import annotations

from pathlib import Path

from audio_cache.sources.source import Source, hash_audio, read_source


def read(path: Path, content: bytes) -> Source:
    """Write a file and return what is read of it."""
    path.write_bytes(content)
    return read_source(path)


def audio_of(source: Source) -> str:
    """Return which audio a source is, read to its end where its header does not tell."""
    return source.audio or hash_audio(source)
