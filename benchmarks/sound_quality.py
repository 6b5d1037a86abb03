"""How each quality sounds, by effort of the encoder and with the bit reservoir on and off.

Two judges compare a signal with its reference as ears would. ViSQOL (Chinen et al., 2020) in its
audio mode gives a MOS from 1 to about 4.75. Zimtohrli (Alakuijala et al., 2024), which was made for
what can only just be heard, gives a distance from 0, no difference, to 1. They are the packages
visqol-python and zimtohrli.
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
from typing import cast

import numpy as np
import numpy.typing as npt

from audio_cache import QUALITY_SETTINGS, QualityLevel
from audio_cache.quality import EFFORTS, Effort, compression_level

from .machine import usable_cores
from .music import Piece, find_music, run_ffmpeg, work_folder
from .result import Figure, Result

QUICK = False
USES_MUSIC = True
EXCERPTS = 10
EXCERPT_S = 8
# Where music has begun, and is rarely what it is at its start.
SKIPPED_S = 30
ENCODED_S = 40
ENCODES = 5
# The reservoir is worth keeping only where it is heard, and so is to search as LAME does by itself.
LESS_WITHOUT_RESERVOIR = 0.05
LESS_THAN_LAME = 0.02
FURTHER_THAN_LAME = 1.05
_BY_ITSELF = "-q 3"
_EFFORTS = (_BY_ITSELF, *EFFORTS)
_PER_MILLE = 1000.0
# Samples that a change of the rate may add or leave out.
_ROUNDED = 2
_Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Way:
    """A way to encode."""

    quality: QualityLevel
    effort: str
    has_reservoir: bool = False

    def options(self) -> tuple[str, ...]:
        """Return what ffmpeg is told."""
        setting = QUALITY_SETTINGS[self.quality]
        reservoir = str(int(self.has_reservoir))
        encoder = ("-c:a", "libmp3lame", "-ar", "44100", "-ac", "2", "-b:a", setting["bitrate"])
        level: tuple[str, ...] = ()
        if self.effort != _BY_ITSELF:
            effort = cast(Effort, self.effort)
            level = ("-compression_level", str(compression_level(effort, setting)))
        return (*encoder, "-reservoir", reservoir, *level)


@dataclass(frozen=True)
class Score:
    """What the judges say of an excerpt: ViSQOL's MOS, and Zimtohrli's distance."""

    mos: float
    distance: float


WAYS = tuple(
    Way(quality, effort, has_reservoir)
    for quality, effort, has_reservoir in product(QUALITY_SETTINGS, _EFFORTS, (False, True))
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
        took_s = {
            way: median(_encode_times(pieces[0], way)) for way in WAYS if not way.has_reservoir
        }
    scores: dict[Way, list[Score]] = {way: [] for way in WAYS}
    for (_, _, way), score in zip(jobs, scored, strict=True):
        scores[way].append(score)
    return make_result(scores, took_s)


def make_result(scores: dict[Way, list[Score]], took_s: dict[Way, float]) -> Result:
    """Return what the scores say."""
    mos = {way: [each.mos for each in scored] for way, scored in scores.items()}
    figures = [Figure(_words(way), mean(scored), "MOS") for way, scored in mos.items()]
    figures += [
        Figure(f"{_words(way)}: 1000 × Zimtohrli's distance", _PER_MILLE * _distance(scored), "")
        for way, scored in scores.items()
    ]
    for quality in QUALITY_SETTINGS:
        ours, with_reservoir = (Way(quality, "default", each) for each in (False, True))
        fast, lame = Way(quality, "fast"), Way(quality, _BY_ITSELF)
        off, on = scores[ours], scores[with_reservoir]
        lost = _lost(mos[ours], mos[with_reservoir])
        unsearched = _lost(mos[ours], mos[lame])
        further = _distance(off) / _distance(scores[lame])
        figures += [
            Figure(f"{quality}: lost without the reservoir", lost, "MOS", LESS_WITHOUT_RESERVOIR),
            Figure(
                f"{quality}: distance without the reservoir", _distance(off) / _distance(on), "×"
            ),
            Figure(f"{quality}: lost beside {_BY_ITSELF}", unsearched, "MOS", LESS_THAN_LAME),
            Figure(f"{quality}: distance beside {_BY_ITSELF}", further, "×", FURTHER_THAN_LAME),
            Figure(
                f"{quality}: excerpts of {len(off)} that are further than with {_BY_ITSELF}",
                sum(
                    one.distance > other.distance
                    for one, other in zip(off, scores[lame], strict=True)
                ),
                "",
            ),
            Figure(
                f"{quality}: distance with fast beside default",
                _distance(scores[fast]) / _distance(off),
                "×",
            ),
            Figure(f"{quality}: time beside {_BY_ITSELF}", took_s[ours] / took_s[lame], "×"),
            Figure(f"{quality}: time with fast beside default", took_s[fast] / took_s[ours], "×"),
        ]
    count = len(next(iter(scores.values())))
    return Result(
        title="What ViSQOL and Zimtohrli hear of each quality",
        figures=tuple(figures),
        samples={_words(way): scored for way, scored in mos.items()},
        unit="MOS",
        notes=(
            f"{count} excerpts of {EXCERPT_S} s, each the mean of its kind; renditions have no "
            f"reservoir, and {_BY_ITSELF} is what LAME does by itself. The time is the median of "
            f"{ENCODES} encodes of {ENCODED_S} s, one after the other.",
        ),
    )


def _lost(scored: list[float], full: list[float]) -> float:
    return mean(more - less for more, less in zip(full, scored, strict=True))


def _distance(scored: list[Score]) -> float:
    return mean(each.distance for each in scored)


def _words(way: Way) -> str:
    return f"{way.quality}, {way.effort}, {'with' if way.has_reservoir else 'no'} reservoir"


def _score(job: tuple[Path, Piece, Way]) -> Score:
    """Return what the judges say of an excerpt, encoded in a way."""
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
    mos = float(scale.measure(str(reference), str(decoded)).moslqo)
    return Score(mos, _furthest(_channels(reference), _channels(decoded)))


def _furthest(references: _Samples, decoded: _Samples) -> float:
    """Return Zimtohrli's distance of the channel that differs most."""
    from zimtohrli import Pyohrli

    judge = Pyohrli()
    length = min(references.shape[1], decoded.shape[1])
    if max(references.shape[1], decoded.shape[1]) - length > _ROUNDED:
        raise SystemExit(f"what was decoded has {decoded.shape[1]:,} samples, not {length:,}")
    pairs = zip(references[:, :length], decoded[:, :length], strict=True)
    return max(float(judge.distance(one, other)) for one, other in pairs)


def _channels(path: Path) -> _Samples:
    """Return the samples of both channels of a file at 48 kHz, (2, n), from -1 to 1."""
    raw = path.with_suffix(f"{path.suffix}.f32")
    run_ffmpeg("-i", path, "-f", "f32le", raw)
    return np.ascontiguousarray(np.fromfile(raw, np.float32).reshape(-1, 2).T)


def _encode_times(piece: Piece, way: Way) -> Iterator[float]:
    """Give the seconds that encodes take."""
    for _ in range(ENCODES):
        began = time.perf_counter()
        run_ffmpeg("-t", str(ENCODED_S), "-i", piece.path, *way.options(), "-f", "mp3", "/dev/null")
        yield time.perf_counter() - began
