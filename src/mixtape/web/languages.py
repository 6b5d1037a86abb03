"""The language of a page: that of LANGUAGE, else the one its reader asks for first."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, current_app, request
from flask_babel import Babel, format_decimal, get_locale, gettext

from ..messages import Message

# The first is what the messages in the code are written in.
LANGUAGES: Final = ("en", "de")


def init_app(app: Flask, language: str | None) -> None:
    """Translate what an application shows.

    Args:
        language: of all pages; each reader's own if None.
    """
    app.config.update(LANGUAGE=language, BABEL_DEFAULT_LOCALE=LANGUAGES[0])
    Babel(app, locale_selector=_choose)
    app.context_processor(_language)
    app.jinja_env.filters["in_language"] = in_language
    if language is None:
        app.after_request(_vary)


def in_language(message: Message) -> str:
    """Return what the model tells as a text in the language of the page."""
    return message.put(gettext, format_decimal)


def _choose() -> str:
    language: str | None = current_app.config["LANGUAGE"]
    return language or request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _vary(response: Response) -> Response:
    if response.mimetype in {"text/html", "application/json"}:
        response.vary.add("Accept-Language")
    return response


def _language() -> dict[str, str]:
    """Return the language of a page, and the script with what its scripts say in that."""
    language = str(get_locale())
    words = "" if language == LANGUAGES[0] else f"words/{language}.js"
    return {"language": language, "words_script": words}
