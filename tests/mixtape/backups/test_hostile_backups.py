"""Backups that somebody else has written: what no editor could save does not come in by them."""

from __future__ import annotations

from typing import Any

import pytest

from mixtape.backups.backups import Backups
from mixtape.database.units_of_work import Database
from mixtape.errors import BackupError
from mixtape.mixtapes.share_links import MAX_LINKS, MAX_NAME, ShareLinks
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MAX_TRACK_NOTE
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
