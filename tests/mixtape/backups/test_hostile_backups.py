"""Backups that somebody else has written: what no editor could save does not come in by them."""

from __future__ import annotations

from typing import Any

import pytest

from mixtape.accounts.users import Users
from mixtape.backups.backups import Backups
from mixtape.database.units_of_work import Database
from mixtape.errors import BackupError
from mixtape.mixtapes.share_links import MAX_LINKS, MAX_NAME, ShareLinks
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MAX_TRACK_NOTE
from tests.helpers.people import ANNS_PASSWORD
from tests.helpers.tracks import Clock
from tests.mixtape.backups.conftest import Contents, MakeMixtape, rewritten, written

SLUG = "a" * 22
# 16 GB of memory, a century of a processor, and nothing that anybody can compare with.
DEAR = ("scrypt:16777216:8:1$salt$00", "pbkdf2:sha256:999999999999$salt$00", "plain$salt$00", "x")


@pytest.mark.parametrize(
    ("table", "column", "value", "said"),
    [
        ("mixtape", "slug", "../admin", "is no slug of a mixtape"),
        ("mixtape", "sender", "x" * (MAX_NAME + 1), "longer than"),
        ("mixtape", "recipient", "x" * (MAX_NAME + 1), "longer than"),
        ("mixtape", "side_b", 3, "side B begins after 3 tracks"),
        ("mixtape", "cover_key", "../../x", "the cover is none"),
        ("mixtape_track", "note", "x" * (MAX_TRACK_NOTE + 1), "longer than"),
        ("mixtape_track", "position", 1, "the same place"),
        ("mixtape_track", "position", 2**31, "position is 2,147,483,648"),
        ("mixtape_track", "position", -1, "position is -1"),
        ("mixtape", "revision", 2**63 - 1, "which cannot be"),
        ("share_link", "furthest_place", -(10**9), "which cannot be"),
        ("share_link", "slug", "../../admin", "is no slug of a link"),
        ("share_link", "name", "x" * (MAX_NAME + 1), "longer than"),
        *(("share_link", "password_hash", each, "in a way that is not ours") for each in DEAR),
    ],
)
def test_what_no_editor_could_save_is_refused(
    backups: Backups,
    make_mixtape: MakeMixtape,
    database: Database,
    table: str,
    column: str,
    value: Any,
    said: str,
) -> None:
    mixtape = make_mixtape("A tape", b"a.flac", b"b.flac")
    good = written(backups)
    Mixtapes(database).delete(mixtape.slug)

    def spoil(contents: Contents) -> None:
        contents["mixtapes"][0][table][0][column] = value

    with pytest.raises(BackupError, match=said):
        backups.restore(rewritten(good, spoil), "keep")
    assert Mixtapes(database).summaries() == ()


def test_no_more_links_come_in_than_can_be_made(
    backups: Backups, make_mixtape: MakeMixtape, database: Database
) -> None:
    mixtape = make_mixtape("A tape", b"a.flac")
    good = written(backups)
    Mixtapes(database).delete(mixtape.slug)

    def spoil(contents: Contents) -> None:
        (link,) = contents["mixtapes"][0]["share_link"]
        more = ({**link, "id": number, "slug": f"{number:022}"} for number in range(MAX_LINKS))
        contents["mixtapes"][0]["share_link"] += more

    with pytest.raises(BackupError, match=f"more than {MAX_LINKS} links"):
        backups.restore(rewritten(good, spoil), "keep")


def test_the_password_of_a_link_comes_back(
    backups: Backups, make_mixtape: MakeMixtape, database: Database, clock: Clock
) -> None:
    mixtape = make_mixtape("A tape", b"a.flac")
    links = ShareLinks(database, clock)
    link = links.add(mixtape.slug, {"password": "four words of ours"})
    good = written(backups)
    Mixtapes(database).delete(mixtape.slug)
    backups.restore(good, "keep")
    assert links.is_password(link.slug, "four words of ours")
    assert not links.is_password(link.slug, "others")


@pytest.mark.parametrize("has_links", [True, False])
@pytest.mark.parametrize("is_here", [True, False])
def test_the_link_of_another_mixtape_is_nobody_elses(
    backups: Backups,
    make_mixtape: MakeMixtape,
    database: Database,
    clock: Clock,
    is_here: bool,
    has_links: bool,
) -> None:
    """Whoever knows the address of a link writes a mixtape that is called so."""
    ann, bob = (Users(database, clock).add(each, "listener", ANNS_PASSWORD) for each in "AB")
    theirs = make_mixtape("Ann's", b"a.flac")
    links = ShareLinks(database, clock)
    link = links.add(theirs.slug, {"is_open": False})
    good = written(backups)
    if not is_here:
        Mixtapes(database).delete(theirs.slug)

    def spoil(contents: Contents) -> None:
        own = {**contents["mixtapes"][0]["mixtape"][0], "slug": link.slug, "id": 99}
        first = {**contents["mixtapes"][0]["share_link"][0], "slug": link.slug, "mixtape_id": 99}
        own["created_at"] = "2001-01-01T00:00:00+00:00"
        rows = {"mixtape": [own], "mixtape_track": [], "share_link": [first] if has_links else []}
        contents["mixtapes"].append(rows)
        contents["owners"] = {theirs.slug: ann.name, link.slug: bob.name}

    backups.restore(rewritten(good, spoil), "keep")
    [made] = Mixtapes(database, clock, bob.id).summaries()
    Mixtapes(database, clock, bob.id).share(made.slug)
    Mixtapes(database, clock, bob.id).renew_link(made.slug)
    closed = [each for each in links.of(theirs.slug) if not each.is_first]
    assert [(each.slug, each.is_open) for each in closed] == [(link.slug, False)]


def test_a_name_of_marks_keeps_nobody_waiting(backups: Backups, make_mixtape: MakeMixtape) -> None:
    # Each of them is put in its order among all others, which takes the better part of an hour.
    mixtape, marks = make_mixtape("A tape", b"a.flac"), "a" + "\u0300\u0316" * 250_000

    def spoil(contents: Contents) -> None:
        contents["owners"] = {mixtape.slug: marks}
        contents["tracks"][0].update(path="gone.flac", artist=marks, album=marks)
        contents["mixtapes"][0]["mixtape_track"][0]["path"] = "gone.flac"

    assert backups.preview(rewritten(written(backups), spoil)).plan.conflicts == 1
