"""Whatever happens to sources and store, nobody gets stale bytes and nothing is encoded in vain."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from audio_cache import AudioCache
from audio_cache.quality import QualityLevel
from audio_cache.store.lookups import Found
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.kills import MOMENTS, kill_while_storing
from tests.helpers.rooms import in_index, lose_index, on_disk
from tests.helpers.tiny_library import CONTENTS, QUALITIES, TITLES, Content, TinyLibrary

NAMES: Final = ("a.flac", "b.flac", "other/a.flac", "c.wav", "other/d.wav")
LONG_AGO_NS: Final = 10**18

library = cache(TinyLibrary)
names = st.sampled_from(NAMES)
contents = st.sampled_from(CONTENTS)
qualities = st.sampled_from(QUALITIES)
# Of those that are there at the moment; which, tells the remainder.
choices = st.integers(0, 59)
processes = st.integers(0, 1)
has_sources = precondition(lambda self: bool(self.sources()))


class Store(RuleBasedStateMachine):
    """Two caches on one directory, as of two processes, beside a model that hashes everything.

    The model knows what every source holds by all of its bytes, and which renditions were made and
    not evicted. An encode is needed where none of those has the same audio at the same quality.
    """

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="store-"))
        self.music = self.root / "music"
        (self.music / "other").mkdir(parents=True)
        self.ffmpeg = StubFFmpeg(self.root)
        self.caches = [self.open(), self.open()]
        self.held: set[str] = set()
        self.is_watched = False

    def open(self) -> AudioCache:
        return AudioCache(self.root / "cache", ffmpeg=self.ffmpeg.path)

    def sources(self) -> list[Path]:
        return [self.music / name for name in NAMES if (self.music / name).exists()]

    def source(self, choice: int) -> Path:
        some = self.sources()
        return some[choice % len(some)]

    def is_held(self, content: Content, quality: QualityLevel) -> bool:
        held = (library().by_id[object_id] for object_id in self.held)
        return any((each.content.sound, each.quality) == (content.sound, quality) for each in held)

    @initialize(is_watched=st.booleans(), name=names, content=contents)
    def begin(self, is_watched: bool, name: str, content: Content) -> None:
        # Who looks after every step knows more, and who does not may have missed something.
        self.is_watched = is_watched
        self.write(name, content)

    @rule(name=names, content=contents)
    def write(self, name: str, content: Content) -> None:
        self.place(library().files[content], self.music / name)

    @rule(name=names, content=contents)
    def replace_by_an_older_file(self, name: str, content: Content) -> None:
        self.place(library().files[content], self.music / name, LONG_AGO_NS)

    @has_sources
    @rule(choice=choices, content=contents, is_touched_back=st.booleans())
    def edit_in_place(self, choice: int, content: Content, is_touched_back: bool) -> None:
        self.overwrite(self.source(choice), content, is_touched_back)

    @has_sources
    @rule(choice=choices, title=st.sampled_from(TITLES), is_touched_back=st.booleans())
    def retag(self, choice: int, title: str, is_touched_back: bool) -> None:
        path = self.source(choice)
        now = library().content_of(path)
        self.overwrite(path, Content(now.suffix, now.audio, title), is_touched_back)

    @has_sources
    @rule(choice=choices, at_ns=st.sampled_from((LONG_AGO_NS, 2 * LONG_AGO_NS)))
    def touch(self, choice: int, at_ns: int) -> None:
        os.utime(self.source(choice), ns=(at_ns, at_ns))

    @has_sources
    @rule(choice=choices, name=names, is_dated=st.booleans())
    def copy(self, choice: int, name: str, is_dated: bool) -> None:
        with contextlib.suppress(shutil.SameFileError):
            (shutil.copy2 if is_dated else shutil.copyfile)(self.source(choice), self.music / name)

    @has_sources
    @rule(choice=choices, name=names)
    def link(self, choice: int, name: str) -> None:
        beside = self.root / "beside"
        os.link(self.source(choice), beside)
        os.replace(beside, self.music / name)
        beside.unlink(missing_ok=True)

    @has_sources
    @rule(choice=choices, name=names)
    def move(self, choice: int, name: str) -> None:
        os.replace(self.source(choice), self.music / name)

    @rule()
    def lose_the_index(self) -> None:
        lose_index(self.caches[0])

    @precondition(lambda self: bool(self.held))
    @rule(process=processes, choice=choices)
    def evict(self, process: int, choice: int) -> None:
        some = sorted(self.held)
        object_id = some[choice % len(some)]
        assert self.caches[process].evictions.evict(object_id)
        self.held.remove(object_id)
        assert object_id not in on_disk(self.caches[process])

    @has_sources
    @rule(
        choice=choices,
        quality=qualities,
        moment=st.sampled_from(tuple(MOMENTS)),
        count=st.integers(1, 2),
    )
    def kill_an_encode(self, choice: int, quality: QualityLevel, moment: str, count: int) -> None:
        kill_while_storing(self.root / "cache", self.source(choice), quality, moment, count)
        self.account()

    @rule(process=processes)
    def restart(self, process: int) -> None:
        self.caches[process].close()
        self.caches[process] = self.open()

    @has_sources
    @rule(process=processes, choice=choices, quality=qualities)
    def look_up(self, process: int, choice: int, quality: QualityLevel) -> None:
        path = self.source(choice)
        content = library().content_of(path)
        started = len(self.ffmpeg.starts())
        found = self.caches[process].find(path, quality)
        assert len(self.ffmpeg.starts()) == started
        if isinstance(found, Found):
            fresh = library().renditions[content, quality]
            assert (found.etag, Path(found.path).read_bytes()) == (fresh.id, fresh.made)
        elif content.suffix == ".flac":
            # A FLAC tells its audio at once, a WAV only to who reads all of it.
            assert not self.is_held(content, quality)
        self.account()

    @has_sources
    @rule(process=processes, choice=choices, quality=qualities)
    def transcode(self, process: int, choice: int, quality: QualityLevel) -> None:
        path = self.source(choice)
        content = library().content_of(path)
        is_needed, encoded = not self.is_held(content, quality), len(self.ffmpeg.encodes())
        entry = self.caches[process].transcode_file(path, quality)
        assert entry.read_bytes() == library().renditions[content, quality].made
        assert len(self.ffmpeg.encodes()) == encoded + is_needed
        self.account()
        assert self.is_held(content, quality)

    @invariant()
    def every_source_is_itself(self) -> None:
        if self.is_watched:
            for choice, quality in ((each, it) for each in range(len(NAMES)) for it in QUALITIES):
                if choice < len(self.sources()):
                    self.look_up(choice % 2, choice, quality)

    def teardown(self) -> None:
        for choice in range(len(self.sources())):
            for quality in QUALITIES:
                self.transcode(choice % 2, choice, quality)
                self.look_up((choice + 1) % 2, choice, quality)
        self.lose_the_index()
        self.caches[0].room.usage()
        assert in_index(self.caches[1]) == on_disk(self.caches[1])
        for each in self.caches:
            each.close()
        shutil.rmtree(self.root)

    def account(self) -> None:
        """Note what there is: what was made stays, and every object is what its id says."""
        there = on_disk(self.caches[0]).keys()
        assert self.held <= there
        for object_id in there:
            path = Path(self.caches[0].objects.path(object_id))
            assert path.read_bytes() == library().by_id[object_id].made
        self.held = set(there)

    def place(self, data: bytes, path: Path, at_ns: int | None = None) -> None:
        beside = self.root / "beside"
        beside.write_bytes(data)
        if at_ns is not None:
            os.utime(beside, ns=(at_ns, at_ns))
        os.replace(beside, path)

    def overwrite(self, path: Path, content: Content, is_touched_back: bool) -> None:
        before = path.stat()
        with path.open("r+b") as file:
            file.write(library().files[content])
            file.truncate()
        if is_touched_back:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def run(examples: int, steps: int) -> None:
    library().renditions  # noqa: B018
    run_state_machine_as_test(
        Store,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_stale_byte_and_no_needless_encode_whatever_happens() -> None:
    run(examples=25, steps=20)


@pytest.mark.stress
@pytest.mark.timeout(1800)
def test_no_stale_byte_and_no_needless_encode_in_long_histories() -> None:
    run(examples=300, steps=60)
