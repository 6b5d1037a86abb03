"""What a visitor who is not signed in can reach, tried as an attacker would."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import quote, quote_from_bytes

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from mixtape.mixtapes.values import SavedMixtape
from mixtape.web.auth import OPEN_ENDPOINTS
from mixtape.web.security import CONTENT_SECURITY_POLICY, HEADERS
from tests.mixtape.host import PAGE, PASSWORD, make_app, sign_in
from tests.mixtape.tapes import make_mixtape, scan, services_of, stream_urls, track_id
from tests.mixtape.tracks import embed, make_picture, place

# Whoever opens another one to everybody has to say so here as well.
KNOWN_TO_BE_OPEN = {
    "auth.login",
    "auth.sign_in",
    "auth.logout",
    "static",
    "health.healthz",
    "metrics.metrics",  # asks for a session or a token itself
    "player.page",
    "player.stream",
    "player.cover",
}
SECRET = b"NOT-FOR-EVERYBODY"
PUBLIC = b"FOR-LISTENERS"
PLACEHOLDER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
visitors = count(1)


@pytest.fixture
def app(tmp_path: Path, music: Path, mp3: Path, flac: Path) -> Flask:
    """Return the application with a password; every file but one holds the mark of a secret."""
    outside = tmp_path / "outside"
    outside.mkdir()
    content = mp3.read_bytes()
    for path in (music / "private.mp3", music / "Folder" / "deep.mp3", outside / "secret.mp3"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content + SECRET)
    (music / "shared.mp3").write_bytes(content + PUBLIC)
    (music / "notes.txt").write_bytes(SECRET)
    (music / "link.mp3").symlink_to(outside / "secret.mp3")
    (music / "way out").symlink_to(outside)
    app = make_app(tmp_path, password=PASSWORD)
    (tmp_path / "data" / "cache" / "note.mp3").write_bytes(content + SECRET)
    scan(app)
    return app


@pytest.fixture
def shared(app: Flask) -> SavedMixtape:
    return make_mixtape(app, "shared.mp3")


@pytest.fixture
def unshared(app: Flask) -> SavedMixtape:
    return make_mixtape(app, "private.mp3", is_shared=False, title="Only mine")


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    return app.test_client()


def ask(
    client: FlaskClient, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[TestResponse, bytes]:
    """Send a request from an address that never asked before, so that no limit hides the answer."""
    number = next(visitors)
    client.environ_base["REMOTE_ADDR"] = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    with client.open(path, method=method, headers=headers) as answer:
        return answer, answer.get_data()


def ways_of_writing(path: str) -> Iterator[str]:
    """Give a path as it is, and as filters are tricked with it."""
    yield quote(path)
    yield quote(path, safe="")
    yield quote(quote(path, safe=""), safe="")
    for dots in (
        "../",
        "..\\",
        "..;/",
        "..%2f",
        "%2e%2e/",
        "%252e%252e%252f",
        "..%c0%af",
        "\N{FULLWIDTH FULL STOP}" * 2 + "/",
    ):
        yield dots * 2 + quote(path)
    yield "/" + quote(path)
    yield quote(path) + "%00"
    yield quote(path) + "%00.mp3"
    yield quote(path).replace("r", "%72")


def values(app: Flask, *mixtapes: SavedMixtape) -> list[str]:
    """Return what to put into the places of a route."""
    named = ["private.mp3", "Folder/deep.mp3", *ways_of_writing("private.mp3")]
    outside = ["link.mp3", "way%20out/secret.mp3", "../outside/secret.mp3", "../data/secret_key"]
    outside += ["%2e%2e/data/mixtape.db", "/etc/passwd", "....//....//etc/passwd", "notes.txt"]
    tracks = [str(track_id(app, name)) for name in ("private.mp3", "Folder/deep.mp3")]
    odd = ["0", "1", "-1", "9" * 30, "%00", "%ff", "%ed%a0%80", "%0d%0aSet-Cookie:a=b", "{{7*7}}"]
    odd += ["'%20OR%201=1--", "a" * 3000, *tracks]
    return [*named, *outside, *odd, *(mixtape.slug for mixtape in mixtapes)]


def addresses(rule: Rule, fillings: list[str], slug: str) -> Iterator[str]:
    """Give the addresses of a route with every value in every place."""
    places = PLACEHOLDER.findall(rule.rule)
    if not places:
        yield rule.rule
        yield f"{rule.rule}?path=private.mp3&file=../private.mp3&next=//evil.example&page=-1&size=9"
        return
    for value in fillings:
        yield PLACEHOLDER.sub(lambda _, value=value: value, rule.rule)  # type: ignore[misc]
        if len(places) > 1:
            yield PLACEHOLDER.sub(
                lambda found, value=value: slug if found[1] == "slug" else value,  # type: ignore[misc]
                rule.rule,
            )


def is_turned_away(answer: TestResponse) -> bool:
    leads_to_login = answer.status_code == 302 and answer.location.startswith("/login")
    return answer.status_code == 401 or leads_to_login


def test_only_what_is_known_to_be_open_is_open() -> None:
    assert OPEN_ENDPOINTS <= KNOWN_TO_BE_OPEN


@pytest.mark.slow
def test_nothing_on_any_route_reaches_a_file_that_no_shared_mixtape_holds(
    app: Flask, visitor: FlaskClient, shared: SavedMixtape, unshared: SavedMixtape
) -> None:
    fillings = values(app, shared, unshared)
    asked = 0
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods or ()):
            # What is asked differs by the address, hardly by the method: a part of them does here.
            some = fillings if method == "GET" else fillings[::6]
            for address in addresses(rule, some, shared.slug):
                answer, content = ask(visitor, address, method, PAGE if asked % 2 else None)
                asked += 1
                assert SECRET not in content, (method, address)
                assert unshared.title.encode() not in content, (method, address)
                assert answer.status_code < 500, (method, address)
                # An address with dots or slashes in it may be that of another route.
                assert (
                    is_turned_away(answer) or endpoint_of(app, address, method) in KNOWN_TO_BE_OPEN
                ), (
                    method,
                    address,
                    answer.status,
                )
    assert asked > 1000


def endpoint_of(app: Flask, address: str, method: str) -> str | None:
    with app.test_request_context(address, method=method) as context:
        return context.request.endpoint


def test_the_same_walk_by_the_owner_does_reach_them(app: Flask, visitor: FlaskClient) -> None:
    sign_in(visitor)
    found = []
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint == "audio_cache.play":
            for address in addresses(rule, values(app), ""):
                _, content = ask(visitor, address)
                found += [address] if SECRET in content else []
    assert "/play/private.mp3" in found
    assert "/play/Folder/deep.mp3" in found
    # What lies outside the library is not for the owner either.
    assert not [address for address in found if "secret" in address or "link" in address]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "TRACE"])
def test_no_other_method_gets_further(
    app: Flask, visitor: FlaskClient, shared: SavedMixtape, method: str
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
    app: Flask, visitor: FlaskClient, shared: SavedMixtape
) -> None:
    [url] = stream_urls(visitor, shared)
    start, _, token = url.rpartition("/")
    own, _, signature = token.partition(".")
    for number in range(-2, 20):
        if str(number) != own:
            answer, _ = ask(visitor, f"{start}/{number}.{signature}")
            assert answer.status_code == 404


def test_a_token_is_of_no_use_for_another_mixtape(
    app: Flask, visitor: FlaskClient, shared: SavedMixtape
) -> None:
    other = make_mixtape(app, "shared.mp3", "private.mp3")
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
    app: Flask, visitor: FlaskClient, shared: SavedMixtape, change: str
) -> None:
    [url] = stream_urls(visitor, shared)
    getattr(services_of(app).mixtapes, change)(shared.slug)
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
    app: Flask, visitor: FlaskClient, music: Path, tmp_path: Path
) -> None:
    [url] = stream_urls(visitor, make_mixtape(app, "Folder/deep.mp3"))
    os.rename(music / "Folder", tmp_path / "moved")
    (music / "Folder").symlink_to(tmp_path / "moved")
    answer, content = ask(visitor, url)
    assert answer.status_code == 404
    assert SECRET not in content


def test_links_out_of_the_library_never_become_tracks(app: Flask) -> None:
    catalogue = services_of(app).catalogue
    assert catalogue.find_by_path(b"link.mp3") is None
    assert catalogue.find_by_path(b"way out/secret.mp3") is None


class Covers:
    """Two tracks with covers of their own, the first of them in a shared mixtape."""

    def __init__(self, app: Flask, music: Path, flac: Path) -> None:
        for name, colour in (("one", "teal"), ("two", "tomato")):
            path = place(flac, music / name / "a.flac", title=name)
            embed(path, (3, make_picture(colour=colour)))
        scan(app)
        self.mixtape = make_mixtape(app, "one/a.flac")
        [other] = services_of(app).catalogue.search("two").items
        self.own, self.foreign = self.mixtape.cover_key, other.cover_key

    def address(self, key: str | None) -> str:
        return f"/mixtapes/{self.mixtape.slug}/covers/{key}?size=96"


@pytest.fixture
def covers(app: Flask, music: Path, flac: Path) -> Covers:
    return Covers(app, music, flac)


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
    app: Flask, visitor: FlaskClient, covers: Covers, change: str
) -> None:
    getattr(services_of(app).mixtapes, change)(covers.mixtape.slug)
    assert ask(visitor, covers.address(covers.own))[0].status_code == 404


def test_a_picture_is_not_read_through_a_link_out_of_the_library(
    visitor: FlaskClient, covers: Covers, music: Path, flac: Path, tmp_path: Path
) -> None:
    secret = place(flac, tmp_path / "outside" / "secret.flac")
    embed(secret, (3, make_picture(colour="black")))
    (music / "one" / "a.flac").unlink()
    (music / "one" / "a.flac").symlink_to(secret)
    assert ask(visitor, covers.address(covers.own))[0].status_code == 404


def test_every_page_that_a_visitor_can_open_is_locked_down(
    visitor: FlaskClient, shared: SavedMixtape
) -> None:
    for address in ("/login", f"/mixtapes/{shared.slug}", "/mixtapes/" + "A" * 22):
        answer, content = ask(visitor, address, headers=PAGE)
        page = content.decode()
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page)
        assert not re.search(r"""(src|href|action)=["'](?:https?:)?//""", page)


def test_every_page_of_the_owner_is_locked_down_as_well(
    app: Flask, visitor: FlaskClient, shared: SavedMixtape
) -> None:
    sign_in(visitor)
    seen = 0
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in {"audio_cache.progress"}:
            continue
        answer, content = ask(visitor, PLACEHOLDER.sub(shared.slug, rule.rule), headers=PAGE)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, rule
        if answer.mimetype == "text/html":
            seen += 1
            page = content.decode()
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page), rule
            assert not re.search(r"""(src|href|action)=["'](?:https?:)?//""", page), rule
    assert seen >= 10


def test_a_path_of_any_bytes_does_not_break_a_route(visitor: FlaskClient) -> None:
    for raw in (b"\xff\xfe", b"a\nb", b"\x00", bytes(range(1, 256))):
        for start in ("/play/", "/mixtapes/", "/cover/", "/static/", "/browse/"):
            answer, _ = ask(visitor, start + quote_from_bytes(raw))
            assert answer.status_code in {401, 404}
