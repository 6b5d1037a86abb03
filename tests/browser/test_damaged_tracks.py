"""A mixtape with damaged tracks: what a listener hears of them, and is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.listening import choose_quality, listener, player, seek, status, wait_for_second
from tests.helpers.audio import make_noise
from tests.helpers.damage import damaged, destroy
from tests.helpers.host import PASSWORD
from tests.helpers.mixtape_serve import MixtapeServe
from tests.helpers.mixtapes import make_scanned_app, share_mixtape

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

SECONDS = 30
NAMES = ("middle.flac", "cut.flac", "destroyed.flac", "sound.flac")


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """Return a tab with a mixtape of which most is damaged."""
    music = tmp_path / "music"
    music.mkdir()
    for name in NAMES:
        title = name.removesuffix(".flac").capitalize()
        make_noise(music / name, samples=SECONDS * 44_100, tags={"title": title}, seed=len(name))
    damaged(music / "middle.flac", music / "middle.flac", "overwritten")
    damaged(music / "cut.flac", music / "cut.flac", "cut")
    tenth = make_noise(music / "tenth.wav", samples=SECONDS * 44_100, codec="pcm_s16le")
    tenth.write_bytes(tenth.read_bytes()[: tenth.stat().st_size // 10])
    destroyed = music / "destroyed.flac"
    destroyed.write_bytes(destroy(destroyed.read_bytes()))
    app = make_scanned_app(tmp_path, password=PASSWORD)
    slug = share_mixtape(app, tenth.name, *NAMES).slug
    with (
        MixtapeServe(music, tmp_path / "data", PASSWORD=PASSWORD) as server,
        listener(browser, server.address, may_complain=True) as context,
    ):
        page = context.new_page()
        page.goto(f"{server.address}/mixtapes/{slug}")
        yield page


def press(page: Page, title: str) -> None:
    page.get_by_role("main").get_by_role("button", name=f"Play {title}").click()


def is_playing(page: Page, title: str) -> None:
    expect(player(page).get_by_text(title, exact=True).first).to_be_visible()


def test_what_can_be_read_of_a_track_is_played_and_marked(page: Page) -> None:
    choose_quality(page, "low")
    press(page, "Middle")
    wait_for_second(page, 0.2)
    seek(page, 13)
    expect(status(page)).to_contain_text("“Middle” is damaged at 0:1")
    wait_for_second(page, 18.5)
    is_playing(page, "Middle")
    page.reload()
    expect(page.get_by_role("listitem").filter(has_text="Middle")).to_contain_text("damaged at 0:1")


def test_a_seek_behind_the_damage_is_heard(page: Page) -> None:
    choose_quality(page, "low")
    press(page, "Middle")
    seek(page, 26)
    wait_for_second(page, 27)
    is_playing(page, "Middle")


@pytest.mark.parametrize("quality", ["original", "low"])
def test_a_track_that_ends_early_gives_way_to_the_next_that_can_be_heard(
    page: Page, quality: str
) -> None:
    choose_quality(page, quality)
    press(page, "Cut")
    wait_for_second(page, 0.2)
    seek(page, 22)
    expect(status(page)).to_contain_text("“Destroyed” is damaged and was skipped.")
    is_playing(page, "Sound")
    wait_for_second(page, 0.2)


def test_a_file_that_ends_early_each_time_is_not_tried_for_ever(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: "quality=original" in request.url and asked.append("1"))
    choose_quality(page, "original")
    page.get_by_role("main").get_by_role("button", name="Play tenth").first.click()
    is_playing(page, "Middle")
    wait_for_second(page, 0.2)
    assert len(asked) < 12


@pytest.mark.parametrize("quality", ["original", "low"])
def test_a_track_of_which_nothing_can_be_heard_is_skipped_with_a_word(
    page: Page, quality: str
) -> None:
    choose_quality(page, quality)
    press(page, "Destroyed")
    expect(status(page)).to_contain_text("“Destroyed” is damaged and was skipped.")
    is_playing(page, "Sound")


@pytest.mark.parametrize("quality", ["original", "low"])
def test_a_jump_to_the_end_is_no_damage(page: Page, quality: str) -> None:
    choose_quality(page, quality)
    press(page, "Sound")
    wait_for_second(page, 0.5)
    bar = player(page).locator('[data-part="seek"]')
    bar.focus()
    page.keyboard.press("End")
    expect(page.get_by_role("main").get_by_role("button", name="Play Sound")).to_be_visible()
    expect(status(page)).not_to_contain_text("damaged")
    assert page.evaluate("document.querySelector('audio').ended")
