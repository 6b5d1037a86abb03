"""What plays, on the whole window: what is seen and pressed there, and the ways back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from tests.browser.listening import listener, player, position, press_play, visitor, wait_for_second
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape
from tests.helpers.tracks import make_picture

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

SECONDS = 20
NOTE = "For the ferry."


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    root = tmp_path_factory.mktemp("now")
    album = root / "music" / "Album"
    album.mkdir(parents=True)
    (album / "cover.jpg").write_bytes(make_picture(800, 800))
    for number, title in enumerate(("Dawn", "Noon"), 1):
        tags = {"title": title, "artist": "Somebody", "album": "Album", "track": str(number)}
        make_audio(album / f"{number}.flac", samples=44_100 * SECONDS, tags=tags, seed=number)
    app = make_scanned_app(root, password=PASSWORD)
    yield app
    services_of(app).close()


@pytest.fixture
def page(browser: Browser, site: str, app: Flask) -> Iterator[Page]:
    """Return the page of a mixtape, playing on a phone."""
    with listener(browser, site, viewport={"width": 360, "height": 740}) as context:
        page = context.new_page()
        tape = share_mixtape(app, "Dawn", "Noon", title="Ours", track_notes=(NOTE,))
        page.goto(f"{site}/mixtapes/{tape.slug}")
        press_play(page)
        yield page


def opened(page: Page) -> Locator:
    player(page).get_by_role("button", name="Now playing").click()
    now = page.locator("#now")
    expect(now).to_be_visible()
    return now


def test_it_shows_the_cover_large_and_what_was_written_to_the_track(page: Page) -> None:
    now = opened(page)
    expect(page.get_by_role("dialog", name="Dawn")).to_be_visible()
    for text in ("Somebody", "Album", NOTE, "Next: Noon"):
        expect(now.get_by_text(text, exact=True)).to_be_visible()
    picture = now.locator("img")
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 640
    box = now.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (360, 740)
    assert now.evaluate("(dialog) => dialog.scrollWidth <= dialog.clientWidth")


def test_everything_is_pressed_there_that_the_bar_has(page: Page) -> None:
    now = opened(page)
    now.get_by_role("slider", name="Position in the track").press("ArrowRight")
    page.wait_for_function("(s) => document.querySelector('audio').currentTime >= s", arg=5)
    now.get_by_role("button", name="Pause").click()
    expect(now.get_by_role("button", name="Play", exact=True)).to_be_visible()
    now.get_by_role("button", name="Next track").click()
    expect(page.get_by_role("dialog", name="Noon")).to_be_visible()
    expect(now.get_by_text(NOTE)).to_be_hidden()
    expect(now.get_by_role("button", name="Next track")).to_be_disabled()
    now.get_by_role("button", name="Repeat: off").click()
    expect(now.get_by_role("button", name="Repeat: all")).to_be_visible()
    now.get_by_role("button", name="Next: Dawn").click()
    expect(now).to_be_hidden()
    expect(page.get_by_role("dialog", name="Queue")).to_be_visible()


def test_each_way_back_leads_to_the_page_as_it_was(page: Page) -> None:
    before = page.evaluate("() => history.length")
    address = page.url
    for close in (
        lambda now: now.get_by_role("button", name="Close").click(),
        lambda now: now.press("Escape"),
        lambda now: page.go_back(),
    ):
        now = opened(page)
        assert page.evaluate("() => history.state.isNow") is True
        close(now)
        expect(now).to_be_hidden()
        expect(player(page).get_by_role("button", name="Now playing")).to_be_focused()
        page.wait_for_function("() => !history.state?.isNow")
        assert page.url == address
    assert page.evaluate("() => history.length") == before + 1
    wait_for_second(page, position(page))


def test_a_press_on_the_title_opens_it_too(page: Page) -> None:
    player(page).get_by_text("Dawn", exact=True).click()
    expect(page.locator("#now")).to_be_visible()


def test_in_the_library_back_closes_it_and_then_leads_to_the_page_before(
    browser: Browser, site: str, session: StorageState
) -> None:
    with visitor(browser, base_url=site, storage_state=session) as context:
        page = context.new_page()
        page.goto("/albums")
        page.get_by_role("link", name="Album Somebody").click()
        heading = page.get_by_role("heading", name="Album", exact=True)
        expect(heading).to_be_visible()
        page.get_by_role("button", name="Play Dawn by Somebody").click()
        wait_for_second(page, 0.2)
        heading.evaluate("(heading) => { heading.dataset.isSame = 'yes'; }")
        now = opened(page)
        page.go_back()
        expect(now).to_be_hidden()
        # It is the page of before, and not that page anew.
        expect(heading).to_have_attribute("data-is-same", "yes")
        page.go_back()
        expect(page).to_have_url(f"{site}/albums")
        assert page.evaluate("() => document.querySelector('audio').paused") is False
