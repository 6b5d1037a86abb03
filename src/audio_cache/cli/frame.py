"""The frame that all commands of `audio-cache` share: exit codes, errors, settings, the cache."""

from __future__ import annotations

import functools
import io
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from ..engines import make_cache
from ..errors import AudioCacheError, ConfigError
from ..settings import AudioCacheSettings
from ..store.cache import AudioCache
from ..text import readable

FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

EXIT_CODES: Final = {
    0: "success",
    FAILED: "something failed or is damaged: a track, an entry, the disk; the output says what",
    USAGE: "the command line or a setting is invalid; nothing was done",
    INTERRUPTED: "interrupted by Ctrl-C or SIGTERM; finished tracks are kept",
}


class AudioCacheGroup(click.Group):
    """The commands, with errors turned into messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        make_output_safe()
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            click.echo(str(interrupt) or "interrupted", err=True)
            raise SystemExit(INTERRUPTED) from interrupt
        except ConfigError as error:
            click.echo(f"Error: {error}", err=True)
            raise SystemExit(USAGE) from error
        except BrokenPipeError:
            raise  # click ends quietly when nobody reads the rest
        except (AudioCacheError, OSError) as error:
            click.echo(f"Error: {error}", err=True)
            raise SystemExit(FAILED) from error
        finally:
            signal.signal(signal.SIGTERM, before)


def cache_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every command has."""

    @click.option(
        "--cache-dir",
        type=Path,
        help="The cache directory.  [default: AUDIO_CACHE_DIR in DATA_ROOT]",
    )
    @click.option("-v", "--verbose", is_flag=True, help="Show log messages.")
    @functools.wraps(command)
    def with_options(*args: Any, verbose: bool, **options: Any) -> None:
        logger = logging.getLogger("audio_cache")
        if verbose:
            logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
        elif not logger.handlers:
            # The commands report failures themselves; nothing is reported twice.
            logger.addHandler(logging.NullHandler())
        command(*args, **options)

    return with_options


def open_cache(cache_dir: Path | None) -> AudioCache:
    """Return the cache that the command line or the environment names, creating it if needed.

    Raises:
        ConfigError: a setting is invalid.
        OSError: the directory cannot be created.
    """
    settings = AudioCacheSettings()
    return make_cache(settings, cache_dir or _default_dir(settings))


def open_existing_cache(cache_dir: Path | None) -> AudioCache:
    """Return the cache as `open_cache` does, but never create a directory for a misspelt name.

    Raises:
        click.UsageError: there is no such directory.
    """
    directory = cache_dir or _default_dir(AudioCacheSettings())
    if not directory.is_dir():
        where = readable(os.path.abspath(directory))
        raise click.UsageError(f"there is no cache in {where}: name one with --cache-dir")
    return open_cache(cache_dir)


def _default_dir(settings: AudioCacheSettings) -> Path:
    return settings.cache_dir(os.environ.get("DATA_ROOT") or "collection-data")


def make_output_safe() -> None:
    """Escape characters that the terminal's encoding lacks instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
