from __future__ import annotations

import os
from pathlib import Path

import pytest

from audio_cache.sources.reader import Reader
from audio_cache.sources.source import read_source
from tests.helpers.audio import DATA


def test_a_file_system_that_gives_less_than_asked_for_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ["stereo.flac", "stereo.wav", "alac.m4a", "stereo.ape"]
    whole = [read_source(DATA / name) for name in names]
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, start: real(file, min(size, 5), start))
    assert [read_source(DATA / name) for name in names] == whole


def test_a_file_that_shrinks_while_it_is_read_ends_where_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert Reader(descriptor, 10).read(2, 8) == b"345"
    finally:
        os.close(descriptor)
    assert Reader(-1, 10).read(10, 1) == Reader(-1, 10).read(-1, 5) == b""
