from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from audio_cache import AudioCache
from audio_cache.encoding.medley import Medley, make_medley
from audio_cache.errors import DamagedSourceError, EncodeError
from tests.helpers.audio import decode, file_url, make_audio, make_noise, run_ffmpeg
from tests.helpers.damage import damaged
from tests.helpers.sheets import CD_FRAME, SAMPLES, STARTS, cut_with_ffmpeg, write_sheet


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return sources of different rates, depths and channels; one is shorter than a frame."""
    folder = tmp_path_factory.mktemp("medley")
    return [
        make_audio(folder / "a.flac", samples=44_100 * 6 + 123, seed=1),
        make_audio(folder / "b.wav", samples=200_007, rate=48_000, codec="pcm_s24le", seed=2),
        make_audio(folder / "c.flac", samples=290_001, rate=96_000, channels=1, seed=3),
        make_audio(folder / "d.flac", samples=500, seed=4),
        make_audio(folder / "e.flac", samples=90_000, channels=6, seed=5),
        make_audio(folder / "f.m4a", samples=300_000, rate=22_050, codec="alac", seed=6),
    ]


def medley_of(cache: AudioCache, sources: list[Path]) -> Medley:
    return make_medley(tuple(cache.identify(source, "low") for source in sources))


def read(medley: Medley, start: int, stop: int) -> bytes:
    made = medley.header[start:stop]
    return made + b"".join(piece.encode() for piece in medley.pieces(start, stop))


def test_any_range_is_that_of_the_whole(cache: AudioCache, sources: list[Path]) -> None:
    medley = medley_of(cache, sources)
    whole = read(medley, 0, medley.length)
    assert len(whole) == medley.length
    places = random.Random(7)
    for _ in range(12):
        start = places.randrange(medley.length)
        stop = min(medley.length, start + places.randrange(1, 50_000))
        assert read(medley, start, stop) == whole[start:stop], (start, stop)


def test_it_lasts_as_long_as_its_sources_and_each_is_in_its_place(
    cache: AudioCache, sources: list[Path], tmp_path: Path
) -> None:
    medley = medley_of(cache, sources)
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(read(medley, 0, medley.length))
    heard = samples_of(joined)
    assert len(heard) == medley.samples
    for source, start, end in zip(sources, medley.starts, medley.starts[1:], strict=False):
        alone = samples_of(cache.transcode_file(source, "low"))
        assert len(alone) == end - start
        # As its rendition sounds, but for what an encoder makes of it in another place.
        noise = np.mean((heard[start:end] - alone) ** 2)
        assert 10 * np.log10(np.mean(alone**2) / noise) > 15, source


def samples_of(path: Path) -> np.ndarray:
    return np.frombuffer(decode(path), np.int16).astype(float).reshape(-1, 2)


def test_pieces_do_not_show(cache: AudioCache, tmp_path: Path) -> None:
    # Longer than a piece, so that two encoders meet within a track.
    long = make_noise(tmp_path / "long.flac", samples=44_100 * 110)
    medley = medley_of(cache, [long])
    joined = b"".join(
        [medley.header, *(piece.encode() for piece in medley.pieces(0, medley.length))]
    )
    assert len(list(medley.pieces(0, medley.length))) == 5
    whole = cache.identify(long, "low")
    assert joined == b"".join(whole.read(len(whole.header) - len(medley.header), whole.length))


def test_a_damaged_source_is_an_error(cache: AudioCache, sources: list[Path]) -> None:
    broken = damaged(sources[0], sources[0].with_name("broken.flac"), "overwritten")
    medley = medley_of(cache, [sources[1], broken])
    with pytest.raises(DamagedSourceError, match=r"broken\.flac"):
        read(medley, 0, medley.length)


def test_a_streamed_wav_is_no_damage_beside_a_flac(
    cache: AudioCache, sources: list[Path], tmp_path: Path
) -> None:
    streamed = tmp_path / "streamed.wav"
    streamed.write_bytes(run_ffmpeg("-i", file_url(sources[0]), "-f", "wav", "pipe:1").stdout)
    medley = medley_of(cache, [streamed, sources[0]])
    assert len(read(medley, 0, medley.length)) == medley.length


def test_nothing_is_no_medley(cache: AudioCache) -> None:
    with pytest.raises(EncodeError, match="nothing"):
        make_medley(())


def test_its_id_is_that_of_its_sources_in_their_order(
    cache: AudioCache, sources: list[Path]
) -> None:
    some = medley_of(cache, sources[:2])
    assert some.id == medley_of(cache, sources[:2]).id
    assert some.id != medley_of(cache, sources[1::-1]).id


def test_tracks_of_a_sheet_give_what_files_of_their_own_would(
    cache: AudioCache, tmp_path: Path
) -> None:
    image = make_noise(tmp_path / "album.flac", samples=SAMPLES)
    sheet = write_sheet(tmp_path / "album.cue", image.name)
    starts = [start * CD_FRAME for start in STARTS]
    ends = [*starts[1:], SAMPLES]
    tracks = [sheet / f"0{number}.flac" for number in (1, 2, 3)]
    files = [
        cut_with_ffmpeg(image, start, end - start, tmp_path / f"{start}.wav")
        for start, end in zip(starts, ends, strict=True)
    ]
    medley, alike = medley_of(cache, tracks), medley_of(cache, files)
    assert read(medley, 0, medley.length) == read(alike, 0, alike.length)
    middle = medley.length // 2
    assert read(medley, middle, middle + 9_000) == read(alike, middle, middle + 9_000)
