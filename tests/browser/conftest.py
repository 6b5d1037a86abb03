"""The browser that all tests of pages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.helpers.chromium import chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Chromium; each module makes a context of its own in it."""
    with chromium() as browser:
        yield browser
