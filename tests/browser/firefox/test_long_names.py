"""Names of any length fit the page in Firefox too, which breaks lines elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.listening import visitor
from tests.browser.long_names import find_wide_pages, make_app
from tests.helpers.web import served

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.needs("firefox")]


def test_no_name_makes_a_page_wider_than_its_window(browser: Browser, tmp_path: Path) -> None:
    app, slug = make_app(tmp_path)
    with served(app) as address, visitor(browser, base_url=address) as context:
        assert find_wide_pages(context, slug) == []
