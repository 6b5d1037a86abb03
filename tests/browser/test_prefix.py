"""mixtape below a path of a host that has something else at its root, in a real browser."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.listening import visitor, wait_for_second
from tests.helpers.audio import make_audio
from tests.helpers.mixtapes import make_scanned_app, share_mixtape
from tests.helpers.nginx import Nginx, temp_paths
from tests.helpers.web import served

LOG = logging.getLogger(__name__)

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "nginx")]


@pytest.fixture(params=["passed on", "taken off"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Return the address of the library and of a mixtape behind nginx, which serves /music/."""
    (tmp_path / "music").mkdir()
    make_audio(tmp_path / "music" / "1.flac", samples=8 * 44_100, tags={"title": "First"})
    slash = "/" if request.param == "taken off" else ""
    app = make_scanned_app(tmp_path, public_url="http://127.0.0.1/music")
    slug = share_mixtape(app, "First").slug
    with served(app) as behind:

        def configure(port: int) -> str:
            return (
                f"user root; daemon off; pid {tmp_path}/nginx.pid; error_log error.log;"
                "events {} http { access_log off; " + temp_paths(tmp_path) + "server { "
                f"listen 127.0.0.1:{port}; location / {{ return 418; }} "
                f"location /music/ {{ proxy_pass {behind}{slash}; proxy_buffering off; "
                "proxy_set_header Host $http_host; } } }"
            )

        with Nginx(tmp_path, configure) as nginx:
            root = f"http://127.0.0.1:{nginx.port}/music/"
            yield root, f"{root}mixtapes/{slug}"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with visitor(browser) as context:
        page = context.new_page()
        asked: list[tuple[str, int]] = []
        page.on("response", lambda answer: asked.append((answer.url, answer.status)))
        waiting: dict[Request, float] = {}
        page.on("request", lambda request: waiting.update({request: monotonic()}))
        for event in ("requestfinished", "requestfailed"):
            page.on(event, lambda request: waiting.pop(request, None))  # type: ignore[call-overload]
        yield page
        # Shown where the test failed: who is asked, and does not answer.
        for request, since in waiting.items():
            LOG.warning("%s waits for %.1f s", request.url, monotonic() - since)
        assert [each for each in asked if each[1] >= 400] == []
        assert len(asked) > 5


def test_music_plays_and_pages_are_gone_through(page: Page, site: tuple[str, str]) -> None:
    library, mixtape = site
    page.goto(library)
    page.get_by_role("main").get_by_role("button", name="Play First").click()
    wait_for_second(page, 0.2)
    for name in ("Albums", "Artists", "Mixtapes"):
        page.get_by_role("navigation").get_by_role("link", name=name).first.click()
        expect(page).to_have_url(f"{library}{name.lower()}")
        current = page.get_by_role("navigation").locator("[aria-current=page]")
        expect(current.first).to_have_text(name)
    page.goto(mixtape)
    page.get_by_role("main").get_by_role("button", name="Play First").click()
    wait_for_second(page, 0.2)
