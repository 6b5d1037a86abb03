"""The store compared with a model that looks at every byte, over random sequences of events."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from mutagen.flac import FLAC

from audio_cache import AudioCache
from tests.helpers.audio import make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.rooms import lose_index
from tests.helpers.waiting import LIMIT_S, wait_until

SAMPLES = 13_000
NAMES = ("a.flac", "b.flac", "c.flac", "d.wav", "e.wav")
AUDIO = (1, 2, 3)
TITLES = ("One", "Two")
MAKE_ONE = """
import sys
from pathlib import Path
from audio_cache import AudioCache
AudioCache(Path(sys.argv[1]), ffmpeg=sys.argv[2]).transcode_file(Path(sys.argv[3]), "low")
"""
# Far enough from now, and from each other, for any file system.
AN_HOUR_NS = 3_600_000_000_000


@pytest.fixture(scope="module")
def pool() -> Iterator[Path]:
    """Return a folder with each piece of audio in both formats, all of them of the same length."""
    with tempfile.TemporaryDirectory() as folder:
        for audio in AUDIO:
            for suffix, codec in ((".flac", "flac"), (".wav", "pcm_s16le")):
                path = Path(folder, f"{audio}{suffix}")
                make_noise(path, samples=SAMPLES, codec=codec, seed=audio)
        yield Path(folder)


class Store(RuleBasedStateMachine):
    """What happens to a library and its cache.

    After each event every source is asked for. What is served has to be what an encode of the
    source as it is now gives, and an encoder may have been started only where nothing was stored of
    the same audio.
    """

    pool: Path
    expected: ClassVar[dict[str, bytes]] = {}

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp())
        (self.root / "music").mkdir()
        self.ffmpeg = StubFFmpeg(self.root / "stub")
        self.stuck = StubFFmpeg(self.root / "stuck", before="exec sleep 600")
        self.cache = self._open()
        self.audio: dict[str, int] = {}
        self.stored: set[tuple[int, str]] = set()
        self.clock_ns = 1_700_000_000 * 10**9

    def teardown(self) -> None:
        if hasattr(self, "root"):
            self.cache.close()
            shutil.rmtree(self.root)

    def _open(self) -> AudioCache:
        return AudioCache(self.root / "cache", ffmpeg=self.ffmpeg.path)

    def path(self, name: str) -> Path:
        return self.root / "music" / name

    def content(self, name: str, audio: int, title: str) -> bytes:
        """Return a file's bytes: some audio, and a title where the format has one."""
        made = self.root / f"made{Path(name).suffix}"
        shutil.copyfile(self.pool / f"{audio}{made.suffix}", made)
        if made.suffix == ".flac":
            tagged = FLAC(made)
            tagged["title"] = title
            tagged.save(padding=lambda _: 100)
        return made.read_bytes()

    def there(self, suffix: str = "") -> list[str]:
        return sorted(name for name in self.audio if name.endswith(suffix))

    @rule(name=st.sampled_from(NAMES), audio=st.sampled_from(AUDIO), title=st.sampled_from(TITLES))
    def write(self, name: str, audio: int, title: str) -> None:
        self.path(name).unlink(missing_ok=True)
        self.path(name).write_bytes(self.content(name, audio, title))
        self.audio[name] = audio

    @precondition(lambda self: self.audio)
    @rule(data=st.data(), audio=st.sampled_from(AUDIO), is_dated_back=st.booleans())
    def edit_in_place(self, data: st.DataObject, audio: int, is_dated_back: bool) -> None:
        """Write other bytes into the same file, and perhaps give it its old time back."""
        name = data.draw(st.sampled_from(self.there()))
        before = self.path(name).stat()
        content = self.content(name, audio, TITLES[0])
        with open(self.path(name), "r+b") as file:
            file.write(content)
            file.truncate()
        if is_dated_back:
            os.utime(self.path(name), ns=(before.st_atime_ns, before.st_mtime_ns))
        self.audio[name] = audio

    @precondition(lambda self: self.audio)
    @rule(data=st.data())
    def touch(self, data: st.DataObject) -> None:
        os.utime(self.path(data.draw(st.sampled_from(self.there()))))

    @precondition(lambda self: self.audio)
    @rule(data=st.data(), audio=st.sampled_from(AUDIO))
    def replace_by_an_older_file(self, data: st.DataObject, audio: int) -> None:
        name = data.draw(st.sampled_from(self.there()))
        other = self.root / f"other{Path(name).suffix}"
        other.write_bytes(self.content(name, audio, TITLES[1]))
        self.clock_ns -= AN_HOUR_NS
        os.utime(other, ns=(self.clock_ns, self.clock_ns))
        os.replace(other, self.path(name))
        self.audio[name] = audio

    @precondition(lambda self: self.there(".flac"))
    @rule(data=st.data(), title=st.sampled_from(TITLES))
    def retag(self, data: st.DataObject, title: str) -> None:
        tagged = FLAC(self.path(data.draw(st.sampled_from(self.there(".flac")))))
        tagged["title"] = title
        tagged.save()

    @precondition(lambda self: self.audio)
    @rule(data=st.data(), is_move=st.booleans(), keeps_times=st.booleans())
    def copy_or_move(self, data: st.DataObject, is_move: bool, keeps_times: bool) -> None:
        name = data.draw(st.sampled_from(self.there()))
        suffix = Path(name).suffix
        target = data.draw(st.sampled_from([each for each in NAMES if each.endswith(suffix)]))
        if target == name:
            return
        if is_move:
            os.replace(self.path(name), self.path(target))
            self.audio[target] = self.audio.pop(name)
        else:
            (shutil.copy2 if keeps_times else shutil.copyfile)(self.path(name), self.path(target))
            self.audio[target] = self.audio[name]

    @precondition(lambda self: self.audio)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.there()))
        self.path(name).unlink()
        del self.audio[name]

    @rule()
    def delete_the_index(self) -> None:
        lose_index(self.cache)

    @precondition(lambda self: self.audio)
    @rule(data=st.data())
    def evict(self, data: st.DataObject) -> None:
        self.evict_all_of(data.draw(st.sampled_from(self.there())))

    @precondition(lambda self: self.audio)
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        """Kill a process that encodes, at a moment when it has encoded nothing yet."""
        name = data.draw(st.sampled_from(self.there()))
        self.evict_all_of(name)
        before = len(self.stuck.starts())
        arguments = [self.root / "cache", self.stuck.path, self.path(name)]
        command = [sys.executable, "-c", MAKE_ONE, *map(os.fspath, arguments)]
        with subprocess.Popen(command) as process:
            wait_until(lambda: len(self.stuck.starts()) > before)
            process.kill()
            process.wait(LIMIT_S)
        for start in self.stuck.running():
            os.kill(start.pid, signal.SIGKILL)
        wait_until(lambda: not self.stuck.running())

    def evict_all_of(self, name: str) -> None:
        """Evict what is stored of the audio of a source, under whichever tags."""
        rendition = self.cache.identify(self.path(name), "low")
        for object_id in self.cache.objects.of_audio(rendition.source.audio):
            assert self.cache.evictions.evict(object_id)
        self.stored.discard(self._key(name))

    @rule()
    def restart(self) -> None:
        self.cache.close()
        self.cache = self._open()

    def _key(self, name: str) -> tuple[int, str]:
        return self.audio[name], Path(name).suffix

    @invariant()
    def what_is_served_is_what_a_fresh_encode_gives(self) -> None:
        for name in self.there():
            self._compare(name)

    def _compare(self, name: str) -> None:
        encodes = len(self.ffmpeg.encodes())
        is_needed = self._key(name) not in self.stored
        # Where the index was lost, a lookup does not read all of a WAV to learn which audio it is.
        is_cached = self.cache.is_cached(self.path(name), "low")
        assert not is_cached if is_needed else is_cached or name.endswith(".wav")
        made = self.cache.transcode_file(self.path(name), "low").read_bytes()
        assert len(self.ffmpeg.encodes()) - encodes == is_needed
        assert made == self._reference(name)
        self.stored.add(self._key(name))

    def _reference(self, name: str) -> bytes:
        """Return what a cache of its own makes of the very bytes that the file has now."""
        digest = hashlib.sha256(self.path(name).read_bytes()).hexdigest() + Path(name).suffix
        if digest not in self.expected:
            with tempfile.TemporaryDirectory() as folder:
                copied = shutil.copyfile(self.path(name), Path(folder, name))
                cache = AudioCache(Path(folder, "cache"))
                self.expected[digest] = cache.transcode_file(copied, "low").read_bytes()
                cache.close()
        return self.expected[digest]


def run(pool: Path, examples: int, steps: int) -> None:
    class OnPool(Store):
        pass

    OnPool.pool = pool
    OnPool.TestCase.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    OnPool.TestCase("runTest").runTest()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_never_a_stale_byte_and_never_an_encode_that_was_not_needed(pool: Path) -> None:
    run(pool, examples=12, steps=15)


@pytest.mark.stress
def test_nor_in_a_thousand_steps(pool: Path) -> None:
    run(pool, examples=50, steps=40)
