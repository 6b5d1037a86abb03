"""Music that a player is sent to a bucket for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from audio_cache import AudioCache
from audio_cache.backends.s3_objects import S3Objects
from tests.browser.listening import press_play, seek, visitor, wait_for_second
from tests.helpers.audio import make_noise
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape
from tests.helpers.s3_server import S3Server
from tests.helpers.web import served

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

TITLES = ("Aurora", "Borealis")
# Longer than what a browser reads ahead at once, so that a seek asks again.
SECONDS = 180


@pytest.fixture
def app(tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Return an application whose tracks another node has made, and which sends listeners on."""
    (tmp_path / "music").mkdir()
    maker = AudioCache(tmp_path / "maker", behind=S3Objects(bucket))
    for number, title in enumerate(TITLES):
        path = tmp_path / "music" / f"{title}.flac"
        make_noise(path, samples=SECONDS * 44_100, seed=number, tags={"title": title})
        maker.transcode_file(path, "medium")
    assert maker.backing is not None
    assert maker.backing.wait(60)
    maker.close()
    monkeypatch.setenv("AUDIO_CACHE_OBJECT_STORE", bucket)
    monkeypatch.setenv("AUDIO_CACHE_OBJECT_REDIRECT", "true")
    app = make_scanned_app(tmp_path)
    yield app
    services_of(app).close()
    app.extensions["audio_cache"].shut_down()


@pytest.mark.desk("nothing can be chosen before something plays, which would then be encoded")
def test_a_player_plays_and_seeks_in_the_bucket_and_the_node_fetches_nothing(
    app: Flask, browser: Browser, s3_server: S3Server
) -> None:
    slug = share_mixtape(app, *TITLES).slug
    there = urlsplit(s3_server.url).netloc
    with served(app) as address, visitor(browser) as context:
        page = context.new_page()
        sent: list[str] = []
        page.on("response", lambda answer: sent.append(urlsplit(answer.url).netloc))
        page.goto(f"{address}/mixtapes/{slug}")
        page.locator("#player").get_by_label("Quality").select_option("medium")
        press_play(page)
        assert there in sent
        sent.clear()
        seek(page, SECONDS - 30)
        wait_for_second(page, SECONDS - 29)
        # By now the next track was asked about, which is no reason to fetch it either.
        seek(page, SECONDS - 2)
        page.locator("#player").get_by_text(TITLES[1]).first.wait_for()
        wait_for_second_of_any(page)
        assert there in sent
        assert not list(app.extensions["audio_cache"].cache.objects.scan())


def wait_for_second_of_any(page: Page) -> None:
    """Wait until the deck that took over plays."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('audio')].some((a) => !a.paused && !a.error &&"
        " a.currentTime > 0.2 && a.currentTime < 100)"
    )
