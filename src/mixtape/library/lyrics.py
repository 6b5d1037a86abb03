"""The lyrics of a track: in files beside it, and in its tags. They are read when asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Final

from audio_cache import MusicRoots

from ..database.tables import Track
from ..errors import AudioFileError
from ..files.lyrics import MAX_TEXT_BYTES, Lyrics, decode_text, read_lyrics
from ..files.lyrics_tags import read_tagged_lyrics
from ..files.opening import identity_of
from ..files.sandbox import SandboxError
from .listed import Song

# By the name of the track's file; the first may be synced.
_SUFFIXES: Final = (b".lrc", b".LRC", b".txt", b".TXT")

logger = logging.getLogger(__name__)


class LyricsFinder:
    """Finds lyrics.

    Args:
        roots: the music folders; nothing outside of them is read, wherever links lead.
    """

    def __init__(self, roots: MusicRoots) -> None:
        self._roots = roots

    def find(self, track: Track | Song) -> tuple[Lyrics, ...]:
        """Return what there is, each once: synced before plain, files before tags.

        A track of a CUE sheet has none: the words in its file are of the whole of it.
        """
        if track.is_sheet_track:
            return ()
        found = dict.fromkeys([*self._beside(track), *self._inside(track)])
        return tuple(sorted(found, key=lambda lyrics: not lyrics.is_synced))

    def _beside(self, track: Track | Song) -> Iterator[Lyrics]:
        stem = os.path.splitext(track.path)[0]
        seen = set()
        for suffix in _SUFFIXES:
            try:
                with self._roots.opened(stem + suffix) as (_, descriptor):
                    identity = identity_of(descriptor)
                    content = os.pread(descriptor, MAX_TEXT_BYTES, 0)
            except OSError:
                continue
            # Some file systems take both names for the same file.
            if identity not in seen:
                seen.add(identity)
                lyrics = read_lyrics(decode_text(content))
                if lyrics is not None:
                    yield lyrics

    def _inside(self, track: Track | Song) -> tuple[Lyrics, ...]:
        try:
            with self._roots.opened(track.path) as (place, descriptor):
                return read_tagged_lyrics(place, identity_of(descriptor))
        except (SandboxError, AudioFileError, OSError, ValueError) as error:
            logger.warning(
                "%s: its lyrics cannot be read: %s", ascii(os.fsdecode(track.path)), error
            )
            return ()
