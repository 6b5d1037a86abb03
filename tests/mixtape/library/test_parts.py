from __future__ import annotations

from collections.abc import Iterator

import pytest

from mixtape.database.units_of_work import Database
from mixtape.library.catalogue import Catalogue
from mixtape.library.parts import Part, Parts
from tests.helpers.databases import open_database
from tests.helpers.tracks import NOON, add_track


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = open_database(tmp_path_factory.mktemp("parts"))
    ann = {"artist": "Ann", "genre": "Jazz, Folk"}
    add_track(database, b"Ann/loose.flac", **ann, album_artist="Ann")
    add_track(database, b"Ann/Z/1.flac", **ann, album="Z", track_no=1)
    add_track(database, b"Ann/A/2.flac", **ann, album="A", track_no=2)
    add_track(database, b"Ann/A/1.flac", **ann, album="A", track_no=1)
    add_track(database, b"Ann/A/gone.flac", **ann, album="A", missing_since=NOON)
    add_track(
        database,
        b"Ann\xff/guest.flac",
        artist="Ann",
        album="Mix",
        album_artist="The Óthers",
        genre="Pop",
    )
    yield database
    database.close()


@pytest.mark.parametrize(
    ("part", "paths"),
    [
        (
            Part(),
            [
                *(b"Ann/A/1.flac", b"Ann/A/2.flac", b"Ann/Z/1.flac", b"Ann/loose.flac"),
                b"Ann\xff/guest.flac",
            ],
        ),
        (Part(album="a"), [b"Ann/A/1.flac", b"Ann/A/2.flac"]),
        (Part(artist="others"), [b"Ann\xff/guest.flac"]),
        (Part(artist="ANN", album="Mix"), [b"Ann\xff/guest.flac"]),
        (Part(genre="folk", album="Z"), [b"Ann/Z/1.flac"]),
        (Part(genre="Pop"), [b"Ann\xff/guest.flac"]),
        (Part(folder=b"Ann\xff"), [b"Ann\xff/guest.flac"]),
        (Part(folder=b"Ann/A"), [b"Ann/A/1.flac", b"Ann/A/2.flac"]),
        (Part(folder=b"An"), []),
        (Part(artist="\0"), []),
        (Part(genre="Polka"), []),
    ],
)
def test_a_part_is_found_in_the_order_of_a_shelf(
    database: Database, part: Part, paths: list[bytes]
) -> None:
    ids = Parts(database).ids(part)
    assert [track.path for track in Catalogue(database).tracks(ids)] == paths


def test_a_part_is_called_by_what_was_asked_for() -> None:
    assert Part().name == ""
    assert Part(artist="Ann", album="A").name == "Ann – A"
    assert Part(folder=b"Music/B\xff").name == "B\ufffd"
