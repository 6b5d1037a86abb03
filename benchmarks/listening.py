"""A listener in Chromium: from the click to the sound, and from a jump to the sound."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page

from .host import Host, Tape, chromium
from .music import cut, find_music, run_ffmpeg, work_folder
from .result import Figure, Result

QUICK = False
USES_MUSIC = True
TRACKS = 20
LONG_S = 557.0
SEEK_TO = 0.9
START_MS = 500.0
SEEK_MS = 500.0
DURATION_S = 0.05
_TIMEOUT_MS = 60_000
# The moment at which the clock of the music itself moves: "playing" is told before any sound.
_PLAY = """() => new Promise((resolve) => {
  const button = [...document.querySelectorAll('main button')]
    .find((each) => each.textContent.trim() === 'Play');
  const began = performance.now();
  button.click();
  const look = () => {
    const audio = document.querySelector('audio');
    if (audio.currentTime > 0 && !audio.paused) {
      resolve({ ms: performance.now() - began, duration: audio.duration, url: audio.currentSrc });
    } else setTimeout(look, 5);
  };
  look();
})"""
_SEEK = """(share) => new Promise((resolve) => {
  const audio = document.querySelector('audio');
  const target = audio.duration * share;
  let began = 0;
  const look = () => {
    if (!began && audio.currentTime < 1) return setTimeout(look, 5);
    if (!began) {
      began = performance.now();
      audio.currentTime = target;
    }
    if (!audio.seeking && audio.currentTime > target && audio.readyState > 2) {
      resolve(performance.now() - began);
    } else setTimeout(look, 5);
  };
  look();
})"""


def run() -> Result:
    """Play tracks that were never encoded, each in a fresh browser context, and jump in them."""
    with tempfile.TemporaryDirectory(prefix="listening-", dir=work_folder()) as folder:
        names = _make_library(Path(folder))
        tapes = [Tape(name, (name,)) for name in names]
        with Host(Path(folder), tapes) as host, chromium() as browser:
            _listen(browser, host, names.pop())  # what the first listener of all waits for
            plays = [_listen(browser, host, name) for name in names]
    starts = [play["ms"] for play in plays]
    seeks = [play["seek_ms"] for play in plays]
    return Result(
        title="A track that was never encoded, at low, in Chromium",
        figures=(
            Figure("from the click to the sound", median(starts), "ms", START_MS),
            Figure("from the click to the sound, at worst", max(starts), "ms"),
            Figure(
                "the duration that Chromium shows then is wrong by",
                max(abs(play["duration"] - LONG_S) for play in plays),
                "s",
                DURATION_S,
            ),
            Figure(f"from a jump to {SEEK_TO:.0%} to the sound", median(seeks), "ms", SEEK_MS),
            Figure(f"from a jump to {SEEK_TO:.0%} to the sound, at worst", max(seeks), "ms"),
        ),
        samples={"click to sound": starts, f"jump to {SEEK_TO:.0%}": seeks},
        unit="ms",
        notes=(
            f"Medians of {TRACKS} tracks of {LONG_S:.0f} s, each played by a new listener from the "
            "page of its mixtape. The jump comes after a second of music, when the one encoder is "
            "far from there. Sound is when the position of the audio element moves. Server, "
            "encoders and Chromium share the machine.",
        ),
        limit=START_MS,
    )


def _make_library(folder: Path) -> list[str]:
    """Fill the folder with long tracks, each under its own title, and return their names."""
    piece = find_music().pieces[0]
    names = []
    for number in range(TRACKS + 1):
        name = f"{number:02}.flac"
        # Other audio each time: under another title alone, all but the first would be cached.
        long = cut(piece, LONG_S, folder / "long.flac", skipped=number)
        title = ("-metadata", f"title=Track {number}")
        run_ffmpeg("-i", long, "-c", "copy", *title, "-f", "flac", folder / name)
        long.unlink()
        names.append(name)
    return names


def _listen(browser: Browser, host: Host, name: str) -> dict[str, Any]:
    """Play a track and jump in it, and return what was measured."""
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(_TIMEOUT_MS)
    page = context.new_page()
    page.goto(host.page_of(name))
    page.get_by_label("Quality", exact=True).select_option("low")
    _settle(page)
    play: dict[str, Any] = page.evaluate(_PLAY)
    if "quality=low" not in play["url"]:
        raise SystemExit(f"{name} was to be played at low, not {play['url']}")
    play["seek_ms"] = page.evaluate(_SEEK, SEEK_TO)
    context.close()
    return play


def _settle(page: Page) -> None:
    """Wait until the page has loaded and painted all of itself."""
    page.wait_for_load_state("networkidle")
