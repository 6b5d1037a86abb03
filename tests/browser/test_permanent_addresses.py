"""Chromium on a permanent address whose track is made while it plays, and later stored."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, request
from playwright.sync_api import Browser, Page

from audio_cache import AudioCache
from audio_cache.flask_ext import FlaskAudioCache, get_state, sign_rendition
from tests.browser.listening import listener, seek, wait_for_second
from tests.helpers.audio import make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.waiting import wait_until
from tests.helpers.web import served

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

SECONDS = 400


@pytest.fixture(scope="module")
def track(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("permanent") / "music"
    root.mkdir()
    return make_noise(root / "track.flac", samples=SECONDS * 44_100)


@pytest.fixture
def asked(track: Path, tmp_path: Path) -> Iterator[tuple[str, list[str], Flask]]:
    """Give a page's address, the ranges that were asked of its track so far, and the server."""
    ffmpeg = StubFFmpeg(tmp_path, speed=4)
    app = Flask(__name__)
    app.config.update(
        MUSIC_ROOT=str(track.parent), DATA_ROOT=str(tmp_path), AUDIO_CACHE_FFMPEG=str(ffmpeg.path)
    )
    FlaskAudioCache(app)
    ranges: list[str] = []

    @app.get("/")
    def page() -> str:
        source = sign_rendition(track, "low", int(time.time()) + 3600, shared=True)
        return f'<!doctype html><link rel="icon" href="data:,"><audio src="{source}" muted></audio>'

    @app.before_request
    def note() -> None:
        if request.path.startswith("/r/"):
            ranges.append(request.headers.get("Range", ""))

    with served(app) as address:
        yield address, ranges, app
    app.extensions["audio_cache"].shut_down()


def jump(page: Page, second: float) -> None:
    """Jump, and wait until it plays from there."""
    seek(page, second)
    page.wait_for_function(
        "(second) => { const a = document.querySelector('audio');"
        " return !a.seeking && a.readyState > 2 && a.currentTime >= second; }",
        arg=second,
    )


def starts(ranges: list[str]) -> list[int]:
    return [int(each.removeprefix("bytes=").partition("-")[0] or 0) for each in ranges]


def test_a_jump_in_a_live_answer_asks_once(
    browser: Browser, asked: tuple[str, list[str], Flask]
) -> None:
    address, ranges, app = asked
    with listener(browser, address) as context:
        page = context.new_page()
        page.goto(address)
        page.evaluate("document.querySelector('audio').play()")
        wait_for_second(page, 0.2)
        asked_for = []
        for second in (200, 100, 300, 50, 350):
            before = len(ranges)
            jump(page, second)
            asked_for.append(len(ranges) - before)
        # Where the answer takes long to come, Chromium may ask for what follows as well; answers
        # that it stores would be asked for twice by four jumps of five.
        assert asked_for.count(1) >= 3, ranges
        with app.app_context():
            assert get_state().playback.traffic.snapshot().hits == 0
    assert len(set(starts(ranges))) == len(ranges)


@pytest.mark.chromium("nothing of a track is loaded before it plays")
def test_what_is_stored_plays_from_the_browsers_own_cache_the_next_time(
    browser: Browser, asked: tuple[str, list[str], Flask], track: Path
) -> None:
    address, ranges, app = asked
    # By an encoder of its own, which does not dawdle as that of the listeners does.
    cache = AudioCache(app.extensions["audio_cache"].cache.cache_dir)
    whole = cache.transcode_file(track, "low").stat().st_size
    with listener(browser, address) as context:
        page = context.new_page()
        page.goto(address)
        source = page.locator("audio").get_attribute("src")
        fetch = "async (url) => (await (await fetch(url)).arrayBuffer()).byteLength"
        assert page.evaluate(fetch, source) == whole
        wait_until(lambda: len(ranges) >= 1)
        before = len(ranges)
        assert page.evaluate(fetch, source) == whole
        assert len(ranges) == before
