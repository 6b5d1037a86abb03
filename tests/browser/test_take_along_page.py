"""What is taken along of a mixtape, and brought back, as people do it in a browser."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.helpers.audio import make_audio
from tests.helpers.chromium import RETURNING
from tests.helpers.looks import new_visitor
from tests.helpers.mixtapes import make_scanned_app, share_mixtape
from tests.helpers.waiting import LIMIT_MS

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    root = tmp_path_factory.mktemp("take-along")
    (root / "music").mkdir()
    for number in (1, 2):
        tags = {"title": f"Track {number}", "artist": "Somebody"}
        make_audio(root / "music" / f"{number}.flac", samples=44_100 * 2, tags=tags, seed=number)
    make_audio(root / "music" / "lossy.mp3", samples=44_100, codec="libmp3lame")
    return make_scanned_app(root)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = new_visitor(browser, viewport={"width": 360, "height": 640})
    context.add_init_script(RETURNING)
    context.set_default_timeout(LIMIT_MS)
    yield context.new_page()
    context.close()


def test_a_listener_sees_each_size_and_downloads(
    app: Flask, site: str, page: Page, tmp_path: Path
) -> None:
    tape = share_mixtape(app, "1.flac", "2.flac", title="For you")
    page.goto(f"{site}/mixtapes/{tape.slug}")
    page.get_by_text("Take it along").click()
    for heading in ("All tracks as files", "One MP3 with chapters"):
        region = page.get_by_role("region", name=heading)
        link = region.get_by_role("link", name=re.compile(r"Low\s*\d+\.\d kB"))
        size = int(re.sub(r"\D", "", link.locator("[title]").get_attribute("title") or ""))
        with page.expect_download() as begun:
            link.click()
        file = tmp_path / begun.value.suggested_filename
        begun.value.save_as(file)
        assert file.stat().st_size == size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["For you.mp3", "For you.zip"]
    with zipfile.ZipFile(tmp_path / "For you.zip") as archive:
        assert archive.testzip() is None


def test_a_listener_is_told_why_there_is_no_single_mp3(app: Flask, site: str, page: Page) -> None:
    tape = share_mixtape(app, "1.flac", "lossy.mp3")
    page.goto(f"{site}/mixtapes/{tape.slug}")
    page.get_by_text("Take it along").click()
    region = page.get_by_role("region", name="One MP3 with chapters")
    expect(region).to_contain_text("joined into one file they would lose quality")
    expect(region.get_by_role("link")).to_have_count(0)


def test_an_owner_imports_a_playlist_and_sees_what_is_missing(site: str, page: Page) -> None:
    page.goto(f"{site}/mixtapes")
    content = b"#EXTM3U\n#EXTINF:2,Somebody - Track 2\n/old/2.flac\ngone.mp3\n"
    file = {"name": "Old tape.m3u", "mimeType": "audio/x-mpegurl", "buffer": content}
    page.get_by_label("Import a playlist").set_input_files([file])  # type: ignore[list-item]
    expect(page.get_by_text("1 track found, 1 is not in your library:")).to_be_visible()
    expect(page.get_by_text("gone.mp3")).to_be_visible()
    page.get_by_role("link", name="Open the draft").click()
    expect(page.get_by_label("Title")).to_have_value("Old tape")
    expect(page.get_by_text("Track 2").first).to_be_visible()
