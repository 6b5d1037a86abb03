"""What holds for every source, quality and stretch, on real encodes of random ones."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audio_cache import AudioCache
from audio_cache.encoding.mp3 import GROUP_FRAMES
from audio_cache.encoding.rendition import Rendition
from audio_cache.quality import QualityLevel
from audio_cache.store.partial import Partial
from tests.helpers.audio import count_samples, make_noise
from tests.helpers.renditions import growing_of, rendition_of, whole_file

# Containers with an encoder that takes any rate and layout.
FORMATS = [
    (".wav", "pcm_s16le", 16),
    (".wav", "pcm_s24le", 24),
    (".wav", "pcm_f32le", 32),
    (".aiff", "pcm_s16be", 16),
    (".flac", "flac", 16),
    (".flac", "flac", 24),
    (".m4a", "alac", 16),
    (".wv", "wavpack", 24),
    (".tta", "tta", 16),
]
RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 32_000, 37_800, 44_056, 44_100, 48_000, 88_200,
         96_000, 176_400, 192_000)  # fmt: skip
# Shrinking a failure would take minutes of encoding; the example that failed says enough.
real_encodes = settings(
    max_examples=10,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
qualities: st.SearchStrategy[QualityLevel] = st.sampled_from(("low", "medium", "high"))
millis = st.one_of(st.integers(50, 200), st.integers(1_000, 5_500))


class Sources:
    """A directory of random sources, which go with it."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self.path = Path(self._directory.name)

    def close(self) -> None:
        self._directory.cleanup()

    def make(
        self, form: tuple[str, str, int], rate: int, channels: int, duration_ms: int, seed: int
    ) -> Path:
        suffix, codec, bits = form
        return make_noise(
            self.path / f"x{suffix}",
            samples=rate * duration_ms // 1000 + seed % 1152,
            rate=rate,
            channels=channels,
            codec=codec,
            bits=bits,
            seed=seed,
        )


sources = {
    "form": st.sampled_from(FORMATS),
    "rate": st.sampled_from(RATES),
    "channels": st.sampled_from((1, 2, 6)),
    "duration_ms": millis,
    "seed": st.integers(0, 10_000),
}


def cut(rendition: Rendition, content: bytes, first: int, stop: int) -> bytes:
    return content[rendition.offset_of(first) : rendition.offset_of(stop)]


@real_encodes
@given(**sources, quality=qualities, data=st.data())
def test_any_frames_of_any_source_are_those_of_the_whole_of_predicted_length(
    form: tuple[str, str, int],
    rate: int,
    channels: int,
    duration_ms: int,
    seed: int,
    quality: QualityLevel,
    data: st.DataObject,
) -> None:
    with closing(Sources()) as made:
        rendition = rendition_of(made.make(form, rate, channels, duration_ms, seed), quality)
        predicted = rendition.length
        content = whole_file(rendition)
        assert len(content) == predicted
        first = data.draw(st.integers(0, rendition.frames - 1), "first")
        stop = data.draw(st.integers(first + 1, rendition.frames), "stop")
        assert b"".join(rendition.encode(first, stop)) == cut(rendition, content, first, stop)
        path = made.path / "x.mp3"
        path.write_bytes(content)
        assert count_samples(path) == rendition.samples


@real_encodes
@given(**sources, quality=qualities, data=st.data())
def test_any_bytes_are_those_of_the_file(
    form: tuple[str, str, int],
    rate: int,
    channels: int,
    duration_ms: int,
    seed: int,
    quality: QualityLevel,
    data: st.DataObject,
) -> None:
    with closing(Sources()) as made:
        source = made.make(form, rate, channels, duration_ms, seed)
        content = AudioCache(made.path / "cache").transcode_file(source, quality).read_bytes()
        start = data.draw(st.integers(0, len(content) - 1), "start")
        stop = data.draw(st.integers(start + 1, len(content)), "stop")
        assert b"".join(rendition_of(source, quality).read(start, stop)) == content[start:stop]


@real_encodes
@given(**sources, quality=qualities, data=st.data())
def test_a_file_made_in_two_goes_is_the_file_made_in_one(
    form: tuple[str, str, int],
    rate: int,
    channels: int,
    duration_ms: int,
    seed: int,
    quality: QualityLevel,
    data: st.DataObject,
) -> None:
    with closing(Sources()) as made:
        source = made.make(form, rate, channels, duration_ms, seed)
        cache = AudioCache(made.path / "cache")
        entry = cache.get_cache_path(source, quality)
        rendition = rendition_of(source, quality)
        content = whole_file(rendition)
        left = content[: data.draw(st.integers(0, len(content)), "left")]
        garbage = data.draw(st.binary(max_size=3000), "garbage")
        growing = growing_of(cache, source, quality)
        growing.write_bytes(left + garbage)
        partial = Partial.lock(entry, rendition, wait=True)
        assert partial is not None
        with partial:
            kept = partial.resume()
        assert kept % GROUP_FRAMES == 0
        assert growing.read_bytes() == content[: rendition.offset_of(kept)]
        assert cache.transcode_file(source, quality).read_bytes() == content
