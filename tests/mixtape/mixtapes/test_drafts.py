from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mixtape.database.units_of_work import Database
from mixtape.errors import ConflictError, InvalidMixtapeError, NotFoundError
from mixtape.mixtapes.drafts import MAX_STATE_BYTES, Drafts
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState
from tests.helpers.tracks import Clock


@pytest.fixture
def drafts(database: Database, clock: Clock) -> Drafts:
    return Drafts(database, clock)


def test_a_new_draft_is_empty_and_every_autosave_counts_on(drafts: Drafts, clock: Clock) -> None:
    draft = drafts.begin()
    assert (draft.slug, draft.state, draft.revision, draft.base_revision) == (None, {}, 0, 0)
    clock.advance(seconds=5)
    state = {"title": "Sommer ☀", "tracks": [3, 1], "open": None}
    saved = drafts.save(draft.key, state, revision=0)
    assert (saved.state, saved.revision, saved.updated_at) == (state, 1, clock.now)
    assert drafts.get(draft.key) == saved
    assert drafts.save(draft.key, {}, revision=1).revision == 2


def test_an_autosave_of_a_page_that_is_behind_is_a_conflict(drafts: Drafts) -> None:
    key = drafts.begin().key
    drafts.save(key, {"title": "first page"}, revision=0)
    with pytest.raises(ConflictError) as caught:
        drafts.save(key, {"title": "second page"}, revision=0)
    assert (caught.value.expected, caught.value.current) == (0, 1)
    assert drafts.get(key).state == {"title": "first page"}


def test_of_many_autosaves_at_once_one_is_stored(drafts: Drafts) -> None:
    key = drafts.begin().key
    start = threading.Barrier(12)

    def save(number: int) -> bool:
        start.wait(60)
        try:
            drafts.save(key, {"number": number}, revision=0)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(save, range(12)))
    assert outcomes.count(True) == 1
    assert drafts.get(key).state == {"number": outcomes.index(True)}


def test_a_mixtape_has_one_draft_which_every_page_finds_again(
    drafts: Drafts, database: Database
) -> None:
    mixtapes = Mixtapes(database)
    slug = mixtapes.create(MixtapeState("Tape")).slug
    mixtapes.save(slug, MixtapeState("Tape"), revision=1)
    draft = drafts.begin(slug)
    assert (draft.slug, draft.base_revision) == (slug, 2)
    drafts.save(draft.key, {"title": "typed"}, revision=0)
    again = drafts.begin(slug)
    assert (again.key, again.state, again.revision) == (draft.key, {"title": "typed"}, 1)


def test_a_draft_keeps_the_revision_that_it_started_from(
    drafts: Drafts, database: Database
) -> None:
    mixtapes = Mixtapes(database)
    slug = mixtapes.create(MixtapeState("Tape")).slug
    draft = drafts.begin(slug)
    mixtapes.save(slug, MixtapeState("Changed meanwhile"), revision=1)
    again = drafts.begin(slug)
    assert again.base_revision == 1
    with pytest.raises(ConflictError):
        mixtapes.save(slug, MixtapeState("x"), revision=again.base_revision, draft_key=draft.key)


def test_there_may_be_several_drafts_of_new_mixtapes(drafts: Drafts) -> None:
    assert drafts.begin().key != drafts.begin().key


def test_a_draft_of_no_mixtape_that_exists_is_not_begun(drafts: Drafts) -> None:
    for slug in ("A" * 22, "", "\ud800"):
        with pytest.raises(NotFoundError):
            drafts.begin(slug)


def test_a_discarded_draft_is_gone_and_may_be_discarded_again(drafts: Drafts) -> None:
    key = drafts.begin().key
    drafts.discard(key)
    drafts.discard(key)
    drafts.discard("\ud800")
    with pytest.raises(NotFoundError):
        drafts.get(key)
    with pytest.raises(NotFoundError):
        drafts.save(key, {}, revision=0)


def test_drafts_that_hold_something_are_listed_last_changed_first(
    drafts: Drafts, clock: Clock
) -> None:
    keys = [drafts.begin().key for _ in range(3)]
    for key in (keys[2], keys[0]):
        clock.advance(seconds=1)
        drafts.save(key, {"title": key}, revision=0)
    assert [draft.key for draft in drafts.unsaved()] == [keys[0], keys[2]]


def test_drafts_that_were_never_written_to_go_after_a_week(drafts: Drafts, clock: Clock) -> None:
    untouched, written = drafts.begin(), drafts.begin()
    drafts.save(written.key, {"title": "kept"}, revision=0)
    clock.advance(days=6)
    recent = drafts.begin()
    clock.advance(days=2)
    drafts.begin()
    assert drafts.get(written.key).state == {"title": "kept"}
    assert drafts.get(recent.key) == recent
    with pytest.raises(NotFoundError):
        drafts.get(untouched.key)


def test_the_covers_that_drafts_hold_are_known(drafts: Drafts) -> None:
    for cover in ("c" * 32, None, 7):
        drafts.save(drafts.begin().key, {"cover_key": cover}, revision=0)
    drafts.begin()
    assert drafts.cover_keys() == {"c" * 32}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"title": "x" * MAX_STATE_BYTES}, "larger than 1,024 KiB"),
        ({"set": {1, 2}}, "not JSON"),
        ({"number": math.nan}, "not JSON"),
    ],
)
def test_a_state_that_cannot_be_kept_is_refused(
    drafts: Drafts, state: dict[str, Any], message: str
) -> None:
    key = drafts.begin().key
    with pytest.raises(InvalidMixtapeError, match=message):
        drafts.save(key, state, revision=0)
    assert drafts.get(key).revision == 0


def test_text_of_any_kind_survives(drafts: Drafts) -> None:
    key = drafts.begin().key
    state = {"title": "\ud800 \x00 \u2028 😀 </script>"}
    assert drafts.save(key, state, revision=0).state == state
