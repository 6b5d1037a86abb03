"""Tracks that are added to a mixtape while its draft may be open elsewhere."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mixtape.database.units_of_work import Database
from mixtape.errors import ConflictError, InvalidMixtapeError, NotFoundError
from mixtape.mixtapes.additions import Addition, Additions
from mixtape.mixtapes.drafts import Drafts
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MAX_TRACKS, MixtapeState, SavedMixtape
from tests.helpers.tracks import NOON, Clock, add_track


@pytest.fixture
def ids(database: Database) -> list[int]:
    return [add_track(database, b"%d.flac" % number) for number in range(5)]


@pytest.fixture
def mixtapes(database: Database, clock: Clock) -> Mixtapes:
    return Mixtapes(database, clock)


@pytest.fixture
def drafts(database: Database, clock: Clock) -> Drafts:
    return Drafts(database, clock)


@pytest.fixture
def additions(database: Database, clock: Clock) -> Additions:
    return Additions(database, clock)


@pytest.fixture
def tape(mixtapes: Mixtapes, ids: list[int]) -> SavedMixtape:
    return mixtapes.create(MixtapeState("Tape", track_ids=tuple(ids[:2])))


def held(mixtapes: Mixtapes, tape: SavedMixtape) -> tuple[int, ...]:
    return mixtapes.get(tape.slug).state.track_ids


def test_tracks_come_to_the_end_and_count_as_a_change(
    additions: Additions, mixtapes: Mixtapes, tape: SavedMixtape, ids: list[int], clock: Clock
) -> None:
    clock.advance(hours=1)
    assert additions.add(tape.slug, [ids[4], ids[2]]) == Addition((ids[4], ids[2]), ())
    changed = mixtapes.get(tape.slug)
    assert changed.state.track_ids == (ids[0], ids[1], ids[4], ids[2])
    assert (changed.revision, changed.updated_at) == (tape.revision + 1, clock.now)


def test_what_is_on_it_already_is_asked_about_and_added_only_if_wished(
    additions: Additions, mixtapes: Mixtapes, tape: SavedMixtape, ids: list[int]
) -> None:
    wanted = [ids[1], ids[2]]
    assert additions.add(tape.slug, wanted) == Addition((), (ids[1],))
    assert mixtapes.get(tape.slug).revision == tape.revision
    assert held(mixtapes, tape) == tuple(ids[:2])
    assert additions.add(tape.slug, wanted, "skip") == Addition((ids[2],), (ids[1],))
    assert held(mixtapes, tape) == tuple(ids[:3])
    assert additions.add(tape.slug, wanted, "add").added == tuple(wanted)
    assert held(mixtapes, tape) == (*ids[:3], *wanted)


def test_a_track_that_is_sent_twice_is_added_once(
    additions: Additions, mixtapes: Mixtapes, tape: SavedMixtape, ids: list[int]
) -> None:
    assert additions.add(tape.slug, [ids[2], ids[2]]).added == (ids[2],)


def test_a_draft_gets_it_too_keeps_its_changes_and_can_be_saved(
    additions: Additions, mixtapes: Mixtapes, drafts: Drafts, tape: SavedMixtape, ids: list[int]
) -> None:
    draft = drafts.begin(tape.slug)
    state = {"title": "Renamed", "notes": "", "cover_key": None, "track_ids": [ids[1], ids[0]]}
    drafts.save(draft.key, state, revision=0)
    additions.add(tape.slug, [ids[3]])
    assert held(mixtapes, tape) == (ids[0], ids[1], ids[3])
    found = drafts.get(draft.key)
    assert found.state == {**state, "track_ids": [ids[1], ids[0], ids[3]]}
    assert (found.revision, found.base_revision) == (2, tape.revision + 1)
    saved = mixtapes.save(
        tape.slug,
        MixtapeState("Renamed", track_ids=tuple(found.state["track_ids"])),
        revision=found.base_revision,
        draft_key=draft.key,
    )
    assert saved.state.track_ids == (ids[1], ids[0], ids[3])


def test_a_page_with_the_draft_of_before_is_told_and_overwrites_nothing(
    additions: Additions, drafts: Drafts, tape: SavedMixtape, ids: list[int]
) -> None:
    draft = drafts.begin(tape.slug)
    drafts.save(draft.key, {"track_ids": ids[:2]}, revision=0)
    additions.add(tape.slug, [ids[3]])
    with pytest.raises(ConflictError):
        drafts.save(draft.key, {"track_ids": ids[:1]}, revision=1)
    assert drafts.get(draft.key).state["track_ids"] == [*ids[:2], ids[3]]


def test_a_draft_that_was_in_conflict_before_stays_so(
    additions: Additions, mixtapes: Mixtapes, drafts: Drafts, tape: SavedMixtape, ids: list[int]
) -> None:
    draft = drafts.begin(tape.slug)
    mixtapes.save(tape.slug, MixtapeState("Other"), revision=tape.revision)
    additions.add(tape.slug, [ids[3]])
    assert drafts.get(draft.key).base_revision == tape.revision


def test_taking_back_takes_the_last_and_leaves_the_first(
    additions: Additions, mixtapes: Mixtapes, drafts: Drafts, tape: SavedMixtape, ids: list[int]
) -> None:
    draft = drafts.begin(tape.slug)
    kept = {"track_ids": [ids[1], ids[0]], "track_marks": ["b", "a"], "title": "T"}
    drafts.save(draft.key, kept, revision=0)
    additions.add(tape.slug, [ids[0], ids[2]], "add")
    additions.take_back(tape.slug, [ids[0], ids[2], 10**30])
    assert held(mixtapes, tape) == tuple(ids[:2])
    found = drafts.get(draft.key)
    assert found.state == kept
    assert found.base_revision == mixtapes.get(tape.slug).revision


def test_a_mixtape_that_was_never_saved_is_added_to_as_well(
    additions: Additions, drafts: Drafts, ids: list[int]
) -> None:
    key = drafts.begin().key
    drafts.save(key, {"title": "New", "track_ids": [ids[0]]}, revision=0)
    assert additions.add_to_draft(key, ids[:2]) == Addition((), (ids[0],))
    assert additions.add_to_draft(key, ids[:2], "skip").added == (ids[1],)
    assert drafts.get(key).state == {"title": "New", "track_ids": ids[:2]}
    additions.take_back_from_draft(key, [ids[1]])
    assert drafts.get(key).state["track_ids"] == [ids[0]]
    for nothing in ("x" * 22, "\udcff"):
        with pytest.raises(NotFoundError):
            additions.add_to_draft(nothing, ids[:1])


def test_a_file_that_is_missing_from_the_library_keeps_its_place(
    additions: Additions,
    mixtapes: Mixtapes,
    database: Database,
    tape: SavedMixtape,
    ids: list[int],
) -> None:
    additions.add(tape.slug, [add_track(database, b"lost.flac")])
    lost = add_track(database, b"never.flac", missing_since=NOON)
    with pytest.raises(InvalidMixtapeError, match=f"track {lost}"):
        additions.add(tape.slug, [ids[3], lost])
    assert len(mixtapes.get(tape.slug).items) == 3


def test_a_mixtape_takes_no_more_tracks_than_it_holds(
    additions: Additions, mixtapes: Mixtapes, tape: SavedMixtape, ids: list[int]
) -> None:
    full = mixtapes.create(MixtapeState("Full", track_ids=tuple(ids[:1] * MAX_TRACKS)))
    with pytest.raises(InvalidMixtapeError, match="would have 1,001 tracks"):
        additions.add(full.slug, [ids[1]])
    with pytest.raises(NotFoundError):
        additions.add("A" * 22, [ids[1]])


def test_of_many_additions_at_once_none_is_lost(
    additions: Additions, mixtapes: Mixtapes, database: Database, tape: SavedMixtape
) -> None:
    wanted = [add_track(database, b"many/%d.flac" % number) for number in range(12)]
    start = threading.Barrier(len(wanted))

    def add(track_id: int) -> None:
        start.wait(60)
        additions.add(tape.slug, [track_id])

    with ThreadPoolExecutor(len(wanted)) as pool:
        list(pool.map(add, wanted))
    assert sorted(held(mixtapes, tape)[2:]) == wanted
    assert mixtapes.get(tape.slug).revision == tape.revision + len(wanted)
