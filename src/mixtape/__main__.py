"""Run `python -m mixtape` as the command `mixtape`."""

from __future__ import annotations

from .cli import main

main(prog_name="mixtape")
