"""What the qualities that come with audio_cache are called in the language of a page."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext

# Written out, so that translators see them. One that a host adds is called by its name.
_NAMES: Final = {
    "original": lazy_gettext("Original"),
    "high": lazy_gettext("High"),
    "medium": lazy_gettext("Medium"),
    "low": lazy_gettext("Low"),
}


def quality_label(level: str) -> str:
    """Return what a quality is called."""
    return str(_NAMES.get(level, level.capitalize()))
