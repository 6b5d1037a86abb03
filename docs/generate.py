"""Write the generated parts of the documentation: `python -m docs.generate`, or `make docs`.

A part stands between `<!-- name -->` and `<!-- /name -->`; everything around it is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from audio_cache.config import knobs

DOCS = Path(__file__).parent


def knob_table() -> str:
    """Return the settings of the cache as a Markdown table."""
    rows = ["| name | takes | default | what it does |", "|---|---|---|---|"]
    for knob in knobs():
        default = f"`{knob.default}`" if knob.default else "not set"
        rows.append(f"| `{knob.name}` | {knob.takes} | {default} | {knob.help} |")
    return "\n".join(rows)


PARTS: dict[str, dict[str, Callable[[], str]]] = {"configuration.md": {"knobs": knob_table}}


def regenerate(page: str, parts: dict[str, Callable[[], str]]) -> str:
    """Return a page with its generated parts made anew.

    Raises:
        ValueError: the page has not exactly one place for a part.
    """
    for name, render in parts.items():
        body = f"<!-- {name} -->\n{render()}\n<!-- /{name} -->"
        place = re.compile(rf"<!-- {name} -->\n.*?<!-- /{name} -->", re.DOTALL)
        page, count = place.subn(lambda _, body=body: body, page)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"the page has {count} places <!-- {name} -->, not 1")
    return page


def main() -> None:
    """Rewrite every page that has generated parts."""
    for name, parts in PARTS.items():
        path = DOCS / name
        path.write_text(regenerate(path.read_text("utf-8"), parts), "utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
