from __future__ import annotations

from dataclasses import replace

import pytest

from mixtape.database.tables import FIRST_USER
from mixtape.database.units_of_work import Database
from mixtape.errors import LinkError, NotFoundError
from mixtape.mixtapes.links import Sharing
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState, SavedMixtape
from tests.helpers.tracks import NOON, add_track


class Tapes:
    """A database with two tracks and two shared mixtapes of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sharing = Sharing(self.database, "a secret of the application")
        self.mixtapes = Mixtapes(self.database)
        self.ids = [add_track(self.database, path) for path in (b"a.flac", b"b.flac")]
        self.both = self.make(*self.ids)
        self.second = self.make(self.ids[1])

    def make(self, *ids: int) -> SavedMixtape:
        mixtape = self.mixtapes.create(MixtapeState("A tape", track_ids=ids))
        return self.mixtapes.share(mixtape.slug)

    def reorder(self, ids: tuple[int, ...]) -> None:
        """Save the mixtape of both tracks with these instead."""
        state = replace(self.both.state, track_ids=ids)
        self.mixtapes.save(self.both.slug, state, revision=self.both.revision)

    def token(self, mixtape: SavedMixtape, place: int = 0) -> str:
        return self.sharing.sign(mixtape, mixtape.tracks[place])

    def rearrange(self, part: slice) -> None:
        """Save the mixtape of both tracks with a part of them, or in another order."""
        state = replace(self.both.state, track_ids=self.both.state.track_ids[part])
        self.mixtapes.save(self.both.slug, state, revision=self.both.revision)


@pytest.fixture
def tapes(database: Database) -> Tapes:
    return Tapes(database)


def test_a_token_leads_to_the_file_of_its_track(tapes: Tapes) -> None:
    found = [
        tapes.sharing.find_track(tapes.both.slug, tapes.token(tapes.both, place)).path
        for place in (0, 1)
    ]
    assert found == [b"a.flac", b"b.flac"]


def test_a_token_is_the_same_after_a_restart(tapes: Tapes) -> None:
    again = Sharing(tapes.database, "a secret of the application")
    assert again.sign(tapes.both, tapes.both.tracks[0]) == tapes.token(tapes.both)


def test_a_token_of_another_mixtape_with_the_same_track_is_refused(tapes: Tapes) -> None:
    with pytest.raises(LinkError):
        tapes.sharing.find_track(tapes.both.slug, tapes.token(tapes.second))


def test_a_token_of_another_application_is_refused(tapes: Tapes) -> None:
    foreign = Sharing(tapes.database, "another secret").sign(tapes.both, tapes.both.tracks[0])
    with pytest.raises(LinkError):
        tapes.sharing.find_track(tapes.both.slug, foreign)


@pytest.mark.parametrize("change", ["unshare", "renew_link", "delete"])
def test_closing_renewing_and_deleting_revoke_what_was_signed(tapes: Tapes, change: str) -> None:
    token = tapes.token(tapes.both)
    getattr(tapes.mixtapes, change)(tapes.both.slug)
    with pytest.raises(LinkError):
        tapes.sharing.find_track(tapes.both.slug, token)
    # Nor has the owner any use for it.
    with pytest.raises(LinkError):
        tapes.sharing.find_track(tapes.both.slug, token, user_id=FIRST_USER)


def test_sharing_again_does_not_bring_back_what_was_signed_before(tapes: Tapes) -> None:
    token = tapes.token(tapes.both)
    tapes.mixtapes.unshare(tapes.both.slug)
    again = tapes.mixtapes.share(tapes.both.slug)
    with pytest.raises(LinkError):
        tapes.sharing.find_track(again.slug, token)
    assert tapes.sharing.find_track(again.slug, tapes.token(again)).path == b"a.flac"


def test_an_old_token_is_refused_under_the_new_link_too(tapes: Tapes) -> None:
    token = tapes.token(tapes.both)
    renewed = tapes.mixtapes.renew_link(tapes.both.slug)
    with pytest.raises(LinkError):
        tapes.sharing.find_track(renewed.slug, token)


def test_the_owner_may_listen_before_it_is_shared(tapes: Tapes) -> None:
    mixtape = tapes.mixtapes.unshare(tapes.both.slug)
    token = tapes.token(mixtape)
    assert tapes.sharing.find_track(mixtape.slug, token, user_id=FIRST_USER).path == b"a.flac"
    with pytest.raises(LinkError):
        tapes.sharing.find_track(mixtape.slug, token)


def test_a_track_that_was_removed_is_no_longer_played(tapes: Tapes) -> None:
    token = tapes.token(tapes.both)
    tapes.reorder(tapes.both.state.track_ids[1:])
    with pytest.raises(NotFoundError) as error:
        tapes.sharing.find_track(tapes.both.slug, token)
    assert not isinstance(error.value, LinkError)


def test_a_track_that_changed_its_place_is_still_the_same(tapes: Tapes) -> None:
    token = tapes.token(tapes.both)
    tapes.reorder(tapes.both.state.track_ids[::-1])
    assert tapes.sharing.find_track(tapes.both.slug, token).path == b"a.flac"


def test_a_track_whose_file_is_missing_is_not_found(tapes: Tapes) -> None:
    gone = add_track(tapes.database, b"gone.flac", missing_since=NOON)
    mixtape = tapes.make(gone)
    assert mixtape.items[0].track is not None
    token = tapes.sharing.sign(mixtape, mixtape.items[0].track)
    with pytest.raises(NotFoundError):
        tapes.sharing.find_track(mixtape.slug, token)


def test_a_correctly_signed_id_of_a_track_outside_the_mixtape_is_not_found(tapes: Tapes) -> None:
    # Not even somebody who could sign would reach what the mixtape does not hold.
    first = tapes.both.tracks[0]
    with pytest.raises(NotFoundError):
        tapes.sharing.find_track(tapes.second.slug, tapes.sharing.sign(tapes.second, first))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "1",
        "1.",
        ".x",
        "1.AAAA",
        "-1.x",
        "9" * 400,
        "1." + "A" * 10_000,
        "é.é",
        "\0",
        "\ud800",
    ],
)
def test_what_was_never_signed_is_refused(tapes: Tapes, token: str) -> None:
    with pytest.raises(LinkError):
        tapes.sharing.find_track(tapes.both.slug, token)


def test_no_character_of_a_token_may_be_changed(tapes: Tapes) -> None:
    token = tapes.token(tapes.both)
    # The last one carries two bits of padding, which decide nothing.
    for place, character in enumerate(token[:-1]):
        changed = token[:place] + ("1" if character != "1" else "2") + token[place + 1 :]
        with pytest.raises(LinkError):
            tapes.sharing.find_track(tapes.both.slug, changed)


@pytest.mark.parametrize("slug", ["", "..", "A" * 22, "A" * 23, "\0" * 22, "\ud800" * 22, "%" * 22])
def test_a_slug_that_is_none_is_refused(tapes: Tapes, slug: str) -> None:
    with pytest.raises(LinkError):
        tapes.sharing.find_track(slug, tapes.token(tapes.both))
