from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from audio_cache import MusicRoots, is_audio_name
from mixtape.files.walk import FoundFolder, cover_rank, walk


def fill(root: Path, *names: str | bytes) -> None:
    for name in names:
        path = os.path.join(os.fsencode(root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb"):
            pass


def found(root: Path) -> set[bytes]:
    folders = walk(MusicRoots.of(root))
    return {file.path for folder in folders for file in folder.files}


def test_audio_files_of_all_folders_are_found_with_size_and_date(tmp_path: Path) -> None:
    fill(tmp_path, "a.flac", "b/c/d.MP3", "b/notes.txt", "b/cover.jpg")
    (tmp_path / "a.flac").write_bytes(b"12345")
    os.utime(tmp_path / "a.flac", ns=(7, 1_700_000_000_123_456_789))
    folders = {folder.path: folder for folder in walk(MusicRoots.of(tmp_path))}
    assert set(folders) == {b"", b"b", b"b/c"}
    (file,) = folders[b""].files
    assert file.size_bytes == 5
    assert file.mtime_ns == (tmp_path / "a.flac").stat().st_mtime_ns
    assert found(tmp_path) == {b"a.flac", b"b/c/d.MP3"}


def test_names_may_be_any_bytes(tmp_path: Path) -> None:
    fill(tmp_path, b"\xff\xfe/caf\xe9 \n.flac", "日本/曲.flac")
    assert found(tmp_path) == {b"\xff\xfe/caf\xe9 \n.flac", "日本/曲.flac".encode()}


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, "._a.flac", ".trash/b.flac", "c.flac")
    assert found(tmp_path) == {b"c.flac"}


def test_a_link_to_a_file_outside_is_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, "outside.flac", "root/inside.flac")
    root = tmp_path / "root"
    (root / "link.flac").symlink_to(tmp_path / "outside.flac")
    (root / "relative.flac").symlink_to("../outside.flac")
    assert found(root) == {b"inside.flac"}


def test_a_link_to_a_folder_whose_name_begins_as_the_roots_leads_outside(tmp_path: Path) -> None:
    fill(tmp_path, "root-of-others/secret.flac", "root/a.flac")
    (tmp_path / "root" / "link.flac").symlink_to(tmp_path / "root-of-others" / "secret.flac")
    assert found(tmp_path / "root") == {b"a.flac"}


def test_a_link_to_a_file_inside_is_found_under_its_own_name(tmp_path: Path) -> None:
    fill(tmp_path, ".store/1234", "albums/x.txt")
    (tmp_path / "albums" / "a.flac").symlink_to("../.store/1234")
    assert found(tmp_path) == {b"albums/a.flac"}


def test_links_to_folders_are_not_followed_so_that_loops_end(tmp_path: Path) -> None:
    fill(tmp_path, "root/a/b.flac", "outside/c.flac")
    root = tmp_path / "root"
    (root / "a" / "up").symlink_to("..")
    (root / "self").symlink_to(".")
    (root / "twice").symlink_to("a")
    (root / "out").symlink_to(tmp_path / "outside")
    assert found(root) == {b"a/b.flac"}


def test_a_link_that_leads_nowhere_or_to_itself_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "gone.flac").symlink_to("nowhere.flac")
    (tmp_path / "loop.flac").symlink_to("loop.flac")
    assert found(tmp_path) == set()


def test_pipes_and_sockets_are_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.flac")
    monkeypatch.chdir(tmp_path)  # the address of a socket has room for 108 bytes only
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.flac")
        assert found(tmp_path) == set()


def test_a_folder_that_cannot_be_listed_says_why_and_the_others_are_found(tmp_path: Path) -> None:
    fill(tmp_path, "a/one.flac")
    folders = walk(MusicRoots.of(tmp_path))
    first = next(folders)
    assert first == FoundFolder(b"", folders=(b"a",))
    os.rename(tmp_path / "a", tmp_path / "elsewhere")
    (gone,) = folders
    assert gone.path == b"a"
    assert isinstance(gone.error, FileNotFoundError)


def test_a_date_beyond_what_a_database_holds_is_cut(tmp_path: Path) -> None:
    fill(tmp_path, "a.flac")
    os.utime(tmp_path / "a.flac", (0, 12_000_000_000))
    (folder,) = walk(MusicRoots.of(tmp_path))
    assert folder.files[0].mtime_ns < 2**63


def test_a_folders_cover_is_the_best_name(tmp_path: Path) -> None:
    fill(tmp_path, "front.png", "Folder.JPG", "back.jpg", "cover.txt")
    (folder,) = walk(MusicRoots.of(tmp_path))
    assert folder.cover is not None
    assert folder.cover.path == b"Folder.JPG"


def test_discs_without_a_cover_are_shown_with_the_one_beside_them(tmp_path: Path) -> None:
    fill(tmp_path, "Album/cover.jpg", "Album/CD1/1.flac", "Album/CD2/1.flac", "Album/Demos/1.flac")
    fill(tmp_path, "Album/CD2/front.png", "CD3/1.flac", "folder.jpg")
    folders = walk(MusicRoots.of(tmp_path))
    covers = {folder.path: folder.cover and folder.cover.path for folder in folders}
    assert covers[b"Album/CD1"] == b"Album/cover.jpg"
    assert covers[b"Album/CD2"] == b"Album/CD2/front.png"
    # A folder that is no disc, and a disc that lies in no album, have none.
    assert covers[b"Album/Demos"] is None
    assert covers[b"CD3"] is None


def test_a_music_folder_that_is_called_like_a_disc_is_none(tmp_path: Path) -> None:
    fill(tmp_path, "CD1/1.flac", "CD2/Album/Disc 1/1.flac", "CD2/Album/cover.jpg", "cover.jpg")
    folders = walk(MusicRoots(tmp_path / "CD1", tmp_path / "CD2"))
    covers = {folder.path: folder.cover and folder.cover.path for folder in folders}
    assert covers[b"CD1"] is None
    assert covers[b"CD2/Album/Disc 1"] == b"CD2/Album/cover.jpg"


def test_a_cover_outside_the_library_is_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, "secret.jpg", "root/a.flac")
    (tmp_path / "root" / "cover.jpg").symlink_to("../secret.jpg")
    (folder,) = walk(MusicRoots.of(tmp_path / "root"))
    assert folder.cover is None


def test_names_are_judged_whatever_their_case() -> None:
    assert is_audio_name(b"A.FLAC")
    assert not is_audio_name(b"flac")
    assert not is_audio_name(b"a.flac.part")
    assert cover_rank(b"COVER.Jpeg") is not None
    assert cover_rank(b"cover") is None
