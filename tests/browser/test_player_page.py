"""The page of a shared mixtape in a browser that never signed in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.listening import (
    CONTROLS,
    DESK,
    FITS,
    audio,
    choose_quality,
    details,
    listener,
    player,
    position,
    press_play,
    seek,
    status,
    wait_for_second,
)
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD
from tests.helpers.mixtape_serve import MixtapeServe
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape
from tests.helpers.tracks import make_picture

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

SECONDS = 15
HOUR_S = 3600
SAME_SECOND_S = 0.3
# Follow the element that is heard from frame to frame, and note what a listener hears there.
FOLLOW = """() => {
  window.heard = [];
  const look = () => {
    const a = document.querySelector('audio');
    window.heard.push([performance.now() / 1000, a.currentSrc, a.currentTime]);
    requestAnimationFrame(look);
  };
  look();
}"""


def make_long_wav(path: Path) -> None:
    """Write an hour of silence, which takes no room on the disk and more than any buffer."""
    size = HOUR_S * 8000 * 2
    header = make_audio(path, samples=1, rate=8000, channels=1, codec="pcm_s16le").read_bytes()
    [at] = [found.start() for found in re.finditer(b"data", header)]
    with path.open("wb") as file:
        file.write(header[:4] + (at + size).to_bytes(4, "little") + header[8:at])
        file.write(b"data" + size.to_bytes(4, "little"))
        file.truncate(at + 8 + size)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("listening")
    music = root / "music"
    (music / "Album").mkdir(parents=True)
    (music / "Album" / "cover.jpg").write_bytes(make_picture())
    for number, title in enumerate(("First", "Second", "Third"), 1):
        tags = {"title": title, "artist": "Somebody", "album": "Album"}
        make_audio(
            music / "Album" / f"{number}.flac", samples=44_100 * SECONDS, tags=tags, seed=number
        )
    make_audio(music / "apple.m4a", samples=44_100 * 5, codec="alac", tags={"title": "Apple"})
    make_audio(music / "vanishing.flac", samples=44_100 * SECONDS, tags={"title": "Vanishing"})
    for name in ("hour.wav", "vanishing hour.wav"):
        make_long_wav(music / name)
    return root


@pytest.fixture(scope="module")
def app(root: Path) -> Flask:
    """Return the application that the mixtapes are made with; another process serves them."""
    return make_scanned_app(root, password=PASSWORD)


@pytest.fixture(scope="module")
def server(app: Flask, root: Path) -> Iterator[MixtapeServe]:
    with MixtapeServe(root / "music", root / "data", PASSWORD=PASSWORD) as server:
        yield server


@pytest.fixture
def context(browser: Browser, server: MixtapeServe) -> Iterator[BrowserContext]:
    with listener(browser, server.address) as context:
        yield context


@pytest.fixture
def unlucky(browser: Browser, server: MixtapeServe) -> Iterator[BrowserContext]:
    """Return a listener to whom something is going to happen."""
    with listener(browser, server.address, may_complain=True) as context:
        yield context


def open_mixtape(
    context: BrowserContext, server: MixtapeServe, app: Flask, *names: str, **state: str
) -> Page:
    slug = share_mixtape(app, *names, title="For the road", **state).slug
    page = context.new_page()
    page.goto(f"{server.address}/mixtapes/{slug}")
    expect(page.get_by_role("heading", name="For the road")).to_be_visible()
    return page


@pytest.fixture
def page(context: BrowserContext, server: MixtapeServe, app: Flask) -> Page:
    """Return a tab with a mixtape of three tracks of an album and one in ALAC."""
    album = [f"Album/{number}.flac" for number in (1, 2, 3)]
    return open_mixtape(context, server, app, *album, "apple.m4a", notes="Drive safely")


def test_whoever_has_the_link_listens_without_a_login(page: Page, server: MixtapeServe) -> None:
    expect(page.get_by_text("Drive safely")).to_be_visible()
    assert page.get_by_role("listitem").count() == 4
    expect(player(page)).to_contain_text("First")
    press_play(page)
    assert audio(page, "duration") == pytest.approx(SECONDS, abs=0.05)
    expect(details(page)).to_contain_text(re.compile(r"MP3 \d+ kbit/s · (live|cached)"))
    expect(details(page)).to_contain_text("% less")
    expect(details(page)).to_contain_text("saved so far")
    page.goto(f"{server.address}/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_seeking_and_the_way_from_track_to_track(page: Page) -> None:
    press_play(page)
    slider = player(page).get_by_label("Position in the track")
    slider.press("ArrowRight")
    wait_for_second(page, 5)
    player(page).get_by_role("button", name="Next track").click()
    expect(player(page)).to_contain_text("Second")
    wait_for_second(page, 0.2)
    player(page).get_by_role("button", name="Previous track").click()
    expect(player(page)).to_contain_text("First")
    row = page.get_by_role("listitem").filter(has_text="Third")
    row.get_by_role("button").click()
    expect(row).to_have_attribute("aria-current", "true")
    wait_for_second(page, 0.2)


@pytest.mark.parametrize("quality", ["low", "medium", "high", "original"])
def test_another_quality_goes_on_at_the_same_second(page: Page, quality: str) -> None:
    before = "low" if quality == "high" else "high"
    choose_quality(page, before)
    press_play(page)
    seek(page, 6)
    wait_for_second(page, 6.2)
    page.evaluate(FOLLOW)
    choose_quality(page, quality)
    page.wait_for_function(
        "(quality) => document.querySelector('audio').currentSrc.endsWith(quality)"
        " && document.querySelector('audio').currentTime > 6.5",
        arg=quality,
    )
    heard = page.evaluate("() => window.heard")
    jumps = [
        (second - before_second, now - then)
        for (then, url, before_second), (now, other, second) in pairwise(heard)
        if url != other
    ]
    assert len(jumps) == 1
    jump, passed = jumps[0]
    assert -SAME_SECOND_S < jump < passed + SAME_SECOND_S
    assert audio(page, "paused") is False


def test_a_paused_track_stays_paused_at_its_second_at_another_quality(page: Page) -> None:
    choose_quality(page, "high")
    press_play(page)
    seek(page, 6)
    wait_for_second(page, 6.1)
    player(page).get_by_role("button", name="Pause").click()
    paused_at = position(page)
    choose_quality(page, "low")
    expect(details(page)).to_contain_text("MP3 128 kbit/s")
    page.wait_for_function("() => document.querySelector('audio').readyState > 2")
    assert audio(page, "paused") is True
    assert position(page) == pytest.approx(paused_at, abs=SAME_SECOND_S)


def test_the_quality_is_kept_for_the_next_mixtape(
    page: Page, context: BrowserContext, server: MixtapeServe, app: Flask
) -> None:
    expect(page.get_by_label("Quality", exact=True)).to_have_value("auto")
    choose_quality(page, "low")
    another = open_mixtape(context, server, app, "Album/1.flac")
    expect(another.get_by_label("Quality", exact=True)).to_have_value("low")
    press_play(another)
    assert "quality=low" in str(audio(another, "currentSrc"))


def test_auto_follows_the_wish_to_save_data(
    context: BrowserContext, server: MixtapeServe, app: Flask
) -> None:
    context.add_init_script(
        "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"
    )
    page = open_mixtape(context, server, app, "Album/1.flac")
    press_play(page)
    assert "quality=low" in str(audio(page, "currentSrc"))


def test_the_next_track_is_ready_before_the_end_and_follows_it(page: Page) -> None:
    # A slow machine might choose another meanwhile.
    choose_quality(page, "low")
    press_play(page)
    page.wait_for_function(
        "() => { const [, next] = document.querySelectorAll('audio');"
        " return next.readyState === 4 && next.paused; }"
    )
    [_, ready] = page.evaluate("() => [...document.querySelectorAll('audio')].map((a) => a.src)")
    seek(page, SECONDS - 1)
    expect(player(page)).to_contain_text("Second")
    wait_for_second(page, 0.2)
    assert audio(page, "src") == ready


def test_an_original_that_the_browser_cannot_play_is_told_and_played_as_high(page: Page) -> None:
    choose_quality(page, "original")
    page.get_by_role("button", name="Play Apple").click()
    wait_for_second(page, 0.2)
    expect(status(page)).to_contain_text("This browser cannot play ALAC, so you hear High instead.")
    expect(details(page)).to_contain_text("MP3 256 kbit/s")


def test_keys_play_seek_and_change_the_track(page: Page) -> None:
    press_play(page)
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Space")
    assert audio(page, "paused") is True
    page.keyboard.press("ArrowRight")
    assert position(page) >= 5
    page.keyboard.press("ArrowLeft")
    assert position(page) < 5
    page.keyboard.press("Shift+ArrowRight")
    expect(player(page)).to_contain_text("Second")
    page.keyboard.press("Shift+ArrowLeft")
    expect(player(page)).to_contain_text("First")


def test_the_system_is_told_what_plays(page: Page) -> None:
    press_play(page)
    told = "() => { const { title, artist, album, artwork } = navigator.mediaSession.metadata;"
    told += " return [title, artist, album, artwork.length]; }"
    assert page.evaluate(told) == ["First", "Somebody", "Album", 3]
    assert page.evaluate("() => navigator.mediaSession.playbackState") == "playing"


@DESK
@pytest.mark.chromium("without a sound device it plays only what is muted")
def test_the_volume_stays_over_tracks_and_visits(page: Page) -> None:
    press_play(page)
    page.get_by_label("Volume").fill("30")
    player(page).get_by_role("button", name="Next track").click()
    wait_for_second(page, 0.2)
    assert audio(page, "volume") == pytest.approx(0.3)
    page.reload()
    expect(page.get_by_label("Volume")).to_have_value("30")


def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    press_play(page)
    expect(details(page)).to_contain_text("% less")
    for width in (360, 390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(FITS)
        boxes = CONTROLS + ".map((control) => control.getBoundingClientRect())"
        assert (
            page.evaluate(boxes + ".filter((b) => b.left < 0 || b.right > innerWidth).length") == 0
        )


def test_a_server_that_restarts_is_waited_for_and_the_music_goes_on(
    unlucky: BrowserContext, server: MixtapeServe, app: Flask
) -> None:
    page = open_mixtape(unlucky, server, app, "hour.wav")
    choose_quality(page, "original")
    press_play(page)
    server.stop()
    # Far beyond what has been buffered: nothing can play until the server is back.
    seek(page, 3000)
    expect(status(page)).to_contain_text("The connection was lost. Trying again")
    server.start()
    wait_for_second(page, 3000.1)
    assert position(page) < 3010
    expect(status(page)).not_to_contain_text("The connection was lost")


def test_a_track_that_was_deleted_is_skipped_with_a_word(
    unlucky: BrowserContext, server: MixtapeServe, app: Flask, root: Path
) -> None:
    page = open_mixtape(unlucky, server, app, "Album/1.flac", "vanishing.flac", "Album/3.flac")
    press_play(page)
    (root / "music" / "vanishing.flac").unlink()
    player(page).get_by_role("button", name="Next track").click()
    expect(status(page)).to_contain_text("“Vanishing” is no longer there and was skipped.")
    expect(player(page)).to_contain_text("Third")
    wait_for_second(page, 0.2)


def test_a_track_that_is_deleted_while_it_plays_gives_way_to_the_next(
    unlucky: BrowserContext, server: MixtapeServe, app: Flask, root: Path
) -> None:
    page = open_mixtape(unlucky, server, app, "vanishing hour.wav", "Album/3.flac")
    choose_quality(page, "original")
    press_play(page)
    (root / "music" / "vanishing hour.wav").unlink()
    seek(page, 3000)
    expect(status(page)).to_contain_text("is no longer there and was skipped.")
    expect(player(page)).to_contain_text("Third")
    wait_for_second(page, 0.2)


def test_a_link_that_is_revoked_while_it_plays_is_told(
    unlucky: BrowserContext, server: MixtapeServe, app: Flask
) -> None:
    page = open_mixtape(unlucky, server, app, "Album/1.flac", "Album/2.flac")
    press_play(page)
    services_of(app).mixtapes.unshare(page.url.rpartition("/")[2])
    player(page).get_by_role("button", name="Next track").click()
    expect(status(page)).to_contain_text("no longer shared at this link")
    page.wait_for_function("() => document.querySelector('audio').paused")


def test_an_album_decodes_to_its_very_samples_without_a_gap(page: Page) -> None:
    urls = page.locator("[data-url]").evaluate_all("(rows) => rows.map((r) => r.dataset.url)")
    lengths = page.evaluate(
        """async (urls) => Promise.all(urls.map(async (url) => {
          const address = new URL(url, location.href);
          address.searchParams.set("quality", "high");
          const file = await (await fetch(address)).arrayBuffer();
          const { length } = await new OfflineAudioContext(2, 1, 44100).decodeAudioData(file);
          return length;
        }))""",
        urls[:3],
    )
    assert lengths == [44_100 * SECONDS] * 3
