"""A tab with the progress modal, and the server behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.progress.site import (
    Site,
    open_tab,
)
from tests.helpers.looks import new_visitor
from tests.helpers.waiting import LIMIT_MS


@pytest.fixture(scope="module")
def running_site() -> Iterator[Site]:
    site = Site()
    site.start()
    yield site
    site.stop()


@pytest.fixture
def site(running_site: Site) -> Iterator[Site]:
    running_site.reset()
    yield running_site
    running_site.tracker.close()


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Return the window of all tests, so that only the first waits for scripts and styles."""
    with new_visitor(browser) as context:
        context.set_default_timeout(LIMIT_MS)
        yield context


@pytest.fixture
def pages(context: BrowserContext, site: Site) -> Iterator[list[Page]]:
    """Return a tab, to which more can be added; whatever a script or the policy minds fails."""
    problems: list[str] = []
    pages = [open_tab(context.new_page(), site, problems)]
    yield pages
    for page in pages:
        page.close()
    assert problems == []


@pytest.fixture
def page(pages: list[Page]) -> Page:
    return pages[0]
