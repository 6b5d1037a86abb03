"""Take the pictures of the README from the demo library: `python -m docs.screenshots`.

It plays the demo library for real, an hour of listeners in a minute, and then opens the pages in
Chromium. A page that cannot be shown is left out, and its last picture stays.
"""

from __future__ import annotations

import math
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from flask import Flask
from PIL import Image
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page
from sqlalchemy import select

from mixtape.admin.monitor import Monitor
from mixtape.app import create_app
from mixtape.database.tables import Track
from mixtape.mixtapes.values import MixtapeState
from mixtape.settings import Settings
from tests.helpers.chromium import chromium
from tests.helpers.mixtapes import scan, services_of
from tests.helpers.outside import no_settings_from_outside
from tests.helpers.web import served

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
                try:
                    show(page, address)
                except PlaywrightError as error:
                    print(f"left out {name}.png: {error.message.splitlines()[0]}")
                else:
                    size = take(page, IMAGES / f"{name}.png")
                    print(f"wrote {name}.png, {size:,} bytes")
    # The encoders' threads may still run; nothing of them is wanted any more.
    sys.stdout.flush()
    os._exit(0)


def make_demo(data_root: Path) -> Flask:
    """Return the application with the demo library and nothing cached."""
    with no_settings_from_outside():
        app = create_app(Settings(data_root=data_root))
    scan(app)
    services = services_of(app)
    with services.database.read() as session:
        tracks = tuple(session.scalars(select(Track.id).order_by(Track.path)))
    mixtape = services.mixtapes.create(MixtapeState(**MIXTAPE, track_ids=tracks))
    services.mixtapes.share(mixtape.slug)
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
def opened() -> Iterator[Page]:
    """Give a browser's page."""
    with chromium(shutil.which("chromium")) as browser:
        context = browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
        )
        context.set_default_timeout(_PAGE_TIMEOUT_MS)
        yield context.new_page()


def show_library(page: Page, address: str) -> None:
    """Show an album with a track playing."""
    page.goto(f"{address}/albums")
    page.locator("main a[href*='/albums/']").first.click()
    page.get_by_role("button", name="Play First Light").first.click()
    wait_for_music(page)


def show_editor(page: Page, address: str) -> None:
    """Show the mixtape in the editor."""
    page.goto(f"{address}{page_of_mixtape(page, address)}/edit")
    page.wait_for_load_state("networkidle")


def show_player(page: Page, address: str) -> None:
    """Show the mixtape as its listeners see it, playing."""
    page.goto(f"{address}{page_of_mixtape(page, address)}")
    page.get_by_role("button", name="Play", exact=True).first.click()
    wait_for_music(page)


def show_admin(page: Page, address: str) -> None:
    """Show the owner's page with its charts drawn."""
    page.goto(f"{address}/admin")
    page.locator("canvas").first.wait_for()
    page.wait_for_function("() => document.querySelectorAll('.figures tbody tr').length > 0")


def page_of_mixtape(page: Page, address: str) -> str:
    """Return the path of the one mixtape that there is."""
    page.goto(f"{address}/mixtapes")
    edit = page.locator("a[href$='/edit']").first.get_attribute("href") or ""
    return urlsplit(edit).path.removesuffix("/edit")


def wait_for_music(page: Page) -> None:
    """Wait until a track is heard."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('audio')].some((audio) => audio.currentTime > 1)"
    )


# The first shows the hour as it was, before the others play more.
PICTURES: dict[str, Callable[[Page, str], None]] = {
    "admin": show_admin,
    "library": show_library,
    "editor": show_editor,
    "player": show_player,
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
