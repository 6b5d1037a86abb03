"""Checks that a source holds the audio that it states, made once for each version of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from ..encoding.ffmpeg import FFmpeg, FFmpegRun
from ..encoding.ffmpeg_options import AudioCheck, name_of
from ..encoding.rendition import Rendition, with_samples
from ..encoding.sample_check import check_apart
from ..errors import EncodeError
from ..sources.source import Source, read_source, stat_source, version_of
from .facts import Facts
from .lookups import Lookups


class Checks:
    """The checks of the sources of a cache; what was found out is remembered.

    Args:
        facts: remember it.
        lookups: tell the identity of audio.
        get_ffmpeg: gives the ffmpeg that decodes.
    """

    def __init__(self, facts: Facts, lookups: Lookups, get_ffmpeg: Callable[[], FFmpeg]) -> None:
        self._facts = facts
        self._lookups = lookups
        self._get_ffmpeg = get_ffmpeg

    def begin(self, source: Source) -> AudioCheck | None:
        """Return the check that a source's audio still needs; None where it was made before."""
        if self._facts.is_checked(os.fspath(source.path), source.version):
            return None
        return AudioCheck.of(source)

    def complete(
        self,
        rendition: Rendition,
        check: AudioCheck | None,
        on_start: Callable[[FFmpegRun], None] = lambda run: None,
    ) -> None:
        """Make sure that what was or will be encoded is the audio that the source states.

        Args:
            rendition: with its audio identified.
            check: of `begin`. What went on where an earlier encode ended has not read all of the
                source, so it is read here, unless those who shared the encode have.
            on_start: is given the ffmpeg as soon as it runs.

        Raises:
            EncodeInterruptedError: somebody ended the ffmpeg.
            EncodeError: the source is damaged, or was changed meanwhile.
        """
        if check is None or not check.is_passed:
            self._read(rendition, check, on_start)
        source = rendition.source
        path = os.fspath(source.path)
        self._facts.note_damage(path, source.version, None)
        if check is not None:
            check.is_passed = True
            self._facts.note_source(
                path, source.version, source.audio, source.samples, checked=True
            )

    def _read(
        self, rendition: Rendition, check: AudioCheck | None, on_start: Callable[[FFmpegRun], None]
    ) -> None:
        source = rendition.source
        if check is not None and not check.is_passed_apart:
            check_apart(check, self._get_ffmpeg(), on_start)
        now = version_of(stat_source(source.path))
        if now == source.version:
            return
        # A rename or a new link changes the inode alone, and a write whose time was put back, too.
        is_rewritten = now[:-1] != source.version[:-1]
        if is_rewritten or self._identity_now(rendition) != source.audio:
            raise EncodeError(f"{name_of(source)} was changed while it was encoded")

    def _identity_now(self, rendition: Rendition) -> str:
        source = with_samples(read_source(rendition.source.path), self._get_ffmpeg())
        return self._lookups.identify(replace(rendition, source=source)).source.audio
