"""Which files count as the same audio."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from audio_cache.sources.source import hash_audio, read_source
from tests.audio_cache.sources.written import audio_of
from tests.data import handmade
from tests.helpers.audio import DATA, make_audio


def save(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["stereo.flac", "stereo.wav", "alac.m4a", "stereo.ape"])
def test_a_copy_has_the_identity_of_its_original(tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copyfile(DATA / name, tmp_path / f"elsewhere{Path(name).suffix}"))
    os.utime(copy, (0, 0))
    assert audio_of(read_source(copy)) == audio_of(read_source(DATA / name))


def test_the_md5_of_a_flac_is_its_identity_where_it_is_set() -> None:
    md5 = (DATA / "stereo.flac").read_bytes()[26:42].hex()
    # It covers the samples alone, so what they mean stands behind it.
    assert read_source(DATA / "stereo.flac").audio == f"flac-md5:{md5}-flac-flac---44100-2-16-4410"
    assert read_source(DATA / "streamed.flac").audio == ""
    assert audio_of(read_source(DATA / "streamed.flac")).startswith("blake3:")


@pytest.mark.parametrize(("bits", "counts"), [(8, True), (12, False), (20, False), (32, True)])
def test_an_md5_that_cannot_be_checked_is_believed_of_nobody(
    tmp_path: Path, bits: int, counts: bool
) -> None:
    content = bytearray((DATA / "stereo.flac").read_bytes())
    packed = int.from_bytes(content[18:26], "big") & ~(0x1F << 36) | (bits - 1) << 36
    content[18:26] = packed.to_bytes(8, "big")
    source = read_source(save(tmp_path / "x.flac", content))
    assert source.bits == bits
    assert bool(source.audio) is counts


def test_a_changed_byte_in_the_midst_of_a_long_file_makes_other_audio(tmp_path: Path) -> None:
    content = bytearray(handmade.wav(handmade.wave_format(1, 44100, 2, 16), bytes(6_000_000)))
    before = audio_of(read_source(save(tmp_path / "x.wav", content)))
    content[3_333_333] ^= 1
    assert audio_of(read_source(save(tmp_path / "x.wav", content))) != before


def test_a_file_that_changed_since_its_header_was_read_is_not_identified(tmp_path: Path) -> None:
    content = handmade.wav(handmade.wave_format(1, 44100, 2, 16), bytes(4_000))
    source = read_source(save(tmp_path / "x.wav", content))
    save(tmp_path / "x.wav", content + bytes(10))
    with pytest.raises(OSError, match="changed while it was read"):
        hash_audio(source)


def test_moving_the_boxes_of_an_mp4_keeps_its_identity() -> None:
    behind, before = read_source(DATA / "alac.m4a"), read_source(DATA / "alac-front.m4a")
    assert audio_of(behind) == audio_of(before)


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
def test_other_audio_of_the_same_length_has_another_identity(
    tmp_path: Path, suffix: str, encoder: str
) -> None:
    found = {
        audio_of(
            read_source(
                make_audio(tmp_path / f"{seed}{suffix}", samples=3000, codec=encoder, seed=seed)
            )
        )
        for seed in range(3)
    }
    assert len(found) == 3


@pytest.mark.parametrize("place", [44, -2])
@pytest.mark.parametrize("samples", [1000, 500_000])
def test_a_changed_first_or_last_sample_changes_the_identity(
    tmp_path: Path, samples: int, place: int
) -> None:
    fmt = handmade.wave_format(1, 44100, 2, 16)
    content = bytearray(handmade.wav(fmt, bytes(samples * 4)))
    before = audio_of(read_source(save(tmp_path / "x.wav", content)))
    content[place] ^= 1
    assert audio_of(read_source(save(tmp_path / "x.wav", content))) != before


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
    assert len({audio_of(read_source(path)) for path in files}) == len(files)
