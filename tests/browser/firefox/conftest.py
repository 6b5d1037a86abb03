"""Firefox in the place of Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright

from tests.browser.listening import visitor
from tests.helpers.looks import launch_firefox


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Return Firefox."""
    browser = launch_firefox(playwright)
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Return a fresh visitor, who hears nothing."""
    with visitor(browser) as context:
        yield context
