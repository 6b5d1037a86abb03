"""The editor in a real browser: by keyboard, by mouse, and when things go wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, StorageState, expect

from tests.browser.editing import add, expect_draft_saved, expect_tape
from tests.browser.listening import FITS, visitor
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD
from tests.helpers.looks import new_visitor
from tests.helpers.mixtapes import make_scanned_app, save_mixtape, services_of
from tests.helpers.tracks import make_picture
from tests.helpers.waiting import LIMIT_MS

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

TITLES = ("Aurora", "Borealis", "Cocoon")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Return the application, behind its password, with an album of three tracks."""
    root = tmp_path_factory.mktemp("editor")
    album = root / "music" / "Album"
    album.mkdir(parents=True)
    for number, title in enumerate(TITLES, 1):
        tags = {"title": title, "artist": "Somebody", "album": "Album", "track": str(number)}
        make_audio(album / f"{number}.flac", samples=44_100 * 4, tags=tags, seed=number)
    app = make_scanned_app(root, password=PASSWORD)
    yield app
    services_of(app).close()


@pytest.fixture
def context(browser: Browser, site: str, session: StorageState) -> Iterator[BrowserContext]:
    """Return the browser of somebody who is signed in; what its scripts mind fails the test."""
    with visitor(browser, base_url=site, storage_state=session) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """Return a tab with the editor of a new mixtape."""
    page = context.new_page()
    page.goto("/mixtapes/new")
    return page


def press_until_focused(page: Page, target: Locator, key: str = "Tab") -> None:
    for _ in range(100):
        if target.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {target}")


def test_a_mixtape_is_built_and_saved_by_keyboard_alone(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/mixtapes")
    press_until_focused(page, page.get_by_role("link", name="New mixtape"))
    page.keyboard.press("Enter")
    press_until_focused(page, page.get_by_label("Title"))
    page.keyboard.type("By keys")
    press_until_focused(page, page.get_by_label("Search for tracks to add"))
    for title in TITLES:
        page.keyboard.type(title)
        page.keyboard.press("Enter")
        expect(page.locator("#spoken")).to_contain_text(f"Added {title}")
        page.keyboard.press("Escape")
    press_until_focused(page, page.get_by_role("button", name="Move Aurora: drag"))
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator("#spoken")).to_contain_text("Aurora is at place 3 of 3.")
    expect_tape(page, "Borealis", "Cocoon", "Aurora")
    expect(page.get_by_role("button", name="Move Aurora: drag")).to_be_focused()
    page.keyboard.press("Delete")
    expect_tape(page, "Borealis", "Cocoon")
    page.keyboard.press("Control+z")
    expect_tape(page, "Borealis", "Cocoon", "Aurora")
    press_until_focused(page, page.get_by_role("button", name="Save mixtape"), "Shift+Tab")
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Share “By keys”")
    expect(panel.get_by_role("button", name="Copy", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("heading", name="Edit mixtape")).to_be_visible()
    expect_tape(page, "Borealis", "Cocoon", "Aurora")


def test_a_mixtape_is_built_by_mouse_saved_cached_and_shared(
    page: Page, browser: Browser, site: str
) -> None:
    page.get_by_label("Title").fill("By mouse")
    add(page, "Aurora", "Borealis", "Cocoon")
    grip = page.get_by_role("button", name="Move Cocoon: drag")
    grip.hover()
    page.mouse.down()
    box = page.locator("#track-order li").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 60, steps=5)
    page.mouse.move(box["x"] + 20, box["y"] + 2, steps=5)
    page.mouse.up()
    expect_tape(page, "Cocoon", "Aurora", "Borealis")
    page.get_by_role("button", name="Move Aurora down").click()
    expect_tape(page, "Cocoon", "Borealis", "Aurora")
    page.get_by_role("button", name="Save mixtape").click()
    panel = page.get_by_role("dialog", name="Share “By mouse”")
    expect(panel.get_by_text("3 tracks are ready at Medium")).to_be_visible()
    link = panel.get_by_label("Link", exact=True).input_value()
    panel.get_by_role("button", name="Close").click()
    expect(page.locator('.meters [data-quality="medium"]')).to_contain_text("Ready")
    page.get_by_role("button", name="Cache at Low").click()
    expect(page.locator('.meters [data-quality="low"]')).to_contain_text("Ready")
    dialog = page.get_by_role("dialog", name="Caching By mouse")
    expect(dialog).to_contain_text(re.compile("Finished"))
    dialog.get_by_role("button", name="Close").last.click()
    assert link.startswith(site + "/mixtapes/")
    stranger = new_visitor(browser)
    answer = stranger.new_page().goto(link, timeout=LIMIT_MS)
    assert answer is not None
    assert answer.status == 200
    stranger.close()


@pytest.mark.chromium("the driver reaches this by Chromium's own protocol")
def test_a_track_is_dragged_by_finger(browser: Browser, site: str, session: StorageState) -> None:
    context = new_visitor(
        browser,
        has_touch=True,
        viewport={"width": 390, "height": 844},
        storage_state=session,
        base_url=site,
    )
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    page.goto("/mixtapes/new")
    add(page, "Aurora", "Borealis", "Cocoon")
    grip = page.get_by_role("button", name="Move Aurora: drag")
    grip.evaluate("(element) => element.scrollIntoView({block: 'center', behavior: 'instant'})")
    box = grip.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = context.new_cdp_session(page)

    def send(kind: str, *points: float) -> None:
        at = [{"x": x, "y": point} for point in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    send("touchStart", y)
    for step in range(1, 9):
        send("touchMove", y + step * 10)
    send("touchEnd")
    expect_tape(page, "Borealis", "Aurora", "Cocoon")
    context.close()


def test_the_totals_follow_the_tape(page: Page) -> None:
    totals = page.locator(".track-order-totals")
    expect(totals).to_have_text("")
    add(page, "Aurora", "Borealis")
    expect(totals).to_contain_text("2 tracks")
    expect(totals).to_contain_text(re.compile(r"8 s.*High \d+\.\d kB.*Low \d+\.\d kB.*Original"))
    page.get_by_role("button", name="Remove Aurora").click()
    expect(totals).to_contain_text("1 track")


def test_what_was_removed_comes_back_by_the_button_too(page: Page) -> None:
    add(page, "Aurora", "Borealis", "Cocoon")
    page.get_by_role("button", name="Remove Borealis").click()
    expect_tape(page, "Aurora", "Cocoon")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect_tape(page, "Aurora", "Borealis", "Cocoon")


def test_a_draft_survives_a_reload(page: Page) -> None:
    page.get_by_label("Title").fill("Not done")
    page.get_by_label("Notes").fill("To be gone on with")
    add(page, "Cocoon", "Aurora")
    expect_draft_saved(page)
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Not done")
    expect(page.get_by_label("Notes")).to_have_value("To be gone on with")
    expect_tape(page, "Cocoon", "Aurora")


def test_what_no_server_got_survives_a_reload(context: BrowserContext, page: Page) -> None:
    page.get_by_label("Title").fill("First")
    expect_draft_saved(page)
    context.route("**/api/drafts/*", lambda route: route.abort())
    page.get_by_label("Title").fill("Second")
    add(page, "Aurora")
    expect(page.get_by_role("alert").filter(has_text="cannot be reached")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Second")
    expect_tape(page, "Aurora")
    context.unroute("**/api/drafts/*")
    expect_draft_saved(page)


def test_an_expired_session_loses_nothing_that_was_typed(
    context: BrowserContext, page: Page
) -> None:
    page.get_by_label("Title").fill("Before")
    expect_draft_saved(page)
    context.clear_cookies()
    page.get_by_label("Title").fill("Typed after the end")
    notice = page.get_by_role("alert").filter(has_text="session has ended")
    expect(notice).to_be_visible()
    page.get_by_label("Notes").fill("and more")
    with context.expect_page() as opened:
        notice.get_by_role("link", name="Sign in").click()
    other = opened.value
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", name="You are signed in")).to_be_visible()
    other.close()
    expect_draft_saved(page)
    expect(notice).to_be_hidden()
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Typed after the end")
    expect(page.get_by_label("Notes")).to_have_value("and more")


def test_an_editor_begins_a_draft_with_the_first_change_and_keeps_its_address(page: Page) -> None:
    page.get_by_label("Title").fill("Begun")
    expect_draft_saved(page)
    expect(page).to_have_url(re.compile("/mixtapes/drafts/"))
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Begun")
    page.goto("/mixtapes/new")
    expect(page.get_by_label("Title")).to_have_value("")


def test_what_was_typed_before_the_server_could_be_asked_comes_back(
    context: BrowserContext, page: Page
) -> None:
    context.route("**/api/drafts", lambda route: route.abort())
    page.get_by_label("Title").fill("In a tunnel")
    expect(page.locator(".draft-state")).to_have_text("Not saved yet")
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("In a tunnel")
    context.unroute("**/api/drafts")
    expect_draft_saved(page)
    expect(page).to_have_url(re.compile("/mixtapes/drafts/"))


@pytest.mark.parametrize("is_saved", [False, True], ids=["new", "saved mixtape"])
@pytest.mark.parametrize(("choice", "title"), [("Keep mine", "Mine"), ("Load the other", "Other")])
def test_a_draft_that_two_tabs_changed_is_one_of_them_by_choice(
    app: Flask, context: BrowserContext, page: Page, choice: str, title: str, is_saved: bool
) -> None:
    if is_saved:  # both tabs look at it before either has begun a draft
        page.goto(f"/mixtapes/{save_mixtape(app, f'Twice {choice}', 'Aurora').slug}/edit")
    else:
        page.get_by_label("Title").fill("Begun")
        expect_draft_saved(page)
    expect(page.get_by_label("Title")).to_be_visible()
    other = context.new_page()
    other.goto(page.url)
    other.get_by_label("Title").fill("Other")
    expect_draft_saved(other)
    other.close()
    page.get_by_label("Title").fill("Mine")
    page.get_by_role("button", name=choice).click()
    expect_draft_saved(page) if choice == "Keep mine" else None
    expect(page.get_by_label("Title")).to_have_value(title)
    page.reload()
    expect(page.get_by_label("Title")).to_have_value(title)


def test_a_draft_that_was_saved_in_another_tab_can_be_gone_on_with(
    app: Flask, context: BrowserContext, page: Page
) -> None:
    mixtape = save_mixtape(app, "Twice open", "Aurora")
    page.goto(f"/mixtapes/{mixtape.slug}/edit")
    page.get_by_label("Title").fill("Begun")
    expect_draft_saved(page)
    services_of(app).drafts.discard(services_of(app).drafts.begin(mixtape.slug).key)
    page.get_by_label("Title").fill("Mine")
    page.get_by_role("button", name="Keep mine").click()
    expect_draft_saved(page)
    page.get_by_role("button", name="Save mixtape").click()
    expect(page.get_by_role("heading", name="Edit mixtape")).to_be_visible()
    expect(page.locator(".crumbs")).to_contain_text("Mine")


def test_a_cover_is_shown_and_a_bad_one_explained(page: Page, tmp_path: Path) -> None:
    good, tiny, text = tmp_path / "good.png", tmp_path / "tiny.png", tmp_path / "notes.txt"
    good.write_bytes(make_picture(kind="PNG"))
    tiny.write_bytes(make_picture(10, 10, "PNG"))
    text.write_text("no picture")
    field = page.get_by_label("Cover picture")
    field.set_input_files(text)
    expect(page.get_by_role("alert").filter(has_text="not a JPEG")).to_be_visible()
    field.set_input_files(tiny)
    expect(page.get_by_role("alert").filter(has_text="10 × 10 pixels")).to_be_visible()
    field.set_input_files(good)
    expect(page.locator(".cover-box img")).to_have_js_property("naturalWidth", 300)
    page.get_by_role("button", name="Remove the cover").click()
    expect(page.locator(".cover-box img")).to_be_hidden()


def test_a_mixtape_without_a_title_is_not_saved_and_says_why(page: Page) -> None:
    page.get_by_role("button", name="Save mixtape").click()
    expect(page.get_by_label("Title")).to_be_focused()
    expect(page.get_by_role("alert").filter(has_text="title first")).to_be_visible()


def test_the_preview_plays_the_tape_in_its_order(page: Page) -> None:
    add(page, "Cocoon", "Aurora")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Player")).to_contain_text("Cocoon")
    page.get_by_role("button", name="Next track").click()
    expect(page.get_by_role("region", name="Player")).to_contain_text("Aurora")


def test_music_goes_on_from_the_library_into_the_editor(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/albums")
    page.get_by_label("Search the library").fill("auro")
    page.get_by_role("button", name="Play Aurora").click()
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0.1")
    page.evaluate("() => { window.isSamePage = true; }")
    page.get_by_role("link", name="Mixtapes").click()
    page.get_by_role("link", name="New mixtape").click()
    expect(page.get_by_role("heading", name="New mixtape")).to_be_visible()
    assert page.evaluate("() => window.isSamePage") is True
    expect(page.get_by_role("region", name="Player")).to_contain_text("Aurora")


def test_the_search_shows_what_is_found_and_gives_the_page_back(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/albums")
    page.get_by_label("Search the library").fill("coc")
    found = page.get_by_role("region", name="Search results")
    expect(found.get_by_role("button", name="Play Cocoon")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/search\?q=coc$"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Albums")).to_be_visible()
    expect(page).to_have_url(re.compile("/albums$"))


def test_a_folder_is_cached_from_its_page(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/browse/Album")
    page.get_by_role("button", name="Cache this folder").click()
    expect(page.get_by_role("dialog", name="Caching Album")).to_contain_text("Finished")


@pytest.mark.parametrize("path", ["/mixtapes", "/mixtapes/new", "/albums", "/artists", "/"])
def test_every_page_fits_a_small_phone(context: BrowserContext, path: str) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto(path)
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate(FITS)
