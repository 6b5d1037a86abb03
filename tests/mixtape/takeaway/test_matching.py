from __future__ import annotations

import pytest

from mixtape.database.units_of_work import Database
from mixtape.takeaway.matching import Matching
from mixtape.takeaway.playlist_file import WantedTrack
from tests.helpers.tracks import add_track

# path, title, artist, seconds
LIBRARY = {
    "Ann/First/01 Song.flac": ("Song", "Ann", 100.0),
    "Ann/First/02 Other.flac": ("Other", "Ann", 120.0),
    "Ben/Live/01 Song.flac": ("Song", "Ben", 200.0),
    "Ben/Live/Ö.flac": ("Ö", "Ben", 50.0),
    "single.mp3": ("Single", "The Cats", 60.0),
    "Various/Single.ogg": ("Single", "Cats", 61.0),
}


@pytest.fixture
def ids(database: Database) -> dict[str, int]:
    return {
        path: add_track(database, path.encode(), title=title, artist=artist, duration_s=duration_s)
        for path, (title, artist, duration_s) in LIBRARY.items()
    }


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        (WantedTrack(b"Ann/First/01 Song.flac"), "Ann/First/01 Song.flac"),
        (WantedTrack(b"/home/x/Music/Ben/Live/01 Song.flac"), "Ben/Live/01 Song.flac"),
        (WantedTrack(b"../ann/FIRST/02 other.MP3"), "Ann/First/02 Other.flac"),
        (WantedTrack("x/Live/O\u0308.flac".encode()), "Ben/Live/Ö.flac"),
        # Where the name alone is the same, the length decides.
        (WantedTrack(b"01 Song.flac"), None),
        (WantedTrack(b"01 Song.flac", duration_s=199.0), "Ben/Live/01 Song.flac"),
        (WantedTrack(b"elsewhere/02 Other.flac", duration_s=300.0), None),
        (WantedTrack(b"02 Other.mp3"), "Ann/First/02 Other.flac"),
        (WantedTrack(b"single.mp3"), "single.mp3"),
        # By what is told of it.
        (WantedTrack(b"", "song", "BEN"), "Ben/Live/01 Song.flac"),
        (WantedTrack(b"gone.mp3", "Song", "Ann", 99.0), "Ann/First/01 Song.flac"),
        (WantedTrack(b"", "Song", "Ann", 150.0), None),
        (WantedTrack(b"", "Song"), None),
        (WantedTrack(b"", "Song", duration_s=201.0), "Ben/Live/01 Song.flac"),
        (WantedTrack(b"", "Song", "Zoe"), None),
        (WantedTrack(b"", "Other"), "Ann/First/02 Other.flac"),
        (WantedTrack(b"", "Nothing"), None),
        (WantedTrack(b""), None),
    ],
)
def test_a_track_is_found_by_its_path_or_by_what_is_told_of_it(
    database: Database, ids: dict[str, int], wanted: WantedTrack, path: str | None
) -> None:
    assert Matching(database).find(wanted) == (ids[path] if path else None)


def test_what_is_missing_is_told_and_the_order_stays(
    database: Database, ids: dict[str, int]
) -> None:
    names = ["Various/Single.ogg", "nowhere.mp3", "single.mp3", "Various/Single.ogg"]
    wanted = [WantedTrack(name.encode()) for name in names]
    found, missing = Matching(database).find_all(wanted)
    assert found == [ids[names[0]], ids[names[2]], ids[names[3]]]
    assert [each.name for each in missing] == ["nowhere.mp3"]


def test_a_path_of_marks_keeps_nobody_waiting(database: Database, ids: dict[str, int]) -> None:
    # Each mark is put in its order among all others of its letter, which takes the better part of
    # an hour for a playlist of two megabytes.
    marks = "a" + "\u0300\u0316" * 300_000
    wanted = [WantedTrack(f"{marks}/single.mp3".encode()), WantedTrack(b"", title=marks)]
    assert Matching(database).find_all(wanted) == ([ids["single.mp3"]], wanted[1:])
