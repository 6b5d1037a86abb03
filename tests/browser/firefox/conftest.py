"""Firefox in the place of Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright

from conftest import find_program
from tests.browser.listening import visitor

PREFERENCES = {
    "ui.prefersReducedMotion": 1,
    # A script reads what was copied without asking the person who isn't there.
    "dom.events.testing.asyncClipboard": True,
}
# Without a sound device Firefox fails to play anything but what is muted.
MUTED = """document.addEventListener('DOMContentLoaded', () => {
  for (const audio of document.querySelectorAll('audio')) audio.muted = true;
});"""


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Return the Firefox of the system, by WebDriver BiDi; Playwright's own is a patched one."""
    browser = playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=find_program("firefox"),
        firefox_user_prefs=PREFERENCES,
    )
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Return a fresh visitor, who hears nothing."""
    with visitor(browser) as context:
        context.add_init_script(MUTED)
        yield context
