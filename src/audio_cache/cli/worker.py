"""The command `audio-cache worker`: encode what the nodes of a site put into their queue."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import click

from ..engines import load_backend
from ..errors import ConfigError
from ..settings import PREFIX, AudioCacheSettings
from ..sources.music_roots import MusicRoots, split_roots


@click.command()
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Tracks to encode at once.  [default: AUDIO_CACHE_MAX_WORKERS]",
)
@click.option(
    "--name",
    default="audio-cache@%h",
    show_default=True,
    help="The name of this worker; %h is that of the host. Two on one host need two names.",
)
def worker(jobs: int | None, name: str) -> None:
    """Encode what AUDIO_CACHE_ENGINE=celery has put into the queue, until it is stopped.

    MUSIC_ROOT is where this host has the music, DATA_ROOT where it keeps what it makes. Several
    music folders are separated as in PATH, and are called the same on all nodes. All nodes have the
    same AUDIO_CACHE_REDIS, and either one cache directory or one AUDIO_CACHE_OBJECT_STORE.
    SIGTERM lets it finish the tracks that it is at.
    """
    settings = AudioCacheSettings()
    if settings.redis is None:
        raise ConfigError(f"{PREFIX}REDIS is not set: a worker needs the Redis of its site")
    named = os.environ.get("MUSIC_ROOT", "")
    music_roots = split_roots(named) if named else []
    if not any(map(os.path.isdir, music_roots)):
        raise ConfigError(f"MUSIC_ROOT is {named!r}: it takes the music folder")
    backend = load_backend("celery_app", "audio-cache worker")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    data_root = Path(os.environ.get("DATA_ROOT") or "collection-data")
    app = backend.make_worker(settings, MusicRoots.of(music_roots), data_root)
    app.worker_main(
        [
            *("worker", "--loglevel", "INFO", "--hostname", name),
            *("--concurrency", str(jobs or settings.max_workers)),
            *("--without-gossip", "--without-mingle"),
        ]
    )
