from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from mixtape.database.tables import Track
from mixtape.database.units_of_work import Database
from mixtape.errors import NotFoundError
from mixtape.library import selection as selection_module
from mixtape.library.scanner import Scanner
from mixtape.library.selection import Selection
from tests.helpers.tracks import NOON, add_track


@pytest.fixture
def selection(tmp_path: Path, database: Database) -> Selection:
    (tmp_path / "music").mkdir()
    return Selection(database, Scanner(database, tmp_path / "music", tmp_path / "lock"))


def add(database: Database, path: str, **columns: object) -> None:
    add_track(database, path.encode(), **{"artist": "Band", **columns})


def titles(tracks: Iterable[Track]) -> list[str]:
    return [track.title for track in tracks]


def test_an_artist_is_played_by_year_with_loose_tracks_at_the_end(
    database: Database, selection: Selection
) -> None:
    add(database, "l.flac", title="loose", year=1950)
    add(database, "y.flac", title="unknown year", album="A")
    add(database, "n2.flac", title="new 2", album="B", year=2020, track_no=2)
    add(database, "n1.flac", title="new 1", album="B", year=2021, track_no=1)
    add(database, "o.flac", title="old", album="C", year=1990)
    add(database, "bad.flac", title="bad", album="C", problem="no music")
    add(database, "gone.flac", title="gone", album="C", missing_since=NOON)
    add(database, "x.flac", title="else", artist="Other", album="C")
    found = selection.of_artist("band")
    assert titles(found.items) == ["old", "new 1", "new 2", "unknown year", "loose"]
    assert titles(selection.of_album("band", "b").items) == ["new 1", "new 2"]
    assert selection.of_album("nobody", "b").items == ()


def test_of_more_than_the_most_some_are_taken_and_that_is_told(
    database: Database, selection: Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection_module, "MOST", 3)
    for number in range(5):
        add(database, f"{number}.flac", title=str(number), album="A", track_no=number + 1)
    found = selection.of_album("band", "a")
    assert (titles(found.items), found.has_more) == (["0", "1", "2"], True)
    shuffled = {tuple(titles(selection.of_artist("band", shuffled=True).items)) for _ in range(30)}
    assert {len(set(each)) for each in shuffled} == {3}
    assert {title for each in shuffled for title in each} == set("01234")


def test_there_are_no_tracks_of_a_folder_that_is_not_there(selection: Selection) -> None:
    with pytest.raises(NotFoundError):
        selection.of_folder(b"Nowhere")
