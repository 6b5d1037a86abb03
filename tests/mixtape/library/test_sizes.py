from __future__ import annotations

from typing import Any

import pytest

from audio_cache.encoding.mp3 import frames_size
from audio_cache.quality import QUALITY_LEVELS, QualityLevel, bitrate_bps
from mixtape.database.tables import Track
from mixtape.library.sizes import sent_size


def a_track(**columns: Any) -> Track:
    lossless: dict[str, Any] = {
        "lossless": True,
        "duration_s": 240.0,
        "rate_hz": 44_100,
        "size_bytes": 45_000_000,
    }
    return Track(path=b"a/b.flac", folder=b"a", **{**lossless, **columns})


def test_the_original_is_sent_in_its_own_size() -> None:
    assert sent_size(a_track(), "original") == 45_000_000


def test_a_lossy_track_is_sent_as_it_is_at_every_quality() -> None:
    lossy = a_track(lossless=False, size_bytes=123)
    assert {sent_size(lossy, quality) for quality in QUALITY_LEVELS} == {123}


@pytest.mark.parametrize("quality", ["high", "medium", "low"])
@pytest.mark.parametrize(
    ("samples", "rate_hz", "frames"),
    # Frames of 1,152 samples at 44.1 kHz, one more for the encoder's delay, one for its Info.
    [
        (1152 * 100, 44_100, 102),
        (1152 * 100 + 1, 44_100, 103),
        (1, 96_000, 3),
        (48_000, 48_000, 41),
    ],
)
def test_a_rendition_weighs_what_its_frames_weigh(
    quality: QualityLevel, samples: int, rate_hz: int, frames: int
) -> None:
    track = a_track(duration_s=samples / rate_hz, rate_hz=rate_hz)
    bitrate = bitrate_bps(quality)
    info_frame = 144 * bitrate // 44_100
    assert sent_size(track, quality) == info_frame + frames_size(bitrate, frames - 1)


def test_a_rendition_weighs_about_its_bitrate_times_its_length() -> None:
    assert sent_size(a_track(), "low") == pytest.approx(240 * 128_000 / 8, rel=0.001)


def test_every_length_at_every_rate_gives_back_its_number_of_samples() -> None:
    for rate_hz in (22_050, 44_100, 48_000, 96_000, 192_000):
        for samples in (1, 1151, 1153, 2_279_419, 10 * 3600 * rate_hz + 1):
            assert round(samples / rate_hz * rate_hz) == samples


def test_a_lossless_track_of_unknown_length_counts_as_its_file() -> None:
    assert sent_size(a_track(duration_s=None), "low") == 45_000_000


def test_a_track_whose_length_is_not_believed_is_sent_as_it_is() -> None:
    planted = a_track(duration_s=27 * 3600.0, size_bytes=1_762)
    assert sent_size(planted, "high") == 1_762
    too_long = a_track(duration_s=40 * 3600.0, size_bytes=1 << 30)
    assert sent_size(too_long, "high") == 1 << 30
    assert sent_size(too_long, "low") > 2_000_000_000


def test_of_a_track_that_a_sheet_cuts_the_best_rendition_is_the_original() -> None:
    track = a_track()
    track.path = b"a/b.cue/01.flac"
    assert sent_size(track, "original") == sent_size(track, "high") < 45_000_000
