"""Which files a command line means."""

from __future__ import annotations

import os
from pathlib import Path

from audio_cache.cli.paths import collect_sources


def touch(folder: Path, *names: str | bytes) -> None:
    for name in names:
        path = Path(os.fsdecode(os.fsencode(folder) + b"/" + os.fsencode(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_means_all_that_may_be_lossless_in_order_of_bytes(tmp_path: Path) -> None:
    touch(tmp_path, "b.FLAC", "a.wav", "B.m4a", "c.mp3", "cover.jpg", "sub/x.ape", b"\xff.flac")
    found = [os.fsencode(path.relative_to(tmp_path)) for path in collect_sources([tmp_path])]
    assert found == [b"B.m4a", b"a.wav", b"b.FLAC", b"\xff.flac", b"sub/x.ape"]


def test_hidden_names_and_links_to_folders_are_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.flac", "a/.y.flac", ".trash/z.flac", "b/x.flac")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / "linked.flac").symlink_to(tmp_path / "b" / "x.flac")
    found = [path.name for path in collect_sources([tmp_path / "a"])]
    assert found == ["linked.flac", "x.flac"]


def test_a_file_is_taken_as_it_is_named_even_where_it_is_missing(tmp_path: Path) -> None:
    touch(tmp_path, "x.mp3")
    paths = [tmp_path / "x.mp3", tmp_path / "gone.flac"]
    assert list(collect_sources(paths)) == paths


def test_what_is_named_twice_comes_once(tmp_path: Path) -> None:
    touch(tmp_path, "x.flac")
    named = [tmp_path / "x.flac", tmp_path, tmp_path / "." / "x.flac"]
    assert list(collect_sources(named)) == [tmp_path / "x.flac"]
