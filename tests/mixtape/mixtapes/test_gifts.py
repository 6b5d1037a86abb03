"""What makes a present of a mixtape: from whom, for whom, a date, two sides, a note per track."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import delete

from mixtape.database.tables import Track
from mixtape.database.units_of_work import Database
from mixtape.errors import InvalidMixtapeError
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState
from tests.helpers.tracks import NOON, Clock, add_track


@pytest.fixture
def mixtapes(database: Database) -> Mixtapes:
    return Mixtapes(database, Clock())


@pytest.fixture
def ids(database: Database) -> tuple[int, ...]:
    """Return the ids of four tracks, the first two of which have the same cover."""
    covers = ("1" * 32, "1" * 32, None, "2" * 32)
    return tuple(
        add_track(database, f"{number}.flac".encode(), cover_key=cover, duration_s=60.0 * number)
        for number, cover in enumerate(covers, 1)
    )


def test_everything_of_a_gift_comes_back_as_it_was_given(
    mixtapes: Mixtapes, ids: tuple[int, ...]
) -> None:
    state = MixtapeState(
        "For the train",
        "# Hello",
        track_ids=ids,
        track_notes=("", "Ours."),
        sender="Tom",
        recipient="Anna & Ben",
        made_on=date(2020, 2, 29),
        side_b=3,
    )
    made = mixtapes.create(state)
    assert mixtapes.get(made.slug).state == state
    assert [item.note for item in made.items] == ["", "Ours.", "", ""]
    changed = mixtapes.save(made.slug, MixtapeState("Bare", track_ids=ids[:1]), revision=1)
    assert changed.state == MixtapeState("Bare", track_ids=ids[:1])


def test_a_tape_without_a_date_bears_the_day_that_it_was_made(mixtapes: Mixtapes) -> None:
    assert mixtapes.create(MixtapeState("Tape")).day == NOON.date()
    dated = mixtapes.create(MixtapeState("Tape", made_on=date(1988, 7, 1)))
    assert dated.day == date(1988, 7, 1)


def test_two_sides_have_their_tracks_and_lengths(mixtapes: Mixtapes, ids: tuple[int, ...]) -> None:
    first, second = mixtapes.create(MixtapeState("Tape", track_ids=ids, side_b=3)).sides
    assert (first.name, first.start, first.duration_s) == ("A", 0, 360.0)
    assert (second.name, second.start, second.duration_s) == ("B", 3, 240.0)


@pytest.mark.parametrize("side_b", [None, 0, 4])
def test_a_tape_with_nothing_on_one_side_has_one(
    mixtapes: Mixtapes, ids: tuple[int, ...], side_b: int | None
) -> None:
    made = mixtapes.create(MixtapeState("Tape", track_ids=ids, side_b=side_b))
    assert made.state.side_b == side_b
    [side] = made.sides
    assert (side.name, len(side.items)) == ("", 4)


def test_notes_and_sides_stay_with_their_tracks_when_the_library_forgets_one(
    mixtapes: Mixtapes, database: Database, ids: tuple[int, ...]
) -> None:
    notes = ("one", "two", "three", "four")
    slug = mixtapes.create(MixtapeState("Tape", "", None, ids, notes, side_b=2)).slug
    with database.write() as session:
        session.execute(delete(Track).where(Track.id == ids[0]))
    left = mixtapes.get(slug).state
    assert (left.track_ids, left.track_notes, left.side_b) == (ids[1:], notes[1:], 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sender": "x" * 101}, "“From” is longer than 100"),
        ({"recipient": "x" * 101}, "“To” is longer than 100"),
        ({"track_notes": ("", "x" * 501)}, "note on track 2 is longer than 500"),
        ({"track_notes": ("x",) * 5}, "5 notes on 4 tracks"),
        ({"side_b": 5}, "side B begins after 5 tracks, and the mixtape has 4"),
        ({"side_b": -1}, "side B begins after -1 tracks"),
    ],
)
def test_what_no_tape_can_have_is_refused_with_the_reason(
    mixtapes: Mixtapes, ids: tuple[int, ...], change: dict[str, object], message: str
) -> None:
    state = MixtapeState("Tape", track_ids=ids, **change)  # type: ignore[arg-type]
    with pytest.raises(InvalidMixtapeError, match=message):
        mixtapes.create(state)


def test_texts_of_a_gift_are_stored_clean(mixtapes: Mixtapes, ids: tuple[int, ...]) -> None:
    made = mixtapes.create(
        MixtapeState("Tape", "", None, ids, (" a\x00\tb\n", "", " "), "Tom\n", " Anna ")
    )
    assert (made.sender, made.recipient) == ("Tom", "Anna")
    assert made.state.track_notes == ("a b",)


def test_a_cover_is_made_of_those_of_its_tracks_unless_one_is_chosen(
    mixtapes: Mixtapes, ids: tuple[int, ...]
) -> None:
    made = mixtapes.create(MixtapeState("Made", track_ids=ids))
    chosen = mixtapes.create(MixtapeState("Chosen", cover_key="c" * 32, track_ids=ids))
    bare = mixtapes.create(MixtapeState("Bare", track_ids=ids[2:3]))
    parts = {"Made": ("1" * 32, "2" * 32), "Chosen": ("c" * 32,), "Bare": ()}
    assert {each.title: each.cover_parts for each in (made, chosen, bare)} == parts
    assert {each.title: each.cover_parts for each in mixtapes.summaries()} == parts
