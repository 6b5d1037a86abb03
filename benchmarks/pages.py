"""How soon a page shows something in Chromium, and what the player's page weighs."""

from __future__ import annotations

from statistics import median

from playwright.sync_api import Browser

from audio_cache.sources.suffixes import AUDIO_SUFFIXES
from mixtape.settings import DEMO_LIBRARY as LIBRARY

from .host import Host, Tape, chromium
from .result import Figure, Result

QUICK = False
ROUNDS = 9
PAINT_MS = 1000.0
WEIGHT_KB = 350.0
_MIXTAPE = "For the road"
_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
_WEIGHT = """() => performance.getEntriesByType('resource')
  .concat(performance.getEntriesByType('navigation'))
  .filter(({ name }) => !/\\/(covers|art|tracks|play)\\//.test(name))
  .reduce((sum, { transferSize }) => sum + transferSize, 0)"""


def run() -> Result:
    """Open each page of the demo library some times, each time as somebody who was never there."""
    names = tuple(
        str(path.relative_to(LIBRARY))
        for path in sorted(LIBRARY.rglob("*"))
        if path.suffix in AUDIO_SUFFIXES
    )
    with Host(LIBRARY, [Tape(_MIXTAPE, names)]) as host, chromium() as browser:
        mixtape = host.page_of(_MIXTAPE)
        pages = {
            "library": host.address,
            "albums": f"{host.address}/albums",
            "mixtape": mixtape,
            "editor": f"{mixtape}/edit",
            "admin": f"{host.address}/admin",
        }
        _open(browser, host.address)  # what the first visitor of all waits for
        seen = {name: [_open(browser, url) for _ in range(ROUNDS)] for name, url in pages.items()}
    paints = {name: [paint for paint, _ in visits] for name, visits in seen.items()}
    weight = max(bytes_ for _, bytes_ in seen["mixtape"]) / 1000
    return Result(
        title="The first contentful paint of the pages, in Chromium, with the demo library",
        figures=(
            *(
                Figure(f"first contentful paint, {name}", median(times), "ms", PAINT_MS)
                for name, times in paints.items()
            ),
            Figure("weight of the player's page", weight, "KB", WEIGHT_KB),
        ),
        samples=paints,
        unit="ms",
        notes=(
            f"Medians of {ROUNDS} visits, each with an empty browser cache; the weight is what was "
            "transferred, headers included, without audio and covers.",
        ),
        limit=PAINT_MS,
    )


def _open(browser: Browser, url: str) -> tuple[float, float]:
    """Return the milliseconds to the first contentful paint of a page, and its bytes."""
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(url)
    if answer is None or answer.status != 200 or page.url.rstrip("/") != url.rstrip("/"):
        raise SystemExit(f"{url} does not open")
    page.wait_for_load_state("networkidle")
    page.wait_for_function(_PAINT)
    measured = float(page.evaluate(_PAINT)), float(page.evaluate(_WEIGHT))
    context.close()
    return measured
