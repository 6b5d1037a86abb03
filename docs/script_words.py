"""Write what scripts say in other languages as scripts: the last step of `make words`.

Pages of such a language load it before their modules, and keep it as any other static file.
"""

from __future__ import annotations

import json
from pathlib import Path

from babel.messages.pofile import read_po

import mixtape
from mixtape.web.languages import LANGUAGES

ROOT = Path(mixtape.__file__).parent


def script_words(language: str) -> str:
    """Return the script that holds the translations by the English.

    Where a number decides, they are the forms for one and for more, by the English for one.
    """
    with (ROOT / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    words = {
        message.id[0] if isinstance(message.id, tuple) else message.id: message.string
        for message in catalogue
        if message.id and any(path.endswith(".js") for path, _ in message.locations)
    }
    said = json.dumps(words, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return f"// Made from the translations by `make words`.\nself.words = {said};\n"


def path_of(language: str) -> Path:
    """Return where the script of a language stands."""
    return ROOT / "static" / "words" / f"{language}.js"


if __name__ == "__main__":
    for language in LANGUAGES[1:]:
        path_of(language).parent.mkdir(exist_ok=True)
        path_of(language).write_text(script_words(language), encoding="utf-8")
