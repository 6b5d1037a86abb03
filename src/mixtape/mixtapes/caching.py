"""Caching of mixtapes and folders in the background, and how much of them is ready."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import or_, select

from audio_cache import (
    DEFAULT_QUALITY,
    QUALITY_SETTINGS,
    EngineUnavailableError,
    QualityLevel,
    encode_time_s,
    find_obstacle,
    free_bytes,
    is_valid,
    missing,
)
from audio_cache.flask_ext import AudioCacheState

from ..database.tables import Track
from ..database.units_of_work import Database
from ..library.sizes import sent_size
from .values import SavedMixtape

logger = logging.getLogger(__name__)

ENCODED: Final = tuple(QUALITY_SETTINGS)

_END_WITHIN_S: Final = 2.0
_PINS: Final = "mixtape "


@dataclass(frozen=True, slots=True)
class Readiness:
    """How many tracks of a mixtape play at once at each quality.

    Args:
        total: its tracks that are there.
        ready: by quality; lossy tracks, which are always sent as they are, count as ready.
        is_running: whether more of them are being made.
        damaged: how many are never ready, since their files are damaged; what can be read of them
            is played all the same.
        unplayable: how many hold nothing that can be played.
    """

    total: int
    ready: Mapping[QualityLevel, int]
    is_running: bool
    damaged: int
    unplayable: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What caching some tracks takes, told before it begins.

    Args:
        tracks: how many of them lack something.
        size_bytes: of what would be made, to the byte but for tags.
        time_s: about how many seconds that takes.
        free_bytes: what the cache's disk has left.
        obstacle: why it cannot be begun, in words; None where it can.
    """

    tracks: int
    size_bytes: int
    time_s: float
    free_bytes: int
    obstacle: str | None


class Caching:
    """Starts and cancels background runs; the task id of a mixtape is its slug.

    Args:
        state: of the cache.
        database: with the tracks of the library.
    """

    def __init__(self, state: AudioCacheState, database: Database) -> None:
        self._state = state
        self._database = database
        self._runs = state.make_runs()

    @property
    def is_enabled(self) -> bool:
        """Say whether anything is cached at all."""
        return self._state.settings.enabled

    @property
    def ahead(self) -> tuple[QualityLevel, ...]:
        """Return the qualities that are made ahead of the first listener; none if that is off."""
        settings = self._state.settings
        return self._chosen if settings.enabled and settings.precache_on_upload else ()

    @property
    def usual(self) -> tuple[QualityLevel, ...]:
        """Return the qualities that are made for somebody who asks for none in particular."""
        return self._chosen or (DEFAULT_QUALITY,)

    @property
    def _chosen(self) -> tuple[QualityLevel, ...]:
        chosen = self._state.settings.precache_qualities
        return tuple(level for level in chosen if level != "original")

    @property
    def best(self) -> QualityLevel | None:
        """Return the best quality that is made ahead: more is not asked for by itself either.

        None where nothing is made ahead, and so nothing is nearer at hand than anything else.
        """
        return min(self.ahead, key=ENCODED.index, default=None)

    @property
    def _is_pinning(self) -> bool:
        return self._state.settings.enabled and self._state.settings.pin_mixtapes

    def start(
        self,
        task_id: str,
        paths: Iterable[bytes],
        qualities: Sequence[QualityLevel],
        *,
        is_urgent: bool = False,
    ) -> bool:
        """Begin to cache tracks in the background; say whether there is anything to do.

        Args:
            task_id: of the progress stream.
            paths: relative to the music root.
            qualities: what to make of each.
            is_urgent: the tracks go before those that nobody waits for.
        """
        sources = self._sources(paths)
        if not (self.is_enabled and sources and qualities):
            return False
        self._schedule(task_id, sources, qualities, is_urgent=is_urgent)
        return True

    def start_mixtape(self, mixtape: SavedMixtape, qualities: Sequence[QualityLevel]) -> bool:
        """Begin to cache a mixtape at some qualities, as `start`."""
        paths = (item.path for item in mixtape.items)
        return self.start(mixtape.slug, paths, qualities, is_urgent=True)

    def prepare(self, mixtape: SavedMixtape) -> bool:
        """Begin to cache a mixtape ahead of its first listener; say whether that is begun.

        Where it cannot be begun, as while an engine is away, that is logged: what was saved is.
        """
        try:
            return self.start_mixtape(mixtape, self.ahead)
        except EngineUnavailableError as error:
            logger.error("%s is not cached ahead: %s", mixtape.slug, error)
            return False

    def pin(self, mixtape: SavedMixtape) -> None:
        """Keep what is made of a mixtape, whatever else needs the room, if that is wished."""
        if self._is_pinning:
            paths = [item.path for item in mixtape.items]
            owner = _pins_of(mixtape.slug)
            self._state.cache.pin(owner, self._sources(paths), self.usual)
            if self._state.shared is not None:
                self._state.shared.worth.pin(owner, paths, self.usual)

    def unpin(self, slug: str) -> None:
        """Let go what was kept for a mixtape that is no more, or has another slug."""
        self._let_go(_pins_of(slug))

    def pin_all(self, mixtapes: Iterable[SavedMixtape]) -> None:
        """Keep what is made of all mixtapes, and let go what was kept for others."""
        wanted = list(mixtapes) if self._is_pinning else []
        owners = {_pins_of(mixtape.slug) for mixtape in wanted}
        known = set(self._state.cache.pins.owners())
        if self._state.shared is not None:
            known |= self._state.shared.worth.owners()
        for owner in known:
            if owner.startswith(_PINS) and owner not in owners:
                self._let_go(owner)
        for mixtape in wanted:
            self.pin(mixtape)

    def _let_go(self, owner: str) -> None:
        self._state.cache.unpin(owner)
        if self._state.shared is not None:
            self._state.shared.worth.unpin(owner)

    def resume(self, mixtapes: Iterable[SavedMixtape]) -> int:
        """Go on with what a former process left undone, and return for how many mixtapes."""
        begun = 0
        for mixtape in mixtapes:
            sources = self._sources(item.path for item in mixtape.items)
            if self.ahead and missing(self._state.cache, sources, self.ahead):
                begun += self.prepare(mixtape)
        return begun

    def cancel(self, task_id: str) -> bool:
        """Cancel the run of a task; say whether there was one, as far as that is known now."""
        try:
            return self._runs.cancel(task_id)
        except EngineUnavailableError as error:
            logger.error("the run of %s goes on: %s", task_id, error)
            return False

    def rename(self, old_task_id: str, mixtape: SavedMixtape) -> None:
        """Let pins, and the run if one goes on, be those of the mixtape under its new slug."""
        self.unpin(old_task_id)
        self.pin(mixtape)
        run = self._runs.find(old_task_id)
        if run is not None and not run.is_over:
            self.cancel(old_task_id)
            with contextlib.suppress(EngineUnavailableError):
                self.start_mixtape(mixtape, run.qualities)

    def is_running(self, task_id: str) -> bool:
        """Say whether a run of a task goes on."""
        run = self._runs.find(task_id)
        return run is not None and not run.is_over

    def readiness(self, mixtape: SavedMixtape) -> Readiness:
        """Return how much of a mixtape is ready, by what the cache holds now."""
        cache = self._state.cache
        there = [item for item in mixtape.items if not item.is_missing]
        unread = {item.path for item in there if item.track is not None and item.track.problem}
        broken = self._sources(unread)
        sources = self._sources(item.path for item in there if item.path not in unread)
        lossless = [source for source in sources if cache.should_transcode(source)]
        damages = {source: found for source in lossless if (found := cache.damages.now(source))}
        silent = [source for source, found in damages.items() if not found.heard_s]
        lossy = len(sources) - len(lossless)
        sound = [source for source in lossless if source not in damages]
        ready = {
            quality: lossy + sum(is_valid(cache, source, quality) for source in sound)
            for quality in ENCODED
        }
        return Readiness(
            total=len(sources) + len(broken),
            ready=ready,
            is_running=self.is_running(mixtape.slug),
            damaged=len(damages) - len(silent),
            unplayable=len(silent) + len(broken),
        )

    def close(self) -> None:
        """End all runs of this process, within about two seconds."""
        self._runs.close(_END_WITHIN_S)

    def cost(self, folder: bytes, qualities: Sequence[QualityLevel]) -> Cost:
        """Return what caching a folder takes, by what the last scan knows of its tracks.

        No file is opened: what has an entry is taken to be cached.
        """
        cache = self._state.cache
        roots = self._state.roots
        there = {entry.name for entry in cache.entries()}
        tracks, size_bytes, audio_s = 0, 0, 0.0
        for track in self._folder_tracks(folder):
            source = roots.find(track.path)
            if source is None:
                continue
            lacks = [
                each for each in qualities if cache.get_cache_path(source, each).name not in there
            ]
            tracks += bool(lacks)
            size_bytes += sum(sent_size(track, each) for each in lacks)
            audio_s += (track.duration_s or 0.0) if lacks else 0.0
        return Cost(
            tracks=tracks,
            size_bytes=size_bytes,
            time_s=encode_time_s(audio_s, self._state.settings.max_workers),
            free_bytes=free_bytes(cache),
            obstacle=find_obstacle(cache, size_bytes),
        )

    def folder_paths(self, folder: bytes) -> tuple[bytes, ...]:
        """Return the lossless tracks in and below a folder, as the last scan saw them."""
        return tuple(track.path for track in self._folder_tracks(folder))

    def _folder_tracks(self, folder: bytes) -> Sequence[Track]:
        within = Track.folder == folder
        query = select(Track).where(
            or_(within, Track.is_below(folder)) if folder else Track.folder >= b"",
            Track.missing_since.is_(None),
            Track.lossless,
        )
        with self._database.read() as session:
            return session.scalars(query.order_by(Track.path)).all()

    def _schedule(
        self,
        task_id: str,
        sources: list[Path],
        qualities: Sequence[QualityLevel],
        *,
        is_urgent: bool = True,
    ) -> None:
        run = self._runs.find(task_id)
        if run is not None and not run.is_over:
            # The new run takes the place of one whose qualities somebody still waits for.
            qualities = tuple(dict.fromkeys((*run.qualities, *qualities)))
        self._runs.schedule(task_id, sources, qualities, is_urgent=is_urgent)

    def _sources(self, paths: Iterable[bytes]) -> list[Path]:
        found = map(self._state.roots.find, dict.fromkeys(paths))
        # What is in a music folder that is none of them any more is nowhere.
        return [place for place in found if place is not None]


def _pins_of(slug: str) -> str:
    return _PINS + slug


def folder_task_id(folder: bytes) -> str:
    """Return the task id of caching a folder; its path may hold what no address likes."""
    return "folder-" + hashlib.blake2b(folder, digest_size=12).hexdigest()
