"""The owner's page in a real browser: the room of the cache, and what another size would give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.listening import visitor
from tests.helpers.audio import make_audio
from tests.helpers.host import make_app
from tests.helpers.web import served

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]


@pytest.fixture
def cap() -> str:
    return ""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cap: str) -> Flask:
    """Return an application with one track, cached at one quality, and with the cap."""
    if cap:
        monkeypatch.setenv("AUDIO_CACHE_MAX_SIZE", cap)
    app = make_app(tmp_path)
    source = make_audio(tmp_path / "music" / "a.flac", samples=44_100 * 2)
    app.extensions["audio_cache"].cache.transcode_file(source, "low")
    return app


@pytest.fixture
def page(browser: Browser, app: Flask) -> Iterator[Page]:
    """Return a tab that shows the page with its first figures."""
    with visitor(browser) as context, served(app) as address:
        page = context.new_page()
        page.goto(f"{address}/admin")
        expect(space(page)).to_contain_text(" used")
        yield page
        page.close()


def space(page: Page) -> Locator:
    return page.get_by_role("region", name="Storage")


def begin(page: Page) -> Locator:
    return page.get_by_role("button", name="Work it out")


def play(app: Flask, listener: str) -> None:
    address = "/play/a.flac?quality=low"
    with app.test_client().get(address, headers={"User-Agent": listener}) as answer:
        assert answer.get_data()


def alter(page: Page, change: dict[str, Any]) -> dict[str, Any]:
    """Have the server's figures altered on their way, by what the answer holds at the time."""

    def answer(route: Route) -> None:
        figures = {**route.fetch().json(), **change}
        route.fulfill(body=json.dumps(figures), content_type="application/json")

    page.route("**/admin/figures", answer)
    return change


def test_without_a_cap_it_is_said_what_ends_the_growth(page: Page) -> None:
    expect(space(page)).to_contain_text("used, and no cap")
    expect(space(page)).to_contain_text("Set AUDIO_CACHE_MAX_SIZE, to 50GB say")
    expect(page.get_by_role("meter", name="Room that is taken")).to_be_visible()
    expect(space(page)).to_contain_text("nothing had to make room yet")
    expect(space(page)).to_contain_text("nothing was asked of it yet")


@pytest.mark.parametrize("cap", ["3MB"])
def test_with_a_cap_the_meter_shows_what_is_taken_of_it(page: Page) -> None:
    expect(space(page)).to_contain_text("of 3.0 MB used")
    meter = page.get_by_role("meter")
    assert 30 < int(meter.get_attribute("aria-valuenow") or "") < 60
    whole = meter.bounding_box()
    rest = page.locator("[data-part=meter-rest]").bounding_box()
    assert whole is not None
    assert rest is not None
    assert 0.3 < rest["width"] / whole["width"] < 0.6


def test_a_disk_that_is_too_full_is_told(page: Page) -> None:
    state = page.evaluate("async () => (await fetch('/admin/figures')).json()")
    alter(page, {"space": {**state["space"], "free_bytes": 10, "floor_bytes": 1_000_000_000}})
    expect(space(page)).to_contain_text("The disk has less than 1.00 GB left")


def test_before_the_first_play_a_forecast_says_so(page: Page) -> None:
    begin(page).click()
    expect(space(page)).to_contain_text("Nothing was played yet.")
    expect(space(page).locator("canvas")).to_have_count(0)
    expect(page.get_by_role("button", name="Work it out again")).to_be_focused()


@pytest.mark.parametrize(
    ("cap", "words"),
    [
        ("", "Of 2 recorded plays, a cache of"),
        ("3MB", "Of 2 recorded plays, the present cap of 3 MB would have had 50 % (50 % of the"),
    ],
)
def test_a_forecast_is_drawn_and_told_in_words(page: Page, app: Flask, words: str) -> None:
    for listener in ("one", "two"):
        play(app, listener)
    begin(page).click()
    expect(space(page)).to_contain_text(words)
    expect(space(page).locator("canvas")).to_have_count(1)
    page.reload()
    expect(space(page)).to_contain_text(words)
    expect(space(page).locator("canvas")).to_have_count(1)


def test_a_forecast_that_goes_on_has_a_bar_and_is_not_begun_twice(page: Page) -> None:
    begun: list[str] = []
    page.on("request", lambda request: begun.append(request.method))
    bar = page.get_by_role("progressbar", name="Progress of the forecast")
    running = {"done": 0, "total": None, "ended_at_s": None, "error": "", "rates": []}
    changes = alter(page, {"forecast": running})
    expect(bar).to_be_visible()
    expect(space(page)).to_contain_text("Looking at what was played …")
    changes["forecast"] = {**running, "done": 30, "total": 120}
    expect(space(page)).to_contain_text("Replaying the plays: 25 %")
    assert bar.evaluate("(bar) => bar.position") == 0.25
    page.get_by_role("button", name="Working it out …").click(force=True)
    changes.clear()
    expect(bar).to_be_hidden()
    assert "POST" not in begun


def test_a_forecast_that_failed_says_why(page: Page) -> None:
    failed = {"done": 0, "total": None, "ended_at_s": 1, "error": "The disk is gone.", "rates": []}
    alter(page, {"forecast": failed})
    expect(space(page)).to_contain_text("The disk is gone.")
