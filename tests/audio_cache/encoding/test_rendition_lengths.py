"""Lengths that are not believed, and those that are."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio_cache.encoding.ffmpeg import find_ffmpeg
from audio_cache.encoding.rendition import with_samples
from audio_cache.errors import EncodeError
from audio_cache.sources.source import read_source
from tests.data import handmade
from tests.helpers.audio import run_ffmpeg
from tests.helpers.renditions import rendition_of


def stating(path: Path, samples: int, rate: int, size_bytes: int) -> Path:
    """Write a FLAC file that states a length, padded to a size without taking it on the disk."""
    path.write_bytes(handmade.flac([0] * 100, rate=rate, total=samples))
    with path.open("r+b") as file:
        file.truncate(size_bytes)
    return path


def test_a_file_of_two_kilobytes_does_not_become_one_of_gigabytes(tmp_path: Path) -> None:
    path = stating(tmp_path / "bomb.flac", 147 * 65_535, 100, 1_762)
    with pytest.raises(
        EncodeError, match=r"bomb\.flac' states a length of 26 h 46 min, and of its 1\.8 kB .*WAV"
    ):
        rendition_of(path)
    with pytest.raises(EncodeError, match="states a length"):
        with_samples(read_source(path), find_ffmpeg())


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (8_000, 1)])
def test_hours_of_digital_silence_are_encoded(tmp_path: Path, rate: int, channels: int) -> None:
    path = tmp_path / "silence.flac"
    layout = "mono" if channels == 1 else "stereo"
    silence = f"anullsrc=r={rate}:cl={layout}:d=7200"
    # In blocks of 4,096 samples, as `flac` makes them whatever the rate.
    run_ffmpeg("-f", "lavfi", "-i", silence, "-frame_size", "4096", "-c:a", "flac", str(path))
    assert rendition_of(path).duration_s == 7200
    assert path.stat().st_size < 1_500_000


def test_an_hour_is_believed_of_any_file(tmp_path: Path) -> None:
    path = stating(tmp_path / "x.flac", 3_600 * 44_100, 44_100, 2_000)
    assert rendition_of(path).duration_s == 3_600
    with pytest.raises(EncodeError, match="no more than 1 h 00 min"):
        rendition_of(stating(path, 3_601 * 44_100, 44_100, 2_000))


def test_what_no_mp3_can_hold_is_refused_by_name_and_length(tmp_path: Path) -> None:
    samples = 40 * 3_600 * 44_100
    path = stating(tmp_path / "long.flac", samples, 44_100, 1 << 30)
    with pytest.raises(
        EncodeError, match=r"long\.flac' lasts 40 h 00 min, and an MP3 of quality high at most"
    ):
        rendition_of(path, "high")
    assert rendition_of(path, "low").header
    path = stating(path, (1 << 36) - 1, 44_100, 1 << 40)
    with pytest.raises(EncodeError, match="low at most 74 h"):
        rendition_of(path, "low")
