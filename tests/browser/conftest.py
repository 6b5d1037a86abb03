"""The browser that all tests of pages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.listening import visitor
from tests.helpers.chromium import chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Chromium; each module makes a context of its own in it."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    """Return a fresh visitor at a desk."""
    with visitor(browser, viewport={"width": 1440, "height": 900}) as context:
        yield context
