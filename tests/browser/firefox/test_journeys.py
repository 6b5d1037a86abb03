"""What people do most, in Firefox: each way from its beginning to its end."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.editing import add, expect_draft_saved, expect_tape
from tests.browser.flaky_site import FlakySite
from tests.browser.listening import audio, listener, player, press_play, seek, wait_for_second
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape
from tests.helpers.tracks import make_picture

pytestmark = [pytest.mark.browser, pytest.mark.needs("firefox")]

PHONE = {"width": 360, "height": 640}
SECONDS = 12


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    root = tmp_path_factory.mktemp("firefox")
    album = root / "music" / "One Day"
    album.mkdir(parents=True)
    (album / "cover.jpg").write_bytes(make_picture())
    for number, title in enumerate(("Dawn", "Noon", "Dusk"), 1):
        tags = {"title": title, "artist": "Somebody", "album": "One Day", "track": str(number)}
        samples = 44_100 * SECONDS
        make_audio(album / f"{number}.flac", samples=samples, tags=tags, seed=number)
    app = make_scanned_app(root, password=PASSWORD)
    yield app
    services_of(app).close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def open_album(page: Page, site: str) -> None:
    page.goto(f"{site}/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="One Day").first.click()
    expect(page.get_by_role("heading", name="One Day")).to_be_visible()


def test_from_the_library_music_plays_and_is_sought_in(page: Page, site: str) -> None:
    open_album(page, site)
    page.get_by_role("button", name="Play Noon").click()
    wait_for_second(page, 0.5)
    assert audio(page, "duration") == pytest.approx(SECONDS, abs=0.05)
    line = player(page).get_by_label("Position in the track")
    line.focus()
    page.keyboard.press("ArrowRight")
    wait_for_second(page, 5)
    seek(page, SECONDS - 1)
    expect(player(page)).to_contain_text("Dusk")
    wait_for_second(page, 0.5)
    # Firefox hands music to no other device, so nothing offers that.
    assert page.evaluate("'remote' in HTMLMediaElement.prototype") is False
    offer = player(page).locator('[data-part="remote"]')
    expect(offer).to_have_attribute("hidden", "")
    # The music outlives the page that it was begun on.
    page.get_by_role("navigation").get_by_role("link", name="Artists").first.click()
    expect(page.get_by_role("heading", name="Artists")).to_be_visible()
    wait_for_second(page, 1.5)


def test_a_song_is_added_from_anywhere_and_its_tape_given_away(page: Page, site: str) -> None:
    page.set_viewport_size(PHONE)
    open_album(page, site)
    page.get_by_role("main").get_by_role("button", name="Add “Noon” to a mixtape").click()
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    toast = page.locator("#toasts")
    toast.get_by_role("button", name="Copy link").click()
    expect(toast).to_contain_text("Link copied. Whoever has it can listen.")
    link = str(page.evaluate("() => navigator.clipboard.readText()"))
    page.goto(f"{link}/edit")
    page.get_by_role("button", name="Share", exact=True).click()
    panel = page.get_by_role("dialog", name="Share “Noon”")
    expect(panel.get_by_label("Link", exact=True)).to_have_value(link)
    panel.get_by_role("button", name="QR code").click()
    expect(panel.get_by_role("img", name="QR code of the link")).to_be_visible()


def test_a_guest_hears_a_tape_from_one_track_to_the_next(page: Page, app: Flask, site: str) -> None:
    tape = share_mixtape(app, "Dawn", "Noon", title="For the road")
    page.set_viewport_size(PHONE)
    page.set_extra_http_headers({"Accept-Language": "de"})
    page.goto(f"{site}/mixtapes/{tape.slug}")
    page.get_by_role("main").get_by_role("button", name="Abspielen", exact=True).click()
    wait_for_second(page, 0.5)
    # What its scripts say is in the language of the page.
    expect(page).to_have_title(re.compile("Dawn"))
    bar = page.get_by_role("region", name="Player")
    seek(page, SECONDS - 1)
    wait_for_second(page, SECONDS - 0.9)
    expect(bar).to_contain_text("Noon")
    wait_for_second(page, 0.5)
    page.keyboard.press("Shift+ArrowLeft")
    expect(bar).to_contain_text("Dawn")
    wait_for_second(page, 0.5)
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('audio').paused")


def test_a_gift_is_opened_by_its_password_and_its_cassette(
    browser: Browser, app: Flask, site: str
) -> None:
    tape = share_mixtape(app, "Dawn", "Noon", "Dusk", title="For Anna", recipient="Anna")
    link = services_of(app).share_links.add(tape.slug, {"password": "moonlight"})
    with listener(browser, site, is_first=True, viewport=PHONE) as context:
        page = context.new_page()
        page.goto(f"{site}/mixtapes/{link.slug}")
        page.get_by_label("Password").fill("moonlight")
        page.get_by_role("button", name="Open the mixtape").click()
        page.get_by_role("button", name="Press play").click()
        wait_for_second(page, 0.5)
        expect(page.get_by_role("button", name="Press play")).to_be_hidden()
        page.get_by_role("button", name="Queue", exact=True).click()
        queue = page.get_by_role("dialog", name="Queue")
        queue.get_by_role("button", name="Move Dusk up").click()
        queue.get_by_role("button", name="Play Dusk").click()
        expect(player(page)).to_contain_text("Dusk")
        page.keyboard.press("Escape")
        expect(queue).to_be_hidden()
        # Where the music was left it goes on.
        seek(page, 5)
        wait_for_second(page, 6)
        page.reload()
        page.get_by_role("button", name=re.compile("^Continue at 0:0")).click()
        wait_for_second(page, 5)


def test_a_tape_that_is_kept_plays_while_its_server_is_gone(page: Page, app: Flask) -> None:
    tape = share_mixtape(app, "Dawn", "Noon", title="For the plane")
    site = FlakySite(app)
    try:
        page.goto(f"{site.address}/mixtapes/{tape.slug}")
        panel = page.get_by_role("region", name="On this device")
        panel.get_by_label("Quality to keep").select_option("low")
        panel.get_by_role("button", name="Keep offline").click()
        expect(panel).to_contain_text("Kept on this device")
    finally:
        site.stop()
    page.reload()
    expect(panel).to_contain_text("The site cannot be reached now: this is your copy.")
    press_play(page)
    assert audio(page, "duration") == pytest.approx(SECONDS, abs=0.05)
    seek(page, SECONDS - 1)
    expect(player(page)).to_contain_text("Noon")
    wait_for_second(page, 0.5)


def test_a_mixtape_is_made_in_the_editor_and_saved(page: Page, app: Flask, site: str) -> None:
    page.goto(f"{site}/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}/mixtapes/new")
    page.get_by_label("Title").fill("By fox")
    add(page, "Dawn", "Dusk")
    expect_tape(page, "Dawn", "Dusk")
    page.get_by_role("button", name="Move Dawn down").click()
    expect_tape(page, "Dusk", "Dawn")
    page.keyboard.press("Control+z")
    expect_tape(page, "Dawn", "Dusk")
    expect_draft_saved(page)
    page.get_by_role("button", name="Save mixtape").click()
    expect(page.get_by_role("dialog", name="Share “By fox”")).to_be_visible()
    [saved] = [each for each in services_of(app).mixtapes.summaries() if each.title == "By fox"]
    titles = [item.title for item in services_of(app).mixtapes.get(saved.slug).items]
    assert titles == ["Dawn", "Dusk"]
