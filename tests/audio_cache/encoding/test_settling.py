"""Stretches of music that is loud and then soft, which the encoder remembers the longest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from audio_cache.encoding.ffmpeg import find_ffmpeg
from audio_cache.encoding.ffmpeg_options import SETTLING_FRAMES
from audio_cache.encoding.mp3 import FRAME_SAMPLES, GROUP_FRAMES, SAMPLE_RATE_HZ
from audio_cache.quality import Effort, QualityLevel
from tests.helpers.audio import file_url, run_ffmpeg
from tests.helpers.renditions import rendition_of, whole_file

# The soft parts begin shortly before a group does, where an encoder that begins with that group
# would know least of what came before.
LOUD_S = 0.5
PERIOD_S = 6 * GROUP_FRAMES * FRAME_SAMPLES / SAMPLE_RATE_HZ
PERIODS = 2


@pytest.fixture(scope="module", params=[44_100, 48_000])
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return noise that is loud for half a second and then so soft that it is hardly heard."""
    path = tmp_path_factory.mktemp("loud-and-soft") / "a.wav"
    loudness = f"volume='if(lt(mod(t,{PERIOD_S}),{LOUD_S}),1,0.004)':eval=frame"
    noise = f"anoisesrc=color=pink:seed=3:amplitude=0.5:r={request.param}:d={PERIODS * PERIOD_S}"
    output = ("-af", f"asetnsamples=256,{loudness}", "-ac", "2", file_url(path))
    run_ffmpeg("-f", "lavfi", "-i", noise, *output)
    return path


def stretches(frames: int) -> Iterator[tuple[int, int]]:
    """Give each group of a track as its first frame and the one behind its last."""
    for first in range(0, frames, GROUP_FRAMES):
        yield first, min(first + GROUP_FRAMES, frames)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quality", "effort"),
    [("low", "default"), ("medium", "default"), ("high", "default"), ("low", "fast")],
)
def test_each_group_that_is_made_on_its_own_is_that_of_the_whole(
    source: Path, quality: QualityLevel, effort: Effort
) -> None:
    rendition = replace(rendition_of(source, quality), ffmpeg=find_ffmpeg(effort=effort))
    whole = whole_file(rendition)
    other = [
        first
        for first, stop in stretches(rendition.frames)
        if b"".join(rendition.encode(first, stop))
        != whole[rendition.offset_of(first) : rendition.offset_of(stop)]
    ]
    assert other == []


@pytest.mark.slow
def test_what_begins_between_groups_is_that_of_the_whole(source: Path) -> None:
    rendition = rendition_of(source, "medium")
    whole = whole_file(rendition)
    # Ten frames more than a group, so that the beginnings come to stand all over the groups.
    starts = range(0, rendition.length, rendition.offset_of(GROUP_FRAMES + 10))
    other = [
        start
        for start in starts
        if b"".join(rendition.read(start, start + 20_000)) != whole[start : start + 20_000]
    ]
    assert other == []


def test_an_encoder_settles_within_the_longest_memory_that_lame_has() -> None:
    # From 1 to 0.000625 by a factor of 0.925 + 0.075 * 0.000625 for each frame.
    assert SETTLING_FRAMES > 95 + 20
    assert SETTLING_FRAMES % GROUP_FRAMES == 0
