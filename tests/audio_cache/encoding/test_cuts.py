"""Renditions of parts of a file: those that a file of that part alone would have."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from audio_cache.encoding.ffmpeg import find_ffmpeg
from audio_cache.encoding.rendition import Rendition
from audio_cache.encoding.survey import survey
from audio_cache.encoding.together import encode_together
from audio_cache.errors import DamagedSourceError
from audio_cache.sources.sheet_tracks import read_sheet
from tests.helpers.audio import decode, make_noise
from tests.helpers.damage import frame_starts
from tests.helpers.renditions import decode_stereo, rendition_of, split_frames, whole_file
from tests.helpers.sheets import RATE, SAMPLES, STARTS, cut_with_ffmpeg, write_sheet

FORMATS = {
    "flac": (".flac", "flac", 44_100, 16),
    "24 bits": (".flac", "flac", 96_000, 24),
    "low rate": (".flac", "flac", 11_025, 16),
    "odd rate": (".wav", "pcm_s16le", 44_056, 16),
    "wav": (".wav", "pcm_s16le", 48_000, 16),
    "aiff": (".aiff", "pcm_s16be", 44_100, 16),
    "alac": (".m4a", "alac", 44_100, 16),
    "wavpack": (".wv", "wavpack", 44_100, 16),
    "tta": (".tta", "tta", 44_100, 16),
}


def tracks_of(folder: Path, file: Path) -> list[Rendition]:
    sheet = write_sheet(folder / "album.cue", file.name)
    return [rendition_of(Path(track.path)) for track in read_sheet(sheet)]


@pytest.fixture(scope="module", params=FORMATS)
def album(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    suffix, codec, rate, bits = FORMATS[request.param]
    path = tmp_path_factory.mktemp("album") / f"album{suffix}"
    return make_noise(path, samples=SAMPLES * rate // RATE, rate=rate, codec=codec, bits=bits)


@pytest.fixture
def alone(album: Path, tmp_path: Path) -> Iterator[list[tuple[Rendition, Rendition]]]:
    """Return each track, and that of a WAV which holds the same samples."""
    pairs = []
    for number, track in enumerate(tracks_of(album.parent, album)):
        source = track.source
        codec = "pcm_s24le" if source.bits > 16 else "pcm_s16le"
        file = tmp_path / f"{number}.wav"
        cut_with_ffmpeg(album, source.first_sample, source.samples or 0, file, codec)
        pairs.append((track, rendition_of(file)))
    return pairs


def test_a_track_gives_the_bytes_of_a_file_of_its_own(
    alone: list[tuple[Rendition, Rendition]],
) -> None:
    assert len(alone) == len(STARTS)
    for track, file in alone:
        assert track.samples == file.samples
        made = whole_file(track)
        assert len(made) == track.length
        assert made[len(track.header) :] == b"".join(file.encode())


@pytest.fixture(scope="module")
def flac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flac")
    return make_noise(folder / "album.flac", samples=SAMPLES)


def test_any_range_of_a_cold_track_is_that_of_the_whole(flac: Path) -> None:
    chance = random.Random(7)
    for track in tracks_of(flac.parent, flac)[1:]:
        whole = whole_file(track)
        for _ in range(25):
            start, stop = sorted(chance.sample(range(track.length + 1), 2))
            assert b"".join(track.read(start, stop)) == whole[start:stop]


def test_qualities_that_are_made_together_are_those_that_are_made_alone(flac: Path) -> None:
    track = tracks_of(flac.parent, flac)[1]
    both = [track, replace(track, quality="high")]
    made = [b"", b""]
    for index, data in encode_together(both):
        made[index] += data
    assert made == [b"".join(each.encode()) for each in both]


def test_tracks_join_without_a_gap_or_a_sample_twice(flac: Path, tmp_path: Path) -> None:
    """Each decodes to as many samples as it is cut from, in its place; so do all in a row."""
    source = decode_stereo(flac)
    at = 0
    for number, track in enumerate(tracks_of(flac.parent, flac)):
        (tmp_path / f"{number}.mp3").write_bytes(whole_file(track))
        found = decode_stereo(tmp_path / f"{number}.mp3")
        assert len(found) == track.source.samples
        wanted = source[at : at + len(found)]
        # As near as an MP3 is to what it was made of; a sample off, and noise has no likeness.
        assert ((found - wanted) ** 2).sum() < 0.2 * (wanted**2).sum()
        at += len(found)
    assert at == len(source) == SAMPLES


def spoil(flac: Path, at_s: float, to: Path) -> Path:
    """Write a copy with one frame that cannot be decoded."""
    content = bytearray(flac.read_bytes())
    start = frame_starts(bytes(content))[int(at_s * RATE / 4096)]
    content[start + 1000] ^= 0xFF
    to.parent.mkdir(exist_ok=True)
    to.write_bytes(content)
    return to


def test_damage_is_that_of_the_track_that_it_is_in(flac: Path, tmp_path: Path) -> None:
    first, second, third = tracks_of(tmp_path, spoil(flac, 8.0, tmp_path / "album.flac"))
    sound = tracks_of(flac.parent, flac)
    for track, good in ((first, sound[0]), (third, sound[2])):
        assert whole_file(track) == whole_file(good)
        assert survey(track.source, track.ffmpeg) is None
    with pytest.raises(DamagedSourceError):
        whole_file(second)
    damage = survey(second.source, second.ffmpeg)
    assert damage is not None
    assert damage.at_s == pytest.approx(8.0 - STARTS[1] / 75, abs=0.1)
    assert damage.lost_s == pytest.approx(4096 / RATE, abs=0.001)


def test_what_can_be_made_of_a_damaged_track_is_as_long_as_it_is(
    flac: Path, tmp_path: Path
) -> None:
    track = tracks_of(tmp_path, spoil(flac, 8.0, tmp_path / "album.flac"))[1]
    made = b"".join(replace(track, is_best_effort=True).encode())
    sound = b"".join(tracks_of(flac.parent, flac)[1].encode())
    assert len(made) == len(sound)
    pairs = zip(*(split_frames(each, track.bitrate_bps) for each in (made, sound)), strict=True)
    others = [number for number, (one, other) in enumerate(pairs) if one != other]
    at = round((8.0 - STARTS[1] / 75) * RATE / 1152)
    # LAME remembers for a while how loud it was.
    assert others
    assert at - 8 <= min(others) <= max(others) <= at + 120


def test_a_file_that_ends_within_a_track_is_damaged(flac: Path, tmp_path: Path) -> None:
    content = flac.read_bytes()
    (tmp_path / "album.flac").write_bytes(content[: len(content) * 9 // 10])
    first, second, third = tracks_of(tmp_path, tmp_path / "album.flac")
    assert len(whole_file(first) + whole_file(second)) == first.length + second.length
    with pytest.raises(DamagedSourceError):
        whole_file(third)


@pytest.mark.parametrize("missing", [1, 40])
def test_not_a_sample_may_be_missing_at_the_end(missing: int, tmp_path: Path) -> None:
    album = make_noise(tmp_path / "album.wav", samples=SAMPLES, codec="pcm_s16le")
    with album.open("r+b") as file:
        file.truncate(album.stat().st_size - 4 * missing)
    assert len(decode(album)) == 4 * (SAMPLES - missing)
    third = tracks_of(tmp_path, album)[2]
    with pytest.raises(DamagedSourceError, match=f"{(third.source.samples or 0) - missing:,} of"):
        whole_file(third)


def test_an_ffmpeg_that_fails_is_shown_with_the_file_that_it_read(
    flac: Path, tmp_path: Path
) -> None:
    track = tracks_of(tmp_path, spoil(flac, 8.0, tmp_path / "album.flac"))[1]
    with pytest.raises(DamagedSourceError) as raised:
        whole_file(track)
    assert f"file:{tmp_path / 'album.flac'}" in raised.value.cmd
    assert "02.flac" in str(raised.value)
    assert find_ffmpeg().path in raised.value.cmd
