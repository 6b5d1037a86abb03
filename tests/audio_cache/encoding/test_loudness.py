from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from audio_cache.encoding.loudness import LINE_POINTS, loudness_line
from audio_cache.quality import QualityLevel, bitrate_bps
from tests.helpers.audio import make_audio, run_ffmpeg
from tests.helpers.renditions import rendition_of, whole_file

THIRD_S = 4


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a track of three equal parts: soft, loud and silent."""
    folder = tmp_path_factory.mktemp("changing")
    steady = make_audio(folder / "steady.flac", samples=44_100 * 3 * THIRD_S)
    path = folder / "changing.flac"
    volume = f"if(lt(t,{THIRD_S}),0.1,if(lt(t,{2 * THIRD_S}),1,0))"
    run_ffmpeg("-i", str(steady), "-af", f"volume='{volume}':eval=frame", str(path))
    return path


@pytest.mark.parametrize("quality", ["low", "high"])
def test_the_line_tells_soft_from_loud_from_silent(changing: Path, quality: QualityLevel) -> None:
    line = loudness_line(whole_file(rendition_of(changing, quality)), bitrate_bps(quality))
    assert line is not None
    third = len(line) // 3
    # The encoder smears a little over the borders.
    soft, loud, silent = (line[part * third + 9 : (part + 1) * third - 9] for part in range(3))
    assert statistics.mean(loud) > 2 * statistics.mean(soft) > 0
    assert max(silent) == 0
    assert max(line) == 255


def test_a_track_of_a_moment_has_few_points(tmp_path: Path) -> None:
    path = make_audio(tmp_path / "a.flac", samples=1152 * 5)
    line = loudness_line(whole_file(rendition_of(path)), bitrate_bps("low"))
    assert line is not None
    assert len(line) == 2


def test_what_is_no_rendition_of_ours_has_no_line(changing: Path) -> None:
    whole = whole_file(rendition_of(changing))
    assert loudness_line(whole[:-1], 128_000) is None
    assert loudness_line(whole, 256_000) is None
    assert loudness_line(b"", 128_000) is None
    broken = whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2)
    assert loudness_line(broken, 128_000) is None


def test_a_long_track_has_as_many_points_as_any(tmp_path: Path) -> None:
    path = make_audio(tmp_path / "a.flac", samples=44_100 * 60)
    line = loudness_line(whole_file(rendition_of(path)), bitrate_bps("low"))
    assert line is not None
    assert len(line) == LINE_POINTS
