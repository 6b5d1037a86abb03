"""The command `python -m audio_cache.debug_cache`, a door to `audio-cache debug`."""

from __future__ import annotations

from pathlib import Path

import click

from .cli.commands import show_explanation
from .cli.frame import make_output_safe
from .store.explanation import explain

__all__ = ["explain", "main"]


@click.command()
@click.argument("music_root", type=Path)
@click.argument("rel_path", type=Path)
@click.argument("cache_dir", type=Path)
def main(music_root: Path, rel_path: Path, cache_dir: Path) -> None:
    """Explain why the track REL_PATH in MUSIC_ROOT is, or is not, played from CACHE_DIR."""
    make_output_safe()
    show_explanation(music_root, rel_path, cache_dir)


if __name__ == "__main__":
    main(prog_name="python -m audio_cache.debug_cache")
