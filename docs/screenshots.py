"""Take the pictures of the README from the demo library: `python -m docs.screenshots`.

It plays the demo library for real, at the speed of a machine instead of an hour, and then opens
the pages in Chromium. A page that this version does not have is left out.
"""

from __future__ import annotations

import math
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from flask import Flask
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from mixtape.app import create_app
from mixtape.demo import ensure_demo_library
from mixtape.monitor import Monitor
from mixtape.settings import Settings

IMAGES = Path(__file__).parent / "images"
WIDTH, HEIGHT = 1280, 800
LIMIT_BYTES = 200_000
MIXTAPE = {"title": "Late Summer", "notes": "For the drive home, windows down."}
_HOUR_S = 3600
_STEP_S = 60
_PAGE_TIMEOUT_MS = 30_000


def main() -> None:
    """Write the pictures into docs/images."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        app = make_demo(Path(folder))
        listen_for_an_hour(app)
        with served(app) as address, opened() as page:
            for name, show in PICTURES.items():
                if show(page, address):
                    size = take(page, IMAGES / f"{name}.png")
                    print(f"wrote {name}.png, {size:,} bytes")
                else:
                    print(f"left out {name}.png: this version has no such page")
    # The encoders' threads may still run; nothing of them is wanted any more.
    sys.stdout.flush()
    os._exit(0)


def make_demo(data_root: Path) -> Flask:
    """Return the application with the demo library and nothing cached."""
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    # The library lies in a folder of its own, so that no path of this machine gets into a picture.
    ensure_demo_library(data_root)
    app = create_app(Settings(data_root=data_root))
    services = app.extensions.get("mixtape")
    if services is not None:
        services.scanner.start()
        services.scanner.wait(60)
    return app


def listen_for_an_hour(app: Flask) -> None:
    """Play the demo library as listeners would, with a clock that runs ahead."""
    monitor: Monitor = app.extensions["mixtape_monitor"]
    ends_at = time.time()
    plays = _plays(Path(app.config["MUSIC_ROOT"]))
    client = app.test_client()
    chance = random.Random(4)
    for ago_s in range(_HOUR_S, -1, -_STEP_S):
        monitor.now = _stopped_at(ends_at - ago_s)
        busy = 3 + 2.5 * math.sin(ago_s / 400)
        for _ in range(round(busy * chance.uniform(0.6, 1.4))):
            with client.get(next(plays)) as answer:
                answer.get_data()
        monitor.recount()
        monitor.look()
    monitor.now = time.time


def _stopped_at(moment_s: float) -> Callable[[], float]:
    return lambda: moment_s


def _plays(library: Path) -> Iterator[str]:
    tracks = sorted(path for path in library.rglob("*") if path.suffix in {".flac", ".m4a", ".wav"})
    qualities = ("low", "medium", "low", "high", "low")
    turn = 0
    while True:
        track = tracks[turn * 5 % len(tracks)].relative_to(library)
        yield f"/play/{quote(track.as_posix())}?quality={qualities[turn % len(qualities)]}"
        turn += 1


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Give the address at which an application answers."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@contextmanager
def opened() -> Iterator[Page]:
    """Give a browser's page."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        context = chromium.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
        )
        context.set_default_timeout(_PAGE_TIMEOUT_MS)
        yield context.new_page()
        chromium.close()


def show_library(page: Page, address: str) -> bool:
    """Show an album with a track playing."""
    page.goto(address)
    page.locator("a", has_text="Side A").first.click()
    page.get_by_role("button", name="Play ").first.click()
    page.wait_for_function("() => document.querySelector('audio').currentTime > 1")
    return True


def show_admin(page: Page, address: str) -> bool:
    """Show the owner's page with its charts drawn."""
    page.goto(f"{address}/admin")
    page.locator("canvas").first.wait_for()
    page.wait_for_function("() => document.querySelectorAll('.figures tbody tr').length > 0")
    return True


PICTURES: dict[str, Callable[[Page, str], bool]] = {
    "library": show_library,
    "admin": show_admin,
}


def take(page: Page, path: Path) -> int:
    """Take a picture of a page, reduced to few colours where it is large; return its bytes."""
    page.screenshot(path=path)
    if path.stat().st_size > LIMIT_BYTES // 2:
        with Image.open(path) as picture:
            few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
    return path.stat().st_size


if __name__ == "__main__":
    main()
