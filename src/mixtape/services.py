"""Services that the pages use: the library, the mixtapes and their caching, wired once per app."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, cast

from flask import Flask, current_app

from audio_cache import Composer, MusicRoots, is_sheet_track, stat_source
from audio_cache.flask_ext import AudioCacheState

from .accounts.bookmarks import Bookmarks
from .accounts.devices import Devices
from .accounts.library_links import LibraryLinks
from .accounts.listening import Listening
from .accounts.listens import Listens
from .accounts.marks import Marks
from .accounts.now_playing import NowPlaying
from .accounts.plays import Plays
from .accounts.scrobbling import Scrobbling
from .accounts.sealing import Sealer
from .accounts.users import Users
from .backups.backups import Backups
from .backups.incoming import Incoming
from .database.units_of_work import Database
from .library.catalogue import Catalogue, LibraryCounts
from .library.changes import Changes
from .library.collages import Collages
from .library.covers import Artwork
from .library.folders import Folders
from .library.initials import Initials
from .library.library_watch import LibraryWatch
from .library.lists import Lists
from .library.lyrics import LyricsFinder
from .library.music_folders import MusicFolder, music_folders
from .library.parts import Parts
from .library.roots import adopt_roots
from .library.scanner import LOCK_NAME, Scanner, ScanProgress
from .library.selection import Selection
from .mixtapes.additions import Additions
from .mixtapes.caching import Caching
from .mixtapes.drafts import Drafts
from .mixtapes.links import Sharing
from .mixtapes.open_answers import OpenAnswers, answers_to
from .mixtapes.playlists import Playlists
from .mixtapes.removed_devices import RemovedDevices
from .mixtapes.share_links import ShareLinks
from .mixtapes.store import Mixtapes
from .mixtapes.tapes import Tapes
from .mixtapes.values import SavedLink
from .takeaway.tape import Takeaway

EXTENSION: Final = "mixtape"
_SCAN_ENDS_WITHIN_S: Final = 2.0
# What nodes tell each other: what nobody may hear any more.
_ENDED: Final = "mixtape ended"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """What `app.extensions["mixtape"]` holds; its mixtapes, drafts and links are everybody's."""

    database: Database
    users: Users
    devices: Devices
    library_links: LibraryLinks
    marks: Marks
    listening: Listening
    bookmarks: Bookmarks
    plays: Plays
    now_playing: NowPlaying
    scrobbling: Scrobbling
    listens: Listens
    scanner: Scanner
    watch: LibraryWatch
    catalogue: Catalogue
    folders: Folders
    initials: Initials
    changes: Changes
    lists: Lists
    lyrics: LyricsFinder
    music_folders: tuple[MusicFolder, ...]
    selection: Selection
    parts: Parts
    artwork: Artwork
    collages: Collages
    mixtapes: Mixtapes
    playlists: Playlists
    drafts: Drafts
    additions: Additions
    sharing: Sharing
    share_links: ShareLinks
    open_answers: OpenAnswers
    removed_devices: RemovedDevices
    caching: Caching
    backups: Backups
    incoming: Incoming
    takeaway: Takeaway
    counted: dict[tuple[ScanProgress, int], LibraryCounts] = field(default_factory=dict)

    def counts(self) -> LibraryCounts:
        """Return how much the library holds, counted again only if a scan has progressed since.

        A library of 100,000 tracks takes half a second to count.
        """
        version = self.scanner.version
        counts = self.counted.get(version)
        if counts is None:
            counts = self.catalogue.counts()
            self.counted.clear()
            self.counted[version] = counts
        return counts

    def tapes_of(self, user_id: int) -> Tapes:
        """Return what a user has made."""
        return Tapes(
            self.mixtapes.for_user(user_id),
            self.drafts.for_user(user_id),
            self.additions.for_user(user_id),
            self.share_links.for_user(user_id),
        )

    def let_go(self, slug: str, links: Iterable[SavedLink]) -> None:
        """End what goes on for a mixtape that was deleted: plays by its links, caching, pins."""
        for link in links:
            self.open_answers.end(link.slug)
        self.caching.cancel(slug)
        self.caching.unpin(slug)

    def remove_device(self, user_id: int, device_id: int) -> None:
        """Remove a device or link of a user, and end what is being sent by it. NotFoundError."""
        self.devices.remove(user_id, device_id)
        self.open_answers.end(answers_to(device_id))

    def remove_devices(self, user_id: int) -> None:
        """Remove all devices and links of a user, and end what is being sent by them."""
        for device_id in self.devices.remove_all(user_id):
            self.open_answers.end(answers_to(device_id))

    def start(self) -> None:
        """Begin what a server does by itself: scan and watch the library, cache what is left over.

        Not done by `create_app`: a test or a command line wants neither.
        """
        self.watch.start()
        self.listens.start()
        self.removed_devices.start()
        threading.Thread(target=self._resume, name="mixtape-resume", daemon=True).start()

    def close(self) -> None:
        """End the scan and the encoders of this process; both go on after the next start."""
        self.scanner.cancel()
        self.listens.close()
        self.removed_devices.close()
        self.watch.close()
        self.caching.close()
        self.scanner.wait(_SCAN_ENDS_WITHIN_S)
        self.database.close()

    def _resume(self) -> None:
        try:
            slugs = [summary.slug for summary in self.mixtapes.summaries()]
            self.caching.pin_all(self.mixtapes.get(slug) for slug in slugs)
            begun = self.caching.resume(self.mixtapes.get(slug) for slug in slugs)
            if begun:
                logger.info("caching goes on for %d mixtapes", begun)
            in_use = self.mixtapes.cover_keys() | self.drafts.cover_keys()
            self.artwork.sweep_uploads(in_use)
        except Exception:
            logger.exception("what was left over could not be resumed")


def init_app(app: Flask) -> None:
    """Open the database of an app and wire its services; the cache must be set up already."""
    data_root = Path(app.config["DATA_ROOT"])
    state: AudioCacheState = app.extensions["audio_cache"]
    roots = state.roots
    database = Database.open(data_root, app.config["DATABASE_URL"])
    adopt_roots(database, roots, is_demo=app.config["IS_DEMO"])
    database.close()  # connections must not cross a fork, as after it was opened
    scanner = Scanner(database, roots, data_root / LOCK_NAME)
    catalogue = Catalogue(database)
    artwork = Artwork(database, roots, data_root)
    collages = Collages(artwork)
    open_answers = OpenAnswers()
    if state.shared is not None:
        state.shared.hear(_ENDED, open_answers.end_here)
        open_answers.others.append(partial(state.shared.tell, _ENDED))
    sealer = Sealer(app.config["SECRET_KEY"])
    devices = Devices(database, sealer)
    plays, now_playing = Plays(database), NowPlaying(state.shared)
    listens = Listens(database, sealer)
    services = Services(
        database=database,
        users=Users(database),
        devices=devices,
        library_links=LibraryLinks(database, app.config["SECRET_KEY"]),
        marks=Marks(database),
        listening=Listening(database),
        bookmarks=Bookmarks(database),
        plays=plays,
        now_playing=now_playing,
        scrobbling=Scrobbling(plays, now_playing, listens, catalogue.tracks),
        listens=listens,
        scanner=scanner,
        watch=LibraryWatch(scanner, state.cache, roots, state.settings.watch),
        catalogue=catalogue,
        folders=Folders(scanner, catalogue),
        initials=Initials(database, lambda: scanner.version),
        changes=Changes(database, lambda: scanner.version),
        lists=Lists.of(database),
        lyrics=LyricsFinder(roots),
        music_folders=music_folders(roots.places),
        selection=Selection(database, scanner),
        parts=Parts(database),
        artwork=artwork,
        collages=collages,
        mixtapes=Mixtapes(database),
        playlists=Playlists(database),
        drafts=Drafts(database),
        additions=Additions(database),
        sharing=Sharing(database, app.config["SECRET_KEY"]),
        share_links=ShareLinks(database),
        open_answers=open_answers,
        removed_devices=RemovedDevices(devices, open_answers),
        caching=Caching(state, database),
        backups=Backups(database, artwork, data_root, sealer),
        incoming=Incoming(data_root),
        takeaway=Takeaway(Composer(state.playback), collages, partial(_placed, roots)),
    )
    app.extensions[EXTENSION] = services
    atexit.register(services.close)


def current_services() -> Services:
    """Return the services of the current app."""
    return cast(Services, current_app.extensions[EXTENSION])


def _placed(roots: MusicRoots, path: bytes) -> tuple[Path, os.stat_result]:
    """Return where a track of the library is, and what the file system says of the file there."""
    with roots.opened(path) as (place, descriptor):
        return place, stat_source(place) if is_sheet_track(place) else os.fstat(descriptor)
