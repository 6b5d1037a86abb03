"""The pages of the library as a person goes through them: far down, back, and without a server."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from mixtape.library import folders as folders_module
from tests.browser.listening import audio, expect_width, player, wait_for_second
from tests.helpers.audio import make_audio
from tests.helpers.mixtapes import make_scanned_app, services_of
from tests.helpers.tracks import add_track, place
from tests.helpers.web import WebServer

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

LONG = "Llanfairpwllgwyngyll" * 10
ROWS = 7


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    root = tmp_path_factory.mktemp("shelves")
    source = make_audio(root / "source.flac", samples=44_100 * 6)
    for number in range(1, ROWS + 1):
        place(source, root / "music" / "Long" / f"{number}.flac", title=f"Row {number}")
    tags = {"title": LONG, "artist": LONG, "album": LONG, "tracknumber": "5"}
    place(source, root / "music" / LONG / "a.flac", **tags)
    app = make_scanned_app(root)
    for number in range(120):
        path = b"far/%03d.flac" % number
        artist = f"Band {number:03}"
        add_track(services_of(app).database, path, artist=artist, album=f"Album {number:03}")
    yield app
    services_of(app).close()


@pytest.fixture(scope="module")
def server(app: Flask) -> Iterator[WebServer]:
    server = WebServer(app)
    yield server
    server.stop()


@pytest.fixture
def page(desktop: BrowserContext) -> Page:
    return desktop.new_page()


def scrolled(page: Page) -> float:
    return float(page.evaluate("() => scrollY"))


def test_a_long_list_goes_on_below_and_plays_on_beyond_what_is_shown(
    page: Page, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders_module, "PAGE_SIZE", 3)
    page.goto(f"{server.address}/browse/Long")
    titles = page.locator("main .tracks .track-title")
    expect(titles).to_have_text(["Row 1", "Row 2", "Row 3"])
    page.get_by_role("button", name="Play Row 3").click()
    wait_for_second(page, 0.2)
    following = player(page).get_by_role("button", name="Next track")
    for number in range(4, ROWS + 1):
        following.click()
        expect(player(page)).to_contain_text(f"Row {number}")
    page.get_by_role("link", name="Load more").click()
    expect(titles).to_have_count(6)
    expect(page.get_by_role("button", name="Play Row 4")).to_be_focused()
    page.get_by_role("link", name="Load more").click()
    expect(titles).to_have_count(ROWS)
    expect(page.get_by_role("link", name="Load more")).to_have_count(0)
    numbers = page.locator("main .tracks .track-number")
    expect(numbers).to_have_text([str(number) for number in range(1, ROWS + 1)])
    page.get_by_role("main").get_by_role("button", name="Shuffle").click()
    wait_for_second(page, 0.2)


def test_going_back_leads_to_the_place_that_was_left(page: Page, server: WebServer) -> None:
    page.goto(f"{server.address}/albums")
    cards = page.locator('[data-more-into="albums"] > li')
    expect(cards).to_have_count(50)
    page.get_by_role("link", name="Load more").click()
    expect(cards).to_have_count(100)
    link = page.get_by_role("link", name="Album 090")
    link.scroll_into_view_if_needed()
    before = scrolled(page)
    assert before > 500
    link.click()
    expect(page.get_by_role("heading", name="Album 090")).to_be_focused()
    assert scrolled(page) == 0
    page.go_back()
    expect(cards).to_have_count(100)
    page.wait_for_function("(before) => Math.abs(scrollY - before) < 5", arg=before)
    expect(link).to_be_in_viewport()
    page.reload()
    expect(cards).to_have_count(100)
    page.wait_for_function("(before) => Math.abs(scrollY - before) < 5", arg=before)
    page.get_by_role("navigation", name="Jump to a letter").get_by_role("link", name="L").click()
    expect(page.locator('[data-more-into="albums"] .folder-name').first).to_have_text(LONG)


def test_a_server_that_is_away_takes_neither_the_page_nor_the_music(page: Page, app: Flask) -> None:
    server = WebServer(app)
    page.goto(f"{server.address}/browse/Long")
    page.get_by_role("button", name="Play Row 1").click()
    wait_for_second(page, 0.2)
    server.stop()
    page.get_by_role("link", name="Artists").click()
    alert = page.get_by_role("alert").filter(has_text="cannot be loaded")
    expect(alert).to_contain_text("The server cannot be reached.")
    expect(page.get_by_role("heading", name="Long")).to_be_visible()
    assert audio(page, "paused") is False
    assert page.url.endswith("/browse/Long")
    server = WebServer(app, server.port)
    alert.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Artists")).to_be_visible()
    expect(alert).to_be_hidden()
    assert page.url.endswith("/artists")
    server.stop()


def test_names_of_any_length_stay_on_the_page(page: Page, server: WebServer) -> None:
    page.goto(f"{server.address}/albums?letter=L")
    pages = [page.url, f"{server.address}/search?q=llanfair", f"{server.address}/browse/"]
    hrefs = page.locator('[data-more-into="albums"] a').first
    pages.append(f"{server.address}{hrefs.get_attribute('href')}")
    for address in pages:
        page.goto(address)
        for width in (360, 390, 1440):
            expect_width(page, width)
    # On an album the numbers are its own.
    expect(page.locator("main .tracks .track-number")).to_have_text("5")
    for width in (360, 390):
        page.set_viewport_size({"width": width, "height": 640})
        for name in (re.compile("^Play all"), re.compile("^Shuffle"), re.compile("^Add all")):
            box = page.get_by_role("main").get_by_role("button", name=name).bounding_box()
            assert box is not None
            assert 40 <= box["height"] < 60, (name, width, box)
