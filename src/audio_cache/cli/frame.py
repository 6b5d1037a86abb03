"""What all commands of `audio-cache` share: exit codes, errors, settings, the cache directory."""

from __future__ import annotations

import functools
import io
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from ..errors import AudioCacheError, ConfigError
from ..settings import AudioCacheSettings
from ..store.cache import AudioCache
from ..text import readable

FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

EXIT_CODES: Final = {
    0: "all is well",
    FAILED: "something failed or is not well: a track, an entry, the disk; the output names it",
    USAGE: "the command line or a setting cannot be used; nothing was done",
    INTERRUPTED: "Ctrl-C or SIGTERM ended it; what was finished stays",
}


class AudioCacheGroup(click.Group):
    """The commands, with errors turned into messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        make_output_safe()
        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            click.echo(str(interrupt) or "interrupted", err=True)
            raise SystemExit(INTERRUPTED) from interrupt
        except ConfigError as error:
            click.echo(f"Error: {error}", err=True)
            raise SystemExit(USAGE) from error
        except BrokenPipeError:
            raise  # click ends quietly where nobody reads on
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
        help="The cache.  [default: AUDIO_CACHE_DIR in DATA_ROOT]",
    )
    @click.option("-v", "--verbose", is_flag=True, help="Show what the cache logs.")
    @functools.wraps(command)
    def with_options(*args: Any, verbose: bool, **options: Any) -> None:
        logger = logging.getLogger("audio_cache")
        if verbose:
            logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
        elif not logger.handlers:
            # The commands say themselves what failed; nothing is said twice.
            logger.addHandler(logging.NullHandler())
        command(*args, **options)

    return with_options


def read_settings() -> AudioCacheSettings:
    """Return the settings of the environment.

    Raises:
        ConfigError: one of them cannot be used.
    """
    return AudioCacheSettings()


def open_cache(cache_dir: Path | None) -> AudioCache:
    """Return the cache that the command line or the environment names, made where it is missing.

    Raises:
        ConfigError: a setting cannot be used.
        OSError: the directory cannot be made.
    """
    settings = read_settings()
    return AudioCache(
        cache_dir or _default_dir(settings),
        ffmpeg=settings.ffmpeg,
        encode_timeout_s=settings.encode_timeout_s,
        nice=settings.nice,
    )


def open_existing_cache(cache_dir: Path | None) -> AudioCache:
    """Return the cache as `open_cache` does, but never make a directory for a misspelt name.

    Raises:
        click.UsageError: there is no such directory.
    """
    directory = cache_dir or _default_dir(read_settings())
    if not directory.is_dir():
        where = readable(os.path.abspath(directory))
        raise click.UsageError(f"there is no cache in {where}: give one with --cache-dir")
    return open_cache(cache_dir)


def _default_dir(settings: AudioCacheSettings) -> Path:
    return settings.cache_dir(os.environ.get("DATA_ROOT") or "collection-data")


def make_output_safe() -> None:
    """Let a character that the terminal's encoding lacks be escaped rather than be an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
