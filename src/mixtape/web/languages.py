"""The language of a page: that of LANGUAGE, else the one its reader asks for first."""

from __future__ import annotations

from functools import cache
from typing import Final

from babel.messages.pofile import read_po
from flask import Flask, Response, current_app, request
from flask_babel import Babel, get_locale

# The first is what the messages in the code are written in.
LANGUAGES: Final = ("en", "de")
_DOMAIN: Final = "messages"
_FOLDER: Final = "translations"
_SCRIPTS: Final = ".js"


def init_app(app: Flask, language: str | None) -> None:
    """Translate what an application shows.

    Args:
        language: of all pages; each reader's own if None.
    """
    app.config.update(LANGUAGE=language, BABEL_DEFAULT_LOCALE=LANGUAGES[0])
    Babel(app, locale_selector=_choose)
    app.context_processor(lambda: {"language": str(get_locale()), "words": _words})
    if language is None:
        app.after_request(_vary)


def _choose() -> str:
    language: str | None = current_app.config["LANGUAGE"]
    return language or request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _vary(response: Response) -> Response:
    if response.mimetype in {"text/html", "application/json"}:
        response.vary.add("Accept-Language")
    return response


def _words() -> dict[str, str | list[str]]:
    """Return what the scripts of a page say in its language, by what they say in English.

    Where a number decides, it is the forms for one and for more.
    """
    return _words_of(str(get_locale()), str(current_app.root_path))


@cache
def _words_of(language: str, root: str) -> dict[str, str | list[str]]:
    if language == LANGUAGES[0]:
        return {}
    with open(f"{root}/{_FOLDER}/{language}/LC_MESSAGES/{_DOMAIN}.po", "rb") as file:
        catalogue = read_po(file, locale=language)
    words: dict[str, str | list[str]] = {}
    for message in catalogue:
        if message.id and any(path.endswith(_SCRIPTS) for path, _ in message.locations):
            if isinstance(message.id, tuple):
                words[message.id[0]] = list(message.string or ())
            else:
                words[str(message.id)] = str(message.string)
    return words
