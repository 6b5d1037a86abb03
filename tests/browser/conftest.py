"""The browsers that all tests of pages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Playwright,
    StorageState,
    expect,
    sync_playwright,
)

from tests.browser.editing import sign_in
from tests.browser.listening import visitor
from tests.helpers.looks import ENGINE, IS_PHONE, launch
from tests.helpers.waiting import LIMIT_MS
from tests.helpers.web import served


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip in Firefox what only Chromium can show, and on a phone what only a desk has."""
    for name, is_left_out, where in (
        ("chromium", ENGINE == "firefox", "in Firefox"),
        ("desk", IS_PHONE, "on a phone"),
    ):
        marker = item.get_closest_marker(name)
        if marker is not None and is_left_out:
            pytest.skip(f"{where} {marker.args[0]}")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Return the driver of all browsers, of which there can be but one in a thread."""
    expect.set_options(timeout=LIMIT_MS)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Return the browser; each module makes a context of its own in it."""
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def site(app: Flask) -> Iterator[str]:
    """Return the address of the application of a module, which has it as its fixture `app`.

    Its scripts and styles are asked for once in each browser, and not anew by every page: they are
    eighty, and take more of a slow machine than all else that a page is.
    """
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    with served(app) as address:
        yield address


@pytest.fixture(scope="module")
def session(browser: Browser, site: str) -> StorageState:
    """Return the cookies of somebody who has signed in; only a few may in a minute."""
    with visitor(browser, base_url=site) as context:
        sign_in(context.new_page())
        return context.storage_state()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Return a fresh visitor."""
    with visitor(browser) as context:
        yield context


@pytest.fixture
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    """Return a fresh visitor at a desk."""
    with visitor(browser, viewport={"width": 1440, "height": 900}) as context:
        yield context
