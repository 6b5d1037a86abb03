"""Numbers, sizes and lengths as the language of the page writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from babel.numbers import get_decimal_symbol
from flask import Flask
from flask_babel import format_decimal, get_locale, ngettext

from ..files.formats import duration_text, size_text, total_duration_text

_POINT: Final = "."
# What pages count. Each is written out, so that translators see it.
_COUNTED: Final[dict[str, Callable[[int, str], str]]] = {
    "album": lambda n, num: ngettext("%(count)s album", "%(count)s albums", n, count=num),
    "artist": lambda n, num: ngettext("%(count)s artist", "%(count)s artists", n, count=num),
    "file": lambda n, num: ngettext("%(count)s file", "%(count)s files", n, count=num),
    "folder": lambda n, num: ngettext("%(count)s folder", "%(count)s folders", n, count=num),
    "mixtape": lambda n, num: ngettext("%(count)s mixtape", "%(count)s mixtapes", n, count=num),
    "track": lambda n, num: ngettext("%(count)s track", "%(count)s tracks", n, count=num),
}


def init_app(app: Flask) -> None:
    """Give the templates of an app their figures."""
    app.jinja_env.filters.update(
        counted=counted,
        duration=duration_text,
        size=size,
        total_duration=total_duration_text,
    )


def counted(number: int, noun: str) -> str:
    """Return a number of things in words: "1 track", "1,234 tracks".

    Args:
        noun: for one of them, in English; one of those that pages count.
    """
    return _COUNTED[noun](number, format_decimal(number))


def size(size_bytes: int) -> str:
    """Return a size in decimal units: "31.0 MB", in German "31,0 MB"."""
    return size_text(size_bytes).replace(_POINT, get_decimal_symbol(get_locale()))
