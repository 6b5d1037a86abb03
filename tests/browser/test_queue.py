"""The queue as people see it and change it, and the orders in which it plays."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.listening import audio, player, position, seek, wait_for_second
from tests.helpers.audio import make_audio
from tests.helpers.mixtapes import make_scanned_app

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

SECONDS = 8
TITLES = ["Alpha", "Bravo", "Charlie", "Delta", "Echo"]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    root = tmp_path_factory.mktemp("queue")
    (root / "music").mkdir()
    for number, title in enumerate(TITLES):
        path = root / "music" / f"{title}.flac"
        tags = {"title": title, "artist": "Somebody"}
        make_audio(path, samples=44_100 * SECONDS, tags=tags, seed=number)
    return make_scanned_app(root)


@pytest.fixture
def page(context: BrowserContext, site: str) -> Page:
    """Return a tab that plays the first of five tracks."""
    page = context.new_page()
    page.goto(site)
    page.wait_for_load_state()
    page.get_by_role("button", name="Play Alpha").click()
    wait_for_second(page, 0.1)
    return page


def open_queue(page: Page) -> Locator:
    page.get_by_role("button", name="Queue", exact=True).click()
    return page.get_by_role("dialog", name="Queue")


def choose(page: Page, what: str, title: str) -> None:
    """Choose something to do with a track, in the sheet that its row opens."""
    opener = page.get_by_role("main").get_by_role("button", name=f"Add “{title}” to a mixtape")
    opener.click()
    page.locator("#add-sheet").get_by_role("button", name=what).click()
    expect(opener).to_be_focused()


def coming(page: Page) -> list[str]:
    return page.locator("#queue .queue-title").all_inner_texts()


def test_the_queue_says_what_plays_and_what_comes_next(page: Page) -> None:
    queue = open_queue(page)
    expect(queue.locator(".queue-now")).to_contain_text(re.compile(r"Alpha\s+Somebody"))
    assert coming(page) == TITLES[1:]
    queue.get_by_role("button", name="Play Charlie").click()
    expect(player(page)).to_contain_text("Charlie")
    assert coming(page) == ["Delta", "Echo"]
    page.keyboard.press("Escape")
    expect(queue).to_be_hidden()
    wait_for_second(page, 0.1)


def test_the_queue_is_changed_by_buttons_and_by_keys(page: Page) -> None:
    queue = open_queue(page)
    queue.get_by_role("button", name="Move Charlie up").click()
    expect(queue.get_by_role("status")).to_have_text("Charlie is at place 1.")
    assert coming(page) == ["Charlie", "Bravo", "Delta", "Echo"]
    queue.get_by_role("button", name="Play Echo").focus()
    page.keyboard.press("Alt+ArrowUp")
    assert coming(page) == ["Charlie", "Bravo", "Echo", "Delta"]
    page.keyboard.press("Delete")
    assert coming(page) == ["Charlie", "Bravo", "Delta"]
    expect(queue.get_by_role("button", name="Remove Delta")).to_be_focused()
    queue.get_by_role("button", name="Clear").click()
    assert coming(page) == []
    expect(queue).to_contain_text("Nothing comes after this.")
    expect(player(page).get_by_role("button", name="Next track")).to_be_disabled()


def test_a_track_is_put_next_or_last_and_plays_when_it_is_due(page: Page) -> None:
    # What was ready for the end of the track is dropped for what comes instead.
    page.wait_for_function("() => document.querySelectorAll('audio')[1].readyState > 2")
    choose(page, "Play next", "Echo")
    expect(page.locator("#toasts")).to_contain_text("Plays next: “Echo”")
    choose(page, "Add to queue", "Alpha")
    expect(page.locator("#toasts")).to_contain_text("In the queue: “Alpha”")
    open_queue(page)
    assert coming(page) == ["Echo", *TITLES[1:], "Alpha"]
    page.keyboard.press("Escape")
    seek(page, SECONDS - 1)
    expect(player(page)).to_contain_text("Echo")
    wait_for_second(page, 0.1)


def test_a_shuffled_queue_has_all_tracks_and_gives_its_order_back(page: Page) -> None:
    queue = open_queue(page)
    shuffle = queue.get_by_role("button", name="Shuffle")
    shuffle.click()
    expect(shuffle).to_have_attribute("aria-pressed", "true")
    assert sorted(coming(page)) == TITLES[1:]
    expect(queue.locator(".queue-now")).to_contain_text(re.compile(r"Alpha\s+Somebody"))
    shuffle.click()
    assert coming(page) == TITLES[1:]


def test_all_is_repeated_from_the_beginning(page: Page) -> None:
    queue = open_queue(page)
    queue.get_by_role("button", name="Repeat: off").click()
    queue.get_by_role("button", name="Play Echo").click()
    page.keyboard.press("Escape")
    wait_for_second(page, 0.1)
    seek(page, SECONDS - 1)
    expect(player(page)).to_contain_text("Alpha")
    wait_for_second(page, 0.1)


def test_one_track_is_repeated_until_somebody_goes_on(page: Page) -> None:
    repeat = open_queue(page).get_by_role("button", name="Repeat")
    repeat.click()
    repeat.click()
    expect(repeat).to_have_accessible_name("Repeat: this track")
    page.keyboard.press("Escape")
    seek(page, SECONDS - 1)
    page.wait_for_function("() => document.querySelector('audio').currentTime < 3")
    expect(player(page)).to_contain_text("Alpha")
    wait_for_second(page, 0.1)
    player(page).get_by_role("button", name="Next track").click()
    expect(player(page)).to_contain_text("Bravo")


def test_the_queue_and_its_order_outlive_the_page(page: Page) -> None:
    queue = open_queue(page)
    queue.get_by_role("button", name="Repeat: off").click()
    queue.get_by_role("button", name="Shuffle").click()
    shuffled = coming(page)
    page.keyboard.press("Escape")
    player(page).get_by_role("button", name="Pause").click()
    page.reload()
    expect(player(page)).to_contain_text("Alpha")
    queue = open_queue(page)
    assert coming(page) == shuffled
    expect(queue.get_by_role("button", name="Repeat: all")).to_be_visible()
    queue.get_by_role("button", name="Shuffle").click()
    assert coming(page) == TITLES[1:]
    assert (audio(page, "paused"), position(page)) == (True, 0)
