"""How much the encoder works: what is made otherwise has another id, and none is thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio_cache import AudioCache
from audio_cache.encoding import ffmpeg_options
from audio_cache.encoding.ffmpeg import FFmpeg
from audio_cache.quality import QUALITY_SETTINGS, Effort, QualityLevel
from audio_cache.store.lookups import made_by
from audio_cache.store.partial import Partial
from tests.helpers.audio import count_samples
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.renditions import whole_file


def test_each_effort_has_renditions_of_its_own(flac: Path, tmp_path: Path) -> None:
    default = AudioCache(tmp_path / "default")
    fast = AudioCache(tmp_path / "fast", effort="fast")
    files = [cache.transcode_file(flac, "low") for cache in (default, fast)]
    ids = [cache.identify(flac, "low").id for cache in (default, fast)]
    assert ids[0] != ids[1]
    # The first half is of the audio alone.
    assert ids[0][:24] == ids[1][:24]
    assert [_encoder(cache, "low") for cache in (default, fast)] == ["-q5", "-q7"]
    assert count_samples(files[0]) == count_samples(files[1])
    assert files[0].read_bytes()[-2000:] != files[1].read_bytes()[-2000:]


def test_what_was_made_with_another_effort_is_played_on(flac: Path, tmp_path: Path) -> None:
    made = AudioCache(tmp_path / "cache").transcode_file(flac, "low").read_bytes()
    ffmpeg = StubFFmpeg(tmp_path / "stub")
    later = AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path, effort="fast")
    assert later.is_cached(flac, "low")
    assert later.transcode_file(flac, "low").read_bytes() == made
    assert not ffmpeg.encodes()


@pytest.mark.parametrize("quality", ["high", "medium", "low"])
@pytest.mark.parametrize(("mark", "level"), [("", 3), ("-q5", 5)])
def test_what_was_made_by_an_earlier_default_is_played_on(
    flac: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quality: QualityLevel,
    mark: str,
    level: int,
) -> None:
    with monkeypatch.context() as former:
        former.setattr(FFmpeg, "encoder", lambda self, setting: self.identity + mark)
        former.setattr(ffmpeg_options, "compression_level", lambda effort, setting: level)
        made = AudioCache(tmp_path / "cache").transcode_file(flac, quality).read_bytes()
    ffmpeg = StubFFmpeg(tmp_path / "stub")
    later = AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path)
    assert later.is_cached(flac, quality)
    assert later.transcode_file(flac, quality).read_bytes() == made
    assert not ffmpeg.encodes()


def test_what_an_earlier_default_has_begun_is_not_gone_on_with(
    flac: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = AudioCache(tmp_path / "cache")
    with monkeypatch.context() as former:
        former.setattr(FFmpeg, "encoder", lambda self, setting: f"{self.identity}-q5")
        former.setattr(ffmpeg_options, "compression_level", lambda effort, setting: 5)
        begun = cache.get_rendition(flac, "high")
        partial = Partial.lock(cache.get_cache_path(flac, "high"), begun, wait=False)
        assert partial is not None
        with partial:
            partial.append(whole_file(begun)[:50_000])
    fresh = AudioCache(tmp_path / "fresh").transcode_file(flac, "high").read_bytes()
    later = AudioCache(tmp_path / "cache")
    assert later.transcode_file(flac, "high").read_bytes() == fresh


def test_what_another_encoder_has_made_cannot_be_encoded(flac: Path, tmp_path: Path) -> None:
    other = made_by(AudioCache(tmp_path).get_rendition(flac, "low"), "another")
    with pytest.raises(AssertionError):
        next(iter(other.encode()))


def test_an_encoder_without_a_name_is_none_of_ours(flac: Path, tmp_path: Path) -> None:
    rendition = AudioCache(tmp_path).get_rendition(flac, "low")
    nameless = made_by(rendition, "")
    assert nameless.identity.encoder == ""
    assert nameless.header != rendition.header


def test_where_bits_are_ample_no_noise_is_shaped_whatever_the_effort(
    flac: Path, tmp_path: Path
) -> None:
    default = AudioCache(tmp_path / "default")
    fast = AudioCache(tmp_path / "fast", effort="fast")
    assert [_encoder(default, each) for each in QUALITY_SETTINGS] == ["-q7", "-q5", "-q5"]
    assert default.identify(flac, "high").id == fast.identify(flac, "high").id
    files = [cache.transcode_file(flac, "high").read_bytes() for cache in (default, fast)]
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("effort", "quality", "level"),
    [
        ("default", "high", 7),
        ("default", "medium", 5),
        ("default", "low", 5),
        ("fast", "high", 7),
        ("fast", "medium", 7),
        ("fast", "low", 7),
    ],
)
def test_the_encoder_is_told_its_effort(
    flac: Path, tmp_path: Path, effort: Effort, quality: QualityLevel, level: int
) -> None:
    ffmpeg = StubFFmpeg(tmp_path / "stub")
    cache = AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path, effort=effort)
    cache.transcode_file(flac, quality)
    encodes = list(ffmpeg.encodes())
    assert encodes
    assert all(f"-compression_level {level}" in each.arguments for each in encodes)


def _encoder(cache: AudioCache, quality: QualityLevel) -> str:
    """Return what renditions of a quality say of their encoder, beside its build."""
    return cache.ffmpeg.encoder(QUALITY_SETTINGS[quality]).removeprefix(cache.ffmpeg.identity)
