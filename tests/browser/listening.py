"""Browsers of visitors and listeners, and what they hear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from tests.helpers.chromium import RETURNING
from tests.helpers.looks import new_visitor
from tests.helpers.waiting import LIMIT_MS

DESK = pytest.mark.desk("the volume is set by keys beside the screen")
# A scroll bar takes a part of the width in Firefox.
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
CONTROLS = (
    "() => [...document.querySelectorAll('button, a:not(.skip-link), select, input')]"
    ".filter((control) => control.checkVisibility())"
)


@contextmanager
def visitor(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """Give a fresh browser; an error of a script or a breach of the page's policy fails the test.

    It is one that has opened the cassette of each mixtape before.

    Args:
        browser: that it is a context of.
        options: further ones of `Browser.new_context`.
    """
    context = new_visitor(browser, **options)
    context.add_init_script(RETURNING)
    context.set_default_timeout(LIMIT_MS)
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on(
        "console",
        lambda message: "Security Policy" in message.text and problems.append(message.text),
    )
    yield context
    context.close()
    assert problems == [], problems


@contextmanager
def listener(
    browser: Browser,
    address: str,
    *,
    may_complain: bool = False,
    is_first: bool = False,
    **options: Any,
) -> Iterator[BrowserContext]:
    """Give a browser without a login that minds errors and requests to elsewhere.

    Args:
        browser: that it is a context of.
        address: of the only server that may be asked.
        may_complain: whether the console may tell of requests that failed.
        is_first: whether it has opened no mixtape before, so that the cassette is still shut.
        options: further ones of `Browser.new_context`.
    """
    context = new_visitor(browser, **options)
    if not is_first:
        context.add_init_script(RETURNING)
    context.set_default_timeout(LIMIT_MS)
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("request", lambda r: r.url.startswith(address) or problems.append(r.url))

    def mind(kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not (may_complain and "Failed to load" in text):
            problems.append(text)

    context.on("console", lambda message: mind(message.type, message.text))
    yield context
    context.close()
    assert problems == [], problems


def player(page: Page) -> Locator:
    """Return the player, which a phone shows once something has been played."""
    return page.get_by_role("region", name="Player", include_hidden=True)


def status(page: Page) -> Locator:
    return player(page).get_by_role("status")


def details(page: Page) -> Locator:
    """Return what the player's settings say of what is being sent."""
    return page.locator("#player-details")


def audio(page: Page, property_name: str) -> object:
    """Return a property of the element that is heard."""
    return page.evaluate("(name) => document.querySelector('audio')[name]", property_name)


def position(page: Page) -> float:
    return float(str(audio(page, "currentTime")))


def wait_for_second(page: Page, second: float) -> None:
    """Wait until the music plays and has come at least so far."""
    page.wait_for_function(
        "(second) => { const a = document.querySelector('audio');"
        " return !a.paused && !a.error && a.readyState > 2 && a.currentTime >= second; }",
        arg=second,
    )


def seek(page: Page, second: float) -> None:
    page.evaluate("(second) => { document.querySelector('audio').currentTime = second; }", second)


def expect_width(page: Page, width: int) -> None:
    """Make a page this wide, and see that nothing sticks out of it."""
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate(FITS)


def choose_quality(page: Page, quality: str) -> None:
    """Choose what is sent; on a phone the menu is there once something has been played."""
    menu = page.get_by_label("Quality", exact=True)
    if not menu.is_visible():
        page.get_by_role("main").get_by_role("button", name=re.compile("^Play")).first.click()
        player(page).get_by_role("button", name="Pause").click()
    menu.select_option(quality)


def press_play(page: Page) -> None:
    page.get_by_role("main").get_by_role("button", name="Play", exact=True).click()
    wait_for_second(page, 0.2)
