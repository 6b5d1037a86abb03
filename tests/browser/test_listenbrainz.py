"""The part of the page of devices that connects ListenBrainz."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, expect

from mixtape.database.tables import FIRST_USER
from tests.helpers.host import make_app
from tests.helpers.listenbrainz_server import TOKEN, ListenBrainzServer
from tests.helpers.mixtapes import services_of
from tests.helpers.web import served

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    app = make_app(tmp_path_factory.mktemp("listenbrainz"))
    yield app
    services_of(app).close()


def test_an_account_is_connected_and_left(app: Flask, desktop: BrowserContext, site: str) -> None:
    page = desktop.new_page()
    with served(ListenBrainzServer()) as address:
        page.goto(f"{site}/devices")
        part = page.locator("[data-listenbrainz]")
        connect = part.get_by_role("button", name="Connect", exact=True)
        part.get_by_label("User token").fill("a-wrong-token")
        part.get_by_text("Another server").click()
        part.get_by_label("Address of a server").fill(address)
        connect.click()
        expect(part.get_by_role("alert")).to_contain_text("does not know this token")
        part.get_by_label("User token").fill(TOKEN)
        connect.click()
        expect(part.get_by_text(f"sent to listener at {address}")).to_be_visible()
        expect(connect).to_be_hidden()
        assert services_of(app).listens.connection(FIRST_USER).is_on
        page.reload()
        expect(part.get_by_text(f"sent to {address}")).to_be_visible()
        part.get_by_role("button", name="Disconnect").click()
        expect(connect).to_be_visible()
    assert not services_of(app).listens.connection(FIRST_USER).is_on
