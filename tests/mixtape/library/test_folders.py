from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mixtape.errors import NotFoundError
from mixtape.files.audio_file import AudioFile
from mixtape.files.names import reading_order
from mixtape.files.opening import Identity
from mixtape.library import folders as folders_module
from mixtape.library import scanner as scanner_module
from mixtape.library.catalogue import Catalogue
from mixtape.library.folders import FolderPage, Folders
from mixtape.library.scanner import LOCK_NAME, Scanner
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState
from tests.helpers.audio import make_audio
from tests.helpers.databases import open_database
from tests.helpers.tracks import place

LIMIT_S = 60


class Shelf:
    """A library of folders in a database of its own, and its scanner."""

    def __init__(self, root: Path, music: Path) -> None:
        self.database = open_database(root / "shelf")
        self.scanner = Scanner(self.database, music, root / LOCK_NAME)
        self.catalogue = Catalogue(self.database)
        self.folders = Folders(self.scanner, self.catalogue)

    def page(self, path: bytes = b"", page: int = 1) -> FolderPage:
        return self.folders.get_page(path, page)

    def scan(self) -> None:
        self.scanner.start()
        assert self.scanner.wait(LIMIT_S).error is None


@pytest.fixture
def shelf(tmp_path: Path, music: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path, music)
    yield shelf
    shelf.scanner.wait(LIMIT_S)
    shelf.database.close()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder beside the library, with something to find in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.mp3").touch()
    return folder


def names_of(page: FolderPage) -> list[str]:
    return [track.file_name for track in page.tracks]


def test_folders_and_tracks_are_listed_in_reading_order(music: Path, shelf: Shelf) -> None:
    for name in ("b.mp3", "10.mp3", "9.mp3", "A.mp3", "notes.txt", ".hidden.mp3"):
        (music / name).touch()
    for name in ("Disc 10", "disc 2", ".git"):
        (music / name).mkdir()
    page = shelf.page()
    assert [folder.name for folder in page.folders] == ["disc 2", "Disc 10"]
    assert names_of(page) == ["9.mp3", "10.mp3", "A.mp3", "b.mp3"]
    assert (page.folder_count, page.track_count) == (2, 4)


def test_an_album_is_in_the_order_of_its_numbers(music: Path, shelf: Shelf) -> None:
    for name, tags in {
        "a.flac": {"track": "2", "disc": "1"},
        "b.flac": {"track": "1", "disc": "2"},
        "c.flac": {"track": "1/2", "disc": "1"},
    }.items():
        make_audio(music / name, samples=441, tags=tags)
    assert names_of(shelf.page()) == ["c.flac", "a.flac", "b.flac"]


def test_one_track_without_a_number_leaves_the_order_to_the_names(
    music: Path, shelf: Shelf
) -> None:
    make_audio(music / "a.flac", samples=441, tags={"track": "2"})
    make_audio(music / "b.flac", samples=441, tags={"track": "1"})
    make_audio(music / "c.flac", samples=441)
    assert names_of(shelf.page()) == ["a.flac", "b.flac", "c.flac"]


@pytest.mark.parametrize(
    "path",
    ["..", "../outside", "a/../../outside", "/etc", ".git", "a/.git", "no\0thing", "nowhere"],
)
def test_what_is_hidden_missing_or_outside_is_not_in_the_library(
    music: Path, shelf: Shelf, outside: Path, path: str
) -> None:
    (music / "a" / ".git").mkdir(parents=True)
    (music / ".git").mkdir()
    with pytest.raises(NotFoundError):
        shelf.page(path.encode())


def test_a_link_that_leads_out_is_neither_shown_nor_followed(
    music: Path, shelf: Shelf, outside: Path
) -> None:
    (music / "way out").symlink_to(outside)
    (music / "secret.mp3").symlink_to(outside / "secret.mp3")
    (music / "loop").symlink_to(music / "loop")
    (music / "broken").symlink_to(music / "nothing")
    page = shelf.page()
    assert (page.folders, page.tracks) == ((), ())
    for path in (b"way out", b"way out/secret.mp3", b"secret.mp3", b"loop", b"broken"):
        with pytest.raises(NotFoundError):
            shelf.page(path)


def test_a_link_to_a_hidden_folder_or_to_the_library_itself_is_passed_over(
    music: Path, shelf: Shelf
) -> None:
    (music / ".store").mkdir()
    (music / "stored").symlink_to(".store")
    (music / "self").symlink_to(".")
    assert shelf.page().folders == ()
    for path in (b"stored", b"self"):
        with pytest.raises(NotFoundError):
            shelf.page(path)


def test_a_link_that_stays_inside_is_shown(music: Path, shelf: Shelf) -> None:
    (music / "real").mkdir()
    (music / "alias").symlink_to(music / "real")
    assert [folder.name for folder in shelf.page().folders] == ["alias", "real"]
    assert shelf.page(b"alias").folder.name == "alias"


def test_the_tracks_behind_a_link_are_those_of_the_folder_and_no_others(
    music: Path, shelf: Shelf, flac: Path
) -> None:
    place(flac, music / "real" / "below" / "a.flac", title="Only one")
    (music / "alias").symlink_to(music / "real")
    assert [folder.path for folder in shelf.page(b"alias").folders] == [b"alias/below"]
    (track,) = shelf.page(b"alias/below").tracks
    assert track.path == b"real/below/a.flac"
    shelf.scan()
    assert shelf.catalogue.counts().tracks == 1


def test_a_library_that_is_a_link_itself_works(tmp_path: Path, music: Path) -> None:
    (music / "a").mkdir()
    link = tmp_path / "link"
    link.symlink_to(music)
    shelf = Shelf(tmp_path, link)
    assert [folder.name for folder in shelf.page().folders] == ["a"]
    shelf.database.close()


def test_a_track_is_no_folder(music: Path, shelf: Shelf) -> None:
    (music / "a.mp3").touch()
    with pytest.raises(NotFoundError):
        shelf.page(b"a.mp3")


def test_names_of_any_bytes_are_listed(music: Path, shelf: Shelf) -> None:
    name = b"caf\xe9 \xff\n.mp3"
    (music / os.fsdecode(name)).touch()
    (track,) = shelf.page().tracks
    assert track.path == name
    assert track.title == "caf\ufffd \ufffd "


def test_a_big_folder_comes_in_pages(
    music: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders_module, "PAGE_SIZE", 3)
    for number in range(4):
        (music / f"folder {number}").mkdir()
        (music / f"{number}.mp3").touch()
    pages = [shelf.page(page=number) for number in (1, 2, 3)]
    assert [(len(page.folders), len(page.tracks)) for page in pages] == [(3, 0), (1, 2), (0, 2)]
    assert {(page.pages, page.track_count) for page in pages} == {(3, 4)}
    assert [name for page in pages for name in names_of(page)] == [f"{n}.mp3" for n in range(4)]
    for number in (0, 4, -1):
        with pytest.raises(NotFoundError):
            shelf.page(page=number)


def test_a_file_is_read_again_only_when_it_changed(
    music: Path, shelf: Shelf, opened: list[str]
) -> None:
    make_audio(music / "a.flac", samples=441, tags={"title": "before"})
    for _ in range(3):
        assert shelf.page().tracks[0].title == "before"
    make_audio(music / "a.flac", samples=441, tags={"title": "afterwards"})
    assert shelf.page().tracks[0].title == "afterwards"
    shelf.scan()
    assert opened == ["a.flac", "a.flac"]


def test_a_folder_loses_what_is_deleted_at_once(music: Path, shelf: Shelf) -> None:
    (music / "a.mp3").touch()
    assert names_of(shelf.page()) == ["a.mp3"]
    (music / "a.mp3").unlink()
    assert names_of(shelf.page()) == []
    assert shelf.catalogue.counts().missing == 1


def test_an_album_of_one_artist_is_named_after_it(music: Path, shelf: Shelf) -> None:
    make_audio(music / "a.flac", samples=441, tags={"artist": "One"})
    assert shelf.page().artist == "One"
    make_audio(music / "b.flac", samples=441, tags={"artist": "Another"})
    assert shelf.page().artist == ""


def test_a_folder_says_how_many_tracks_its_folders_hold_once_they_are_known(
    music: Path, shelf: Shelf, flac: Path
) -> None:
    for name in ("1.flac", "x/2.flac", "x/y/3.flac"):
        place(flac, music / "a" / name, title=name)
    assert [folder.tracks for folder in shelf.page().folders] == [0]
    shelf.scan()
    assert [folder.tracks for folder in shelf.page().folders] == [3]
    assert [folder.tracks for folder in shelf.page(b"a").folders] == [2]


def test_a_folder_of_many_new_files_shows_the_first_and_leaves_the_rest_to_the_scan(
    music: Path, shelf: Shelf, flac: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner_module, "_ON_THE_SPOT", 2)
    for number in (1, 2, 10, 11):
        place(flac, music / f"{number}.flac", title=str(number))
    first = shelf.page()
    assert names_of(first)[:2] == ["1.flac", "2.flac"]
    assert not first.is_complete
    assert shelf.scanner.wait(LIMIT_S).error is None
    whole = shelf.page()
    assert names_of(whole) == ["1.flac", "2.flac", "10.flac", "11.flac"]
    assert whole.is_complete


def test_a_file_that_is_looked_at_while_a_scan_has_found_it_is_stored_once(
    music: Path, shelf: Shelf, flac: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(flac, music / "a.flac", title="Once")
    read = scanner_module.read_audio_file

    def looked_at_meanwhile(path: Path, known: Identity) -> AudioFile:
        monkeypatch.setattr(scanner_module, "read_audio_file", read)
        assert names_of(shelf.page()) == ["a.flac"]
        return read(path, known)

    monkeypatch.setattr(scanner_module, "read_audio_file", looked_at_meanwhile)
    shelf.scan()
    assert shelf.catalogue.counts().tracks == 1


def test_a_folder_that_is_renamed_and_looked_at_keeps_its_places_in_mixtapes(
    music: Path, shelf: Shelf, flac: Path
) -> None:
    place(flac, music / "old" / "a.flac", title="Moved")
    place(flac, music / "old" / "b.flac", title="Copied")
    shelf.scan()
    (moved,) = shelf.catalogue.search("moved").items
    mixtapes = Mixtapes(shelf.database)
    slug = mixtapes.create(MixtapeState("Kept", track_ids=(moved.id,))).slug
    os.rename(music / "old", music / "new")
    assert [track.id for track in shelf.page(b"new").tracks if track.title == "Moved"] == [moved.id]
    (item,) = mixtapes.get(slug).items
    assert (item.path, item.is_missing) == (b"new/a.flac", False)


def test_a_copy_is_another_track(music: Path, shelf: Shelf, flac: Path) -> None:
    place(flac, music / "old" / "a.flac", mtime_s=1_700_000_000, title="Here")
    shelf.scan()
    place(flac, music / "new" / "a.flac", mtime_s=1_700_000_000, title="Here")
    (copy,) = shelf.page(b"new").tracks
    (original,) = shelf.page(b"old").tracks
    assert copy.id != original.id


@pytest.mark.parametrize(
    "names", [["2", "10"], ["a2b", "a10b"], ["A", "b", "C"], ["1", "a"], ["x", "x1"]]
)
def test_numbers_are_ordered_by_value_and_letters_whatever_their_case(names: list[str]) -> None:
    names_backwards = names[::-1]
    assert sorted(names_backwards, key=reading_order) == names
