"""Which files count as the same audio."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from audio_cache.sources.source import read_source
from tests.data import handmade
from tests.helpers.audio import DATA, make_audio


def save(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["stereo.flac", "stereo.wav", "alac.m4a", "stereo.ape"])
def test_a_copy_has_the_fingerprint_of_its_original(tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copyfile(DATA / name, tmp_path / f"elsewhere{Path(name).suffix}"))
    os.utime(copy, (0, 0))
    assert read_source(copy).fingerprint == read_source(DATA / name).fingerprint


def test_the_md5_of_a_flac_is_its_fingerprint_where_it_is_set() -> None:
    md5 = (DATA / "stereo.flac").read_bytes()[26:42].hex()
    found = read_source(DATA / "stereo.flac").fingerprint
    # It covers the samples alone, so rate, channels, bits and their count stand behind it.
    assert found == f"flac-md5:{md5}-44100-2-16-4410"
    assert read_source(DATA / "streamed.flac").fingerprint.startswith("blocks:")


def test_moving_the_boxes_of_an_mp4_keeps_its_fingerprint() -> None:
    behind, before = read_source(DATA / "alac.m4a"), read_source(DATA / "alac-front.m4a")
    assert behind.fingerprint == before.fingerprint


@pytest.mark.parametrize(
    ("suffix", "encoder"),
    [
        (".flac", "flac"),
        (".wav", "pcm_s16le"),
        (".aiff", "pcm_s16be"),
        (".m4a", "alac"),
        (".wv", "wavpack"),
        (".tta", "tta"),
    ],
)
def test_other_audio_of_the_same_length_has_another_fingerprint(
    tmp_path: Path, suffix: str, encoder: str
) -> None:
    found = {
        read_source(
            make_audio(tmp_path / f"{seed}{suffix}", samples=3000, codec=encoder, seed=seed)
        ).fingerprint
        for seed in range(3)
    }
    assert len(found) == 3


@pytest.mark.parametrize("place", [44, -2])
@pytest.mark.parametrize("samples", [1000, 500_000])
def test_a_changed_first_or_last_sample_changes_the_fingerprint(
    tmp_path: Path, samples: int, place: int
) -> None:
    fmt = handmade.wave_format(1, 44100, 2, 16)
    content = bytearray(handmade.wav(fmt, bytes(samples * 4)))
    before = read_source(save(tmp_path / "x.wav", content)).fingerprint
    content[place] ^= 1
    assert read_source(save(tmp_path / "x.wav", content)).fingerprint != before


def test_the_same_bytes_read_in_another_way_are_other_audio(tmp_path: Path) -> None:
    data = bytes(4000)
    formats = [
        handmade.wave_format(1, 44100, 2, 32),
        handmade.wave_format(3, 44100, 2, 32),
        handmade.wave_format(1, 48000, 2, 32),
        handmade.wave_format(1, 44100, 1, 32),
        handmade.wave_format(1, 44100, 2, 16),
    ]
    files = [save(tmp_path / f"{n}.wav", handmade.wav(f, data)) for n, f in enumerate(formats)]
    frames = 1000
    big = handmade.aiff(handmade.aiff_common(frames, bits=32), handmade.aiff_sound(data))
    files.append(save(tmp_path / "x.aiff", big))
    assert len({read_source(path).fingerprint for path in files}) == len(files)
