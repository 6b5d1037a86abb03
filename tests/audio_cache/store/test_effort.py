"""How much the encoder works: each effort has renditions of its own, and none is thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio_cache import AudioCache
from audio_cache.quality import EFFORTS, Effort
from tests.helpers.audio import count_samples
from tests.helpers.ffmpeg import StubFFmpeg


def test_each_effort_has_renditions_of_its_own(flac: Path, tmp_path: Path) -> None:
    default = AudioCache(tmp_path / "default")
    fast = AudioCache(tmp_path / "fast", effort="fast")
    files = [cache.transcode_file(flac, "low") for cache in (default, fast)]
    ids = [cache.identify(flac, "low").id for cache in (default, fast)]
    assert ids[0] != ids[1]
    # The first half is of the audio alone.
    assert ids[0][:24] == ids[1][:24]
    build = default.ffmpeg.identity.removesuffix("-q5")
    assert [default.ffmpeg.identity, fast.ffmpeg.identity] == [f"{build}-q5", f"{build}-q7"]
    assert count_samples(files[0]) == count_samples(files[1])
    assert files[0].read_bytes()[-2000:] != files[1].read_bytes()[-2000:]


def test_what_was_made_with_another_effort_is_played_on(flac: Path, tmp_path: Path) -> None:
    made = AudioCache(tmp_path / "cache").transcode_file(flac, "low").read_bytes()
    ffmpeg = StubFFmpeg(tmp_path / "stub")
    later = AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path, effort="fast")
    assert later.is_cached(flac, "low")
    assert later.transcode_file(flac, "low").read_bytes() == made
    assert not ffmpeg.encodes()


def test_what_was_made_when_lame_chose_its_effort_itself_is_played_on(
    flac: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as former:
        former.setitem(EFFORTS, "default", ("", ()))
        made = AudioCache(tmp_path / "cache").transcode_file(flac, "low").read_bytes()
    ffmpeg = StubFFmpeg(tmp_path / "stub")
    later = AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path)
    assert later.is_cached(flac, "low")
    assert later.transcode_file(flac, "low").read_bytes() == made
    assert not ffmpeg.encodes()


@pytest.mark.parametrize(("effort", "number"), [("default", 5), ("fast", 7)])
def test_the_encoder_is_told_its_effort(
    flac: Path, tmp_path: Path, effort: Effort, number: int
) -> None:
    ffmpeg = StubFFmpeg(tmp_path / "stub")
    cache = AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path, effort=effort)
    cache.transcode_file(flac, "low")
    encodes = list(ffmpeg.encodes())
    assert encodes
    assert all(f"-compression_level {number}" in each.arguments for each in encodes)
