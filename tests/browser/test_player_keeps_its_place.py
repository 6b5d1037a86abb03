"""Where the music was left, what plays, and what is in nobody's way."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from audio_cache.flask_ext import get_state
from tests.browser.listening import (
    CONTROLS,
    audio,
    player,
    position,
    press_play,
    seek,
    visitor,
    wait_for_second,
)
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD
from tests.helpers.mixtapes import make_scanned_app, share_mixtape
from tests.helpers.tracks import make_picture

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

SECONDS = 15
TITLES = ("First", "Second", "Third")
# What has the focus and is under the player or the head of the site, at least in part.
COVERED = """() => {
  const focused = document.activeElement;
  const bar = document.getElementById('player');
  const head = document.querySelector('.site-header');
  // Behind the last it is on the browser's own buttons, whatever the page calls active.
  if (focused === document.body || !document.hasFocus()) return null;
  if (bar.contains(focused) || head.contains(focused)) return null;
  if (focused.matches('.skip-link')) return null;
  const { top, bottom } = focused.getBoundingClientRect();
  const low = bar.offsetHeight ? bar.getBoundingClientRect().top : innerHeight;
  const high = head.getBoundingClientRect().bottom;
  const isSeen = bottom <= low + 1 && top >= high - 1;
  const isTall = bottom - top > low - high;
  return isSeen || isTall ? null : focused.outerHTML.slice(0, 120) + [top, bottom, high, low];
}"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    root = tmp_path_factory.mktemp("places")
    for number, title in enumerate(TITLES):
        folder = root / "music" / f"Album {title}"
        folder.mkdir(parents=True)
        (folder / "cover.jpg").write_bytes(make_picture())
        tags = {"title": title, "artist": "Somebody", "album": f"Album {title}"}
        tags["REPLAYGAIN_TRACK_GAIN"] = "-6.02 dB"
        samples = 44_100 * SECONDS
        make_audio(folder / f"{title}.flac", samples=samples, tags=tags, seed=number)
    return make_scanned_app(root, password=PASSWORD)


@pytest.fixture
def tape(context: BrowserContext, app: Flask, site: str) -> Page:
    """Return a tab of a listener with a mixtape of three tracks."""
    return open_tape(context, app, site)


@pytest.fixture
def library(context: BrowserContext, app: Flask, site: str) -> Page:
    """Return a tab of the owner with the mixtape's page."""
    page = context.new_page()
    page.goto(f"{site}/login?next=/search%3Fq%3Dsomebody")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Search for “somebody”")).to_be_visible()
    page.wait_for_load_state()
    return page


def open_tape(context: BrowserContext, app: Flask, site: str) -> Page:
    names = [f"Album {title}/{title}.flac" for title in TITLES]
    slug = share_mixtape(app, *names, title="For the road").slug
    page = context.new_page()
    page.goto(f"{site}/mixtapes/{slug}")
    expect(page.get_by_role("heading", name="For the road")).to_be_visible()
    page.wait_for_load_state()
    return page


def listen_to(page: Page, title: str, second: float) -> None:
    """Play a track for a moment from a second on, and pause it."""
    page.get_by_role("button", name=f"Play {title}").click()
    wait_for_second(page, 0.1)
    seek(page, second)
    wait_for_second(page, second + 0.1)
    player(page).get_by_role("button", name="Pause").click()


def test_a_listener_goes_on_after_a_reload_where_the_music_was(
    tape: Page, context: BrowserContext, app: Flask, site: str
) -> None:
    listen_to(tape, "Second", 6)
    # As it is kept, to the tenth.
    left_at = round(position(tape), 1)
    tape.reload()
    expect(player(tape)).to_contain_text("Second")
    line = player(tape).get_by_label("Position in the track")
    expect(line).not_to_have_value("0")
    assert float(line.input_value()) == pytest.approx(left_at, abs=0.2)
    assert audio(tape, "paused") is True
    assert "mixtapes" not in tape.evaluate("() => JSON.stringify(localStorage)")
    tape.get_by_role("button", name=f"Continue at 0:{int(left_at):02} of “Second”").click()
    wait_for_second(tape, left_at + 0.1)
    expect(tape.get_by_role("main").get_by_role("button", name="Pause", exact=True)).to_be_visible()
    # What was heard to its end is no place to go on from.
    listen_to(tape, "Third", SECONDS - 1)
    player(tape).get_by_role("button", name="Play", exact=True).click()
    tape.wait_for_function("() => document.querySelector('audio').ended")
    tape.reload()
    expect(tape.get_by_role("main").get_by_role("button", name="Play", exact=True)).to_be_visible()
    another = open_tape(context, app, site)
    expect(player(another)).to_contain_text("First")
    expect(
        another.get_by_role("main").get_by_role("button", name="Play", exact=True)
    ).to_be_visible()


def test_a_listener_may_as_well_begin_anew(tape: Page) -> None:
    listen_to(tape, "Second", 6)
    tape.reload()
    tape.get_by_role("button", name="From the beginning").click()
    expect(player(tape)).to_contain_text("First")
    wait_for_second(tape, 0.1)
    assert position(tape) < 5


def test_the_owner_goes_to_the_figures_and_comes_back_to_the_music(library: Page) -> None:
    listen_to(library, "Second", 6)
    library.get_by_role("link", name="Admin").click()
    expect(library.get_by_role("heading", name="Admin", exact=True)).to_be_visible()
    library.get_by_role("link", name="Albums").click()
    expect(player(library)).to_contain_text("Second")
    assert audio(library, "paused") is True
    player(library).get_by_role("button", name="Play", exact=True).click()
    wait_for_second(library, 6.2)
    # What was begun from a list goes on with it.
    player(library).get_by_role("button", name=re.compile("Next|Previous")).first.click()
    player(library).get_by_role("link", name=re.compile("Album ")).click()
    expect(library.get_by_role("heading", name=re.compile("Album "))).to_be_visible()
    assert audio(library, "paused") is False


def test_the_large_button_pauses_and_goes_on(tape: Page) -> None:
    press_play(tape)
    expect(tape).to_have_title("▶ First · For the road – mixtape")
    main = tape.get_by_role("main")
    seek(tape, 5)
    wait_for_second(tape, 5.1)
    main.get_by_role("button", name="Pause", exact=True).click()
    assert audio(tape, "paused") is True
    expect(tape).to_have_title("For the road – mixtape")
    main.get_by_role("button", name="Play", exact=True).click()
    wait_for_second(tape, 5.2)


def test_the_sleep_timer_stops_the_music(tape: Page) -> None:
    tape.clock.install()
    tape.reload()
    press_play(tape)
    choose(tape, "Sleep timer", "15")
    expect(tape.locator("#player-settings")).to_contain_text("The music fades out at")
    tape.keyboard.press("Escape")
    tape.clock.fast_forward("14:55")
    tape.wait_for_function("() => document.querySelector('audio').volume < 0.6")
    assert audio(tape, "paused") is False
    tape.clock.fast_forward("00:06")
    tape.wait_for_function("() => document.querySelector('audio').paused")
    assert audio(tape, "volume") == 1


def test_the_music_stops_after_the_track_and_the_next_one_is_offered(tape: Page) -> None:
    press_play(tape)
    choose(tape, "Sleep timer", "track")
    tape.keyboard.press("Escape")
    seek(tape, SECONDS - 1)
    expect(player(tape)).to_contain_text("Second")
    assert audio(tape, "paused") is True
    expect(tape.locator("#sleep")).to_have_value("")
    player(tape).get_by_role("button", name="Play", exact=True).click()
    wait_for_second(tape, 0.2)


def choose(page: Page, label: str, value: str) -> None:
    page.get_by_role("button", name="Player settings").click()
    page.get_by_label(label).select_option(value)


def test_loud_tracks_are_softer_by_their_tags_and_as_loud_as_ever_without(tape: Page) -> None:
    press_play(tape)
    choose(tape, "Even loudness", "track")
    assert audio(tape, "volume") == pytest.approx(0.5, abs=0.001)
    tape.keyboard.press("Escape")
    player(tape).get_by_role("button", name="Next track").click()
    wait_for_second(tape, 0.2)
    assert audio(tape, "volume") == pytest.approx(0.5, abs=0.001)
    choose(tape, "Even loudness", "off")
    assert audio(tape, "volume") == 1


def test_one_track_gives_way_to_the_next_for_as_long_as_was_chosen(tape: Page) -> None:
    press_play(tape)
    tape.get_by_role("button", name="Player settings").click()
    tape.get_by_label("Crossfade").fill("4")
    expect(tape.locator("#player-settings")).to_contain_text("4 s")
    tape.keyboard.press("Escape")
    tape.wait_for_function("() => document.querySelectorAll('audio')[1].readyState === 4")
    seek(tape, SECONDS - 5)
    tape.wait_for_function(
        "() => { const [now, old] = document.querySelectorAll('audio');"
        " return !now.paused && !old.paused && now.volume < 0.9 && now.volume > 0.1"
        " && Math.abs(now.volume ** 2 + old.volume ** 2 - 1) < 0.05; }"
    )
    expect(player(tape)).to_contain_text("Second")
    tape.wait_for_function("() => document.querySelector('audio').volume === 1")


def test_the_line_shows_how_loud_a_stored_track_is(tape: Page, app: Flask) -> None:
    with app.app_context():
        state = get_state()
        state.cache.transcode_file(state.roots.get("Album First/First.flac"), "low")
    press_play(tape)
    expect(tape.locator(".player-position.has-line canvas")).to_be_visible()
    slider = player(tape).get_by_label("Position in the track")
    box = slider.bounding_box()
    assert box is not None
    tape.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(tape.locator(".player-tip")).to_have_text("0:07")


def test_the_next_tracks_are_asked_for_early_and_by_a_few_bytes(tape: Page) -> None:
    asked: list[str] = []
    tape.on(
        "request",
        lambda request: request.headers.get("range") == "bytes=0-1" and asked.append(request.url),
    )
    press_play(tape)
    seek(tape, 5)
    wait_for_second(tape, 5.5)
    tape.wait_for_function("() => document.querySelectorAll('audio')[1].readyState > 0")
    assert len(asked) == 2


def test_a_question_mark_lists_the_keys_and_they_can_be_switched_off(tape: Page) -> None:
    tape.keyboard.press("?")
    keys = tape.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_contain_text("Previous and next track")
    keys.get_by_label("Use these keys").uncheck()
    tape.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    tape.keyboard.press("?")
    tape.evaluate("() => document.activeElement.blur()")
    tape.keyboard.press("Space")
    assert audio(tape, "paused") is True
    expect(keys).to_be_hidden()


def test_on_a_phone_there_is_no_player_before_there_is_music_and_then_one_for_thumbs(
    browser: Browser, app: Flask, site: str
) -> None:
    size = {"width": 360, "height": 640}
    with visitor(browser, viewport=size, has_touch=True, is_mobile=True) as phone:
        page = open_tape(phone, app, site)
        expect(player(page)).to_be_hidden()
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_in_viewport(ratio=1)
        press_play(page)
        expect(player(page)).to_be_visible()
        expect(page.get_by_label("Volume")).to_be_hidden()
        small = page.evaluate(
            CONTROLS + ".filter((control) => control.closest('#player'))"
            ".map((control) => [control.outerHTML, control.getBoundingClientRect()])"
            ".filter(([, box]) => box.width < 44 || box.height < 44).map(([html]) => html)"
        )
        assert small == []
        page.get_by_role("button", name="Player settings").click()
        expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 1280])
def test_what_has_the_focus_is_never_under_the_player(
    library: Page, app: Flask, site: str, width: int
) -> None:
    names = [f"Album {title}/{title}.flac" for title in TITLES]
    slug = share_mixtape(app, *names).slug
    library.set_viewport_size({"width": width, "height": 480})
    listen_to(library, "First", 1)
    covered = []
    for address in ("/", "/search?q=somebody", f"/mixtapes/{slug}", f"/mixtapes/{slug}/edit"):
        library.goto(site + address)
        library.wait_for_load_state("networkidle")
        if "edit" not in address and "mixtapes" in address:
            listen_to(library, "First", 1)
        for key in ("Tab", "Shift+Tab"):
            library.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
            for _ in range(40):
                library.keyboard.press(key)
                # The page has had its turn to scroll.
                library.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
                found = library.evaluate(COVERED)
                covered += [f"{address} {key}: {found}"] if found else []
    assert covered == []
