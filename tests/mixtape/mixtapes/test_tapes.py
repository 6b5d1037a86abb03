"""What is somebody's own is not there for anybody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mixtape.accounts.users import Users
from mixtape.database.tables import FIRST_USER
from mixtape.database.units_of_work import Database
from mixtape.errors import LinkError, NotFoundError
from mixtape.mixtapes.additions import Additions
from mixtape.mixtapes.drafts import Drafts
from mixtape.mixtapes.links import Sharing
from mixtape.mixtapes.share_links import ShareLinks
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.tapes import Tapes
from mixtape.mixtapes.values import MixtapeState, SavedMixtape
from tests.helpers.people import ANNS_PASSWORD
from tests.helpers.tracks import add_track


def tapes_of(database: Database, user_id: int) -> Tapes:
    return Tapes(
        Mixtapes(database).for_user(user_id),
        Drafts(database).for_user(user_id),
        Additions(database).for_user(user_id),
        ShareLinks(database).for_user(user_id),
    )


@pytest.fixture
def ann(database: Database) -> Tapes:
    return tapes_of(database, Users(database).add("Ann", "listener", ANNS_PASSWORD).id)


@pytest.fixture
def first(database: Database) -> Tapes:
    return tapes_of(database, FIRST_USER)


@pytest.fixture
def track(database: Database) -> int:
    return add_track(database, b"a.flac")


@pytest.fixture
def hers(ann: Tapes, track: int) -> SavedMixtape:
    return ann.mixtapes.create(MixtapeState("Hers", track_ids=(track,)))


@pytest.fixture
def draft_key(ann: Tapes) -> str:
    key = ann.drafts.begin().key
    ann.drafts.save(key, {"track_ids": []}, revision=0)
    return key


WITH_A_MIXTAPE: dict[str, Callable[[Tapes, SavedMixtape], object]] = {
    "get": lambda tapes, hers: tapes.mixtapes.get(hers.slug),
    "get_by_id": lambda tapes, hers: tapes.mixtapes.get_by_id(hers.id),
    "save": lambda tapes, hers: tapes.mixtapes.save(hers.slug, MixtapeState("Mine"), revision=1),
    "share": lambda tapes, hers: tapes.mixtapes.share(hers.slug),
    "unshare": lambda tapes, hers: tapes.mixtapes.unshare(hers.slug),
    "renew_link": lambda tapes, hers: tapes.mixtapes.renew_link(hers.slug),
    "delete": lambda tapes, hers: tapes.mixtapes.delete(hers.slug),
    "draft of": lambda tapes, hers: tapes.drafts.of(hers.slug),
    "begin": lambda tapes, hers: tapes.drafts.begin(hers.slug),
    "add": lambda tapes, hers: tapes.additions.add(hers.slug, [1], "add"),
    "take_back": lambda tapes, hers: tapes.additions.take_back(hers.slug, [1]),
    "links": lambda tapes, hers: tapes.share_links.of(hers.slug),
    "link": lambda tapes, hers: tapes.share_links.get(hers.slug, hers.link.id),
    "add link": lambda tapes, hers: tapes.share_links.add(hers.slug, {}),
    "change": lambda tapes, hers: tapes.share_links.change(hers.slug, hers.link.id, {}),
    "renew": lambda tapes, hers: tapes.share_links.renew(hers.slug, hers.link.id),
}
WITH_A_DRAFT: dict[str, Callable[[Tapes, str], object]] = {
    "get": lambda tapes, key: tapes.drafts.get(key),
    "save": lambda tapes, key: tapes.drafts.save(key, {}, revision=1),
    "add_to_draft": lambda tapes, key: tapes.additions.add_to_draft(key, [1]),
    "take_back": lambda tapes, key: tapes.additions.take_back_from_draft(key, [1]),
}


@pytest.mark.parametrize("ask", WITH_A_MIXTAPE.values(), ids=WITH_A_MIXTAPE)
def test_a_mixtape_is_there_for_its_user_alone(
    ann: Tapes, first: Tapes, hers: SavedMixtape, ask: Callable[[Tapes, SavedMixtape], object]
) -> None:
    with pytest.raises(NotFoundError):
        ask(first, hers)
    assert ann.mixtapes.get(hers.slug).revision == 1
    assert len(ann.share_links.of(hers.slug)) == 1
    ask(ann, hers)


@pytest.mark.parametrize("ask", WITH_A_DRAFT.values(), ids=WITH_A_DRAFT)
def test_a_draft_is_there_for_its_user_alone(
    ann: Tapes, first: Tapes, track: int, draft_key: str, ask: Callable[[Tapes, str], object]
) -> None:
    with pytest.raises(NotFoundError):
        ask(first, draft_key)
    assert ann.drafts.get(draft_key).revision == 1
    ask(ann, draft_key)


def test_nobody_discards_the_draft_of_somebody_else(
    ann: Tapes, first: Tapes, draft_key: str
) -> None:
    first.drafts.discard(draft_key)
    assert ann.drafts.get(draft_key).key == draft_key
    ann.drafts.discard(draft_key)
    assert ann.drafts.unsaved() == ()


def test_lists_hold_what_is_ones_own_and_the_servers_hold_all(
    database: Database, ann: Tapes, first: Tapes, hers: SavedMixtape, draft_key: str
) -> None:
    mine = first.mixtapes.create(MixtapeState("Mine"))
    assert [one.id for one in ann.mixtapes.summaries()] == [hers.id]
    assert [one.id for one in first.mixtapes.summaries()] == [mine.id]
    assert {one.id for one in Mixtapes(database).summaries()} == {hers.id, mine.id}
    assert [one.key for one in ann.drafts.unsaved()] == [draft_key]
    assert first.drafts.unsaved() == ()
    assert Mixtapes(database).find_owner(hers.slug) == hers.user_id
    assert Mixtapes(database).find_owner("none") is None
    assert ann.mixtapes.get_by_id(hers.id).slug == hers.slug
    for number in (0, 99, 2**70):
        with pytest.raises(NotFoundError):
            ann.mixtapes.get_by_id(number)


def test_a_closed_link_still_plays_for_whoever_made_the_mixtape_and_no_other_user(
    database: Database, hers: SavedMixtape
) -> None:
    sharing = Sharing(database, "a secret of the application")
    token = sharing.sign(hers, hers.tracks[0])
    found = sharing.find_track(hers.slug, token, user_id=hers.user_id)
    assert (found.path, found.is_own) == (b"a.flac", True)
    for user_id in (None, FIRST_USER):
        with pytest.raises(LinkError):
            sharing.find_track(hers.slug, token, user_id=user_id)
    shared = Mixtapes(database).share(hers.slug)
    for user_id in (None, FIRST_USER):
        found = sharing.find_track(shared.slug, token, user_id=user_id)
        assert (found.path, found.is_own) == (b"a.flac", False)
