from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, update

from mixtape.database.tables import Track
from mixtape.database.units_of_work import Database
from mixtape.errors import ConflictError, InvalidMixtapeError, NotFoundError
from mixtape.mixtapes.drafts import Drafts
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MAX_NOTES, MAX_TRACKS, MixtapeState, SavedMixtape
from tests.helpers.tracks import NOON, Clock, add_track


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mixtapes(database: Database, clock: Clock) -> Mixtapes:
    return Mixtapes(database, clock)


@pytest.fixture
def abc(database: Database) -> tuple[int, ...]:
    """Return the ids of three tracks."""
    return tuple(add_track(database, name.encode(), title=name) for name in ("a", "b", "c"))


def titles(mixtape: SavedMixtape) -> str:
    return "".join(item.title for item in mixtape.items)


def facts(mixtape: SavedMixtape) -> tuple[object, ...]:
    """Return what is stored, comparable; tracks are rows, and every reading has its own."""
    paths = tuple(item.path for item in mixtape.items)
    return replace(mixtape, items=()), paths, mixtape.share_key


def lose(database: Database, path: bytes) -> None:
    with database.write() as session:
        session.execute(update(Track).where(Track.path == path).values(missing_since=NOON))


def test_a_mixtape_comes_back_as_it_was_made(
    mixtapes: Mixtapes, abc: tuple[int, ...], clock: Clock
) -> None:
    state = MixtapeState("Summer vibes", "one\n\ntwo", "c" * 32, abc[::-1])
    made = mixtapes.create(state)
    assert facts(mixtapes.get(made.slug)) == facts(made)
    assert made.state == state
    assert titles(made) == "cba"
    assert (made.revision, made.shared) == (1, False)
    assert made.created_at == made.updated_at == clock.now


def test_slugs_and_share_keys_are_long_and_never_the_same(mixtapes: Mixtapes) -> None:
    made = [mixtapes.create(MixtapeState("Same")) for _ in range(20)]
    assert len({mixtape.slug for mixtape in made}) == 20
    assert len({mixtape.share_key for mixtape in made}) == 20
    assert {len(mixtape.slug) for mixtape in made} == {22}
    assert {len(mixtape.share_key) for mixtape in made} == {43}


def test_the_share_key_is_not_in_what_gets_printed(mixtapes: Mixtapes) -> None:
    made = mixtapes.create(MixtapeState("Tape"))
    assert made.share_key not in repr(made)


def test_a_track_may_be_in_a_mixtape_twice(mixtapes: Mixtapes, abc: tuple[int, ...]) -> None:
    a, b, _ = abc
    assert titles(mixtapes.create(MixtapeState("Tape", track_ids=(a, b, a)))) == "aba"


def test_saving_stores_the_whole_state_and_counts_the_revision(
    mixtapes: Mixtapes, abc: tuple[int, ...], clock: Clock
) -> None:
    slug = mixtapes.create(MixtapeState("Before", "notes", "c" * 32, abc)).slug
    clock.advance(hours=1)
    saved = mixtapes.save(slug, MixtapeState("After", track_ids=abc[1:]), revision=1)
    assert facts(mixtapes.get(slug)) == facts(saved)
    assert saved.state == MixtapeState("After", "", None, abc[1:])
    assert (saved.revision, saved.updated_at) == (2, clock.now)
    assert saved.created_at < saved.updated_at


def test_a_save_from_an_old_revision_is_a_conflict_and_stores_nothing(
    mixtapes: Mixtapes, abc: tuple[int, ...]
) -> None:
    slug = mixtapes.create(MixtapeState("Tape", track_ids=abc)).slug
    mixtapes.save(slug, MixtapeState("First", track_ids=abc), revision=1)
    with pytest.raises(ConflictError, match="changed elsewhere") as caught:
        mixtapes.save(slug, MixtapeState("Second"), revision=1)
    assert (caught.value.expected, caught.value.current) == (1, 2)
    assert mixtapes.get(slug).title == "First"
    assert titles(mixtapes.get(slug)) == "abc"


def test_of_many_saves_at_once_one_wins_and_the_others_are_told(mixtapes: Mixtapes) -> None:
    slug = mixtapes.create(MixtapeState("Tape")).slug
    start = threading.Barrier(16)

    def save(number: int) -> bool:
        start.wait(60)
        try:
            mixtapes.save(slug, MixtapeState(f"Version {number}"), revision=1)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(save, range(16)))
    assert outcomes.count(True) == 1
    assert mixtapes.get(slug).title == f"Version {outcomes.index(True)}"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (MixtapeState(""), "needs a title"),
        (MixtapeState(" \x00\n "), "needs a title"),
        (MixtapeState("x" * 201), "longer than 200 characters"),
        (MixtapeState("Tape", "x" * (MAX_NOTES + 1)), "notes are longer than 10,000"),
        (MixtapeState("Tape", cover_key="../etc/passwd"), "cover"),
        (MixtapeState("Tape", track_ids=(1,) * (MAX_TRACKS + 1)), "more than 1,000 tracks"),
        (MixtapeState("Tape", track_ids=(99,)), "no longer in the library: track 99"),
        (MixtapeState("Tape", track_ids=(2**70,)), "no longer in the library"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_the_reason(
    mixtapes: Mixtapes, state: MixtapeState, message: str
) -> None:
    slug = mixtapes.create(MixtapeState("Kept")).slug
    with pytest.raises(InvalidMixtapeError, match=message):
        mixtapes.save(slug, state, revision=1)
    with pytest.raises(InvalidMixtapeError, match=message):
        mixtapes.create(state)
    assert [summary.title for summary in mixtapes.summaries()] == ["Kept"]
    assert mixtapes.get(slug).revision == 1


def test_texts_are_stored_clean(mixtapes: Mixtapes) -> None:
    made = mixtapes.create(MixtapeState("  So\x00\tWhat \ud800", "a\r\nb\x1b\n"))
    assert (made.title, made.notes) == ("So What ?", "a\nb")


@pytest.mark.parametrize(
    ("index", "to", "order"), [(0, 2, "bca"), (2, 0, "cab"), (1, 1, "abc"), (0, 1, "bac")]
)
def test_a_track_can_be_moved(
    mixtapes: Mixtapes, abc: tuple[int, ...], index: int, to: int, order: str
) -> None:
    slug = mixtapes.create(MixtapeState("Tape", track_ids=abc)).slug
    ids = list(abc)
    ids.insert(to, ids.pop(index))
    moved = mixtapes.save(slug, MixtapeState("Tape", track_ids=tuple(ids)), revision=1)
    assert titles(moved) == order
    assert moved.revision == 2
    assert facts(mixtapes.get(slug)) == facts(moved)


def test_a_track_can_be_removed(mixtapes: Mixtapes, abc: tuple[int, ...]) -> None:
    slug = mixtapes.create(MixtapeState("Tape", track_ids=abc)).slug
    less = MixtapeState("Tape", track_ids=(abc[0], abc[2]))
    assert titles(mixtapes.save(slug, less, revision=1)) == "ac"


def test_moving_and_removing_respect_the_revision(mixtapes: Mixtapes, abc: tuple[int, ...]) -> None:
    slug = mixtapes.create(MixtapeState("Tape", track_ids=abc)).slug
    mixtapes.save(slug, MixtapeState("Tape", track_ids=abc[::-1]), revision=1)
    for ids in (abc[1:], (abc[1], abc[0], abc[2])):
        with pytest.raises(ConflictError):
            mixtapes.save(slug, MixtapeState("Tape", track_ids=ids), revision=1)
    assert titles(mixtapes.get(slug)) == "cba"


def test_a_vanished_track_keeps_its_place_and_is_shown_as_missing(
    mixtapes: Mixtapes, database: Database, abc: tuple[int, ...]
) -> None:
    made = mixtapes.create(MixtapeState("Tape", track_ids=abc))
    lose(database, b"b")
    mixtape = mixtapes.get(made.slug)
    assert [item.is_missing for item in mixtape.items] == [False, True, False]
    assert titles(mixtape) == "abc"
    assert [track.title for track in mixtape.tracks] == ["a", "c"]
    assert mixtape.duration_s == 360.0
    a, b, c = mixtape.state.track_ids
    moved = mixtapes.save(made.slug, MixtapeState("Tape", track_ids=(b, a, c)), revision=1)
    assert titles(mixtapes.save(made.slug, moved.state, revision=2)) == "bac"


def test_a_track_that_the_library_has_forgotten_shows_its_file_name(
    mixtapes: Mixtapes, database: Database
) -> None:
    track_id = add_track(database, b"a/caf\xe9.flac", title="Café")
    slug = mixtapes.create(MixtapeState("Tape", track_ids=(track_id,))).slug
    with database.write() as session:
        session.execute(delete(Track))
    (item,) = mixtapes.get(slug).items
    assert (item.is_missing, item.title) == (True, "caf\ufffd.flac")


def test_a_listener_gets_exactly_the_tracks_of_the_mixtape(
    mixtapes: Mixtapes, database: Database, abc: tuple[int, ...]
) -> None:
    mixtape = mixtapes.create(MixtapeState("Tape", track_ids=abc[:2]))
    assert [track.title for track in mixtape.tracks] == ["a", "b"]
    lose(database, b"b")
    assert [track.title for track in mixtapes.get(mixtape.slug).tracks] == ["a"]


def test_the_cover_is_the_chosen_one_or_that_of_the_first_track_with_one(
    mixtapes: Mixtapes, database: Database
) -> None:
    ids = [
        add_track(database, name.encode(), cover_key=key)
        for name, key in (("a", None), ("b", "b" * 32), ("c", "c" * 32))
    ]
    mixtape = mixtapes.create(MixtapeState("Tape", track_ids=tuple(ids)))
    assert mixtape.cover_key == mixtapes.summaries()[0].cover_key == "b" * 32
    assert mixtape.cover_keys == {"b" * 32, "c" * 32}
    chosen = MixtapeState("Tape", cover_key="d" * 32, track_ids=tuple(ids[:2]))
    mixtape = mixtapes.save(mixtape.slug, chosen, revision=1)
    assert mixtape.cover_key == mixtapes.summaries()[0].cover_key == "d" * 32
    assert mixtape.cover_keys == {"b" * 32, "d" * 32}
    assert mixtapes.cover_keys() == {"d" * 32}


def test_the_list_shows_the_last_changed_first_with_counts(
    mixtapes: Mixtapes, database: Database, abc: tuple[int, ...], clock: Clock
) -> None:
    first = mixtapes.create(MixtapeState("First", track_ids=abc))
    clock.advance(minutes=1)
    mixtapes.create(MixtapeState("Second"))
    lose(database, b"b")
    second, summary = mixtapes.summaries()
    assert (second.title, second.tracks, second.duration_s) == ("Second", 0, 0.0)
    assert (summary.slug, summary.tracks, summary.missing) == (first.slug, 3, 1)
    assert (summary.duration_s, summary.shared) == (360.0, False)
    clock.advance(minutes=1)
    mixtapes.save(first.slug, first.state, revision=1)
    assert [summary.title for summary in mixtapes.summaries()] == ["First", "Second"]


def test_only_a_shared_mixtape_is_there_for_listeners(mixtapes: Mixtapes) -> None:
    slug = mixtapes.create(MixtapeState("Tape")).slug
    with pytest.raises(NotFoundError):
        mixtapes.get_shared(slug)
    assert mixtapes.share(slug).shared
    assert mixtapes.get_shared(slug).slug == slug
    mixtapes.unshare(slug)
    with pytest.raises(NotFoundError):
        mixtapes.get_shared(slug)


def test_unsharing_revokes_what_was_signed_even_when_it_is_shared_again(mixtapes: Mixtapes) -> None:
    slug = mixtapes.create(MixtapeState("Tape")).slug
    before = mixtapes.share(slug).share_key
    mixtapes.unshare(slug)
    assert mixtapes.share(slug).share_key != before


def test_a_renewed_link_locks_the_old_one_out(
    mixtapes: Mixtapes, database: Database, abc: tuple[int, ...]
) -> None:
    old = mixtapes.create(MixtapeState("Tape", track_ids=abc))
    mixtapes.share(old.slug)
    draft = Drafts(database).begin(old.slug)
    new = mixtapes.renew_link(old.slug)
    assert new.slug != old.slug
    assert new.share_key != old.share_key
    assert (new.shared, titles(new), new.revision) == (True, "abc", old.revision)
    with pytest.raises(NotFoundError):
        mixtapes.get_shared(old.slug)
    assert Drafts(database).get(draft.key).slug == new.slug


def test_sharing_is_no_change_that_an_editor_has_to_know(mixtapes: Mixtapes) -> None:
    slug = mixtapes.create(MixtapeState("Tape")).slug
    mixtapes.share(slug)
    assert mixtapes.save(slug, MixtapeState("New"), revision=1).shared


def test_a_deleted_mixtape_is_gone_with_its_draft(mixtapes: Mixtapes, database: Database) -> None:
    slug = mixtapes.create(MixtapeState("Tape")).slug
    draft = Drafts(database).begin(slug)
    mixtapes.delete(slug)
    assert mixtapes.summaries() == ()
    with pytest.raises(NotFoundError):
        Drafts(database).get(draft.key)


@pytest.mark.parametrize(
    "slug",
    ["", "x", "A" * 22, "A" * 10_000, "\ud800" * 22, "' OR 1=1 --", "%", "_" * 22, "\0" * 22],
)
def test_a_slug_of_nothing_is_not_found_whatever_it_is(mixtapes: Mixtapes, slug: str) -> None:
    mixtapes.create(MixtapeState("Tape"))
    asked: list[Callable[[], Any]] = [
        lambda: mixtapes.get(slug),
        lambda: mixtapes.get_shared(slug),
        lambda: mixtapes.save(slug, MixtapeState("x"), revision=1),
        lambda: mixtapes.share(slug),
        lambda: mixtapes.unshare(slug),
        lambda: mixtapes.renew_link(slug),
        lambda: mixtapes.delete(slug),
    ]
    for ask in asked:
        with pytest.raises(NotFoundError):
            ask()


def test_a_slug_is_not_found_in_another_case(mixtapes: Mixtapes) -> None:
    slug = mixtapes.create(MixtapeState("Tape")).slug
    with pytest.raises(NotFoundError):
        mixtapes.get(slug.swapcase())


def test_saving_drops_the_draft_that_it_came_from(mixtapes: Mixtapes, database: Database) -> None:
    drafts = Drafts(database)
    new = drafts.begin()
    other = drafts.begin()
    made = mixtapes.create(MixtapeState("Tape"), draft_key=new.key)
    edit = drafts.begin(made.slug)
    mixtapes.save(made.slug, MixtapeState("Tape 2"), revision=1, draft_key=edit.key)
    for gone in (new, edit):
        with pytest.raises(NotFoundError):
            drafts.get(gone.key)
    assert drafts.get(other.key) == other


def test_a_save_in_vain_keeps_the_draft(mixtapes: Mixtapes, database: Database) -> None:
    slug = mixtapes.create(MixtapeState("Tape")).slug
    draft = Drafts(database).begin(slug)
    with pytest.raises(ConflictError):
        mixtapes.save(slug, MixtapeState("x"), revision=7, draft_key=draft.key)
    assert Drafts(database).get(draft.key) == draft
