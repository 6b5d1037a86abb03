"""A tiny site with the progress modal, whose runs are played by the test itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, render_template_string, request
from playwright.sync_api import ConsoleMessage, Locator, Page, expect

import audio_cache
import mixtape
from audio_cache.progress.sse import get_last_event_id, progress_response
from audio_cache.progress_tracker import ProgressCallback, ProgressTracker
from tests.helpers.web import WebServer

LIBRARY = Path(audio_cache.__path__[0])
BOOTSTRAP = Path(mixtape.__path__[0]) / "static" / "vendor" / "bootstrap"
CSRF_TOKEN = "a token of this page"
TASK = "summer-vibes"
# No data: and nothing inline. (The icon of the page is the only image.)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'"
)

PAGE = """<!doctype html>
<html lang="en" data-bs-theme="{{ theme }}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="csrf-token" content="{{ token }}">
  <title>A site of somebody else</title>
  <link rel="icon" href="/favicon.svg">
  <link rel="stylesheet" href="/bootstrap/bootstrap.min.css">
  <script src="/bootstrap/bootstrap.bundle.min.js" defer></script>
</head>
<body class="p-4">
  <h1>Folders</h1>
  <p><button class="btn btn-secondary" id="open" type="button">Cache this folder</button></p>
  {% include "audio_cache/progress_modal.html" %}
  <script type="module" src="/site.js"></script>
</body>
</html>"""

SCRIPT = """
import { openProgress } from "/library/progress/progress.js";
window.ended = [];
document.addEventListener("audio-cache:run-end", ({ detail }) => window.ended.push(detail));
window.openTask = (taskId, options = {}) => void openProgress({
  taskId, url: `/progress/${taskId}`, cancelUrl: `/cancel/${taskId}`,
  title: `Caching ${taskId}`, unknownAfterMs: 1500, quietMs: 200, ...options,
});
document.querySelector("#open").addEventListener("click", () => window.openTask("summer-vibes"));
document.documentElement.dataset.ready = "true";
"""


@dataclass
class Site:
    """The server, which can be stopped and started again on its port."""

    tracker: ProgressTracker = field(default_factory=ProgressTracker)
    timeout_s: float = 300.0
    progress_status: int = 200
    cancel_status: int = 202
    cancelled: list[str] = field(default_factory=list)
    theme: str = "light"
    port: int = 0
    _server: WebServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        self._server = WebServer(self._app(), self.port)
        self.port = self._server.port

    def stop(self) -> None:
        """End every stream and close the port, as a server that is stopped does."""
        assert self._server is not None
        self.tracker.close()
        self._server.stop()

    def reset(self) -> None:
        """Forget what the last test did."""
        self.tracker = ProgressTracker()
        self.timeout_s, self.progress_status, self.cancel_status = 300, 200, 202
        self.cancelled = []

    def restart(self) -> None:
        """Come back as a new process would: with a tracker that knows nothing."""
        self.tracker = ProgressTracker()
        self.start()

    def _app(self) -> Flask:
        app = Flask(__name__, static_folder=str(BOOTSTRAP), static_url_path="/bootstrap")
        app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
        app.register_blueprint(
            Blueprint(
                "audio_cache",
                __name__,
                static_folder=str(LIBRARY / "static"),
                static_url_path="/library",
                template_folder=str(LIBRARY / "templates"),
            )
        )
        self._add_routes(app)
        return app

    def _add_routes(self, app: Flask) -> None:
        @app.get("/")
        def page() -> str:
            return render_template_string(PAGE, theme=self.theme, token=CSRF_TOKEN)

        @app.get("/site.js")
        def script() -> Response:
            return Response(SCRIPT, mimetype="text/javascript")

        @app.get("/favicon.svg")
        def icon() -> Response:
            return Response("<svg xmlns='http://www.w3.org/2000/svg'/>", mimetype="image/svg+xml")

        @app.get("/progress/<task_id>")
        def progress(task_id: str) -> Any:
            if self.progress_status != 200:
                return Response(status=self.progress_status)
            seen = get_last_event_id(request)
            return progress_response(self.tracker, task_id, seen, self.timeout_s)

        @app.post("/cancel/<task_id>")
        def cancel(task_id: str) -> tuple[str, int]:
            if request.headers.get("X-CSRFToken") != CSRF_TOKEN:
                return "", 400
            self.cancelled.append(task_id)
            return "", self.cancel_status

        @app.after_request
        def protect(response: Response) -> Response:
            response.headers["Content-Security-Policy"] = POLICY
            return response


_LOST = "Firefox can’t establish a connection to the server"


def open_tab(page: Page, site: Site, problems: list[str]) -> Page:
    """Open the site; add to the problems what a script throws and what the policy keeps out."""

    def look(message: ConsoleMessage) -> None:
        if "Security Policy" in message.text:
            problems.append(message.text)

    page.on("console", look)
    # To Firefox a stream that broke off is an error of the page, and not only of its console.
    page.on("pageerror", lambda error: _LOST in str(error) or problems.append(str(error)))
    page.goto(site.url)
    expect(page.locator("html[data-ready]")).to_be_attached()
    return page


def start_run(site: Site, total: int = 3) -> ProgressCallback:
    return ProgressCallback(TASK, site.tracker, total, run=site.tracker.create_task(TASK))


def open_modal(page: Page) -> None:
    page.get_by_role("button", name="Cache this folder").click()
    expect(page.locator(".acp.show")).to_be_visible()


def expect_text(page: Page, part: str, text: str) -> None:
    expect(page.locator(f".acp [data-part={part}]")).to_have_text(text)


def expect_rows(page: Page, *rows: str) -> None:
    """Wait until these are the rows of the list: name, state and reason of each."""
    patterns = [re.compile(r"\s*".join(map(re.escape, row.split("|")))) for row in rows]
    expect(page.locator(".acp-row")).to_have_text(patterns)


def expect_notice(page: Page, text: str) -> Locator:
    notice = page.locator(".acp [data-part=notice]")
    expect(notice).to_contain_text(text)
    return notice


def close_modal(page: Page) -> None:
    page.locator(".acp [data-part=close]").click()
    expect(page.locator(".acp.show")).to_have_count(0)
    expect(page.locator(".modal-backdrop")).to_have_count(0)
