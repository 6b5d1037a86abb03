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
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

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
from tests.browser.editing import sign_in as sign_in_at
from tests.helpers.chromium import chromium
from tests.helpers.host import PASSWORD, sign_in
from tests.helpers.mixtapes import scan, services_of
from tests.helpers.outside import no_settings_from_outside
from tests.helpers.web import served

IMAGES = Path(__file__).parent / "images"
WIDTH, HEIGHT = 1280, 800
LIMIT_BYTES = 200_000
PHONE = {"width": 390, "height": 844}
MIXTAPE: dict[str, Any] = {
    "title": "Late Summer",
    "recipient": "Anna",
    "sender": "Tom",
    "made_on": date(2026, 8, 30),
    "notes": "For the drive home, **windows down**.\n\nSide A is for the coast road. "
    "Keep *side B* until it gets dark.",
    "track_notes": ("", "You hummed this one all of July.", "", "From here on: whisper.", ""),
    "side_b": 3,
}
_HOUR_S = 3600
_STEP_S = 60
_PAGE_TIMEOUT_MS = 30_000


def main() -> None:
    """Write the pictures into docs/images."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        app, slug = make_demo(Path(folder))
        listen_for_an_hour(app)
        with served(app) as address, opened(address) as pages:
            for name, (who, show) in PICTURES.items():
                page = pages[who]
                try:
                    show(page, f"/mixtapes/{slug}")
                except PlaywrightError as error:
                    print(f"left out {name}.png: {error.message.splitlines()[0]}")
                else:
                    size = take(page, IMAGES / f"{name}.png")
                    print(f"wrote {name}.png, {size:,} bytes")
    # The encoders' threads may still run; nothing of them is wanted any more.
    sys.stdout.flush()
    os._exit(0)


def make_demo(data_root: Path) -> tuple[Flask, str]:
    """Return the application with the demo library and nothing cached, and its mixtape's slug."""
    with no_settings_from_outside():
        app = create_app(Settings(data_root=data_root, password=PASSWORD))
    scan(app)
    services = services_of(app)
    with services.database.read() as session:
        tracks = tuple(session.scalars(select(Track.id).order_by(Track.path)))
    mixtape = services.mixtapes.create(MixtapeState(**MIXTAPE, track_ids=tracks))
    return app, services.mixtapes.share(mixtape.slug).slug


def listen_for_an_hour(app: Flask) -> None:
    """Play the demo library as listeners would, with a clock that runs ahead."""
    monitor: Monitor = app.extensions["mixtape_monitor"]
    ends_at = time.time()
    plays = _plays(Path(app.config["MUSIC_ROOT"]))
    client = app.test_client()
    sign_in(client)
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
def opened(address: str) -> Iterator[dict[str, Page]]:
    """Give a page to the owner, who is signed in, to a listener, and to one with a phone."""
    desktop: dict[str, Any] = {"viewport": {"width": WIDTH, "height": HEIGHT}}
    phone: dict[str, Any] = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    pages = {}
    with chromium(shutil.which("chromium")) as browser:
        for who, options in (("owner", desktop), ("listener", desktop), ("phone", phone)):
            context = browser.new_context(reduced_motion="reduce", base_url=address, **options)
            context.set_default_timeout(_PAGE_TIMEOUT_MS)
            pages[who] = context.new_page()
        sign_in_at(pages["owner"])
        yield pages


def show_library(page: Page, _tape: str) -> None:
    """Show an album with a track playing."""
    page.goto("/albums")
    page.locator("main a[href*='/albums/']").first.click()
    page.get_by_role("button", name="Play First Light").first.click()
    wait_for_music(page)


def show_editor(page: Page, tape: str) -> None:
    """Show the mixtape in the editor."""
    page.goto(f"{tape}/edit")
    page.wait_for_load_state("networkidle")


def show_share(page: Page, tape: str) -> None:
    """Show the end of a save: the link, with its QR code."""
    show_editor(page, tape)
    page.get_by_role("button", name="Share", exact=True).first.click()
    page.get_by_role("button", name="QR code").click()
    page.locator("[data-part='qr-image']").evaluate("(image) => image.decode()")
    # The address of this moment is nobody's.
    page.locator("[data-part='address']").evaluate(
        "(field) => { field.value = field.value.replace(location.origin, 'https://music.example') }"
    )


def show_admin(page: Page, _tape: str) -> None:
    """Show the owner's page with its charts drawn."""
    page.goto("/admin")
    page.locator("canvas").first.wait_for()
    page.wait_for_function("() => document.querySelectorAll('.figures tbody tr').length > 0")


def show_opening(page: Page, tape: str) -> None:
    """Show the cassette that a listener finds first."""
    page.goto(tape)
    page.wait_for_function("() => 'tinted' in document.documentElement.dataset")
    page.evaluate("() => document.fonts.ready")


def show_player(page: Page, tape: str) -> None:
    """Show the mixtape as its listeners see it, playing."""
    show_opening(page, tape)
    opening = page.get_by_role("button", name="Press play")
    (opening if opening.is_visible() else page.get_by_role("button", name="Play").first).click()
    wait_for_music(page)
    page.mouse.move(0, 0)


def show_phone(page: Page, tape: str) -> None:
    """Show the mixtape on a phone, playing."""
    show_player(page, tape)
    page.evaluate("() => scrollTo(0, document.querySelector('.mixtape-sides').offsetTop - 76)")


def show_now(page: Page, _tape: str) -> None:
    """Show what is playing on that phone, with the note to it and what comes next."""
    page.get_by_role("button", name="Play Paper Boats").tap()
    page.get_by_role("button", name="Now playing").tap()
    page.locator("#now img").evaluate("(image) => image.decode()")


def wait_for_music(page: Page) -> None:
    """Wait until a track is heard."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('audio')].some((audio) => audio.currentTime > 1)"
    )


# Who sees what. The first shows the hour as it was, before the others play more.
PICTURES: dict[str, tuple[str, Callable[[Page, str], None]]] = {
    "admin": ("owner", show_admin),
    "library": ("owner", show_library),
    "editor": ("owner", show_editor),
    "share": ("owner", show_share),
    "opening": ("listener", show_opening),
    "player": ("listener", show_player),
    "phone": ("phone", show_phone),
    "now": ("phone", show_now),
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
