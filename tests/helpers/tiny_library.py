"""A few very short sources, told by their bytes, and what a plain encode makes of each."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Final

import mutagen.flac
import mutagen.id3
import mutagen.wave

from audio_cache import AudioCache
from audio_cache.quality import QualityLevel
from tests.helpers.audio import make_noise

TITLES: Final = ("One", "Two")
QUALITIES: Final[tuple[QualityLevel, ...]] = ("low", "high")
_SAMPLES: Final = 8_820
_FLAC_BYTES: Final = 60_000


@dataclass(frozen=True)
class Content:
    """What a source may hold. Those of one format have one size, so that no size tells them."""

    suffix: str
    audio: int
    title: str

    @property
    def sound(self) -> tuple[str, int]:
        """Return what tells its audio from that of others, whatever their tags."""
        return self.suffix, self.audio


CONTENTS: Final = tuple(Content(*each) for each in product((".flac", ".wav"), range(2), TITLES))


@dataclass(frozen=True)
class Fresh:
    """A rendition that a cache of its own has made of a content."""

    id: str
    content: Content
    quality: QualityLevel
    made: bytes


class TinyLibrary:
    """All contents as files, and all their renditions."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="tiny-library-"))
        self.files = {content: self._write(content).read_bytes() for content in CONTENTS}
        self._by_digest = {_digest(data): content for content, data in self.files.items()}
        assert len(self._by_digest) == len(CONTENTS)
        assert len({len(data) for data in self.files.values()}) == 2

    @cached_property
    def renditions(self) -> dict[tuple[Content, QualityLevel], Fresh]:
        """Return what each content gives at each quality."""
        made = {each: self._encode(*each) for each in product(CONTENTS, QUALITIES)}
        shutil.rmtree(self._root)
        return made

    @cached_property
    def by_id(self) -> dict[str, Fresh]:
        """Return the renditions by their ids."""
        found = {each.id: each for each in self.renditions.values()}
        assert len(found) == len(self.renditions)
        return found

    def content_of(self, path: Path) -> Content:
        """Return what a file holds at present, by all of its bytes."""
        return self._by_digest[_digest(path.read_bytes())]

    def _path(self, content: Content) -> Path:
        return self._root / f"{content.audio} {content.title}{content.suffix}"

    def _write(self, content: Content) -> Path:
        path = self._path(content)
        codec = "flac" if content.suffix == ".flac" else "pcm_s16le"
        make_noise(path, samples=_SAMPLES, codec=codec, seed=content.audio)
        tag = _tag_flac if content.suffix == ".flac" else _tag_wav
        tag(path, content.title)
        return path

    def _encode(self, content: Content, quality: QualityLevel) -> Fresh:
        # For each rendition another cache, so that none is made of another's frames.
        alone = AudioCache(self._root / f"{quality} {self._path(content).name}")
        made = alone.transcode_file(self._path(content), quality).read_bytes()
        object_id = alone.identify(self._path(content), quality).id
        alone.close()
        return Fresh(object_id, content, quality, made)


def _tag_flac(path: Path, title: str) -> None:
    file = mutagen.flac.FLAC(path)
    file["title"] = title
    file.save(padding=lambda found: 0)
    missing = _FLAC_BYTES - os.path.getsize(path)
    file.save(padding=lambda found: missing)


def _tag_wav(path: Path, title: str) -> None:
    file = mutagen.wave.WAVE(path)
    file.add_tags()
    assert file.tags is not None
    file.tags.add(mutagen.id3.TIT2(text=[title]))
    file.save()


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
