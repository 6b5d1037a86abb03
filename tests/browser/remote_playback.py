"""A device beside the browser that plays in its place, where the browser has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

STAND_IN = Path(__file__).with_name("remote_playback.js")
# A browser that hands nothing to others.
NOTHING = "delete HTMLMediaElement.prototype.remote;"


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
