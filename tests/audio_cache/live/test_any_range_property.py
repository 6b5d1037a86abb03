"""Any range of a rendition, before, while and after it exists, over a crash: the same bytes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audio_cache.quality import QualityLevel
from audio_cache.store.cache import AudioCache
from tests.audio_cache.live.site import HIT
from tests.helpers.audio import make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.gunicorn import Server
from tests.helpers.waiting import together, wait_until

FORMATS = {
    "flac 16": (".flac", "flac", 16),
    "flac 24": (".flac", "flac", 24),
    "wav 16": (".wav", "pcm_s16le", 16),
    "wav 24": (".wav", "pcm_s24le", 24),
    "aiff": (".aiff", "pcm_s16be", 16),
    "alac": (".m4a", "alac", 16),
    "wavpack": (".wv", "wavpack", 16),
    "tta": (".tta", "tta", 16),
}


@dataclass(frozen=True)
class Track:
    """A source to be made."""

    form: str
    rate: int
    channels: int
    samples: int
    quality: QualityLevel

    def make(self, directory: Path, name: str) -> Path:
        suffix, codec, bits = FORMATS[self.form]
        path = directory / f"{name}{suffix}"
        return make_noise(
            path,
            samples=self.samples,
            rate=self.rate,
            channels=self.channels,
            codec=codec,
            bits=bits,
        )


TRACKS = st.builds(
    Track,
    form=st.sampled_from(sorted(FORMATS)),
    rate=st.sampled_from([22_050, 44_100, 48_000, 88_200, 96_000]),
    channels=st.sampled_from([1, 2]),
    # Up to half a minute, and but a frame or two; ffmpeg writes no shorter WavPack.
    samples=st.one_of(st.integers(500, 5_000), st.integers(500_000, 1_300_000)),
    quality=st.sampled_from(["low", "medium", "high"]),
)
# Where a range begins and ends, as parts of the length; None is an open end.
PLACES = st.floats(0, 1, exclude_max=True)
RANGES = st.lists(st.tuples(PLACES, st.none() | PLACES), min_size=2, max_size=5)


class Phoenix:
    """A server that can be killed and started anew on the same cache."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ffmpeg = StubFFmpeg(root, speed=25)
        self.server = self._start()
        self.numbers = itertools.count()

    def _start(self) -> Server:
        return Server(self.root, AUDIO_CACHE_FFMPEG=self.ffmpeg.path)

    def crash(self) -> None:
        self.server.kill()
        wait_until(lambda: not self.ffmpeg.running())
        self.server = self._start()


@pytest.fixture(scope="module")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phoenix]:
    phoenix = Phoenix(tmp_path_factory.mktemp("phoenix"))
    yield phoenix
    phoenix.server.kill()


def ask(server: Server, name: str, quality: str, span: str, expected: bytes) -> None:
    """Ask for a range and hold the answer against the file that a plain encode made."""
    first, _, last = span.partition("-")
    start = int(first)
    stop = min(int(last) + 1, len(expected)) if last else len(expected)
    answer = server.play(name, quality, span)
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(expected)}"
    assert answer.body == expected[start:stop]


@pytest.mark.slow
@settings(
    max_examples=6,
    deadline=None,
    # An example takes seconds, so one that fails is told as it is.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(track=TRACKS, cold=RANGES, again=RANGES)
def test_each_answer_is_a_slice_of_the_file_that_a_plain_encode_makes(
    phoenix: Phoenix,
    track: Track,
    cold: list[tuple[float, float | None]],
    again: list[tuple[float, float | None]],
) -> None:
    number = next(phoenix.numbers)
    source = track.make(phoenix.server.music, f"track {number}")
    plain = AudioCache(phoenix.root / "plain")
    expected = plain.transcode_file(source, track.quality).read_bytes()
    etags: list[tuple[str, str]] = []

    def ask_all(places: list[tuple[float, float | None]]) -> None:
        spans = [in_bytes(place, len(expected)) for place in places]
        together(
            *(
                lambda span=span: ask(phoenix.server, source.name, track.quality, span, expected)
                for span in spans
            )
        )
        head = phoenix.server.play(source.name, track.quality, method="HEAD")
        assert head.headers["Content-Length"] == str(len(expected))
        etags.append((head.cache_status, head.headers["ETag"]))

    ask_all(cold)
    phoenix.crash()
    ask_all(again)
    whole = phoenix.server.play(source.name, track.quality)
    assert whole.body == expected
    entry = AudioCache(phoenix.server.cache_dir).get_cache_path(source, track.quality)
    wait_until(entry.exists)
    assert entry.read_bytes() == expected
    ask_all(cold)
    rendition = plain.recall(plain.get_rendition(source, track.quality))
    assert {tag for status, tag in etags if status == HIT} == {f'"{rendition.id}"'}
    # Only reading all of a source that is no FLAC tells which audio it is.
    early = rendition.id if track.form.startswith("flac") else rendition.token
    assert {tag for _, tag in etags} <= {f'"{early}"', f'"{rendition.id}"'}


def in_bytes(place: tuple[float, float | None], length: int) -> str:
    start, end = place
    first = int(start * length)
    return f"{first}-" if end is None else f"{first}-{max(first, int(end * length))}"
