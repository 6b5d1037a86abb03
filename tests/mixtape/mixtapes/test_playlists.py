from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from mixtape.database.tables import FIRST_USER, Draft, Mixtape, Track
from mixtape.database.units_of_work import Database
from mixtape.errors import ConflictError, InvalidMixtapeError, NotFoundError
from mixtape.mixtapes.drafts import Drafts
from mixtape.mixtapes.playlists import Place, PlaylistChange, Playlists, arrange, match
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MAX_TRACKS, MixtapeState, SavedMixtape
from tests.helpers.tracks import NOON, Clock, add_track
from tests.helpers.waiting import together

# A tape with something missing at its beginning, in its middle and at its end.
PLACES = [
    Place(b"m1", is_there=False),
    Place(b"a", "first"),
    Place(b"b"),
    Place(b"m2", "lost", is_there=False),
    Place(b"a", "again"),
    Place(b"m3", is_there=False),
]


def arranged(
    places: list[Place], side_b: int | None, paths: list[bytes]
) -> tuple[list[tuple[bytes, str]], int | None]:
    found, side = arrange(places, side_b, match(places, paths))
    return [(place.path, place.note) for place in found], side


def paths_of(order: str) -> list[bytes]:
    return [letter.encode() for letter in order]


def test_notes_and_what_is_missing_go_along_with_the_tracks() -> None:
    lost = [(b"m1", ""), (b"m2", "lost"), (b"m3", "")]
    order, _ = arranged(PLACES, None, paths_of("aba"))
    assert order == [(place.path, place.note) for place in PLACES]
    order, _ = arranged(PLACES, None, paths_of("ba"))
    assert order == [lost[0], (b"b", ""), *lost[1:], (b"a", "first")]
    order, _ = arranged(PLACES, None, paths_of("xaaa"))
    assert order == [
        *(lost[0], (b"x", ""), (b"a", "first"), lost[1]),
        *((b"a", "again"), lost[2], (b"a", "")),
    ]
    order, _ = arranged(PLACES, None, [])
    assert order == lost


@pytest.mark.parametrize(
    ("wanted", "side_b"),
    [
        ("abcd", 2),
        ("bcd", 1),
        ("acd", 1),
        ("abd", 2),
        ("cd", 0),
        ("ab", 2),
        ("", 0),
        ("abcdx", 2),
        ("xabcd", 3),
        ("badc", 2),
        ("xyz", 2),
        ("dabc", 3),
        ("abxcd", 2),
    ],
)
def test_side_b_begins_where_the_fewest_change_sides(wanted: str, side_b: int) -> None:
    tape = [Place(path) for path in paths_of("abcd")]
    assert arranged(tape, 2, paths_of(wanted))[1] == side_b


@pytest.fixture
def mixtapes(database: Database, clock: Clock) -> Mixtapes:
    return Mixtapes(database, clock)


@pytest.fixture
def playlists(database: Database, clock: Clock) -> Playlists:
    return Playlists(database, clock)


@pytest.fixture
def ids(database: Database) -> list[int]:
    return [add_track(database, f"{name}.flac".encode()) for name in "abcd"]


@pytest.fixture
def tape(mixtapes: Mixtapes, ids: list[int]) -> SavedMixtape:
    """Return a mixtape with all that one can have."""
    state = MixtapeState(
        "Tape",
        notes="For *you*",
        cover_key="0" * 32,
        track_ids=tuple(ids),
        track_notes=("", "second", "", "last"),
        sender="Me",
        recipient="You",
        side_b=2,
    )
    return mixtapes.share(mixtapes.create(state).slug)


def test_a_change_keeps_all_that_a_player_does_not_see(
    playlists: Playlists, mixtapes: Mixtapes, tape: SavedMixtape, ids: list[int], clock: Clock
) -> None:
    clock.advance(hours=1)
    playlists.change(FIRST_USER, tape.id, PlaylistChange(removed=frozenset({0}), added=(ids[0],)))
    changed = mixtapes.get(tape.slug)
    assert changed.revision == tape.revision + 1
    assert changed.updated_at == clock()
    assert changed.state == replace(
        tape.state,
        track_ids=(ids[1], ids[2], ids[3], ids[0]),
        track_notes=("second", "", "last"),
        side_b=1,
    )
    assert changed.link == tape.link
    playlists.change(FIRST_USER, tape.id, PlaylistChange(title=" New ", notes="More"))
    again = mixtapes.get(tape.slug)
    assert again.state == replace(changed.state, title="New", notes="More")
    assert playlists.notes_of(FIRST_USER) == {tape.id: "More"}
    playlists.change(FIRST_USER, tape.id, PlaylistChange(title="New"))
    assert mixtapes.get(tape.slug).revision == again.revision


def test_tracks_that_are_missing_keep_their_places(
    database: Database,
    playlists: Playlists,
    mixtapes: Mixtapes,
    tape: SavedMixtape,
    ids: list[int],
) -> None:
    gone = update(Track).where(Track.id == ids[1]).values(missing_since=NOON)
    with database.write() as session:
        session.execute(gone)
    # The second of those that a player sees is the third of all.
    playlists.change(FIRST_USER, tape.id, PlaylistChange(removed=frozenset({1})))
    assert mixtapes.get(tape.slug).state.track_ids == (ids[0], ids[1], ids[3])
    playlists.change(FIRST_USER, tape.id, PlaylistChange(track_ids=(ids[3], ids[2], ids[0])))
    changed = mixtapes.get(tape.slug)
    assert changed.state.track_ids == (ids[3], ids[2], ids[0], ids[1])
    assert changed.state.track_notes == ("last", "", "", "second")


def test_an_editor_that_is_open_is_told_of_a_conflict(
    database: Database, playlists: Playlists, mixtapes: Mixtapes, tape: SavedMixtape
) -> None:
    draft = Drafts(database).begin(tape.slug)
    playlists.change(FIRST_USER, tape.id, PlaylistChange(title="By a player"))
    with pytest.raises(ConflictError):
        mixtapes.save(tape.slug, tape.state, revision=draft.base_revision, draft_key=draft.key)
    with database.read() as session:
        assert len(session.scalars(select(Draft)).all()) == 1
    assert mixtapes.get(tape.slug).title == "By a player"


def test_what_cannot_be_is_refused_and_nothing_changes(
    database: Database,
    playlists: Playlists,
    mixtapes: Mixtapes,
    tape: SavedMixtape,
    ids: list[int],
) -> None:
    refused: list[tuple[int, int, PlaylistChange, type[Exception]]] = [
        (FIRST_USER, tape.id + 1, PlaylistChange(title="New"), NotFoundError),
        (FIRST_USER, 2**70, PlaylistChange(title="New"), NotFoundError),
        (FIRST_USER + 1, tape.id, PlaylistChange(title="New"), NotFoundError),
        (FIRST_USER, tape.id, PlaylistChange(title=" "), InvalidMixtapeError),
        (FIRST_USER, tape.id, PlaylistChange(notes="x" * 10_001), InvalidMixtapeError),
        (FIRST_USER, tape.id, PlaylistChange(removed=frozenset({4})), NotFoundError),
        (FIRST_USER, tape.id, PlaylistChange(added=(99,)), NotFoundError),
        (
            FIRST_USER,
            tape.id,
            PlaylistChange(track_ids=(ids[0],) * (MAX_TRACKS + 1)),
            InvalidMixtapeError,
        ),
    ]
    for user_id, mixtape_id, change, error in refused:
        with pytest.raises(error):
            playlists.change(user_id, mixtape_id, change)
    assert mixtapes.get(tape.slug).state == tape.state
    with database.read() as session:
        assert session.scalars(select(Mixtape.revision)).all() == [tape.revision]


def test_of_many_changes_at_once_none_is_lost(
    playlists: Playlists, mixtapes: Mixtapes, tape: SavedMixtape, ids: list[int]
) -> None:
    change = PlaylistChange(added=(ids[0],))
    together(*[lambda: playlists.change(FIRST_USER, tape.id, change)] * 6)
    assert mixtapes.get(tape.slug).state.track_ids == (*ids, *[ids[0]] * 6)
