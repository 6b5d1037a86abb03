"""Music that another device plays: what it is handed, and what the player does meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from audio_cache import QUALITY_SETTINGS
from audio_cache.flask_ext import get_state
from tests.browser.editing import sign_in
from tests.browser.listening import (
    audio,
    choose_quality,
    listener,
    player,
    position,
    seek,
    visitor,
    wait_for_second,
)
from tests.browser.remote_playback import (
    FOLLOW_BOTH,
    NOTHING,
    STAND_IN,
    bring_device,
    do,
    elements,
    handed,
)
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD
from tests.helpers.looks import IS_PHONE
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

# Longer than any test takes that does not jump.
SECONDS = 120
TITLES = ["Alpha", "Bravo", "Charlie"]
NAME = "Play on another device"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    root = tmp_path_factory.mktemp("remote")
    (root / "music" / "Secret folder").mkdir(parents=True)
    for number, title in enumerate(TITLES):
        path = root / "music" / "Secret folder" / f"{title}.flac"
        tags = {"title": title, "artist": "Somebody"}
        make_audio(path, samples=44_100 * SECONDS, tags=tags, seed=number)
    app = make_scanned_app(root, password=PASSWORD)
    # How fast a machine encodes is not the subject.
    with app.app_context():
        for path in (root / "music" / "Secret folder").iterdir():
            for quality in QUALITY_SETTINGS:
                get_state().cache.transcode_file(path, quality)
    yield app
    services_of(app).close()


def play_alpha(page: Page, second: float = 0.3) -> None:
    """Play the first of the three tracks, until a second has been heard."""
    page.goto("/browse/Secret%20folder")
    page.get_by_role("button", name="Play Alpha").click()
    wait_for_second(page, second)


@pytest.fixture
def page(browser: Browser, site: str, session: StorageState) -> Iterator[Page]:
    """Return a tab of somebody who has signed in and plays the first of three tracks."""
    with visitor(browser, base_url=site, storage_state=session) as context:
        context.add_init_script(path=STAND_IN)
        page = context.new_page()
        play_alpha(page)
        yield page


def button(page: Page) -> Locator:
    return player(page).get_by_role("button", name=NAME)


def connect(page: Page) -> None:
    bring_device(page)
    button(page).click()
    do(page, "choose")
    do(page, "connect")
    expect(button(page)).to_have_attribute("aria-pressed", "true")


def fetch(address: str, **headers: str) -> tuple[bytes, dict[str, str]]:
    """Return what a device gets, which has an address and nothing else, and its headers."""
    with urlopen(Request(address, headers=headers)) as answer:
        return answer.read(), {name.lower(): value for name, value in answer.headers.items()}


def source(page: Page) -> str:
    """Return the whole address that the element has which is heard."""
    return str(audio(page, "currentSrc"))


def wait_for_source(page: Page, words: str) -> None:
    page.wait_for_function(
        "(words) => document.querySelector('audio').currentSrc.includes(words)", arg=words
    )


def test_the_device_is_handed_an_address_that_plays_without_a_cookie(
    page: Page, app: Flask, site: str
) -> None:
    choose_quality(page, "low")
    wait_for_source(page, "quality=low")
    connect(page)
    address = handed(page)
    assert address.startswith(f"{site}/library/tracks/")
    assert "Secret" not in address
    assert "Alpha" not in address
    content, headers = fetch(address)
    # What the owner gets by the path of the file, byte for byte.
    same = page.context.request.get("/play/Secret%20folder/Alpha.flac?quality=low")
    assert content == same.body()
    assert headers["content-type"] == "audio/mpeg"
    assert headers["accept-ranges"] == "bytes"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    part, headers = fetch(address, Range="bytes=1000-1999")
    assert part == content[1000:2000]
    assert headers["content-range"] == f"bytes 1000-1999/{len(content)}"


def test_a_receiver_that_is_a_page_of_another_site_plays_it(page: Page, browser: Browser) -> None:
    connect(page)
    with browser.new_context() as context:
        # A page of its own, which is no page of the site whatever else it is.
        played = context.new_page().evaluate(
            "(src) => new Promise((resolve) => {"
            "  const audio = new Audio(src);"
            "  audio.onerror = () => resolve(audio.error.message);"
            "  audio.ondurationchange = () => resolve(audio.duration);"
            "})",
            handed(page),
        )
    assert played == pytest.approx(SECONDS, abs=0.05)


def test_what_is_shown_follows_the_device(page: Page) -> None:
    status = player(page).get_by_role("status")
    expect(button(page)).to_be_hidden()
    bring_device(page)
    expect(button(page)).to_have_attribute("aria-pressed", "false")
    button(page).click()
    expect(status).to_be_empty()
    do(page, "choose")
    expect(status).to_have_text("Connecting to another device …")
    do(page, "connect")
    expect(status).to_have_text("Playing on another device")
    do(page, "leave")
    expect(status).to_be_empty()
    expect(button(page)).to_have_attribute("aria-pressed", "false")
    bring_device(page, False)
    expect(button(page)).to_be_hidden()


def test_the_device_is_chosen_where_what_plays_fills_the_window_too(page: Page) -> None:
    player(page).get_by_role("button", name="Now playing").click()
    there = page.locator("#now").get_by_role("button", name=NAME)
    expect(there).to_be_hidden()
    bring_device(page)
    there.click()
    do(page, "choose")
    do(page, "connect")
    expect(there).to_have_attribute("aria-pressed", "true")


def test_whoever_chooses_no_device_goes_on_here(page: Page) -> None:
    bring_device(page)
    button(page).click()
    before = source(page)
    do(page, "dismiss")
    expect(player(page).get_by_role("status")).to_be_empty()
    assert source(page) == before
    wait_for_second(page, position(page) + 0.3)
    # It is asked for again with the next press.
    button(page).click()
    do(page, "choose")
    expect(player(page).get_by_role("status")).to_have_text("Connecting to another device …")


def test_one_element_plays_on_the_device_and_the_queue_goes_on_there(page: Page) -> None:
    page.locator("#crossfade").evaluate(
        "(slider) => { slider.value = '6'; slider.dispatchEvent(new Event('input')); }"
    )
    connect(page)
    same = page.evaluate("window.one = document.querySelector('audio'); true")
    assert same
    page.evaluate(FOLLOW_BOTH)
    # Near its end the other element would get ready, and fade in.
    seek(page, SECONDS - 3)
    expect(player(page)).to_contain_text("Bravo")
    wait_for_second(page, 0.3)
    assert page.evaluate("[window.prepared, window.softest]") == [0, 1]
    assert page.evaluate("window.one === document.querySelector('audio')")
    assert elements(page)[1]["src"] == ""
    assert len(fetch(source(page), Range="bytes=0-99999")[0]) == 100_000
    player(page).get_by_role("button", name="Next track").click()
    expect(player(page)).to_contain_text("Charlie")
    wait_for_second(page, 0.3)
    assert page.evaluate("window.one === document.querySelector('audio')")
    assert urlsplit(source(page)).path.startswith("/library/tracks/")


def test_the_controls_act_on_the_device(page: Page) -> None:
    connect(page)
    player(page).get_by_role("button", name="Pause").click()
    assert audio(page, "paused")
    line = player(page).get_by_label("Position in the track")
    line.press("PageUp")
    before = position(page)
    line.press("ArrowLeft")
    assert position(page) == pytest.approx(before - 5, abs=0.1)
    if not IS_PHONE:
        player(page).get_by_label("Volume").fill("30")
        assert audio(page, "volume") == pytest.approx(0.3)
        player(page).get_by_role("button", name="Mute").click()
        assert audio(page, "muted")
    player(page).get_by_role("button", name="Play", exact=True).click()
    wait_for_second(page, before - 4.5)


def test_a_device_gets_mp3_where_the_original_was_chosen_and_this_browser_has_it_back(
    page: Page,
) -> None:
    choose_quality(page, "original")
    wait_for_source(page, "quality=original")
    connect(page)
    wait_for_source(page, "quality=high")
    wait_for_second(page, 0.5)
    do(page, "leave")
    wait_for_source(page, "quality=original")
    wait_for_second(page, 0.5)


def test_what_the_device_played_goes_on_here_at_the_same_second(page: Page) -> None:
    connect(page)
    seek(page, 12)
    wait_for_second(page, 12.5)
    page.evaluate(FOLLOW_BOTH)
    left = page.evaluate(
        "() => { device.leave(); window.resumedAt = [];"
        " return document.querySelector('audio').currentTime; }"
    )
    expect(player(page).get_by_role("status")).to_be_empty()
    page.wait_for_function("() => window.resumedAt.length > 0")
    assert page.evaluate("window.resumedAt[0]") == pytest.approx(left, abs=0.5)
    # Both elements take turns again.
    seek(page, SECONDS - 3)
    page.wait_for_function("() => window.prepared > 0")


def test_what_was_paused_on_the_device_stays_paused_here(page: Page) -> None:
    connect(page)
    player(page).get_by_role("button", name="Pause").click()
    seek(page, 12)
    do(page, "leave")
    page.wait_for_function(
        "() => { const a = document.querySelector('audio');"
        " return a.readyState > 0 && !a.seeking && a.currentTime > 11; }"
    )
    assert audio(page, "paused")
    assert position(page) == pytest.approx(12, abs=0.1)


def test_another_list_is_played_on_the_device_too(page: Page) -> None:
    connect(page)
    page.evaluate("window.one = document.querySelector('audio')")
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Folders").click()
    page.get_by_role("main").get_by_role("link", name="Secret folder").click()
    page.get_by_role("main").get_by_role("button", name="Play Charlie").click()
    expect(player(page)).to_contain_text("Charlie")
    wait_for_second(page, 0.3)
    assert page.evaluate("window.one === document.querySelector('audio')")
    assert fetch(source(page), Range="bytes=0-9")[0]


def test_a_device_that_cannot_be_served_is_told_of_and_nothing_is_skipped(page: Page) -> None:
    connect(page)
    page.route("**/library/tracks/**", lambda route: route.abort())
    page.get_by_role("main").get_by_role("button", name="Play Bravo").click()
    expect(player(page).get_by_role("status")).to_contain_text("It has to reach this server")
    expect(player(page)).to_contain_text("Bravo")


@pytest.fixture
def guest(browser: Browser, app: Flask, site: str) -> Iterator[Page]:
    """Return a tab of somebody who has the link of a mixtape, and plays it."""
    slug = share_mixtape(app, "Alpha", "Bravo", title="For you").slug
    with listener(browser, site) as context:
        context.add_init_script(path=STAND_IN)
        page = context.new_page()
        page.goto(f"{site}/mixtapes/{slug}")
        page.get_by_role("main").get_by_role("button", name="Play", exact=True).click()
        wait_for_second(page, 0.3)
        yield page


def test_whoever_has_a_link_plays_it_on_a_device_until_it_is_closed(
    guest: Page, app: Flask, site: str
) -> None:
    connect(guest)
    address = handed(guest)
    assert urlsplit(address).path.startswith("/mixtapes/")
    same = guest.evaluate(
        "(url) => fetch(url, { credentials: 'omit' }).then((answer) => answer.arrayBuffer())"
        ".then((content) => content.byteLength)",
        address,
    )
    content, headers = fetch(address)
    assert len(content) == same
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    player(guest).get_by_role("button", name="Next track").click()
    expect(player(guest)).to_contain_text("Bravo")
    wait_for_second(guest, 0.3)
    assert elements(guest)[1]["src"] == ""
    following = source(guest).removeprefix(site)
    device = app.test_client(use_cookies=False)
    assert device.head(following).status_code == 200
    slug = urlsplit(address).path.split("/")[2]
    services_of(app).mixtapes.unshare(slug)
    assert device.head(following).status_code == 404


def test_nothing_is_offered_where_the_browser_hands_nothing_on(
    browser: Browser, site: str, session: StorageState
) -> None:
    with visitor(browser, base_url=site, storage_state=session) as context:
        context.add_init_script(NOTHING)
        page = context.new_page()
        play_alpha(page, 0.5)
        assert page.evaluate("'remote' in HTMLMediaElement.prototype") is False
        offer = player(page).locator('[data-part="remote"]')
        expect(offer).to_have_attribute("hidden", "")
        assert "/play/" in source(page)


AIRPLAY = (
    NOTHING
    + """
HTMLMediaElement.prototype.webkitShowPlaybackTargetPicker = function () { window.asked = this; };
window.airplay = {
  come() {
    for (const audio of document.querySelectorAll("audio")) {
      const event = new Event("webkitplaybacktargetavailabilitychanged");
      audio.dispatchEvent(Object.assign(event, { availability: "available" }));
    }
  },
  become(isWireless) {
    window.asked.webkitCurrentPlaybackTargetIsWireless = isWireless;
    window.asked.dispatchEvent(new Event("webkitcurrentplaybacktargetiswirelesschanged"));
  },
};"""
)


def test_airplay_is_offered_by_what_safari_had_before_the_api(
    browser: Browser, site: str, session: StorageState
) -> None:
    with visitor(browser, base_url=site, storage_state=session) as context:
        context.add_init_script(AIRPLAY)
        page = context.new_page()
        play_alpha(page)
        expect(button(page)).to_be_hidden()
        page.evaluate("airplay.come()")
        button(page).click()
        status = player(page).get_by_role("status")
        page.evaluate("airplay.become(true)")
        expect(status).to_have_text("Playing on another device")
        assert fetch(source(page), Range="bytes=0-9")[0]
        page.evaluate("airplay.become(false)")
        expect(status).to_be_empty()
        wait_for_second(page, 0.5)


# The last: it ends the session that the others share.
def test_signing_out_ends_what_a_device_was_handed(browser: Browser, app: Flask, site: str) -> None:
    with visitor(browser, base_url=site) as context:
        context.add_init_script(path=STAND_IN)
        page = context.new_page()
        sign_in(page)
        play_alpha(page)
        connect(page)
        address = handed(page).removeprefix(site)
        device = app.test_client(use_cookies=False)
        assert device.head(address).status_code == 200
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert device.head(address).status_code == 404
