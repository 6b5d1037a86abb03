"""The part of the page of devices that makes links for players without an account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from tests.browser.listening import visitor
from tests.browser.test_axe import examine
from tests.helpers.audio import make_audio
from tests.helpers.looks import allow_copying
from tests.helpers.mixtapes import make_scanned_app, services_of

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.needs("chromium")]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    root = tmp_path_factory.mktemp("links")
    (root / "music").mkdir()
    make_audio(root / "music" / "1.flac", samples=44_100, tags={"title": "Aurora", "album": "A"})
    app = make_scanned_app(root)
    yield app
    services_of(app).close()


@pytest.mark.chromium("the driver cannot change its colours while it runs")
def test_a_link_is_made_copied_into_a_player_and_removed(
    browser: Browser, app: Flask, site: str
) -> None:
    with visitor(browser, base_url=site) as context:
        allow_copying(context)
        page = context.new_page()
        page.goto("/devices")
        form = page.get_by_role("form", name="For players without an account")
        form.get_by_label("Name, such as “Living room”").fill("Hi-fi")
        form.get_by_label("Quality").select_option(label="Low (128 kbit/s)")
        form.get_by_role("button", name="Make a link").click()
        box = page.get_by_role("region", name="The address for “Hi-fi”")
        expect(box.get_by_role("heading")).to_be_focused()
        found = examine(page)
        box.get_by_role("button", name="Copy: Address of the playlist").click()
        expect(box.get_by_text("Copied")).to_be_visible()
        address = page.evaluate("navigator.clipboard.readText()")
        assert address.startswith(f"{site}/library/")
        player = app.test_client(use_cookies=False)
        listing = player.get(address.removeprefix(site))
        assert "#EXTINF:1,Aurora" in listing.text
        assert listing.text.strip().endswith("?quality=low")
        # What a device is told stands in a box of its own, and only one of them is there at a time.
        page.get_by_label("Name, such as “Phone”").fill("Tablet")
        page.get_by_role("button", name="Make a key").click()
        expect(page.get_by_role("region", name="The key of “Tablet”")).to_be_visible()
        expect(box).to_be_hidden()
        assert address not in page.content()
        expect(page.get_by_role("heading", name="Hi-fi Link")).to_be_visible()
        for name, words in (("Hi-fi", "Its address"), ("Tablet", "Its key")):
            page.get_by_role("button", name=f"Remove {name}").click()
            dialog = page.get_by_role("dialog")
            expect(dialog).to_contain_text(words)
            dialog.get_by_role("button", name="Remove").click()
            expect(page.get_by_role("button", name=f"Remove {name}")).to_be_hidden()
        assert player.get(address.removeprefix(site)).status_code == 404
        assert found == []
