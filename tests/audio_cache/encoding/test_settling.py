"""Stretches of music that is loud and then soft, which the encoder remembers the longest."""

from __future__ import annotations

import cmath
import math
import os
import random
import subprocess
import sys
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from audio_cache.encoding import together
from audio_cache.encoding.ffmpeg import FFmpegRun, find_ffmpeg
from audio_cache.encoding.ffmpeg_options import AudioCheck
from audio_cache.encoding.mp3 import FRAME_SAMPLES, GROUP_FRAMES, SAMPLE_RATE_HZ
from audio_cache.encoding.rendition import make_rendition
from audio_cache.encoding.sample_check import SampleCheck
from audio_cache.encoding.settling import EARLY_FRAMES, SETTLING_FRAMES, Settling, loudness
from audio_cache.errors import EncodeInterruptedError
from audio_cache.quality import QUALITY_SETTINGS, Effort, QualityLevel
from audio_cache.sources.source import read_source
from tests.helpers.audio import file_url, make_noise, run_ffmpeg
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.renditions import rendition_of, whole_file

# The soft parts begin shortly before a group does, where an encoder that begins with that group
# would know least of what came before.
LOUD_S = 0.5
PERIOD_S = 6 * GROUP_FRAMES * FRAME_SAMPLES / SAMPLE_RATE_HZ
PERIODS = 2

each_way = pytest.mark.parametrize(
    ("quality", "effort"),
    [
        ("low", "default"),
        ("medium", "default"),
        ("high", "default"),
        ("medium", "fast"),
        ("low", "fast"),
    ],
)


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
@each_way
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
@each_way
def test_what_begins_between_groups_is_that_of_the_whole(
    source: Path, quality: QualityLevel, effort: Effort, tmp_path: Path
) -> None:
    program = StubFFmpeg(tmp_path / "stub")
    rendition = replace(
        rendition_of(source, quality), ffmpeg=find_ffmpeg(program.path, effort=effort)
    )
    whole = whole_file(rendition)
    # Ten frames more than a group, so that the beginnings come to stand all over the groups.
    starts = range(0, rendition.length, rendition.offset_of(GROUP_FRAMES + 10))
    other = [
        start
        for start in starts
        if b"".join(rendition.read(start, start + 20_000)) != whole[start : start + 20_000]
    ]
    assert other == []
    # What an encoder gives that has not settled is thrown away, and that begins anew.
    assert len(program.encodes()) > len(starts) + 1


def test_where_music_is_loud_one_late_encoder_is_enough(tmp_path: Path) -> None:
    program = StubFFmpeg(tmp_path / "stub")
    source = read_source(make_noise(tmp_path / "loud.flac", samples=600_000))
    rendition = make_rendition(source, "medium", find_ffmpeg(program.path))
    start = rendition.offset_of(400)
    data = b"".join(rendition.read(start, start + 3_000))
    [_] = program.starts()
    assert data == whole_file(rendition)[start : start + 3_000]


def test_a_jump_pauses_for_no_frame_in_which_its_encoder_settles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendition = rendition_of(make_noise(tmp_path / "loud.flac", samples=600_000), "medium")
    pauses: list[float] = []
    monkeypatch.setattr(together, "time", SimpleNamespace(sleep=pauses.append))
    start = rendition.offset_of(400)
    chunks = rendition.read(start, start + 40_000)
    assert next(chunks)
    # Those that are held back until more come are wanted already.
    assert len(pauses) <= 2 * together.HELD_FRAMES
    assert len(b"".join(chunks)) > 0
    assert pauses != []


def test_where_music_is_loud_one_late_encoder_of_several_qualities_is_enough(
    tmp_path: Path,
) -> None:
    program = StubFFmpeg(tmp_path / "stub")
    source = read_source(make_noise(tmp_path / "loud.flac", samples=600_000))
    ffmpeg = find_ffmpeg(program.path)
    renditions = [make_rendition(source, quality, ffmpeg) for quality in QUALITY_SETTINGS]
    made = [bytearray() for _ in renditions]
    for index, data in together.encode_together(renditions, 392, 441):
        made[index] += data
    [_] = program.starts()
    assert made == [
        whole_file(each)[each.offset_of(392) : each.offset_of(441)] for each in renditions
    ]


class SamplesFirst(FFmpegRun):
    """A run that gives all of its last output first: what a check of its samples is told."""

    def read(self) -> Iterator[tuple[int, bytes]]:
        return iter(sorted(super().read(), key=lambda given: -given[0]))


def test_what_has_not_settled_begins_anew_and_has_told_a_check_of_samples_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = StubFFmpeg(tmp_path / "stub")
    path = tmp_path / "soft.flac"
    noise = "anoisesrc=color=pink:seed=3:amplitude=0.001:r=48000:d=16"
    run_ffmpeg("-f", "lavfi", "-i", noise, "-ac", "2", "-sample_fmt", "s32", file_url(path))
    source = read_source(path)
    ffmpeg = find_ffmpeg(program.path)
    tracks = [make_rendition(source, quality, ffmpeg) for quality in QUALITY_SETTINGS]
    whole = [whole_file(each) for each in tracks]
    check = AudioCheck.of(source)
    assert check is not None
    samples = SampleCheck(check)
    monkeypatch.setattr(together, "FFmpegRun", SamplesFirst)
    before = len(program.starts())
    for first, stop in ((392, tracks[0].frames), (0, 392)):
        made = [bytearray() for _ in tracks]
        stretch = samples.stretch(first, stop)
        for index, data in together.encode_together(tracks, first, stop, stretch=stretch):
            made[index] += data
        ends = [(each.offset_of(first), each.offset_of(stop)) for each in tracks]
        assert made == [file[at:end] for file, (at, end) in zip(whole, ends, strict=True)]
    starts = program.starts()[before:]
    assert ["[settling]" in start.arguments for start in starts] == [True, False, False]
    samples.finish()
    assert check.is_passed_apart


def test_who_ends_an_encoder_that_has_not_settled_has_ended_the_encode(tmp_path: Path) -> None:
    rendition = rendition_of(make_noise(tmp_path / "loud.flac", samples=600_000), "medium")
    ended: list[FFmpegRun] = []

    def end(run: FFmpegRun) -> None:
        run.kill()
        ended.append(run)

    with pytest.raises(EncodeInterruptedError):
        list(rendition.encode(392, 441, on_start=end))
    assert len(ended) == 1


def samples_of(*loudnesses: float) -> Iterator[bytes]:
    """Give noise, for each loudness a frame of it: 1 is all that 16 bits hold."""
    noise = random.Random(5)
    for loud in loudnesses:
        most = int(32_767 * loud)
        values = (noise.randint(-most, most) for _ in range(2 * FRAME_SAMPLES))
        yield array("h", values).tobytes()


def settling_after(loudnesses: list[float]) -> Settling:
    """Return what an encoder may remember that heard frames of some loudnesses."""
    settling = Settling(192_000)
    for frame in samples_of(*loudnesses):
        settling.update(frame)
    return settling


def test_two_loud_frames_make_up_for_all_that_came_before() -> None:
    # Behind the first, of which a part is not known, and with the half frame that looks ahead.
    assert not settling_after([1, 1]).is_settled
    assert settling_after([1, 1, 1, 1]).is_settled


def test_as_little_as_the_threshold_can_fall_it_may_not_have_fallen_yet() -> None:
    settling = settling_after([0.001] * (EARLY_FRAMES + 1))
    assert settling.is_over
    assert not settling.is_settled


def test_what_is_soft_is_settled_once_the_threshold_is_down_to_it() -> None:
    # By a factor of some 0.94 a frame, to a fifth.
    soft = [0.08] * (EARLY_FRAMES + 1)
    limit = 31.98 * loudness(next(samples_of(0.08))[: 4 * 1024])
    assert 0.15 < limit < 0.35
    assert settling_after(soft).is_settled
    assert not settling_after(soft[:10]).is_settled


def frames_until_settled(loud: float, *bitrates_bps: int) -> int:
    """Return how many frames as loud as this encoders have to hear to have settled."""
    settling = Settling(*bitrates_bps)
    for count, frame in enumerate(samples_of(*[loud] * (EARLY_FRAMES + 1)), start=1):
        settling.update(frame)
        if settling.is_settled:
            return count
    raise AssertionError(f"{bitrates_bps} have not settled")


def test_several_qualities_have_settled_once_each_has() -> None:
    at_each = []
    for loud in (0.08, 0.09, 0.1, 0.11, 0.12, 1):
        high, low = frames_until_settled(loud, 256_000), frames_until_settled(loud, 128_000)
        assert frames_until_settled(loud, 256_000, 128_000) == max(high, low)
        at_each.append((high, low))
    # The scale that LAME has for each makes a difference.
    assert any(high != low for high, low in at_each)


def test_it_asks_for_the_samples_that_it_needs_and_no_more() -> None:
    quiet = b"".join(samples_of(*[0.001] * (EARLY_FRAMES + 1)))
    settling = Settling(192_000)
    settling.update(quiet[: settling.samples * 4 - 1])
    assert not settling.is_over
    settling.update(quiet[settling.samples * 4 - 1 : settling.samples * 4])
    assert settling.is_over


def hearing(line: int) -> float:
    """Return how well the line is heard: the threshold of hearing at its frequency, inverted."""
    khz = line * 44.1 / 1024
    threshold = 3.64 * khz**-0.8 - 6.8 * math.exp(-0.6 * (khz - 3.4) ** 2)
    threshold += 6 * math.exp(-0.15 * (khz - 8.7) ** 2) + 0.72 * 0.001 * khz**4
    return 10 ** (-threshold / 10)


def test_loudness_is_that_of_each_line_by_itself() -> None:
    # A tone on line 80 of the left channel, as a sum by the definition has it.
    angles = [2 * math.pi * at / 1024 for at in range(1024)]
    left = [round(8_000 * math.cos(80 * angle)) for angle in angles]
    data = array("h", [value for sample in left for value in (sample, 0)]).tobytes()
    middles = [angle + math.pi / 1024 for angle in angles]
    window = [0.42 - 0.5 * math.cos(at) + 0.08 * math.cos(2 * at) for at in middles]
    heard = [hearing(line) for line in range(1, 513)]
    expected = 0.0
    for line in range(74, 87):
        value = sum(
            sample * weight * cmath.exp(-1j * line * angle)
            for sample, weight, angle in zip(left, window, angles, strict=True)
        )
        expected += abs(value) ** 2 * heard[line] / sum(heard)
    assert loudness(data) == pytest.approx(expected / 2 / (14_752**2 * 512), rel=1e-4)


def test_an_encoder_settles_within_the_longest_memory_that_lame_has() -> None:
    # From 1 to 0.000625 by a factor of 0.925 + 0.075 * 0.000625 for each frame.
    assert SETTLING_FRAMES > 95 + 20
    assert SETTLING_FRAMES % GROUP_FRAMES == 0


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="on one core there is no other thread")
def test_getting_ready_for_seeks_leaves_no_thread_at_work() -> None:
    # What numpy is built with lets its threads spin for some 25 ms before they sleep.
    script = """
import os, time
from audio_cache.encoding.settling import prepare_seeks

prepare_seeks()
assert "OPENBLAS_THREAD_TIMEOUT" not in os.environ
time.sleep(0.3)
others = [each for each in os.listdir("/proc/self/task") if each != str(os.getpid())]
print(*(open(f"/proc/self/task/{each}/schedstat").read().split()[0] for each in others))
"""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("OPENBLAS")}
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, env=clean)
    others_ns = [int(each) for each in ran.stdout.split()]
    assert others_ns
    assert max(others_ns) < 5_000_000
