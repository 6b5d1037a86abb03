"""Write the generated parts of the documentation: `python -m docs.generate`, or `make docs`.

A part stands between `<!-- name -->` and `<!-- /name -->`; everything around it is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import click

from audio_cache.cli.commands import main as main_command
from audio_cache.cli.frame import EXIT_CODES
from audio_cache.quality import QUALITY_LEVELS, QUALITY_SETTINGS, bitrate_bps
from audio_cache.settings import knobs

from .host import deploy_file, metric_table, route_table, setting_table

DOCS = Path(__file__).parent
# What the table of qualities takes for an ordinary track.
_TRACK_S = 240
_TRACK_BYTES = 30_000_000


def quality_table() -> str:
    """Return the qualities as a Markdown table, with what they make of an ordinary track."""
    rows = ["| quality | bitrate | a 4-minute track of 30 MB |", "|---|---|---|"]
    for quality in QUALITY_SETTINGS:
        bitrate = bitrate_bps(quality)
        size = bitrate // 8 * _TRACK_S
        saved = f"{size / 1e6:.1f} MB, {100 * (1 - size / _TRACK_BYTES):.0f} % less"
        rows.append(f"| {quality} | {bitrate // 1000} kbit/s | {saved} |")
    return "\n".join(rows)


def quality_list() -> str:
    """Return the values that `quality` takes."""
    *most, last = (f"`{level}`" for level in QUALITY_LEVELS)
    return f"`quality` is {', '.join(most)} or {last}."


def knob_table() -> str:
    """Return the settings of the cache as a Markdown table."""
    rows = ["| name | takes | default | what it does |", "|---|---|---|---|"]
    for knob in knobs():
        default = f"`{knob.default}`" if knob.default else "not set"
        rows.append(f"| `{knob.name}` | {knob.takes} | {default} | {knob.help} |")
    return "\n".join(rows)


def exit_code_table() -> str:
    """Return the exit codes of `audio-cache` as a Markdown table."""
    rows = [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def command_help() -> str:
    """Return the help of every command of `audio-cache`."""
    parts = []
    for name, command in sorted(main_command.commands.items()):
        context = click.Context(command, info_name=f"audio-cache {name}", terminal_width=100)
        parts.append(f"### `audio-cache {name}`\n\n```text\n{command.get_help(context)}\n```")
    return "\n\n".join(parts)


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "cli.md": {"exit-codes": exit_code_table, "commands": command_help},
    "configuration.md": {"knobs": knob_table, "host-settings": setting_table},
    "../README.md": {"qualities": quality_table},
    "http.md": {"qualities": quality_list, "metrics": metric_table, "routes": route_table},
    "install.md": {
        "mixtape.env": lambda: deploy_file("mixtape.env", "sh"),
        "mixtape.service": lambda: deploy_file("mixtape.service", "ini"),
        "nginx.conf": lambda: deploy_file("nginx.conf", "nginx"),
        "Caddyfile": lambda: deploy_file("Caddyfile", ""),
    },
}


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
