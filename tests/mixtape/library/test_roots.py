"""A host that goes from one music folder to several, to others, and back."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from sqlalchemy import LargeBinary, select

from audio_cache import MusicRoots
from mixtape.accounts.marks import Marks, read_album_mark
from mixtape.database.account_tables import ALBUM, TRACK, Bookmark, Mark, Play
from mixtape.database.paths import path_columns
from mixtape.database.tables import FIRST_USER, Base, MixtapeTrack, Root, Track
from mixtape.database.units_of_work import Database
from mixtape.library.roots import KnownRoot, adopt_roots, are_noted, lay_out
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState
from tests.helpers.tracks import Clock, add_track

ONE = MusicRoots("/srv/music")
BOTH = MusicRoots("/srv/music", "/mnt/more")
# In a folder that is called as the music folder is, at the top, and of any bytes.
PATHS = (
    b"music/Album/1.flac",
    b"2.flac",
    b"caf\xe9/\xff\n.flac",
    b"more/3.flac",
    b"Z/a.cue/01.flac",
)


@pytest.fixture
def tape(database: Database) -> int:
    """Return the id of a mixtape of all tracks of a library with one folder."""
    adopt_roots(database, ONE)
    ids = [add_track(database, path, folder=folder(path)) for path in PATHS]
    saved = Mixtapes(database).create(MixtapeState("All", track_ids=tuple(ids)))
    with database.read() as session:
        [mixtape_id] = set(session.scalars(select(MixtapeTrack.mixtape_id)))
    assert saved.slug
    return mixtape_id


def folder(path: bytes) -> bytes:
    return path.removesuffix(b"/01.flac").rpartition(b"/")[0]


def paths(database: Database) -> dict[int, tuple[bytes, bytes, bool]]:
    """Return path, folder, and whether it is missing, of each track by its id."""
    with database.read() as session:
        found = session.scalars(select(Track).order_by(Track.id))
        return {
            track.id: (track.path, track.folder, track.missing_since is not None) for track in found
        }


def held(database: Database) -> list[bytes]:
    with database.read() as session:
        return list(session.scalars(select(MixtapeTrack.path).order_by(MixtapeTrack.position)))


def at(prefix: bytes, *, is_missing: bool = False) -> list[tuple[bytes, bytes, bool]]:
    """Return what `paths` does of the tracks, in a music folder with a prefix."""
    return [
        (prefix + b"/" + path, (prefix + b"/" + folder(path)).rstrip(b"/"), is_missing)
        for path in PATHS
    ]


def test_one_folder_becomes_two_and_one_again_and_no_track_is_another(
    database: Database, tape: int
) -> None:
    before = paths(database)
    adopt_roots(database, BOTH)
    assert list(paths(database).values()) == at(b"music")
    assert paths(database).keys() == before.keys()
    assert held(database) == [b"music/" + path for path in PATHS]
    add_track(database, b"more/new.flac")
    adopt_roots(database, ONE)
    after = paths(database)
    assert after.pop(max(after)) == (b".removed/more/new.flac", b".removed/more", True)
    assert after == before
    assert held(database) == list(PATHS)
    adopt_roots(database, BOTH)
    assert paths(database)[max(paths(database))][0] == b"more/new.flac"
    assert held(database) == [b"music/" + path for path in PATHS]


def test_what_is_found_by_a_search_is_still_found(database: Database, tape: int) -> None:
    from mixtape.library.catalogue import Catalogue

    adopt_roots(database, BOTH)
    [track] = Catalogue(database).search("2").items
    assert track.path == b"music/2.flac"


def test_stars_plays_and_bookmarks_go_along(database: Database, tape: int, clock: Clock) -> None:
    # The key of an album is no path, however much it looks like one.
    album, path = b"ann\1music/Album", PATHS[0]
    with database.write() as session:
        for kind, key in ((TRACK, path), (ALBUM, album)):
            session.add(Mark(user_id=FIRST_USER, kind=kind, key=key, starred_at=clock()))
        session.add(Play(user_id=FIRST_USER, path=path, plays=3, last_played_at=clock()))
        session.add(
            Bookmark(
                user_id=FIRST_USER,
                path=path,
                position_ms=1,
                created_at=clock(),
                changed_at=clock(),
            )
        )
    for roots, expected in ((BOTH, b"music/" + path), (ONE, path)):
        adopt_roots(database, roots)
        said = Marks(database).of_tracks(FIRST_USER, [expected])[expected]
        assert (said.starred_at, said.plays, said.bookmark_ms) == (clock(), 3, 1)
        pair = read_album_mark(album)
        assert Marks(database).of_albums(FIRST_USER, [pair])[pair].starred_at == clock()


def test_the_tracks_of_a_folder_that_goes_are_missing_until_it_is_there_again(
    database: Database, tape: int
) -> None:
    adopt_roots(database, BOTH)
    adopt_roots(database, MusicRoots("/mnt/more", "/mnt/third"))
    assert list(paths(database).values()) == at(b".removed/music", is_missing=True)
    adopt_roots(database, MusicRoots("/mnt/third", "/mnt/more", "/srv/music"))
    assert [path for path, _, _ in paths(database).values()] == [b"music/" + each for each in PATHS]


def test_the_order_of_folders_says_nothing(database: Database, tape: int) -> None:
    adopt_roots(database, BOTH)
    before = paths(database)
    adopt_roots(database, MusicRoots("/mnt/more", "/srv/music"))
    assert paths(database) == before


def test_another_single_folder_is_the_same_library_at_another_place(
    database: Database, tape: int
) -> None:
    before = paths(database)
    adopt_roots(database, MusicRoots("/new/place"))
    assert paths(database) == before
    adopt_roots(database, MusicRoots("/mnt/more", "/new/place"))
    assert list(paths(database).values()) == at(b"place")


def test_folders_that_exchange_their_names_exchange_their_prefixes(database: Database) -> None:
    adopt_roots(database, MusicRoots("/a/one", "/b/two"))
    first = add_track(database, b"one/1.flac")
    second = add_track(database, b"two/1.flac")
    # As where the table was written by a host whose folders are called the other way round.
    with database.write() as session:
        for root in session.scalars(select(Root)):
            root.place = b"/b/two" if root.prefix == b"one" else b"/a/one"
    adopt_roots(database, MusicRoots("/a/one", "/b/two"))
    found = paths(database)
    assert (found[first][0], found[second][0]) == (b"two/1.flac", b"one/1.flac")


def test_the_demo_is_taken_for_no_folder(database: Database, tape: int) -> None:
    before = paths(database)
    adopt_roots(database, MusicRoots("/lib/demo"), is_demo=True)
    assert paths(database) == before
    adopt_roots(database, MusicRoots("/mnt/more", "/srv/music"))
    assert list(paths(database).values()) == at(b"music")


def test_a_host_that_noted_no_folder_has_the_first_one(database: Database) -> None:
    assert not are_noted(database)
    track = add_track(database, b"Album/1.flac")
    adopt_roots(database, BOTH)
    assert are_noted(database)
    assert paths(database)[track][0] == b"music/Album/1.flac"


def test_a_start_with_the_same_folders_writes_nothing(
    database: Database, tape: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt_roots(database, BOTH)
    monkeypatch.setattr(database, "write", None)
    adopt_roots(database, BOTH)


def test_what_cannot_be_moved_is_left_as_it_was(
    database: Database, tape: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = paths(database), held(database)
    moved = 0

    def fail_late(*_: object) -> None:
        nonlocal moved
        moved += 1
        if moved == 2:
            raise OSError("the disk is full")
        move(*_)  # type: ignore[arg-type]

    from mixtape.library import roots as module

    move = module._move
    monkeypatch.setattr(module, "_move", fail_late)
    with pytest.raises(OSError, match="full"):
        adopt_roots(database, BOTH)
    assert (paths(database), held(database)) == before


@pytest.mark.parametrize(
    ("known", "now", "prefixes"),
    [
        # By place, whatever the name.
        ({"music": "/srv/music", "b": "/b"}, ["/b", "/srv/music"], {"/srv/music": "music"}),
        # By name, where a disk is mounted elsewhere, or another host shares the database.
        ({"music": "/srv/music", "b": "/b"}, ["/b", "/mnt/music"], {"/mnt/music": "music"}),
        # A name that somebody else wants now.
        (
            {"music": "/a/music", "b": "/b"},
            ["/a/music", "/b", "/c/music"],
            {"/a/music": "music", "/c/music": None},
        ),
        # One is left, at another place: by its name.
        ({"music": "/a/music", "b": "/b"}, ["/c/music"], {"/c/music": "music"}),
        # One is left, which is none of them.
        ({"music": "/a/music", "b": "/b"}, ["/c/d"], {"/c/d": None}),
        # The single one comes before what its new name would say.
        ({"": "/a/music", ".removed/d": "/d"}, ["/c/d"], {"/c/d": ""}),
        ({"": "/a/music", ".removed/d": "/d"}, ["/c/d", "/a/music"], {"/c/d": ".removed/d"}),
        # The demo library, which plays where MUSIC_ROOT was not set by mistake.
        (
            {"": "/lib/demo/music", ".removed/music": "/srv/music", ".removed/b": "/b"},
            ["/srv/music", "/b"],
            {"/srv/music": ".removed/music", "/b": ".removed/b"},
        ),
    ],
)
def test_which_folder_is_which(
    known: dict[str, str], now: Sequence[str], prefixes: dict[str, str | None]
) -> None:
    before = [KnownRoot(os.fsencode(prefix), place) for prefix, place in known.items()]
    roots = MusicRoots(*now)
    layout = lay_out(before, roots)
    names = {place: os.fsencode(name) for name, place in roots.places.items()}
    moved = {new: old for old, new in layout.moves}
    for place, prefix in prefixes.items():
        name = names[place]
        is_kept = name not in moved and any(one.prefix == name for one in before)
        was = moved.get(name, name if is_kept else None)
        assert was == (None if prefix is None else os.fsencode(prefix))
    # None of those known is forgotten, and no two have the same prefix.
    there = [one.prefix for one in layout.roots]
    assert len(set(there)) == len(there) >= len(before)


def test_folders_that_go_and_are_called_the_same_are_told_apart() -> None:
    known = [KnownRoot(b"", "/a/music"), KnownRoot(b".removed/music", "/b/music")]
    layout = lay_out(known, MusicRoots("/c/x", "/d/y"))
    assert {one.prefix for one in layout.roots if one.is_away} == {b".removed/music"}
    layout = lay_out([*known, KnownRoot(b".removed/x", "/a/music 2")], MusicRoots("/b/music"))
    assert len({one.prefix for one in layout.roots}) == 3


def test_every_column_with_paths_is_known_to_hold_them() -> None:
    """A new one that is not would keep the paths of before."""
    others = {"root.prefix", "root.place", "upload.picture"}
    others |= {"user.sealed_listenbrainz_token", "device.sealed_key"}
    known = {str(column) for _, column, _ in path_columns()}
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, LargeBinary) and str(column) not in others:
                assert str(column) in known
