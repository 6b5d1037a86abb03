"""The library page in a real browser: browsing, playing, changing the quality."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from mixtape.library import scanner as scanner_module
from tests.browser.listening import (
    CONTROLS,
    DESK,
    audio,
    choose_quality,
    details,
    expect_width,
    player,
    status,
    wait_for_second,
)
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD, make_app
from tests.helpers.tracks import make_picture
from tests.helpers.web import served

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

SECONDS = 12
ALBUM = "Album & more"


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a library of one album with a cover, and an empty folder."""
    root = tmp_path_factory.mktemp("site") / "music"
    album = root / ALBUM
    album.mkdir(parents=True)
    (root / "Empty").mkdir()
    (album / "cover.jpg").write_bytes(make_picture())
    frames = 44_100 * SECONDS
    for number, title in enumerate(("First", "Second"), 1):
        tags = {"title": title, "artist": "Somebody", "track": str(number)}
        make_audio(album / f"{number}.flac", samples=frames, tags=tags, seed=number)
    tags = {"title": "Third", "track": "3"}
    make_audio(album / "3.m4a", samples=44_100 * 5, codec="alac", tags=tags)
    tags = {"title": "Fourth", "track": "4"}
    make_audio(album / "4.mp3", samples=44_100 * 5, codec="libmp3lame", tags=tags)
    return root


@pytest.fixture(scope="module")
def site(music: Path) -> Iterator[str]:
    with served(make_app(music.parent)) as address:
        yield address


@pytest.fixture
def page(context: BrowserContext, site: str) -> Page:
    """Return a tab that shows the album."""
    page = context.new_page()
    page.goto(f"{site}/browse/")
    page.get_by_role("link", name=ALBUM).click()
    expect(page.get_by_role("heading", name=ALBUM)).to_be_visible()
    return page


def play(page: Page, title: str) -> None:
    page.get_by_role("button", name=f"Play {title}").click()
    wait_for_second(page, 0.2)


def test_a_track_plays_and_says_what_was_sent_and_saved(page: Page) -> None:
    play(page, "First")
    assert "quality=medium" in str(audio(page, "currentSrc"))
    assert audio(page, "duration") == pytest.approx(SECONDS, abs=0.1)
    expect(player(page)).to_contain_text("Somebody")
    expect(details(page)).to_contain_text("MP3 192 kbit/s · ")
    expect(details(page)).to_contain_text(
        re.compile(r"\d{3}\.\d kB instead of \d\.\d MB: \d\d % less")
    )
    row = page.get_by_role("listitem").filter(has_text="First")
    expect(row).to_have_attribute("aria-current", "true")


def test_the_buttons_pause_and_go_on(page: Page) -> None:
    play(page, "First")
    player(page).get_by_role("button", name="Pause").click()
    assert audio(page, "paused") is True
    page.get_by_role("button", name="Play First").click()
    page.get_by_role("button", name="Pause First").click()
    assert audio(page, "paused") is True


def test_another_quality_goes_on_at_the_same_second(page: Page) -> None:
    play(page, "First")
    page.evaluate("() => { document.querySelector('audio').currentTime = 6; }")
    wait_for_second(page, 6.1)
    choose_quality(page, "low")
    expect(details(page)).to_contain_text("MP3 128 kbit/s")
    wait_for_second(page, 6.1)
    assert "quality=low" in str(audio(page, "currentSrc"))
    choose_quality(page, "original")
    expect(details(page)).to_contain_text("FLAC 16/44.1 · original")
    wait_for_second(page, 6.1)


def test_another_quality_leaves_a_paused_track_paused(page: Page) -> None:
    play(page, "First")
    player(page).get_by_role("button", name="Pause").click()
    choose_quality(page, "low")
    expect(details(page)).to_contain_text("MP3 128 kbit/s")
    assert audio(page, "paused") is True


@DESK
@pytest.mark.chromium("without a sound device it plays only what is muted")
def test_the_chosen_quality_and_volume_are_kept(page: Page) -> None:
    choose_quality(page, "low")
    page.get_by_label("Volume").fill("30")
    page.reload()
    expect(page.get_by_label("Quality", exact=True)).to_have_value("low")
    expect(page.get_by_label("Volume")).to_have_value("30")
    play(page, "Second")
    expect(details(page)).to_contain_text("MP3 128 kbit/s")
    assert audio(page, "volume") == pytest.approx(0.3)


def test_an_original_that_the_browser_cannot_play_is_told_and_played_as_high(page: Page) -> None:
    choose_quality(page, "original")
    play(page, "Third")
    expect(status(page)).to_contain_text("This browser cannot play ALAC, so you hear High instead.")
    expect(details(page)).to_contain_text("MP3 256 kbit/s")
    play(page, "First")
    expect(status(page)).not_to_contain_text("cannot play")


def test_a_lossy_track_is_always_its_own_original(page: Page) -> None:
    play(page, "Fourth")
    expect(details(page)).to_contain_text(re.compile(r"MP3 \d+ kbit/s · original"))
    expect(details(page)).not_to_contain_text("instead of")


def test_next_and_previous_walk_through_the_album(page: Page) -> None:
    page.get_by_role("button", name="Play all").click()
    wait_for_second(page, 0.2)
    bar = player(page)
    bar.get_by_role("button", name="Next track").click()
    expect(bar).to_contain_text("Second")
    bar.get_by_role("button", name="Previous track").click()
    expect(bar).to_contain_text("First")
    play(page, "Fourth")
    expect(bar.get_by_role("button", name="Next track")).to_be_disabled()


def test_the_next_track_follows_the_end_of_one(page: Page) -> None:
    play(page, "First")
    page.evaluate("() => { const a = document.querySelector('audio'); a.currentTime = 11.8; }")
    expect(player(page)).to_contain_text("Second")
    wait_for_second(page, 0.2)


def test_keys_play_and_seek(page: Page) -> None:
    play(page, "First")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Space")
    assert audio(page, "paused") is True
    seek = player(page).get_by_label("Position in the track")
    seek.press("ArrowRight")
    seek.press("ArrowRight")
    expect(seek).to_have_attribute("aria-valuetext", re.compile(r"^1[0-2] seconds of 12 seconds"))
    assert float(str(audio(page, "currentTime"))) >= 10
    seek.press("PageDown")
    assert audio(page, "currentTime") == 0


def test_dragging_the_position_seeks(page: Page) -> None:
    play(page, "First")
    seek = player(page).get_by_label("Position in the track")
    box = seek.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    wait_for_second(page, 0.6 * SECONDS)


def test_the_music_goes_on_from_folder_to_folder(page: Page) -> None:
    play(page, "First")
    page.evaluate("() => { window.sameDocument = true; }")
    page.get_by_role("link", name="Library").click()
    expect(page.get_by_role("heading", name="Your library")).to_be_focused()
    expect(page).to_have_title("▶ First · Library – mixtape")
    page.get_by_role("link", name="Empty").click()
    expect(page.get_by_text("Nothing to play in here")).to_be_visible()
    page.go_back()
    page.go_back()
    row = page.get_by_role("listitem").filter(has_text="First")
    expect(row).to_have_attribute("aria-current", "true")
    assert page.evaluate("() => window.sameDocument") is True
    assert audio(page, "paused") is False


@DESK
@pytest.mark.chromium("without a sound device it plays only what is muted")
def test_mute_is_told_and_undone(page: Page) -> None:
    mute = page.get_by_role("button", name="Mute")
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Volume")).to_have_value("0")
    mute.click()
    expect(page.get_by_label("Volume")).to_have_value("100")


@pytest.mark.chromium("the driver cannot change its colours while it runs")
def test_the_colours_follow_the_system(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    play(page, "First")
    expect(details(page)).to_contain_text("% less")
    for width in (360, 390, 768, 1280):
        check_width(page, width)


def check_width(page: Page, width: int) -> None:
    expect_width(page, width)
    cut_off = page.evaluate(
        CONTROLS + ".map((control) => control.getBoundingClientRect())"
        ".filter(({ left, right }) => left < 0 || right > innerWidth).length"
    )
    assert cut_off == 0


def test_every_control_has_a_name(page: Page) -> None:
    nameless = page.evaluate(
        CONTROLS + ".filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim()"
        " || e.labels?.[0]?.textContent.trim())).map((e) => e.outerHTML)"
    )
    assert nameless == []


def test_who_has_been_signed_out_is_told_by_the_player(
    context: BrowserContext, tmp_path: Path, music: Path
) -> None:
    app = make_app(tmp_path, music_root=music, password=PASSWORD)
    with served(app) as address:
        page = context.new_page()
        page.goto(f"{address}/browse/Album%20%26%20more")
        page.get_by_label("Password").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("That is not the password")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name=ALBUM)).to_be_visible()
        page.wait_for_load_state()  # the page is seen before its scripts answer to a press
        play(page, "First")
        app.config["PASSWORD"] = "a new one"
        page.get_by_role("button", name="Play Second").click()
        expect(status(page)).to_contain_text("You have been signed out")
        page.get_by_role("link", name="Library").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_folder_that_is_still_being_read_fills_in_by_itself(
    context: BrowserContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner_module, "_ON_THE_SPOT", 1)
    (tmp_path / "music").mkdir()
    for number in range(3):
        make_audio(tmp_path / "music" / f"{number}.flac", samples=441)
    with served(make_app(tmp_path)) as address:
        page = context.new_page()
        page.goto(address)
        expect(page.locator("main [data-track] .track-title")).to_have_text(["0", "1", "2"])
        expect(page.get_by_text("This folder is still being read")).to_be_hidden()


def test_caching_the_whole_library_says_first_what_it_takes(
    context: BrowserContext, tmp_path: Path
) -> None:
    (tmp_path / "music").mkdir()
    make_audio(tmp_path / "music" / "1.flac", samples=44_100)
    app = make_app(tmp_path)
    with served(app) as address:
        page = context.new_page()
        page.goto(address)
        button = page.get_by_role("button", name="Cache the whole library")
        question = page.get_by_role("dialog", name="Cache 1 track?")
        button.click()
        expect(question).to_contain_text(re.compile(r"takes 2\d\.\d kB of the [\d.]+ GB that are"))
        question.get_by_role("button", name="Not now").click()
        expect(question).to_be_hidden()
        expect(button).to_be_enabled()
        assert list(app.extensions["audio_cache"].cache.entries()) == []
        button.click()
        question.get_by_role("button", name="Cache", exact=True).click()
        expect(page.get_by_role("dialog", name="Caching your library")).to_contain_text("Finished")
    app.extensions["mixtape"].close()
