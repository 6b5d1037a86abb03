"""Covers for those who have a mixtape's link, and for nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.helpers.mixtapes import scan, services_of, share_mixtape
from tests.helpers.tracks import embed, make_picture, place
from tests.mixtape.web.attacker import (
    ask,
    is_turned_away,
)


class Covers:
    """Two tracks with covers of their own, the first of them in a shared mixtape."""

    def __init__(self, guarded_app: Flask, music: Path, flac: Path) -> None:
        for name, colour in (("one", "teal"), ("two", "tomato")):
            path = place(flac, music / name / "a.flac", title=name)
            embed(path, (3, make_picture(colour=colour)))
        scan(guarded_app)
        self.mixtape = share_mixtape(guarded_app, "one/a.flac")
        [other] = services_of(guarded_app).catalogue.search("two").items
        self.own, self.foreign = self.mixtape.cover_key, other.cover_key

    def address(self, key: str | None) -> str:
        return f"/mixtapes/{self.mixtape.slug}/covers/{key}?size=96"


@pytest.fixture
def covers(guarded_app: Flask, music: Path, flac: Path) -> Covers:
    return Covers(guarded_app, music, flac)


def test_a_listener_sees_the_covers_of_the_mixtape_and_no_others(
    visitor: FlaskClient, covers: Covers
) -> None:
    assert ask(visitor, covers.address(covers.own))[0].status_code == 200
    assert covers.foreign
    for key in (covers.foreign, "0" * 32, "..", "%00", str(covers.own).upper(), "a" * 33):
        assert ask(visitor, covers.address(key))[0].status_code == 404, key
    assert is_turned_away(ask(visitor, covers.address("..%2fone"))[0])
    for size in ("0", "-1", "97", "1e9", "999999"):
        answer, _ = ask(visitor, covers.address(covers.own).replace("=96", f"={size}"))
        assert answer.status_code in {200, 400}
    assert is_turned_away(ask(visitor, f"/art/{covers.own}/96.jpg")[0])
    assert is_turned_away(ask(visitor, "/cover/one/a.flac")[0])


@pytest.mark.parametrize("change", ["unshare", "renew_link", "delete"])
def test_covers_go_with_the_link(
    guarded_app: Flask, visitor: FlaskClient, covers: Covers, change: str
) -> None:
    getattr(services_of(guarded_app).mixtapes, change)(covers.mixtape.slug)
    assert ask(visitor, covers.address(covers.own))[0].status_code == 404


def test_a_picture_is_not_read_through_a_link_out_of_the_library(
    visitor: FlaskClient, covers: Covers, music: Path, flac: Path, tmp_path: Path
) -> None:
    secret = place(flac, tmp_path / "outside" / "secret.flac")
    embed(secret, (3, make_picture(colour="black")))
    (music / "one" / "a.flac").unlink()
    (music / "one" / "a.flac").symlink_to(secret)
    assert ask(visitor, covers.address(covers.own))[0].status_code == 404
