"""A mixtape as files to take along: composed of what listeners get of its tracks anyway."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Final

from audio_cache import (
    QUALITY_SETTINGS,
    AudioCacheError,
    Composer,
    Composition,
    EncodeError,
    JoinedTracks,
    QualityLevel,
    TrackFile,
    parse_quality,
    suffix_of,
)

from ..database.tables import Track
from ..errors import NotFoundError, TakeawayError
from ..library.collages import Collages
from ..library.covers import LARGE
from ..messages import Message
from ..mixtapes.values import SavedMixtape
from .archive import ArchiveEntry, make_archive
from .chapters import Chapter, make_tag
from .file_names import safe_name, track_name
from .playlists import PlaylistEntry, write_m3u8

QUALITIES: Final[tuple[QualityLevel, ...]] = (
    *(parse_quality(name) for name in QUALITY_SETTINGS),
    "original",
)
_MP3: Final = ".mp3"
_COVER: Final = "cover.jpg"
_NOTES: Final = "notes.txt"


@dataclass(frozen=True)
class TapeTrack:
    """A track of a mixtape, the file that is taken along of it, and what its maker says of it."""

    track: Track
    file: TrackFile
    note: str = ""

    @property
    def artist(self) -> str:
        """Return who plays it; "" where nobody is named."""
        return self.track.artist or self.track.album_artist

    @property
    def line(self) -> str:
        """Return it in one line."""
        return f"{self.artist} – {self.track.title}" if self.artist else self.track.title


@dataclass(frozen=True)
class TapeSizes:
    """What a mixtape takes at a quality, in bytes.

    Args:
        archive_bytes: as an archive.
        single_bytes: as one MP3; None where there is none.
    """

    quality: QualityLevel
    archive_bytes: int
    single_bytes: int | None


class Takeaway:
    """Composes what is taken along of mixtapes.

    Args:
        composer: of the cache.
        collages: give the covers.
        find: gives the absolute path of a track, and what the file system says of the file there;
            OSError where there is none.
    """

    def __init__(
        self,
        composer: Composer,
        collages: Collages,
        find: Callable[[bytes], tuple[Path, os.stat_result]],
    ) -> None:
        self.composer = composer
        self._collages = collages
        self.find = find

    def archive(self, mixtape: SavedMixtape, quality: QualityLevel) -> Composition:
        """Return a mixtape as a ZIP archive: its tracks, its cover, its notes, and a playlist.

        Args:
            mixtape: with at least one track that is there.
            quality: of the tracks that are lossless.

        Raises:
            TakeawayError: none of its tracks is there.
        """
        return self._archive(mixtape, self._tracks(mixtape, quality, is_measured=False))

    def single(self, mixtape: SavedMixtape, quality: QualityLevel) -> Composition:
        """Return a mixtape as one MP3 without gaps, with a chapter for each track.

        Args:
            mixtape: with at least one track that is there.
            quality: any but "original".

        Raises:
            TakeawayError: it cannot be made, and the message says why.
        """
        if quality == "original":
            raise TakeawayError(Message("one MP3 has a quality of MP3: choose one of these"))
        return self._single(mixtape, self._tracks(mixtape, quality, is_measured=False))

    def sizes(self, mixtape: SavedMixtape) -> Iterator[TapeSizes]:
        """Yield what a mixtape takes at each quality, exact to the byte.

        Raises:
            TakeawayError: none of its tracks is there.
        """
        for quality in QUALITIES:
            tracks = self.tracks(mixtape, quality)
            single: int | None = None
            if quality != "original":
                with contextlib.suppress(TakeawayError):
                    single = self._single(mixtape, tracks).length
            yield TapeSizes(quality, self._archive(mixtape, tracks).length, single)

    def tracks(self, mixtape: SavedMixtape, quality: QualityLevel) -> list[TapeTrack]:
        """Return the tracks that are there, with the lengths of their files, not their ids.

        Raises:
            TakeawayError: none is there.
        """
        return self._tracks(mixtape, quality, is_measured=True)

    def _archive(self, mixtape: SavedMixtape, tracks: list[TapeTrack]) -> Composition:
        names = _names(tracks)
        entries = [ArchiveEntry(name, each.file) for name, each in zip(names, tracks, strict=True)]
        if (cover := self._cover(mixtape)) is not None:
            entries.append(ArchiveEntry(_COVER, cover))
        if notes := _notes(mixtape, tracks):
            entries.append(ArchiveEntry(_NOTES, notes.encode()))
        playlist = [
            PlaylistEntry(name, each.track.title, each.artist, each.track.duration_s or 0.0)
            for name, each in zip(names, tracks, strict=True)
        ]
        listing = write_m3u8(mixtape.title, playlist).encode()
        entries.append(ArchiveEntry(f"{safe_name(mixtape.title)}.m3u8", listing))
        return make_archive(entries, mixtape.updated_at.astimezone(UTC))

    def _single(self, mixtape: SavedMixtape, tracks: list[TapeTrack]) -> Composition:
        kept = [each.track.title for each in tracks if each.file.rendition is None]
        if kept:
            raise TakeawayError(
                Message(
                    "“%(title)s” is no lossless file, or a damaged one, and joined with "
                    "the others it would have to be encoded a second time: take the ZIP "
                    "archive",
                    title=kept[0],
                )
            )
        try:
            joined = self.composer.join(each.file for each in tracks)
        except EncodeError as error:
            raise TakeawayError(
                Message("the tracks cannot be joined: %(reason)s", reason=error)
            ) from error
        artists = {each.artist for each in tracks}
        artist = artists.pop() if len(artists) == 1 else "Various Artists"
        chapters = _chapters(tracks, joined)
        tag = make_tag(mixtape.title, artist, mixtape.notes, self._cover(mixtape), chapters)
        return Composition((tag, joined))

    def _tracks(
        self, mixtape: SavedMixtape, quality: QualityLevel, *, is_measured: bool
    ) -> list[TapeTrack]:
        found = []
        for item in mixtape.items:
            track = item.track
            if track is None or item.is_missing:
                continue
            # As on the page, what is missing or no audio is left out.
            with contextlib.suppress(OSError, AudioCacheError):
                if track.problem is None:
                    path, status = self.find(track.path)
                    is_identified = not is_measured
                    file = self.composer.describe(
                        path, quality, status, is_identified=is_identified
                    )
                    found.append(TapeTrack(track, file, item.note))
        if not found:
            raise TakeawayError(
                Message("there is no track on this mixtape that could be taken along")
            )
        return found

    def _cover(self, mixtape: SavedMixtape) -> bytes | None:
        if not mixtape.cover_parts:
            return None
        with contextlib.suppress(NotFoundError, OSError):
            return self._collages.get(mixtape.cover_parts, LARGE).read_bytes()
        return None


def _notes(mixtape: SavedMixtape, tracks: list[TapeTrack]) -> str:
    """Return the liner notes and what is said of single tracks as a text; "" for none."""
    said = [
        f"{place}. {each.line}: {each.note}" for place, each in enumerate(tracks, 1) if each.note
    ]
    written = mixtape.notes.splitlines()
    if not written and not said:
        return ""
    parts = [[mixtape.title], written, said]
    # Its lines end as Windows has it, for its own editor of such files.
    return "\r\n".join(line for part in parts if part for line in (*part, ""))


def _names(tracks: list[TapeTrack]) -> list[str]:
    names = []
    for place, each in enumerate(tracks, start=1):
        suffix = _MP3 if each.file.rendition else suffix_of(os.fsdecode(each.track.path))
        names.append(track_name(place, len(tracks), each.artist, each.track.title, suffix))
    return names


def _chapters(tracks: list[TapeTrack], joined: JoinedTracks) -> list[Chapter]:
    spans = zip(joined.starts, joined.starts[1:], strict=False)
    return [
        Chapter(each.line, start, end) for each, (start, end) in zip(tracks, spans, strict=True)
    ]
