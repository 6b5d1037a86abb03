"""A mixtape as a present: written by one person, opened by another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.editing import add, expect_draft_saved, expect_tape, sign_in
from tests.browser.listening import listener, player, visitor, wait_for_second
from tests.helpers.audio import make_audio
from tests.helpers.damage import damaged
from tests.helpers.host import PASSWORD
from tests.helpers.looks import IS_PHONE, new_visitor
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape
from tests.helpers.waiting import LIMIT_MS, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

PHONE = {"width": 360, "height": 640}
LONG = "A title of very many words that a phone has no room for in one line, nor in two"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    root = tmp_path_factory.mktemp("gift")
    (root / "music").mkdir()
    for number, title in enumerate(("Aurora", "Borealis", "Cocoon"), 1):
        tags = {"title": title, "artist": "Somebody"}
        make_audio(root / "music" / f"{number}.flac", samples=44_100 * 4, tags=tags, seed=number)
    rotten = make_audio(root / "music" / "4.flac", samples=44_100 * 4, tags={"title": "Rotten"})
    damaged(rotten, rotten, "cut")
    app = make_scanned_app(root, password=PASSWORD)
    yield app
    services_of(app).close()


@pytest.fixture
def editor(browser: Browser, site: str) -> Iterator[Page]:
    """Return the editor of a new mixtape, of somebody who is signed in."""
    with visitor(browser, base_url=site) as context:
        page = context.new_page()
        sign_in(page)
        page.goto("/mixtapes/new")
        yield page


def play_button(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("button", name="Play", exact=True)


def expect_on_screen(page: Page, target: Locator) -> None:
    """Check that something is seen whole, with nothing over it, where the page begins."""
    expect(target).to_be_visible()
    assert page.evaluate("scrollY") == 0
    is_free = """(element) => {
      const { left, top, right, bottom } = element.getBoundingClientRect();
      const places = [[left + right, top + bottom], [left + right, 2 * bottom - 4]];
      return top >= 0 && bottom <= innerHeight &&
        places.every(([x, y]) => element.contains(document.elementFromPoint(x / 2, y / 2)));
    }"""
    assert target.evaluate(is_free), target


def expect_open(page: Page) -> None:
    expect(page.get_by_role("button", name="Press play")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_gift_is_written_by_one_and_opened_by_another(
    app: Flask, editor: Page, browser: Browser, site: str
) -> None:
    editor.get_by_label("Title").fill("Night train")
    editor.get_by_label("To", exact=True).fill("Anna")
    editor.get_by_label("From", exact=True).fill("Tom")
    editor.get_by_label("Date").fill("2026-02-14")
    editor.get_by_label("Notes").fill("# Hello\nThis is *for you*. <b>")
    editor.get_by_role("button", name="As listeners see it").click()
    expect(editor.locator("#notes-shown em")).to_have_text("for you")
    editor.get_by_role("button", name="As listeners see it").click()
    add(editor, "Aurora", "Borealis", "Cocoon")
    editor.get_by_label("Note on Borealis").fill("Ours.")
    editor.get_by_role("button", name="Make two sides").click()
    expect(editor.locator(".side-label")).to_have_text(["Side A · 0:04", "Side B · 0:08"])
    expect(editor.locator(".track-order-tape")).to_contain_text("Fits on a C60, with 29:52 left")
    expect_draft_saved(editor)
    editor.reload()
    expect(editor.get_by_label("Note on Borealis")).to_have_value("Ours.")
    editor.get_by_role("button", name="Save mixtape").click()
    expect(editor.get_by_role("heading", name="Edit mixtape")).to_be_visible()
    slug = editor.url.split("/")[-2]
    services_of(app).mixtapes.share(slug)

    with listener(browser, site, is_first=True, viewport=PHONE) as context:
        page = context.new_page()
        page.goto(f"{site}/mixtapes/{slug}")
        expect(page.get_by_text("To Anna").last).to_be_visible()
        expect_on_screen(page, page.get_by_role("button", name="Press play"))
        page.get_by_role("button", name="Press play").click()
        wait_for_second(page, 0.2)
        expect_open(page)
        expect(page.get_by_role("main")).to_contain_text("February 14, 2026")
        expect(page.get_by_role("region", name="Liner notes")).to_contain_text("for you. <b>")
        expect(page.get_by_role("region", name="Side A").locator(".track-title")).to_have_text(
            ["Aurora"]
        )
        expect(page.get_by_role("region", name="Side B")).to_contain_text("Ours.")
        page.reload()
        expect_on_screen(page, play_button(page))


def test_a_cassette_with_motion_makes_way_when_it_is_opened(
    app: Flask, browser: Browser, site: str
) -> None:
    slug = share_mixtape(app, "1.flac", title=LONG, sender="Tom").slug
    with listener(
        browser, site, is_first=True, viewport=PHONE, reduced_motion="no-preference"
    ) as context:
        page = context.new_page()
        page.goto(f"{site}/mixtapes/{slug}")
        expect_on_screen(page, page.get_by_role("button", name="Press play"))
        page.get_by_role("button", name="See what is on it").click()
        expect_open(page)
        expect_on_screen(page, play_button(page))
        assert page.evaluate("document.querySelector('audio').paused") is True
        page.get_by_role("button", name="Show the cassette").click()
        page.get_by_role("button", name="Press play").click()
        wait_for_second(page, 0.2)
        expect_open(page)


def test_keys_open_the_cassette_and_focus_is_never_behind_it(
    app: Flask, browser: Browser, site: str
) -> None:
    slug = share_mixtape(app, "1.flac", "2.flac").slug
    with listener(browser, site, is_first=True) as context:
        page = context.new_page()
        page.goto(f"{site}/mixtapes/{slug}")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Press play")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="See what is on it")).to_be_focused()
        # On a phone nothing comes next: the player is not there yet.
        page.keyboard.press("Escape" if IS_PHONE else "Tab")
        expect_open(page)
        expect(page.locator("#opening :focus")).to_have_count(0)
        page.reload()
        expect_open(page)
        page.get_by_role("button", name="Show the cassette").click()
        page.keyboard.press("Escape")
        expect_open(page)
        expect(player(page)).to_be_visible(visible=not IS_PHONE)


@pytest.mark.parametrize(("button", "plays"), [("Press play", True), ("See what is on it", False)])
def test_what_is_pressed_on_the_cassette_before_its_scripts_are_there_is_done_then(
    app: Flask, browser: Browser, site: str, button: str, plays: bool
) -> None:
    slug = share_mixtape(app, "1.flac", "2.flac").slug
    with listener(browser, site, is_first=True) as context:
        page = context.new_page()
        late: list[Route] = []
        page.route("**/js/mixtape.js", lambda route: late.append(route))
        page.goto(f"{site}/mixtapes/{slug}", wait_until="commit")
        page.get_by_role("button", name=button).click()
        wait_until(lambda: page.evaluate("() => document.earlyPress !== null") and late)
        late[0].continue_()
        expect_open(page)
        if plays:
            wait_for_second(page, 0.2)
        assert page.evaluate("() => document.querySelector('audio').paused") is not plays


@pytest.mark.chromium("the driver cannot do without scripts")
def test_without_scripts_there_is_the_page_and_no_cassette(
    app: Flask, browser: Browser, site: str
) -> None:
    slug = share_mixtape(app, "1.flac", title="Plain").slug
    context = new_visitor(browser, java_script_enabled=False)
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    page.goto(f"{site}/mixtapes/{slug}")
    expect_open(page)
    context.close()


def test_all_that_is_changed_can_be_undone_in_turn_and_done_again(editor: Page) -> None:
    editor.get_by_label("Title").fill("First")
    add(editor, "Aurora", "Borealis", "Cocoon")
    editor.get_by_role("button", name="Move Aurora down").click()
    expect_tape(editor, "Borealis", "Aurora", "Cocoon")
    editor.get_by_label("Note on Cocoon").fill("Loud")
    editor.get_by_role("button", name="Make two sides").click()
    editor.get_by_role("button", name="Remove Borealis").click()
    editor.locator("#toasts").get_by_role("button", name="Undo").click()
    expect_tape(editor, "Borealis", "Aurora", "Cocoon")
    editor.keyboard.press("Control+z")
    expect(editor.locator(".side-row")).to_have_count(0)
    editor.keyboard.press("Control+z")
    expect(editor.get_by_label("Note on Cocoon")).to_have_value("")
    editor.keyboard.press("Control+z")
    expect_tape(editor, "Aurora", "Borealis", "Cocoon")
    expect(editor.locator("#spoken")).to_contain_text("Undone: Aurora is at place 2 of 3.")
    editor.keyboard.press("Control+Shift+z")
    expect_tape(editor, "Borealis", "Aurora", "Cocoon")
    undo = editor.get_by_role("button", name="Undo", exact=True)
    for _ in range(5):
        undo.click()
    expect_tape(editor)
    expect(editor.get_by_label("Title")).to_have_value("")
    expect(undo).to_be_disabled()
    redo = editor.get_by_role("button", name="Redo")
    for _ in range(8):
        redo.click()
    expect_tape(editor, "Aurora", "Cocoon")
    expect(editor.locator(".side-row")).to_have_count(1)
    expect(redo).to_be_disabled()


def test_the_line_between_the_sides_is_moved_by_keys(editor: Page) -> None:
    add(editor, "Aurora", "Borealis", "Cocoon")
    editor.get_by_role("button", name="Make two sides").click()
    expect(editor.get_by_role("button", name="Move the beginning of side B")).to_be_focused()
    editor.keyboard.press("Alt+ArrowDown")
    expect(editor.locator(".side-label")).to_have_text(["Side A · 0:08", "Side B · 0:04"])
    expect(editor.locator("#spoken")).to_have_text("Side B begins after track 2.")
    editor.keyboard.press("Delete")
    expect(editor.locator(".side-row")).to_have_count(0)


def test_damage_that_caching_finds_is_shown_without_a_reload(editor: Page) -> None:
    editor.get_by_label("Title").fill("Half of it")
    add(editor, "Rotten")
    editor.get_by_role("button", name="Save mixtape").click()
    expect(editor.get_by_role("dialog", name="Share “Half of it”")).to_be_visible()
    expect(editor.locator("#track-order .track-damage")).to_contain_text("damaged: ends at")


def test_a_damaged_cover_is_refused_in_words_that_help(editor: Page, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture at all")
    editor.get_by_label("Cover picture").set_input_files(bad)
    problem = editor.locator("#cover-problem")
    expect(problem).to_have_text("This is not a JPEG, PNG or WebP picture: choose another one.")
