"""How each quality sounds, by effort of the encoder and with the bit reservoir on and off: ViSQOL.

ViSQOL (Chinen et al., 2020) compares a degraded signal with its reference as ears would, in its
audio mode at 48 kHz; MOS-LQO goes from 1 to about 4.75. It is the package visqol-python.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import mean, median

from audio_cache import QUALITY_SETTINGS, QualityLevel
from audio_cache.quality import EFFORTS

from .machine import usable_cores
from .music import Piece, find_music, run_ffmpeg, work_folder
from .result import Figure, Result

QUICK = False
USES_MUSIC = True
EXCERPTS = 5
EXCERPT_S = 8
# Where music has begun, and is rarely what it is at its start.
SKIPPED_S = 30
ENCODED_S = 40
ENCODES = 5
# The reservoir is worth keeping only where it is heard, and so is what LAME does by itself.
LESS_WITHOUT_RESERVOIR = 0.05
LESS_THAN_LAME = 0.02
_BY_ITSELF = "LAME by itself"
_OPTIONS: dict[str, tuple[str, ...]] = {
    _BY_ITSELF: (),
    **{effort: options for effort, (_, options) in EFFORTS.items()},
}


@dataclass(frozen=True)
class Way:
    """A way to encode."""

    quality: QualityLevel
    effort: str
    has_reservoir: bool

    def options(self) -> tuple[str, ...]:
        """Return what ffmpeg is told."""
        rate = QUALITY_SETTINGS[self.quality]["bitrate"]
        reservoir = str(int(self.has_reservoir))
        encoder = ("-c:a", "libmp3lame", "-ar", "44100", "-ac", "2", "-b:a", rate)
        return (*encoder, "-reservoir", reservoir, *_OPTIONS[self.effort])


WAYS = tuple(
    Way(quality, effort, has_reservoir)
    for quality, effort, has_reservoir in product(QUALITY_SETTINGS, _OPTIONS, (False, True))
)


def run() -> Result:
    """Score excerpts of some pieces in every way."""
    pieces = [piece for piece in find_music().pieces if piece.duration_s > SKIPPED_S + EXCERPT_S]
    if not pieces:
        raise SystemExit("nothing lasts long enough for an excerpt: set MUSIC to a folder of music")
    chosen = pieces[:: max(1, len(pieces) // EXCERPTS)][:EXCERPTS]
    with tempfile.TemporaryDirectory(prefix="quality-", dir=work_folder()) as folder:
        jobs = [
            (Path(folder, f"{number}-{index}"), piece, way)
            for number, piece in enumerate(chosen)
            for index, way in enumerate(WAYS)
        ]
        with ProcessPoolExecutor(usable_cores()) as pool:
            scored = list(pool.map(_score, jobs))
        took_s = {effort: list(_encode_times(pieces[0], effort)) for effort in _OPTIONS}
    scores: dict[Way, list[float]] = {way: [] for way in WAYS}
    for (_, _, way), score in zip(jobs, scored, strict=True):
        scores[way].append(score)
    return make_result(scores, {effort: median(times) for effort, times in took_s.items()})


def make_result(scores: dict[Way, list[float]], took_s: dict[str, float]) -> Result:
    """Return what the scores say."""
    figures = [Figure(_words(way), mean(scored), "MOS") for way, scored in scores.items()]
    for quality in QUALITY_SETTINGS:
        off, on = (scores[Way(quality, "default", each)] for each in (False, True))
        figures.append(
            Figure(
                f"{quality}: lost without the reservoir",
                _lost(off, on),
                "MOS",
                LESS_WITHOUT_RESERVOIR,
            )
        )
        full = scores[Way(quality, _BY_ITSELF, has_reservoir=False)]
        figures.append(
            Figure(f"{quality}: lost beside {_BY_ITSELF}", _lost(off, full), "MOS", LESS_THAN_LAME)
        )
    figures += [
        Figure(f"time of an encode, {each} beside {other}", took_s[each] / took_s[other], "×")
        for each, other in (("default", _BY_ITSELF), ("fast", "default"))
    ]
    count = len(next(iter(scores.values())))
    return Result(
        title="What ViSQOL hears of each quality",
        figures=tuple(figures),
        samples={_words(way): scored for way, scored in scores.items()},
        unit="MOS",
        notes=(
            f"{count} excerpts of {EXCERPT_S} s, each the mean of its kind; renditions have no "
            f"reservoir. The time is the median of {ENCODES} encodes of {ENCODED_S} s at low, one "
            "after the other.",
        ),
    )


def _lost(scored: list[float], full: list[float]) -> float:
    return mean(more - less for more, less in zip(full, scored, strict=True))


def _words(way: Way) -> str:
    return f"{way.quality}, {way.effort}, {'with' if way.has_reservoir else 'no'} reservoir"


def _score(job: tuple[Path, Piece, Way]) -> float:
    """Return ViSQOL's score of an excerpt, encoded in a way."""
    from visqol import VisqolApi

    stem, piece, way = job
    names = (f"{stem}.ref.wav", f"{stem}.mp3", f"{stem}.wav")
    reference, encoded, decoded = map(Path, names)
    excerpt = ("-ss", str(SKIPPED_S), "-t", str(EXCERPT_S), "-i", piece.path)
    run_ffmpeg(*excerpt, "-ar", "48000", "-ac", "2", reference)
    run_ffmpeg(*excerpt, *way.options(), encoded)
    run_ffmpeg("-i", encoded, "-ar", "48000", decoded)
    scale = VisqolApi()
    scale.create(mode="audio")
    return float(scale.measure(str(reference), str(decoded)).moslqo)


def _encode_times(piece: Piece, effort: str) -> Iterator[float]:
    """Give the seconds that encodes take."""
    options = Way("low", effort, has_reservoir=False).options()
    for _ in range(ENCODES):
        began = time.perf_counter()
        run_ffmpeg("-t", str(ENCODED_S), "-i", piece.path, *options, "-f", "mp3", "/dev/null")
        yield time.perf_counter() - began
