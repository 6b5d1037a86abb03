"""A device beside the browser that plays in its place, where the browser has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

STAND_IN = Path(__file__).with_name("remote_playback.js")
# A browser that hands nothing to others.
NOTHING = "delete HTMLMediaElement.prototype.remote;"
# Note what happens between two looks of a test: how often the element that is not heard gets
# something ready, how soft the other one becomes, and where it goes on when it has waited.
FOLLOW_BOTH = """() => {
  const [heard, other] = document.querySelectorAll('audio');
  Object.assign(window, { prepared: 0, softest: 1, resumedAt: [] });
  const count = () => other.hasAttribute('src') && (window.prepared += 1);
  new MutationObserver(count).observe(other, { attributeFilter: ['src'] });
  heard.addEventListener('volumechange', () => {
    window.softest = Math.min(window.softest, heard.volume);
  });
  heard.addEventListener('playing', () => window.resumedAt.push(heard.currentTime));
}"""


def bring_device(page: Page, is_in_reach: bool = True) -> None:
    """Let a device come into reach, or go."""
    page.evaluate("(isInReach) => device.come(isInReach)", is_in_reach)


def do(page: Page, what: str) -> None:
    """Let the device, or who is asked to choose it, do something: a method of `window.device`."""
    page.evaluate("(what) => device[what]()", what)


def handed(page: Page) -> str:
    """Return the address that the device was handed when it was chosen."""
    return str(page.evaluate("device.handed"))


def elements(page: Page) -> list[dict[str, Any]]:
    """Return what each element of the player has; the one that is heard comes first."""
    found: list[dict[str, Any]] = page.evaluate(
        "() => [...document.querySelectorAll('audio')].map((a) => "
        "({ src: a.getAttribute('src') ?? '', paused: a.paused, volume: a.volume }))"
    )
    return found
