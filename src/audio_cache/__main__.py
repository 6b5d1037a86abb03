"""Run `python -m audio_cache` as the command `audio-cache`."""

from __future__ import annotations

from .cli.commands import main

main(prog_name="audio-cache")
