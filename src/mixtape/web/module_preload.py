"""Preloads of the scripts that a page's script imports: all are fetched at once.

A browser finds out about imports one level at a time, each a way to the server and back; until
the last has come, nothing on the page answers to a press.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from flask import Flask

_FOLDER: Final = "js"
_IMPORT: Final = re.compile(r'^(?:import|export)\b[^;]*?from "(\.{1,2}/[^"]+)";', re.MULTILINE)


def init_app(app: Flask) -> None:
    """Give an app's templates `imported_modules(entry)`, as names for `url_for('static')`."""
    static = Path(str(app.static_folder))
    app.jinja_env.globals["imported_modules"] = lambda entry: imported_modules(static, entry)


@lru_cache(maxsize=64)
def imported_modules(static: Path, entry: str) -> tuple[str, ...]:
    """Return what a script imports, directly or through others, each once.

    Args:
        static: the folder of static files.
        entry: the name of a script in its folder `js`.
    """
    found: dict[str, None] = {}

    def follow(name: str) -> None:
        for target in _IMPORT.findall((static / name).read_text(encoding="utf-8")):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            if path not in found:
                found[path] = None
                follow(path)

    follow(f"{_FOLDER}/{entry}")
    return tuple(found)
