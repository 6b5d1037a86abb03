"""The owner's page in a real browser: figures, charts, and what is asked before it deletes."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Locator, Page, expect

from audio_cache import AudioCache
from audio_cache.encoding import ffmpeg
from mixtape.admin.monitor import Monitor
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD, make_app
from tests.helpers.waiting import LIMIT_S
from tests.helpers.web import served

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """Return an application with one track, cached at two qualities, and an hour of history."""
    app = make_app(tmp_path)
    source = make_audio(tmp_path / "music" / "a.flac", samples=44_100 * 2)
    for quality in ("low", "high"):
        cache_of(app).transcode_file(source, quality)
    monitor: Monitor = app.extensions["mixtape_monitor"]
    now = time.time()
    for minute in range(60):
        monitor.now = lambda at=now - 3600 + 60 * minute: at
        monitor.look()
    monitor.now = time.time
    return app


@pytest.fixture
def page(context: BrowserContext, app: Flask) -> Iterator[Page]:
    """Return a tab that shows the page with its first figures."""
    with served(app) as address:
        page = context.new_page()
        page.goto(f"{address}/admin")
        expect(tile(page, "cache")).to_contain_text("2 entries of 1 track")
        yield page
        page.close()


def cache_of(app: Flask) -> AudioCache:
    cache: AudioCache = app.extensions["audio_cache"].cache
    return cache


def entries(app: Flask) -> int:
    return len(list(cache_of(app).entries()))


def tile(page: Page, name: str) -> Locator:
    return page.locator(f"[data-tile={name}]")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_the_table_and_the_charts_show_what_the_cache_holds(page: Page, app: Flask) -> None:
    rows = page.get_by_role("row")
    expect(rows.filter(has_text="Low")).to_contain_text(re.compile(r"Low1\d+\.\d kB"))
    expect(rows.filter(has_text="Medium")).to_contain_text("Medium0")
    expect(page.locator("canvas")).to_have_count(5)
    expect(page.get_by_text("The first figures come")).to_have_count(5)
    expect(page.get_by_text("The first figures come").first).to_be_hidden()
    expect(page.get_by_text("Nothing was asked of the cache in this time.")).to_be_visible()
    drawn = page.evaluate(
        "() => [...document.querySelectorAll('canvas')].map((canvas) => { const c ="
        " canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
        " return c.some((part) => part > 0); })"
    )
    assert drawn == [True] * 5


def test_a_play_shows_up_without_a_reload(page: Page, app: Flask) -> None:
    expect(tile(page, "plays")).to_contain_text("0 cached")
    with app.test_client().get("/play/a.flac?quality=low") as answer:
        assert answer.get_data()
    expect(tile(page, "plays")).to_contain_text("1 cached")
    expect(tile(page, "saved")).to_contain_text(re.compile(r"\d\d %"))


@pytest.mark.chromium("the driver cannot change its colours while it runs")
def test_the_charts_follow_the_colours_and_the_span(page: Page) -> None:
    def colours() -> object:
        return page.evaluate(
            "() => [...document.querySelectorAll('.u-marker')].map((m) => m.style.borderColor"
            " || m.style.border)"
        )

    page.emulate_media(color_scheme="light")
    light = colours()
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("() => document.documentElement.dataset.bsTheme === 'dark'")
    assert colours() != light
    with page.expect_response(re.compile("span=day")):
        page.get_by_text("Day", exact=True).click()
    expect(page.locator("canvas")).to_have_count(5)
    expect(page.get_by_text("% of an hour")).to_be_visible()


def test_purging_asks_for_the_word_and_then_deletes_all(page: Page, app: Flask) -> None:
    press(page, "Purge the cache")
    dialog = page.get_by_role("dialog", name="Purge everything?")
    yes = dialog.get_by_role("button", name="Purge the cache")
    expect(yes).to_be_disabled()
    dialog.get_by_label("Type purge to continue").fill("purg")
    expect(yes).to_be_disabled()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    assert entries(app) == 2
    page.keyboard.type("e")
    expect(yes).to_be_enabled()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 entries were deleted.")).to_be_visible()
    expect(tile(page, "cache")).to_contain_text("0 entries")
    assert entries(app) == 0


def test_deleting_shows_that_it_goes_on(
    page: Page, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go = threading.Event()
    real = cache_of(app).clear_cache

    def clear(days: float | None, *, on_file: Callable[[int, int], None]) -> int:
        def count(done: int, total: int) -> None:
            on_file(done, total)
            assert may_go.wait(LIMIT_S)

        return real(days, on_file=count)

    monkeypatch.setattr(cache_of(app), "clear_cache", clear)
    press(page, "Purge the cache")
    page.get_by_label("Type purge to continue").fill("purge")
    page.keyboard.press("Enter")
    bar = page.get_by_role("progressbar", name="Progress")
    expect(page.get_by_text("Deleting entries")).to_be_visible()
    expect(page.get_by_text("1 of 2")).to_be_visible()
    expect(bar).to_have_attribute("value", "1")
    expect(page.get_by_role("button", name="Verify the cache")).to_be_disabled()
    may_go.set()
    expect(page.get_by_text("2 entries were deleted.")).to_be_visible()
    expect(bar).to_be_hidden()


def test_without_ffmpeg_the_page_says_so_until_there_is_one(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = page.get_by_text("Nothing can be encoded")
    expect(notice).to_be_hidden()
    with monkeypatch.context() as patch:
        patch.setattr(ffmpeg, "_bundled_ffmpeg", lambda: None)
        patch.setenv("PATH", "")
        expect(notice).to_be_visible()
        expect(notice).to_contain_text("install the package imageio-ffmpeg")
    expect(notice).to_be_hidden()


@pytest.mark.parametrize("way", ["Escape", "Keep everything"])
def test_a_question_can_be_answered_with_no(page: Page, app: Flask, way: str) -> None:
    press(page, "Purge the cache")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Type purge to continue").fill("purge")
    if way == "Escape":
        page.keyboard.press("Escape")
    else:
        press(page, way)
    expect(dialog).to_be_hidden()
    with page.expect_response(re.compile("figures")):
        pass
    assert entries(app) == 2


def test_a_bad_number_of_days_is_told_at_its_field_and_asks_nothing(page: Page, app: Flask) -> None:
    days = page.get_by_label("Older than, in days")
    for bad in ("", "0", "-3", "soon"):
        days.fill(bad)
        press(page, "Clear old entries")
        expect(page.get_by_text("Enter a number of days above 0")).to_be_visible()
        expect(days).to_have_attribute("aria-invalid", "true")
        expect(days).to_be_focused()
        expect(page.get_by_role("dialog")).to_be_hidden()
    days.fill("1")
    press(page, "Clear old entries")
    expect(page.get_by_role("dialog")).to_contain_text("more than 1 day ago")
    press(page, "Clear them")
    expect(page.get_by_text("0 entries were deleted.")).to_be_visible()
    assert entries(app) == 2


def test_verifying_shows_how_it_went_and_repairs_when_asked_to(page: Page, app: Flask) -> None:
    path = cache_of(app).get_cache_path(Path(app.config["MUSIC_ROOT"]) / "a.flac", "high")
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    press(page, "Verify the cache")
    expect(page.get_by_text("Verifying the cache: done")).to_be_visible()
    expect(page.get_by_text("1 sound, 1 damaged")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="a.flac")).to_be_visible()
    page.get_by_label("Encode bad ones again").check()
    press(page, "Verify the cache")
    expect(page.get_by_text("Verifying and repairing the cache: done")).to_be_visible()
    expect(page.get_by_text("1 sound, 1 repaired")).to_be_visible()
    assert path.read_bytes() == good


def test_nothing_outdated_is_said_so(page: Page) -> None:
    press(page, "Renew outdated")
    expect(page.get_by_text("Nothing is outdated.")).to_be_visible()


def test_a_server_that_is_gone_is_told_and_found_again(page: Page) -> None:
    page.route("**/admin/figures", lambda route: route.abort())
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    page.unroute("**/admin/figures")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_session_that_ended_leads_to_signing_in_and_back(
    context: BrowserContext, tmp_path: Path
) -> None:
    with served(make_app(tmp_path, password=PASSWORD)) as address:
        page = context.new_page()
        page.goto(f"{address}/admin")
        page.get_by_label("Password").fill(PASSWORD)
        press(page, "Sign in")
        expect(tile(page, "cache")).to_contain_text("0 entries")
        context.clear_cookies()
        expect(page.get_by_role("alert")).to_contain_text("Your session has ended.")
        page.get_by_role("link", name="Sign in again").click()
        page.get_by_label("Password").fill(PASSWORD)
        press(page, "Sign in")
        expect(page.get_by_role("heading", name="Admin")).to_be_visible()
        page.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_page(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    expect(page.locator("canvas")).to_have_count(5)
    page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")
