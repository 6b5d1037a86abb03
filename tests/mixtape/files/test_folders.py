from __future__ import annotations

import os
from pathlib import Path

import pytest

from mixtape.files import folders as library_module
from mixtape.files.folders import Library, NotInLibraryError, reading_order
from tests.helpers.audio import make_audio


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder beside the library, with something to find in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.mp3").touch()
    return folder


def test_folders_and_tracks_are_listed_in_reading_order(music: Path) -> None:
    for name in ("b.mp3", "10.mp3", "9.mp3", "A.mp3", "notes.txt", ".hidden.mp3"):
        (music / name).touch()
    for name in ("Disc 10", "disc 2", ".git"):
        (music / name).mkdir()
    listing = Library(music).list_folder("")
    assert [folder.name for folder in listing.folders] == ["disc 2", "Disc 10"]
    assert [track.name for track in listing.tracks] == ["9.mp3", "10.mp3", "A.mp3", "b.mp3"]
    assert (listing.folder_count, listing.track_count) == (2, 4)


def test_an_album_is_in_the_order_of_its_numbers(music: Path) -> None:
    for name, tags in {
        "a.flac": {"track": "2", "disc": "1"},
        "b.flac": {"track": "1", "disc": "2"},
        "c.flac": {"track": "1/2", "disc": "1"},
    }.items():
        make_audio(music / name, samples=441, tags=tags)
    tracks = Library(music).list_folder("").tracks
    assert [track.name for track in tracks] == ["c.flac", "a.flac", "b.flac"]


def test_one_track_without_a_number_leaves_the_order_to_the_names(music: Path) -> None:
    make_audio(music / "a.flac", samples=441, tags={"track": "2"})
    make_audio(music / "b.flac", samples=441, tags={"track": "1"})
    make_audio(music / "c.flac", samples=441)
    tracks = Library(music).list_folder("").tracks
    assert [track.name for track in tracks] == ["a.flac", "b.flac", "c.flac"]


@pytest.mark.parametrize(
    "path",
    ["..", "../outside", "a/../../outside", "/etc", ".git", "a/.git", "no\0thing", "nowhere"],
)
def test_what_is_hidden_missing_or_outside_is_not_in_the_library(
    music: Path, outside: Path, path: str
) -> None:
    (music / "a" / ".git").mkdir(parents=True)
    (music / ".git").mkdir()
    with pytest.raises(NotInLibraryError):
        Library(music).list_folder(path)


def test_a_link_that_leads_out_is_neither_shown_nor_followed(music: Path, outside: Path) -> None:
    (music / "way out").symlink_to(outside)
    (music / "secret.mp3").symlink_to(outside / "secret.mp3")
    (music / "loop").symlink_to(music / "loop")
    (music / "broken").symlink_to(music / "nothing")
    library = Library(music)
    listing = library.list_folder("")
    assert (listing.folders, listing.tracks) == ((), ())
    for path in ("way out", "way out/secret.mp3", "secret.mp3", "loop", "broken"):
        with pytest.raises(NotInLibraryError):
            library.resolve(path)


def test_a_link_that_stays_inside_is_shown(music: Path) -> None:
    (music / "real").mkdir()
    (music / "alias").symlink_to(music / "real")
    listing = Library(music).list_folder("")
    assert [folder.name for folder in listing.folders] == ["alias", "real"]
    assert Library(music).list_folder("alias").folder.name == "alias"


def test_a_library_that_is_a_link_itself_works(tmp_path: Path, music: Path) -> None:
    (music / "a").mkdir()
    link = tmp_path / "link"
    link.symlink_to(music)
    assert [folder.name for folder in Library(link).list_folder("").folders] == ["a"]


def test_a_track_is_no_folder(music: Path) -> None:
    (music / "a.mp3").touch()
    with pytest.raises(NotInLibraryError):
        Library(music).list_folder("a.mp3")


def test_names_of_any_bytes_are_listed(music: Path) -> None:
    name = b"caf\xe9 \xff\n.mp3"
    (music / os.fsdecode(name)).touch()
    (track,) = Library(music).list_folder("").tracks
    assert os.fsencode(track.path) == name
    assert track.title == "caf\ufffd \ufffd\n"


def test_a_big_folder_comes_in_pages(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_module, "PAGE_SIZE", 3)
    for number in range(4):
        (music / f"folder {number}").mkdir()
        (music / f"{number}.mp3").touch()
    library = Library(music)
    pages = [library.list_folder("", page) for page in (1, 2, 3)]
    assert [(len(page.folders), len(page.tracks)) for page in pages] == [(3, 0), (1, 2), (0, 2)]
    assert {(page.pages, page.track_count) for page in pages} == {(3, 4)}
    for page in (0, 4, -1):
        with pytest.raises(NotInLibraryError):
            library.list_folder("", page)


def test_a_file_is_read_again_only_when_it_changed(
    music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    read_track = library_module.read_track

    def counted(file: Path, path: str, size_bytes: int) -> object:
        reads.append(path)
        return read_track(file, path, size_bytes)

    monkeypatch.setattr(library_module, "read_track", counted)
    make_audio(music / "a.flac", samples=441, tags={"title": "before"})
    library = Library(music)
    for _ in range(3):
        assert library.list_folder("").tracks[0].title == "before"
    make_audio(music / "a.flac", samples=441, tags={"title": "afterwards"})
    assert library.list_folder("").tracks[0].title == "afterwards"
    assert reads == ["a.flac", "a.flac"]


def test_an_album_of_one_artist_is_named_after_it(music: Path) -> None:
    make_audio(music / "a.flac", samples=441, tags={"artist": "One"})
    assert Library(music).list_folder("").artist == "One"
    make_audio(music / "b.flac", samples=441, tags={"artist": "Another"})
    assert Library(music).list_folder("").artist == ""


@pytest.mark.parametrize(
    "names", [["2", "10"], ["a2b", "a10b"], ["A", "b", "C"], ["1", "a"], ["x", "x1"]]
)
def test_numbers_are_ordered_by_value_and_letters_whatever_their_case(names: list[str]) -> None:
    names_backwards = names[::-1]
    assert sorted(names_backwards, key=reading_order) == names
