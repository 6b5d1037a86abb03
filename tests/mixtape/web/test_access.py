"""Links of mixtapes: what whoever has one can reach, and who has none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mixtape.mixtapes.values import SavedMixtape
from tests.helpers.mixtapes import services_of, share_mixtape, stream_urls
from tests.helpers.tracks import find_track
from tests.mixtape.web.attacker import (
    PUBLIC,
    SECRET,
    ask,
    is_turned_away,
    ways_of_writing,
)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "TRACE"])
def test_no_other_method_gets_further(
    guarded_app: Flask, visitor: FlaskClient, shared: SavedMixtape, method: str
) -> None:
    [url] = stream_urls(visitor, shared)
    for address in ("/", "/play/private.mp3", f"/mixtapes/{shared.slug}", url):
        answer, content = ask(visitor, address, method, {"X-HTTP-Method-Override": "GET"})
        assert is_turned_away(answer)
        assert SECRET not in content


def test_a_listener_streams_the_track_of_his_mixtape(
    visitor: FlaskClient, shared: SavedMixtape
) -> None:
    [url] = stream_urls(visitor, shared)
    answer, content = ask(visitor, url)
    assert answer.status_code == 200
    assert content.endswith(PUBLIC)
    answer, content = ask(visitor, url, headers={"Range": "bytes=-13"})
    assert (answer.status_code, content) == (206, PUBLIC)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-99"}])
def test_a_path_instead_of_a_token_reaches_nothing(
    visitor: FlaskClient, shared: SavedMixtape, method: str, headers: dict[str, str]
) -> None:
    for path in ("private.mp3", "shared.mp3"):
        for writing in ways_of_writing(path):
            for address in (f"/mixtapes/{shared.slug}/tracks/{writing}", f"/mixtapes/{writing}"):
                answer, content = ask(visitor, address, method, headers)
                assert answer.status_code in {401, 404}, address
                assert SECRET not in content
                assert PUBLIC not in content


def test_a_token_with_more_to_it_reaches_nothing(
    visitor: FlaskClient, shared: SavedMixtape
) -> None:
    [url] = stream_urls(visitor, shared)
    for more in ("/../../../play/private.mp3", "%2f..%2fprivate.mp3", "%00", "x", ".mp3", "%20"):
        answer, content = ask(visitor, url + more)
        assert answer.status_code in {401, 404}, more
        assert SECRET not in content
    for before in ("../", "..%2f", "%00", "0", "+", "%20"):
        answer, _ = ask(visitor, url.replace("/tracks/", f"/tracks/{before}"))
        assert answer.status_code in {401, 404}, before


def test_a_token_is_of_no_use_for_another_track(
    guarded_app: Flask, visitor: FlaskClient, shared: SavedMixtape
) -> None:
    [url] = stream_urls(visitor, shared)
    start, _, token = url.rpartition("/")
    own, _, signature = token.partition(".")
    for number in range(-2, 20):
        if str(number) != own:
            answer, _ = ask(visitor, f"{start}/{number}.{signature}")
            assert answer.status_code == 404


def test_a_token_is_of_no_use_for_another_mixtape(
    guarded_app: Flask, visitor: FlaskClient, shared: SavedMixtape
) -> None:
    other = share_mixtape(guarded_app, "shared.mp3", "private.mp3")
    mine, others = stream_urls(visitor, shared), stream_urls(visitor, other)
    for url, slug, foreign in (
        (mine[0], shared.slug, other.slug),
        (others[0], other.slug, shared.slug),
        (others[1], other.slug, shared.slug),
    ):
        answer, content = ask(visitor, url.replace(slug, foreign))
        assert answer.status_code == 404
        assert SECRET not in content


@pytest.mark.parametrize("change", ["unshare", "renew_link", "delete"])
def test_a_revoked_link_shows_and_plays_nothing_from_then_on(
    guarded_app: Flask, visitor: FlaskClient, shared: SavedMixtape, change: str
) -> None:
    [url] = stream_urls(visitor, shared)
    getattr(services_of(guarded_app).mixtapes, change)(shared.slug)
    for method in ("GET", "HEAD"):
        for headers in ({}, {"Range": "bytes=0-9"}, {"If-Range": '"x"', "Range": "bytes=0-9"}):
            for address in (url, f"{url}?quality=low", f"/mixtapes/{shared.slug}"):
                answer, content = ask(visitor, address, method, headers)
                assert answer.status_code == 404
                assert PUBLIC not in content


def test_a_mixtape_that_is_not_shared_looks_like_one_that_is_not_there(
    visitor: FlaskClient, unshared: SavedMixtape
) -> None:
    real, its_page = ask(visitor, f"/mixtapes/{unshared.slug}")
    none, no_page = ask(visitor, "/mixtapes/" + "A" * 22)
    assert real.status_code == none.status_code == 404
    assert its_page == no_page
    assert dict(real.headers) == dict(none.headers)


def test_a_shared_track_that_became_a_link_out_of_the_library_is_not_played(
    visitor: FlaskClient, shared: SavedMixtape, music: Path, tmp_path: Path
) -> None:
    [url] = stream_urls(visitor, shared)
    (music / "shared.mp3").unlink()
    (music / "shared.mp3").symlink_to(tmp_path / "outside" / "secret.mp3")
    for method in ("GET", "HEAD"):
        answer, content = ask(visitor, url, method)
        assert answer.status_code == 404
        assert SECRET not in content


def test_a_folder_that_became_a_link_out_of_the_library_is_not_played_from(
    guarded_app: Flask, visitor: FlaskClient, music: Path, tmp_path: Path
) -> None:
    [url] = stream_urls(visitor, share_mixtape(guarded_app, "Folder/deep.mp3"))
    os.rename(music / "Folder", tmp_path / "moved")
    (music / "Folder").symlink_to(tmp_path / "moved")
    answer, content = ask(visitor, url)
    assert answer.status_code == 404
    assert SECRET not in content


def test_links_out_of_the_library_never_become_tracks(guarded_app: Flask) -> None:
    database = services_of(guarded_app).database
    assert find_track(database, b"link.mp3") is None
    assert find_track(database, b"way out/secret.mp3") is None
