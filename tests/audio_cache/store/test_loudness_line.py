from __future__ import annotations

from pathlib import Path

from audio_cache import AudioCache, find_loudness
from tests.helpers.audio import make_audio
from tests.helpers.ffmpeg import StubFFmpeg


def test_a_track_has_a_line_once_any_rendition_is_stored(
    counted: AudioCache, ffmpeg: StubFFmpeg, tmp_path: Path
) -> None:
    path = make_audio(tmp_path / "a.flac", samples=44_100)
    assert find_loudness(counted, path) is None
    counted.transcode_file(path, "high")
    starts = ffmpeg.starts()
    line = find_loudness(counted, path)
    assert line is not None
    assert max(line.levels) == 255
    assert ffmpeg.starts() == starts
    counted.transcode_file(path, "low")
    assert find_loudness(counted, path) != line


def test_a_lossy_track_has_none(counted: AudioCache, mp3: Path) -> None:
    assert find_loudness(counted, mp3) is None
