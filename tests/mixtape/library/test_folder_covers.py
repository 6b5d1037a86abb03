from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from mixtape.files.folders import Library
from mixtape.library.folder_covers import CoverStore, find_picture
from tests.helpers.audio import make_audio
from tests.helpers.tracks import embed, make_picture


@pytest.fixture
def store(tmp_path: Path, music: Path) -> CoverStore:
    return CoverStore(tmp_path / "kept", Library(music))


def tagged(path: Path, picture: bytes) -> Path:
    make_audio(path, samples=441)
    embed(path, (3, picture))
    return path


def test_a_folder_is_shown_with_its_picture_file(music: Path) -> None:
    for name in ("back.jpg", "folder.png", "Cover.JPG"):
        (music / name).touch()
    assert find_picture(music, Library(music)) == music / "Cover.JPG"


def test_a_track_is_shown_with_the_picture_of_its_folder(music: Path) -> None:
    (music / "cover.jpg").write_bytes(make_picture())
    track = tagged(music / "a.flac", make_picture(colour="red"))
    assert find_picture(track, Library(music)) == music / "cover.jpg"


def test_without_a_picture_file_the_one_inside_a_track_is_shown(music: Path) -> None:
    make_audio(music / "a.flac", samples=441)
    track = tagged(music / "b.flac", make_picture())
    library = Library(music)
    assert find_picture(music, library) == track
    assert find_picture(track, library) == track
    assert find_picture(music / "a.flac", library) is None


def test_a_picture_that_is_a_link_out_of_the_library_is_never_shown(
    tmp_path: Path, music: Path
) -> None:
    (tmp_path / "private.jpg").write_bytes(make_picture())
    (music / "cover.jpg").symlink_to(tmp_path / "private.jpg")
    assert find_picture(music, Library(music)) is None


@pytest.mark.parametrize(("size", "edge"), [("small", 192), ("large", 640)])
def test_a_cover_is_kept_as_a_small_jpeg(
    store: CoverStore, music: Path, size: str, edge: int
) -> None:
    Image.new("RGB", (1000, 1000), "teal").save(music / "cover.png")
    kept = store.find_cover(music, size)
    assert kept is not None
    with Image.open(kept) as image:
        assert (image.format, image.size) == ("JPEG", (edge, edge))
    assert os.listdir(store.folder) == [kept.name]


def test_a_kept_cover_is_not_made_twice(store: CoverStore, music: Path) -> None:
    (music / "cover.jpg").write_bytes(make_picture())
    kept = store.find_cover(music, "small")
    assert kept is not None
    kept.write_bytes(b"as it was")
    again = store.find_cover(music, "small")
    assert again == kept
    assert again.read_bytes() == b"as it was"


def test_a_new_picture_gets_a_new_cover(store: CoverStore, music: Path) -> None:
    (music / "cover.jpg").write_bytes(make_picture(colour="red"))
    before = store.find_cover(music, "small")
    (music / "cover.jpg").write_bytes(make_picture(colour="blue") + b"more")
    assert store.find_cover(music, "small") != before


def test_a_damaged_picture_is_none(store: CoverStore, music: Path) -> None:
    (music / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0 not really")
    assert store.find_cover(music, "small") is None
    assert not store.folder.exists()
