"""Chromium without a screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright, sync_playwright

from conftest import PACKAGES, find_program

# Run on every page, it makes of a browser one that has opened the cassette of each mixtape before.
RETURNING = """try {
  localStorage.setItem(`mixtape.opened.${location.pathname.split("/").pop()}`, "1");
} catch {}"""


@contextmanager
def chromium(program: str | None = None) -> Iterator[Browser]:
    """Give a browser, of the program that tests run in unless another one is named."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright, program)
        yield browser
        browser.close()


def launch_chromium(playwright: Playwright, program: str | None = None) -> Browser:
    """Return a browser, as `chromium`, for whoever has the driver already."""
    program = program or find_program("chromium")
    if program is None:
        raise SystemExit(f"there is no Chromium: apt-get install {PACKAGES['chromium']}")
    return playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
