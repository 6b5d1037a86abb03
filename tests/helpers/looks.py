"""What the pages are tested in: which browser, how large, in which colours.

Chromium at a desk, in light colours, unless the environment names another: `make browser` does.
Tests that are about a size or about colours choose their own.
"""

from __future__ import annotations

import os
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Playwright

from conftest import PACKAGES, find_program

from .chromium import launch_chromium

ENGINE: Final = os.environ.get("TESTED_BROWSER", "chromium")
_WIDTH, _HEIGHT = map(int, os.environ.get("TESTED_SIZE", "1280x720").split("x"))
# Where the player is another, as its style sheet has it.
IS_PHONE: Final = _WIDTH < 768
_COLORS: Final = os.environ.get("TESTED_COLORS", "light")
_LOOK: Final = {"viewport": {"width": _WIDTH, "height": _HEIGHT}, "color_scheme": _COLORS}
# To Firefox a phone is one by its size alone.
_OF_CHROMIUM: Final = ("is_mobile", "has_touch")
_PREFERENCES: Final = {
    "ui.prefersReducedMotion": 1,
    # What pages are told of the system's colours.
    "ui.systemUsesDarkTheme": int(_COLORS == "dark"),
    # A script reads what was copied without asking the person who isn't there.
    "dom.events.testing.asyncClipboard": True,
}
# Without a sound device Firefox fails to play anything but what is muted.
MUTED: Final = """document.addEventListener('DOMContentLoaded', () => {
  for (const audio of document.querySelectorAll('audio')) audio.muted = true;
});"""


def launch(playwright: Playwright) -> Browser:
    """Return the browser that pages are tested in."""
    return launch_firefox(playwright) if ENGINE == "firefox" else launch_chromium(playwright)


def launch_firefox(playwright: Playwright) -> Browser:
    """Return the Firefox of the system, by WebDriver BiDi; Playwright's own is a patched one."""
    program = find_program("firefox")
    if program is None:
        raise SystemExit(f"there is no Firefox: apt-get install {PACKAGES['firefox']}")
    return playwright.firefox.launch(
        channel="moz-firefox", executable_path=program, firefox_user_prefs=_PREFERENCES
    )


def is_firefox(browser: Browser) -> bool:
    """Say whether a browser is Firefox."""
    return browser.browser_type.name == "firefox"


def new_visitor(browser: Browser, **options: Any) -> BrowserContext:
    """Return a fresh visitor, who minds movement.

    Args:
        browser: that it is a context of.
        options: further ones of `Browser.new_context`, which go before those of the environment.
    """
    chosen = {"reduced_motion": "reduce", **_LOOK, **options}
    if not is_firefox(browser):
        return browser.new_context(**chosen)
    context = browser.new_context(
        **{name: value for name, value in chosen.items() if name not in _OF_CHROMIUM}
    )
    context.add_init_script(MUTED)
    return context


def allow_copying(context: BrowserContext) -> None:
    """Let pages read and write what was copied; Firefox is told so for all of them."""
    if context.browser is not None and not is_firefox(context.browser):
        context.grant_permissions(["clipboard-read", "clipboard-write"])
