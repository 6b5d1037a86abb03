from __future__ import annotations

import pytest

from mixtape.database.units_of_work import Database
from mixtape.library.catalogue import Catalogue
from mixtape.library.initials import Initial, Initials, jumps
from tests.helpers.tracks import NOON, add_track


def test_what_is_no_letter_is_one_place_before_a_or_after_z() -> None:
    counts = [("", 1), ("4", 2), ("a", 3), ("z", 1), ("ø", 1), ("日", 5)]
    assert jumps(counts) == (
        Initial("#", 0),
        Initial("A", 3),
        Initial("Z", 6),
        Initial("…", 7),
    )
    assert jumps([]) == ()


def test_letters_lead_to_where_the_catalogue_has_them(database: Database) -> None:
    names = ("beach", "The Aces", "zoo", "100", "Bells", "Ärzte")
    for number, artist in enumerate(names):
        for album in ("One", "Two", ""):
            path = f"{number}/{album}.flac".encode()
            add_track(database, path, artist=artist, album=album)
    guest = {"artist": "Guest", "album_artist": "Bells", "album": "One"}
    add_track(database, b"guest.flac", **guest)
    add_track(database, b"gone.flac", artist="Gone", album="Gone", missing_since=NOON)
    initials, catalogue = Initials(database, lambda: 1), Catalogue(database)
    albums = {each.label: each.offset for each in initials.of("albums")}
    assert albums == {"#": 0, "A": 2, "B": 6, "Z": 10}
    assert catalogue.albums(offset=albums["B"], limit=1).items[0].artist == "beach"
    listed = [each.key for each in catalogue.artists().items]
    assert initials.of("artists") == jumps([(key[0], 1) for key in listed])


@pytest.mark.parametrize("database_url", [None])
def test_nothing_is_counted_again_until_the_library_is_another(database: Database) -> None:
    version = [1]
    initials = Initials(database, lambda: version[0])
    assert initials.of("artists") == ()
    add_track(database, b"a.flac", artist="New", album="New")
    assert initials.of("artists") == ()
    version[0] = 2
    assert initials.of("artists") == (Initial("N", 0),)
