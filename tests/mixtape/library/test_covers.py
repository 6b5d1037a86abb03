from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from mixtape.database.tables import Upload
from mixtape.database.units_of_work import Database
from mixtape.errors import NotFoundError, PictureError
from mixtape.files.pictures import accept_upload, picture_key, shrink
from mixtape.library import covers as artwork_module
from mixtape.library.covers import CACHE_FOLDER, UPLOAD_FOLDER, Artwork
from mixtape.library.scanner import LOCK_NAME, Scanner
from tests.helpers.audio import make_audio
from tests.helpers.databases import open_database
from tests.helpers.tracks import add_track, embed, find_track, make_picture, open_picture, place


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def database(data_root: Path) -> Iterator[Database]:
    database = open_database(data_root)
    yield database
    database.close()


@pytest.fixture
def artwork(database: Database, music: Path, data_root: Path) -> Artwork:
    return Artwork(database, music, data_root)


def scanned_cover_key(database: Database, music: Path, path: bytes) -> str:
    scanner = Scanner(database, music, music.parent / LOCK_NAME)
    scanner.start()
    assert scanner.wait(60).error is None
    track = find_track(database, path)
    assert track is not None
    assert track.cover_key is not None
    return track.cover_key


def kept_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [96, 320, 640])
def test_the_picture_inside_a_track_is_given_in_each_size(
    artwork: Artwork, database: Database, music: Path, flac: Path, size: int
) -> None:
    embed(place(flac, music / "a.flac"), (3, make_picture(1000, 1000)))
    key = scanned_cover_key(database, music, b"a.flac")
    assert open_picture(artwork.get_cover(key, size)).size == (size, size)


def test_the_picture_of_a_folder_is_given(
    artwork: Artwork, database: Database, music: Path, flac: Path
) -> None:
    place(flac, music / os.fsdecode(b"\xff") / "a.flac")
    (music / os.fsdecode(b"\xff") / "Folder.PNG").write_bytes(make_picture(500, 250, "PNG"))
    key = scanned_cover_key(database, music, b"\xff/a.flac")
    assert open_picture(artwork.get_cover(key, 96)).size == (96, 48)


def test_a_cover_is_made_once_for_an_album_and_then_kept(
    artwork: Artwork,
    database: Database,
    music: Path,
    data_root: Path,
    flac: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    def counted(picture: bytes, edge: int) -> bytes:
        made.append(edge)
        return shrink(picture, edge)

    monkeypatch.setattr(artwork_module, "shrink", counted)
    for number in (1, 2):
        embed(place(flac, music / f"{number}.flac", title=str(number)), (3, make_picture()))
    key = scanned_cover_key(database, music, b"1.flac")
    assert key == scanned_cover_key(database, music, b"2.flac")
    first = artwork.get_cover(key, 96)
    assert artwork.get_cover(key, 96) == first
    assert made == [96]
    assert kept_files(data_root / CACHE_FOLDER) == [first]


def test_the_cache_may_be_deleted_at_any_time(
    artwork: Artwork, database: Database, music: Path, flac: Path
) -> None:
    embed(place(flac, music / "a.flac"), (3, make_picture()))
    key = scanned_cover_key(database, music, b"a.flac")
    first = artwork.get_cover(key, 96).read_bytes()
    artwork.get_cover(key, 96).unlink()
    assert artwork.get_cover(key, 96).read_bytes() == first


def test_many_at_once_get_whole_pictures_and_leave_no_temporary_files(
    artwork: Artwork, database: Database, music: Path, data_root: Path, flac: Path
) -> None:
    embed(place(flac, music / "a.flac"), (3, make_picture(900, 900)))
    key = scanned_cover_key(database, music, b"a.flac")
    with ThreadPoolExecutor(16) as pool:
        contents = set(pool.map(lambda _: artwork.get_cover(key, 640).read_bytes(), range(32)))
    assert len(contents) == 1
    assert len(kept_files(data_root / CACHE_FOLDER)) == 1


@pytest.mark.parametrize(
    "key", ["", "0" * 31, "0" * 33, "../../../../etc/passwd", "0" * 30 + "/x", "G" * 32, "0" * 32]
)
def test_a_key_of_nothing_is_not_found(artwork: Artwork, key: str) -> None:
    with pytest.raises(NotFoundError):
        artwork.get_cover(key, 96)
    assert not artwork.is_known(key)


def test_a_key_never_leads_to_another_file(artwork: Artwork, data_root: Path) -> None:
    (data_root / CACHE_FOLDER).mkdir(parents=True)
    (data_root / "secret_96.jpg").write_bytes(b"secret")
    assert (data_root / CACHE_FOLDER / ".." / "../secret_96.jpg").exists()
    with pytest.raises(NotFoundError):
        artwork.get_cover("../secret", 96)


def test_a_size_that_is_not_offered_is_refused(artwork: Artwork) -> None:
    with pytest.raises(ValueError, match="96, 320, 640"):
        artwork.get_cover("0" * 32, 97)


def test_a_damaged_picture_is_not_found(
    artwork: Artwork, database: Database, music: Path, flac: Path
) -> None:
    embed(place(flac, music / "a.flac"), (3, b"no picture at all"))
    key = scanned_cover_key(database, music, b"a.flac")
    with pytest.raises(NotFoundError, match="cannot be shown"):
        artwork.get_cover(key, 96)


def test_a_picture_that_cannot_be_read_is_tried_once_until_it_changes(
    artwork: Artwork,
    database: Database,
    music: Path,
    data_root: Path,
    flac: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []

    def counted(picture: bytes, edge: int) -> bytes:
        tried.append(edge)
        return shrink(picture, edge)

    monkeypatch.setattr(artwork_module, "shrink", counted)
    place(flac, music / "a.flac")
    (music / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0 not really")
    key = scanned_cover_key(database, music, b"a.flac")
    for again in (artwork, Artwork(database, music, data_root)):
        for size in (96, 320):
            with pytest.raises(NotFoundError, match="cannot be shown: the picture is damaged"):
                again.get_cover(key, size)
            assert again.find_folder_cover(b"", size) is None
    assert tried == [96]
    (music / "cover.jpg").write_bytes(make_picture())
    assert artwork.find_folder_cover(b"", 96)
    assert artwork.get_cover(scanned_cover_key(database, music, b"a.flac"), 96).exists()


def test_a_folders_picture_that_changed_since_the_scan_is_not_given_for_the_old_key(
    artwork: Artwork, database: Database, music: Path, flac: Path
) -> None:
    place(flac, music / "a.flac")
    (music / "cover.jpg").write_bytes(make_picture())
    key = scanned_cover_key(database, music, b"a.flac")
    (music / "cover.jpg").write_bytes(make_picture(100, 100))
    with pytest.raises(NotFoundError):
        artwork.get_cover(key, 96)
    assert artwork.get_cover(scanned_cover_key(database, music, b"a.flac"), 96).exists()


def test_a_file_that_is_gone_since_the_scan_has_no_cover(
    artwork: Artwork, database: Database
) -> None:
    add_track(database, b"gone.flac", picture_key="a" * 32, cover_key="a" * 32)
    add_track(database, b"gone/b.flac", cover_key="b" * 32)
    for key in ("a" * 32, "b" * 32):
        with pytest.raises(NotFoundError):
            artwork.get_cover(key, 96)


def uploads(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Upload.key)))


def test_an_upload_is_kept_in_the_database_and_given_in_each_size(
    artwork: Artwork, database: Database, data_root: Path
) -> None:
    key = artwork.add_upload(make_picture(2000, 2000, "WEBP"))
    assert artwork.is_known(key)
    assert open_picture(artwork.get_cover(key, 640)).size == (640, 640)
    assert uploads(database) == [key]
    # Whatever is below the cache may go.
    shutil.rmtree(data_root / CACHE_FOLDER)
    assert open_picture(artwork.get_cover(key, 96)).size == (96, 96)


def test_another_host_of_the_same_database_has_the_uploads(
    artwork: Artwork, database: Database, music: Path, tmp_path: Path
) -> None:
    key = artwork.add_upload(make_picture(700, 700))
    other = Artwork(database, music, tmp_path / "the disk of another host")
    assert other.is_known(key)
    assert open_picture(other.get_cover(key, 320)).size == (320, 320)


def test_the_same_upload_is_kept_once(artwork: Artwork, database: Database) -> None:
    assert artwork.add_upload(make_picture()) == artwork.add_upload(make_picture())
    assert len(uploads(database)) == 1


def test_an_upload_that_is_refused_leaves_nothing(artwork: Artwork, database: Database) -> None:
    with pytest.raises(PictureError):
        artwork.add_upload(b"<html>")
    assert uploads(database) == []


def test_uploads_that_nothing_uses_are_swept_after_a_day(
    database: Database, music: Path, data_root: Path
) -> None:
    times = {"now": datetime(2026, 1, 1, tzinfo=UTC)}
    artwork = Artwork(database, music, data_root, now=lambda: times["now"])
    keys = {
        name: artwork.add_upload(make_picture(colour=colour))
        for name, colour in (("used", "red"), ("old", "green"), ("again", "yellow"))
    }
    times["now"] += timedelta(hours=25)
    keys["new"] = artwork.add_upload(make_picture(colour="blue"))
    assert artwork.add_upload(make_picture(colour="yellow")) == keys["again"]
    assert artwork.sweep_uploads({keys["used"]}) == 1
    known = {name for name, key in keys.items() if artwork.is_known(key)}
    assert known == {"used", "again", "new"}


def test_an_upload_of_an_earlier_version_is_found_and_swept_in_its_file(
    artwork: Artwork, data_root: Path
) -> None:
    files = {}
    for name, colour in (("used", "red"), ("old", "green")):
        picture = accept_upload(make_picture(colour=colour))
        key = picture_key(picture)
        files[name] = data_root / UPLOAD_FOLDER / key[:2] / f"{key}.jpg"
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_bytes(picture)
        assert artwork.is_known(key)
        assert open_picture(artwork.get_cover(key, 96)).size == (96, 96)
        os.utime(files[name], (1, 1))
    assert artwork.sweep_uploads({files["used"].stem}) == 1
    assert [name for name, file in files.items() if file.exists()] == ["used"]


def tagged(path: Path, picture: bytes) -> Path:
    make_audio(path, samples=441)
    embed(path, (3, picture))
    return path


def colour_of(path: Path | None) -> tuple[int, ...]:
    """Return the colour of a cover of one colour, as far as a JPEG keeps it."""
    assert path is not None
    pixel = open_picture(path).getpixel((5, 5))
    assert isinstance(pixel, tuple)
    return tuple(round(part / 64) for part in pixel)


RED, TEAL, BLUE = (4, 0, 0), (0, 2, 2), (0, 0, 4)


def test_a_folder_is_shown_with_its_picture_file(artwork: Artwork, music: Path) -> None:
    for name, colour in (("back.jpg", "red"), ("folder.png", "blue"), ("Cover.JPG", "teal")):
        (music / name).write_bytes(make_picture(colour=colour))
    assert colour_of(artwork.find_folder_cover(b"", 96)) == TEAL


def test_without_a_picture_file_a_folder_is_shown_with_the_one_inside_a_track(
    artwork: Artwork, music: Path
) -> None:
    make_audio(music / "a.flac", samples=441)
    tagged(music / "b.flac", make_picture(colour="blue"))
    assert colour_of(artwork.find_folder_cover(b"", 96)) == BLUE
    (music / "cover.jpg").write_bytes(make_picture())
    assert colour_of(artwork.find_folder_cover(b"", 96)) == TEAL


def test_a_folder_without_any_picture_has_no_cover(artwork: Artwork, music: Path) -> None:
    make_audio(music / "a.flac", samples=441)
    assert artwork.find_folder_cover(b"", 96) is None


def test_a_track_is_shown_with_its_own_picture_and_without_one_with_that_of_its_folder(
    artwork: Artwork, database: Database, music: Path
) -> None:
    (music / "cover.jpg").write_bytes(make_picture())
    tagged(music / "a.flac", make_picture(colour="red"))
    make_audio(music / "b.flac", samples=441)
    keys = [scanned_cover_key(database, music, path) for path in (b"a.flac", b"b.flac")]
    assert [colour_of(artwork.get_cover(key, 96)) for key in keys] == [RED, TEAL]


def test_a_picture_that_is_a_link_out_of_the_library_is_never_shown(
    artwork: Artwork, tmp_path: Path, music: Path
) -> None:
    (tmp_path / "private.jpg").write_bytes(make_picture())
    (music / "cover.jpg").symlink_to(tmp_path / "private.jpg")
    assert artwork.find_folder_cover(b"", 96) is None


@pytest.mark.parametrize("path", [b"nowhere", b"..", b".hidden", b"cover.jpg", b"out"])
def test_there_is_no_cover_of_what_is_no_folder_of_the_library(
    artwork: Artwork, music: Path, path: bytes
) -> None:
    (music / ".hidden").mkdir()
    (music / "out").symlink_to("/")
    (music / "cover.jpg").write_bytes(make_picture())
    with pytest.raises(NotFoundError):
        artwork.find_folder_cover(path, 96)


@pytest.mark.parametrize("size", [96, 320, 640])
def test_the_cover_of_a_folder_is_kept_as_a_small_jpeg(
    artwork: Artwork, music: Path, data_root: Path, size: int
) -> None:
    Image.new("RGB", (1000, 1000), "teal").save(music / "cover.png")
    kept = artwork.find_folder_cover(b"", size)
    assert kept is not None
    with Image.open(kept) as image:
        assert (image.format, image.size) == ("JPEG", (size, size))
    assert kept_files(data_root / CACHE_FOLDER) == [kept]


def test_a_folder_and_its_tracks_share_one_small_cover(
    artwork: Artwork, database: Database, music: Path, data_root: Path, flac: Path
) -> None:
    place(flac, music / "a.flac")
    (music / "cover.jpg").write_bytes(make_picture())
    key = scanned_cover_key(database, music, b"a.flac")
    assert artwork.find_folder_cover(b"", 96) == artwork.get_cover(key, 96)
    assert len(kept_files(data_root / CACHE_FOLDER)) == 1


def test_the_kept_cover_of_a_folder_is_not_made_twice(artwork: Artwork, music: Path) -> None:
    (music / "cover.jpg").write_bytes(make_picture())
    kept = artwork.find_folder_cover(b"", 96)
    assert kept is not None
    kept.write_bytes(b"as it was")
    again = artwork.find_folder_cover(b"", 96)
    assert again == kept
    assert again.read_bytes() == b"as it was"


def test_a_new_picture_of_a_folder_gets_a_new_cover(artwork: Artwork, music: Path) -> None:
    (music / "cover.jpg").write_bytes(make_picture(colour="red"))
    before = artwork.find_folder_cover(b"", 96)
    (music / "cover.jpg").write_bytes(make_picture(colour="blue") + b"more")
    after = artwork.find_folder_cover(b"", 96)
    assert after != before
    assert colour_of(after) == BLUE


def test_a_folder_with_a_damaged_picture_has_no_cover(
    artwork: Artwork, music: Path, data_root: Path
) -> None:
    (music / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0 not really")
    assert artwork.find_folder_cover(b"", 96) is None
    assert [path.suffix for path in kept_files(data_root / CACHE_FOLDER)] == [".failed"]
