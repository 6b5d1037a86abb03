"""The browser that all tests of pages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from conftest import find_program


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Chromium; each module makes a context of its own in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_program("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()
