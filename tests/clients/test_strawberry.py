"""Strawberry signs in, copies the library, and plays what nobody has played."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.clients.site import ALBUMS, Site
from tests.clients.strawberry import Strawberry
from tests.helpers.waiting import wait_until

pytestmark = [
    pytest.mark.clients,
    pytest.mark.needs("strawberry", "Xvfb", "xdotool", "gdbus", "dbus-daemon"),
]


@pytest.fixture(scope="module")
def strawberry(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strawberry]:
    root = tmp_path_factory.mktemp("strawberry")
    with Strawberry(root, site.address, site.name, site.key) as strawberry:
        yield strawberry


def test_it_copies_the_whole_library(strawberry: Strawberry, site: Site) -> None:
    clicked_at = 0.0

    def is_copied() -> bool:
        nonlocal clicked_at
        # Until it is on its screen, a click leads nowhere.
        if not site.recorder.of("getAlbumList2") and time.monotonic() > clicked_at + 1:
            strawberry.click_into_its_view()
            clicked_at = time.monotonic()
        return len(strawberry.songs()) == len(site.ids)

    wait_until(is_copied, "the library to be copied")
    expected = [
        (title, artist, album, f"subsonic:{site.ids[title]}", seconds, size_of(site, title))
        for _, artist, album, _, _, titles, seconds in ALBUMS
        for title in titles
    ]
    assert sorted(strawberry.songs()) == sorted(expected)
    assert len(site.recorder.of("getCoverArt")) == len(ALBUMS)
    assert {each.status for each in site.recorder.exchanges} == {200}


@pytest.mark.parametrize(("title", "asked"), [("Cold", {}), ("Colder", {"maxBitRate": 128})])
def test_it_plays_a_cold_track(
    strawberry: Strawberry, site: Site, title: str, asked: dict[str, object]
) -> None:
    known = site.ids[title]
    address = site.url_of("stream", id=known, **asked) if asked else f"subsonic:{known}"
    wait_until(strawberry.songs, "it to be there")
    strawberry.play(address)
    wait_until(lambda: strawberry.position_s(known) > 1, "a second to be played")
    played = [each for each in site.recorder.of("stream") if each.value("id") == known]
    assert {each.status for each in played} <= {200, 206}


def size_of(site: Site, title: str) -> int:
    return site.file_of(title).stat().st_size
