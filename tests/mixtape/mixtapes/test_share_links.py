from __future__ import annotations

from datetime import timedelta

import pytest

from mixtape.database.units_of_work import Database
from mixtape.errors import InvalidMixtapeError, LinkError, NotFoundError
from mixtape.mixtapes.links import Sharing
from mixtape.mixtapes.share_links import MAX_LINKS, LinkChange, ShareLinks, mark_of
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import Furthest, MixtapeState, SavedLink, SavedMixtape
from tests.helpers.tracks import NOON, Clock, add_track


class Shelf:
    """A database with a shared mixtape of two tracks, and all that deals with its links."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.clock = clock
        self.mixtapes = Mixtapes(database, clock)
        self.links = ShareLinks(database, clock)
        self.sharing = Sharing(database, "a secret of the application", clock)
        ids = tuple(add_track(database, path) for path in (b"a.flac", b"b.flac"))
        made = self.mixtapes.create(MixtapeState("A tape", track_ids=ids))
        self.slug = self.mixtapes.share(made.slug).slug

    def add(self, **change: object) -> SavedLink:
        return self.links.add(self.slug, LinkChange(**change))  # type: ignore[typeddict-item]

    def change(self, link: SavedLink, **change: object) -> SavedLink:
        terms = LinkChange(**change)  # type: ignore[typeddict-item]
        return self.links.change(self.slug, link.id, terms)

    def open(self, link: SavedLink) -> SavedMixtape:
        return self.mixtapes.get_shared(link.slug)

    def token(self, link: SavedLink) -> str:
        mixtape = self.open(link)
        return self.sharing.sign(mixtape, mixtape.tracks[0])

    def is_played(self, link: SavedLink, token: str) -> bool:
        try:
            return self.sharing.find_track(link.slug, token).path == b"a.flac"
        except LinkError:
            return False


@pytest.fixture
def shelf(database: Database, clock: Clock) -> Shelf:
    return Shelf(database, clock)


def test_a_mixtape_has_a_first_link_of_its_own_slug(shelf: Shelf) -> None:
    [first] = shelf.links.of(shelf.slug)
    assert (first.slug, first.is_first, first.is_usable, first.name) == (shelf.slug, True, True, "")


def test_each_link_leads_to_the_mixtape_with_a_slug_and_a_key_of_its_own(shelf: Shelf) -> None:
    [first] = shelf.links.of(shelf.slug)
    anna = shelf.add(name="for Anna")
    assert [link.name for link in shelf.links.of(shelf.slug)] == ["", "for Anna"]
    assert shelf.open(anna).title == shelf.open(first).title == "A tape"
    assert shelf.open(anna).slug == anna.slug != first.slug
    token = shelf.token(anna)
    assert shelf.is_played(anna, token)
    assert not shelf.is_played(first, token)


def test_what_ends_one_link_leaves_the_others_as_they_are(shelf: Shelf) -> None:
    [first] = shelf.links.of(shelf.slug)
    anna, ben = shelf.add(name="for Anna"), shelf.add(name="for Ben")
    tokens = {link: shelf.token(link) for link in (first, anna, ben)}
    shelf.change(anna, is_open=False)
    shelf.links.remove(shelf.slug, ben.id)
    assert [shelf.is_played(*each) for each in tokens.items()] == [True, False, False]
    with pytest.raises(NotFoundError):
        shelf.open(anna)


def test_a_link_that_is_switched_on_again_plays_nothing_of_before(shelf: Shelf) -> None:
    link = shelf.add()
    token = shelf.token(link)
    shelf.change(link, is_open=False)
    shelf.change(link, is_open=True)
    assert not shelf.is_played(link, token)
    assert shelf.is_played(link, shelf.token(link))


def test_a_link_ends_by_the_clock_with_all_that_was_signed(shelf: Shelf, clock: Clock) -> None:
    link = shelf.add(expires_at=NOON + timedelta(days=1))
    token = shelf.token(link)
    clock.advance(days=1, seconds=-1)
    assert shelf.is_played(link, token)
    clock.advance(seconds=1)
    assert not shelf.is_played(link, token)
    with pytest.raises(NotFoundError):
        shelf.open(link)
    [_, ended] = shelf.links.of(shelf.slug)
    assert (ended.is_open, ended.is_expired, ended.is_usable) == (True, True, False)
    later = shelf.change(link, expires_at=clock.now + timedelta(days=1))
    assert shelf.is_played(later, shelf.token(later))
    assert not shelf.is_played(later, token)


def test_a_day_that_is_past_is_refused(shelf: Shelf) -> None:
    with pytest.raises(InvalidMixtapeError, match="past: choose a later day"):
        shelf.add(expires_at=NOON)


def test_a_password_is_kept_as_a_hash_and_is_that_of_one_link(shelf: Shelf) -> None:
    link = shelf.add(password="moonlight")
    other = shelf.add(password="sunshine")
    assert link.has_password
    assert "moonlight" not in repr(shelf.links.of(shelf.slug))
    assert shelf.links.is_password(link.slug, "moonlight")
    for password in ("", "Moonlight", "sunshine", "moonlight ", "m" * 10_000):
        assert not shelf.links.is_password(link.slug, password)
    assert not shelf.links.is_password(other.slug, "moonlight")
    assert not shelf.links.is_password("A" * 22, "moonlight")


def test_another_password_voids_what_was_signed_and_who_was_let_in(shelf: Shelf) -> None:
    link = shelf.add(password="moonlight")
    token, mark = shelf.token(link), mark_of(link, "secret", "unlocked")
    changed = shelf.change(link, password="starlight")
    assert not shelf.is_played(link, token)
    assert mark_of(changed, "secret", "unlocked") != mark
    none = shelf.change(link, password="")
    assert not none.has_password
    assert not shelf.links.is_password(link.slug, "")


def test_a_mark_is_good_for_one_purpose_link_and_application(shelf: Shelf) -> None:
    one, other = shelf.add(), shelf.add()
    marks = {
        mark_of(link, secret, purpose)
        for link in (one, other)
        for secret in ("a", "b")
        for purpose in ("unlocked", "heard")
    }
    assert len(marks) == 8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "x" * 101}, "longer than 100 characters"),
        ({"password": "abc"}, "has 3 characters: it takes 4 to 200"),
        ({"password": "x" * 201}, "has 201 characters"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_changed(
    shelf: Shelf, change: dict[str, object], words: str
) -> None:
    link = shelf.add(name="for Anna")
    with pytest.raises(InvalidMixtapeError, match=words):
        shelf.change(link, **change)
    assert shelf.links.get(shelf.slug, link.id) == link


def test_the_first_link_stays_and_gives_the_mixtape_its_new_name(shelf: Shelf) -> None:
    [first] = shelf.links.of(shelf.slug)
    with pytest.raises(InvalidMixtapeError, match="switch it off instead"):
        shelf.links.remove(shelf.slug, first.id)
    renewed = shelf.links.renew(shelf.slug, first.id)
    assert (renewed.is_first, renewed.slug != shelf.slug) == (True, True)
    assert shelf.mixtapes.get(renewed.slug).slug == renewed.slug
    with pytest.raises(NotFoundError):
        shelf.mixtapes.get(shelf.slug)


def test_a_new_address_of_another_link_leaves_the_mixtape_its_name(shelf: Shelf) -> None:
    link = shelf.add()
    renewed = shelf.links.renew(shelf.slug, link.id)
    assert renewed.slug not in {link.slug, shelf.slug}
    with pytest.raises(NotFoundError):
        shelf.open(link)
    assert shelf.open(renewed).title == "A tape"


def test_a_link_of_another_mixtape_is_not_found(shelf: Shelf) -> None:
    other = shelf.mixtapes.create(MixtapeState("Other")).slug
    [foreign] = shelf.links.of(other)
    for link_id in (foreign.id, 0, -1, 2**70):
        with pytest.raises(NotFoundError):
            shelf.links.get(shelf.slug, link_id)


def test_there_is_an_end_to_links(shelf: Shelf) -> None:
    for _ in range(MAX_LINKS - 1):
        shelf.add()
    with pytest.raises(InvalidMixtapeError, match="remove one first"):
        shelf.add()


def test_closing_a_mixtape_closes_all_its_links(shelf: Shelf) -> None:
    shelf.add()
    shelf.mixtapes.unshare(shelf.slug)
    assert not any(link.is_usable for link in shelf.links.of(shelf.slug))
    assert not shelf.mixtapes.get(shelf.slug).shared


def test_a_mixtape_is_shared_by_whatever_link_can_be_used(shelf: Shelf, clock: Clock) -> None:
    [first] = shelf.links.of(shelf.slug)
    link = shelf.add(expires_at=NOON + timedelta(days=1))
    shelf.change(first, is_open=False)
    [summary] = shelf.mixtapes.summaries()
    assert (summary.shared, summary.link_slug) == (True, link.slug)
    assert shelf.mixtapes.get(shelf.slug).shared
    clock.advance(days=2)
    [summary] = shelf.mixtapes.summaries()
    assert (summary.shared, summary.link_slug) == (False, None)
    assert not shelf.mixtapes.get(shelf.slug).shared


def test_nothing_is_kept_of_a_listener_unless_the_owner_asked_for_it(shelf: Shelf) -> None:
    link = shelf.add()
    assert not shelf.links.note_heard(link.slug, 1, 30.0)
    watched = shelf.change(link, tells_progress=True)
    assert watched.furthest is None


def test_the_furthest_second_is_kept_and_the_last_moment(shelf: Shelf, clock: Clock) -> None:
    link = shelf.add(tells_progress=True)
    for place, second in ((0, 100.0), (1, 20.0), (1, 5.0), (0, 170.0)):
        clock.advance(minutes=1)
        assert shelf.links.note_heard(link.slug, place, second)
    found = shelf.links.get(shelf.slug, link.id).furthest
    assert found == Furthest(1, 20.0, NOON + timedelta(minutes=4))


@pytest.mark.parametrize(
    ("place", "second"),
    [(2, 1.0), (-1, 1.0), (2**70, 1.0), (0, -1.0), (0, 1e300), (0, float("nan"))],
)
def test_a_place_that_is_not_there_is_not_kept(shelf: Shelf, place: int, second: float) -> None:
    link = shelf.add(tells_progress=True)
    assert not shelf.links.note_heard(link.slug, place, second)
    assert shelf.links.get(shelf.slug, link.id).furthest is None


def test_what_nobody_wants_to_know_any_more_is_deleted(shelf: Shelf) -> None:
    link = shelf.add(tells_progress=True)
    shelf.links.note_heard(link.slug, 1, 20.0)
    shelf.change(link, tells_progress=False)
    assert shelf.change(link, tells_progress=True).furthest is None
    # A new address is for somebody else.
    shelf.links.note_heard(link.slug, 1, 20.0)
    assert shelf.links.renew(shelf.slug, link.id).furthest is None


def test_a_link_that_cannot_be_used_is_told_nothing(shelf: Shelf) -> None:
    link = shelf.add(tells_progress=True)
    shelf.change(link, is_open=False)
    for slug in (link.slug, "A" * 22, "\ud800" * 22):
        with pytest.raises(LinkError):
            shelf.links.note_heard(slug, 0, 1.0)


def test_whoever_gets_a_new_first_link_is_not_taken_for_the_one_before(shelf: Shelf) -> None:
    [first] = shelf.links.of(shelf.slug)
    shelf.change(first, tells_progress=True)
    assert shelf.links.note_heard(shelf.slug, 0, 3.0)
    shelf.slug = shelf.mixtapes.renew_link(shelf.slug).slug
    [renewed] = shelf.links.of(shelf.slug)
    assert (renewed.tells_progress, renewed.furthest) == (True, None)
