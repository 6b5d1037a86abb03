"""What it costs a batch to compare the audio of each FLAC with the MD5 that the file states."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from unittest.mock import patch

from audio_cache.encoding import ffmpeg_options
from audio_cache.encoding.ffmpeg import FFmpegRun
from audio_cache.encoding.ffmpeg_options import AudioCheck, Piece
from audio_cache.encoding.mp3 import frame_count, output_samples
from audio_cache.quality import DEFAULT_EFFORT, QUALITY_SETTINGS, Effort, QualitySetting
from audio_cache.sources.source import Source, read_source
from audio_cache.store.checks import Checks
from tests.helpers.processes import processor_s

from .batch import in_empty_folder, with_audio_cache
from .machine import chosen_ffmpeg
from .music import cut, find_music, work_folder
from .result import Figure, Result, alternate, paired_ratio

USES_MUSIC = True
TRACKS = 24
SECONDS = 60.0
ROUNDS = int(os.environ.get("BENCH_CHECK_ROUNDS", "3"))
BAR = 3.0
_NOWHERE = ("-c:a", "pcm_s16le", "-f", "null", "-")


def run() -> Result:
    """Measure the comparison alone beside an encode, and batches with it and without."""
    folder = work_folder() / "minutes"
    folder.mkdir(exist_ok=True)
    pieces = find_music(TRACKS).pieces
    tracks = [cut(piece, SECONDS, folder / f"{number}.flac") for number, piece in enumerate(pieces)]
    least: Counter[str] = Counter()
    for source in map(read_source, tracks):
        samples = alternate(
            3 * ROUNDS,
            compared=partial(_processor_s, _decode, source, is_compared=True),
            believed=partial(_processor_s, _decode, source, is_compared=False),
            encoded=partial(_processor_s, _encode, source),
        )
        least.update({name: min(values) for name, values in samples.items()})
    batches = alternate(
        ROUNDS,
        compared=partial(_processor_s, in_empty_folder, with_audio_cache, tracks),
        believed=partial(_processor_s, in_empty_folder, _without_checks, tracks),
    )
    extra_s = (least["compared"] - least["believed"]) / len(tracks)
    encode_s = least["encoded"] / len(tracks)
    return Result(
        title=f"{len(tracks)} minutes of FLAC to MP3 at medium, compared with the MD5 they state",
        figures=(
            Figure("the comparison, of an encode", 100 * extra_s / encode_s, "%", BAR),
            Figure("the comparison of a minute", 1000 * extra_s, "ms"),
            Figure("the encode of a minute", 1000 * encode_s, "ms"),
            Figure(
                "batches with it, beside those without",
                paired_ratio(batches["compared"], batches["believed"]),
                "×",
            ),
        ),
        samples=batches,
        unit="s",
        notes=(
            "Processor time of this process and of ffmpeg. What else runs on the machine adds to "
            "an encode more than the comparison takes, so that is measured where little else is "
            "done: the same decoding and filters without an MP3 encoder, with the comparison and "
            f"without, and the encode, in turn; the least of {3 * ROUNDS} rounds for each minute, "
            f"since noise only adds. Batches, {ROUNDS} rounds in turn, are for the sum of it all.",
        ),
    )


def _decode(source: Source, *, is_compared: bool) -> None:
    """Decode and filter a source as an encode does, for nothing."""
    check = AudioCheck.of(source) if is_compared else None
    with patch.object(ffmpeg_options, "encoder_arguments", _nothing):
        arguments = _piece(source).arguments(
            [QUALITY_SETTINGS["medium"]], DEFAULT_EFFORT, check.codec if check else ""
        )
    with FFmpegRun(chosen_ffmpeg(), arguments, source=source, outputs=int(is_compared)) as run_:
        for _, data in run_.read():
            if check is not None:
                check.update(data)
        run_.finish()
    if check is not None:
        check.finish()


def _encode(source: Source) -> None:
    arguments = _piece(source).arguments([QUALITY_SETTINGS["medium"]], DEFAULT_EFFORT)
    with FFmpegRun(chosen_ffmpeg(), arguments, source=source) as run_:
        for _ in run_.read():
            pass
        run_.finish()


def _piece(source: Source) -> Piece:
    return Piece(source, 0, frame_count(output_samples(source.samples or 0, source.rate_hz)))


def _nothing(setting: QualitySetting, effort: Effort, *, at_once: bool = False) -> list[str]:
    return [*_NOWHERE]


def _without_checks(tracks: Sequence[Path], folder: Path) -> None:
    with patch.object(Checks, "begin", lambda self, source: None):
        with_audio_cache(tracks, folder)


def _processor_s(measure: Callable[..., object], *arguments: object, **given: object) -> float:
    """Return the seconds of processors that something takes, with the processes that it starts."""
    before = processor_s()
    measure(*arguments, **given)
    return processor_s() - before
