"""Every route, tried as an attacker would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote_from_bytes

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from mixtape.mixtapes.values import SavedMixtape
from mixtape.web.access import OPEN_ENDPOINTS
from mixtape.web.security import CONTENT_SECURITY_POLICY, HEADERS
from tests.helpers.host import PAGE, sign_in
from tests.helpers.mixtapes import track_id
from tests.mixtape.web.attacker import (
    PLACEHOLDER,
    SECRET,
    ask,
    is_turned_away,
    ways_of_writing,
)

# Whoever opens another one to everybody has to say so here as well.
KNOWN_TO_BE_OPEN = {
    "auth.login",
    "auth.sign_in",
    "auth.logout",
    "static",
    "health.healthz",
    "library_links.playlist",  # the key of a device stands in it
    "library_links.stream",  # signed for a link, or for a session
    "metrics.metrics",  # asks for a session or a token itself
    "player.page",
    "player.stream",
    "player.cover",
    "player.unlock",  # takes the password of a link
    "player.heard",  # takes a token that the page of a link carries
    "embed.page",  # looks itself whether the owner allows it for the link
    "link_preview.oembed",  # tells what the page of a link tells
    "player.loudness",
    "take_along.archive",
    "take_along.single",
    "take_along.sizes",
    "take_along.m3u8",
    "take_along.xspf",
    "take_along.feed",
    "installing.manifest",
    "installing.icon",
    "installing.site",
    "installing.worker",
    "installing.kept",
    "audio_cache.rendition",  # its signature says who may listen
    "audio_cache.grant",  # the same
    "subsonic.call",  # takes the key of a device; test_sign_in.py of subsonic walks its calls
}


# Of this site itself, the whole address is for those who are sent a link.
ELSEWHERE = r"""(src|href|action)=["'](?:https?:)?//(?!localhost/)"""


def values(guarded_app: Flask, *mixtapes: SavedMixtape) -> list[str]:
    """Return what to put into the places of a route."""
    named = ["private.mp3", "Folder/deep.mp3", *ways_of_writing("private.mp3")]
    outside = ["link.mp3", "way%20out/secret.mp3", "../outside/secret.mp3", "../data/secret_key"]
    outside += ["%2e%2e/data/mixtape.db", "/etc/passwd", "....//....//etc/passwd", "notes.txt"]
    tracks = [str(track_id(guarded_app, name)) for name in ("private.mp3", "Folder/deep.mp3")]
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


def test_only_what_is_known_to_be_open_is_open() -> None:
    assert OPEN_ENDPOINTS <= KNOWN_TO_BE_OPEN


@pytest.mark.slow
def test_nothing_on_any_route_reaches_a_file_that_no_shared_mixtape_holds(
    guarded_app: Flask, visitor: FlaskClient, shared: SavedMixtape, unshared: SavedMixtape
) -> None:
    fillings = values(guarded_app, shared, unshared)
    asked = 0
    for rule in guarded_app.url_map.iter_rules():
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
                    is_turned_away(answer)
                    or endpoint_of(guarded_app, address, method) in KNOWN_TO_BE_OPEN
                ), (
                    method,
                    address,
                    answer.status,
                )
    assert asked > 1000


def endpoint_of(guarded_app: Flask, address: str, method: str) -> str | None:
    with guarded_app.test_request_context(address, method=method) as context:
        return context.request.endpoint


def test_the_same_walk_by_the_owner_does_reach_them(
    guarded_app: Flask, visitor: FlaskClient
) -> None:
    sign_in(visitor)
    found = []
    for rule in guarded_app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint == "audio_cache.play":
            for address in addresses(rule, values(guarded_app), ""):
                _, content = ask(visitor, address)
                found += [address] if SECRET in content else []
    assert "/play/private.mp3" in found
    assert "/play/Folder/deep.mp3" in found
    # What lies outside the library is not for the owner either.
    assert not [address for address in found if "secret" in address or "link" in address]


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
        assert not re.search(ELSEWHERE, page)


def test_every_page_of_the_owner_is_locked_down_as_well(
    guarded_app: Flask, visitor: FlaskClient, shared: SavedMixtape
) -> None:
    sign_in(visitor)
    seen = 0
    for rule in guarded_app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in {"audio_cache.progress"}:
            continue
        answer, content = ask(visitor, PLACEHOLDER.sub(shared.slug, rule.rule), headers=PAGE)
        for name, value in HEADERS.items():
            # Players in a browser ask from sites of their own, with the key of a device.
            if (rule.endpoint, name) != ("subsonic.call", "Cross-Origin-Resource-Policy"):
                assert answer.headers[name] == value, rule
        if answer.mimetype == "text/html":
            seen += 1
            page = content.decode()
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page), rule
            assert not re.search(ELSEWHERE, page), rule
    assert seen >= 10


def test_a_path_of_any_bytes_does_not_break_a_route(visitor: FlaskClient) -> None:
    for raw in (b"\xff\xfe", b"a\nb", b"\x00", bytes(range(1, 256))):
        for start in ("/play/", "/mixtapes/", "/cover/", "/static/", "/browse/"):
            answer, _ = ask(visitor, start + quote_from_bytes(raw))
            assert answer.status_code in {401, 404}
