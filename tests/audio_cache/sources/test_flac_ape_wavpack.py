from __future__ import annotations

import struct
from pathlib import Path

import pytest

from audio_cache.sources.source import is_lossless, read_source
from tests.audio_cache.sources.written import audio_of, read
from tests.data import handmade
from tests.helpers.audio import DATA, count_samples


def flac_block(kind: int, body: bytes, *, last: bool = False) -> bytes:
    return bytes([kind | 0x80 * last]) + len(body).to_bytes(3, "big") + body


def test_flac_metadata_may_come_in_any_order_and_amount(tmp_path: Path) -> None:
    whole = handmade.flac([1, 2, 3])
    info = whole[4:42]
    comment = struct.pack("<II", 0, 1) + struct.pack("<I", 7) + b"TITLE=x"
    content = (
        b"fLaC"
        + flac_block(0, info[4:])
        + flac_block(6, bytes(70_000))
        + flac_block(1, bytes(100)) * 30
        + flac_block(4, comment, last=True)
        + whole[42:]
    )
    source = read(tmp_path / "x.flac", content)
    assert source.samples == count_samples(source.path) == 3
    assert source.tags == (("title", "x"),)


@pytest.mark.parametrize("size", [4, 5, 8, 20, 41])
def test_flac_cut_within_its_header_stays_flac(tmp_path: Path, size: int) -> None:
    source = read(tmp_path / "x.flac", (DATA / "stereo.flac").read_bytes()[:size])
    assert (source.codec, source.demuxer, source.samples) == ("flac", "flac", None)
    assert source.lossless


def test_flac_can_have_more_samples_than_32_bits_count(tmp_path: Path) -> None:
    content = handmade.flac([1], total=2**36 - 1)
    assert read(tmp_path / "x.flac", content).samples == 2**36 - 1


@pytest.mark.parametrize("name", ["stereo.flac", "stereo.tta"])
def test_several_id3_tags_may_stand_before_the_audio(tmp_path: Path, name: str) -> None:
    tag = handmade.id3(("TIT2", "Before"))
    source = read(tmp_path / name, tag * 2 + (DATA / name).read_bytes())
    assert source.samples == count_samples(source.path) == 4410
    assert audio_of(source) == audio_of(read_source(DATA / name))


def wavpack_block(total: int, *, index: int = 0, high: int = 0, samples: int = 10) -> bytes:
    flags = 1 | 3 << 11 | 9 << 23  # 16 bits, the only block of its time, 44.1 kHz
    size = struct.pack("<IHBB", 24, 0x410, 0, high)
    return b"wvpk" + size + struct.pack("<IIIII", total, index, samples, flags, 0)


@pytest.mark.parametrize(
    ("content", "samples"),
    [
        (wavpack_block(1000), 1000),
        (wavpack_block(0xFFFFFFFF), None),
        (wavpack_block(500, index=77), None),
        (wavpack_block(5, high=2), 5 + (2 << 32) - 2),
        (wavpack_block(0, samples=0) * 3 + wavpack_block(1000), 1000),
        (wavpack_block(0, samples=0) * 100, None),
    ],
)
def test_wavpack_counts_in_40_bits_or_not_at_all(
    tmp_path: Path, content: bytes, samples: int | None
) -> None:
    source = read(tmp_path / "x.wv", content)
    assert (source.codec, source.samples) == ("wavpack", samples)


def test_hybrid_wavpack_is_lossy_even_beside_its_correction_file(tmp_path: Path) -> None:
    source = read(tmp_path / "x.wv", (DATA / "hybrid.wv").read_bytes())
    (tmp_path / "x.wvc").write_bytes(b"wvpk")
    assert not source.lossless
    assert not is_lossless(source.path)


@pytest.mark.parametrize("bits", [1, 7, 8, 32_768, 32_776, 40_001])
def test_dsf_counts_whole_groups_of_eight_bits(tmp_path: Path, bits: int) -> None:
    source = read(tmp_path / "x.dsf", handmade.dsf(bits))
    assert (source.samples or 0) == count_samples(source.path) == bits // 8


@pytest.mark.parametrize(("rate", "channels"), [(2_822_400, 1), (5_644_800, 2), (3_072_000, 6)])
def test_dsf_has_an_eighth_of_its_bit_rate(tmp_path: Path, rate: int, channels: int) -> None:
    source = read(tmp_path / "x.dsf", handmade.dsf(800, rate=rate, channels=channels))
    assert (source.rate_hz, source.channels, source.bits) == (rate // 8, channels, 1)


def test_tta_without_a_count_is_of_unknown_length(tmp_path: Path) -> None:
    content = bytearray((DATA / "stereo.tta").read_bytes())
    content[14:18] = b"\xff\xff\xff\xff"
    assert read(tmp_path / "x.tta", content).samples is None


@pytest.mark.parametrize(
    ("version", "level", "flags", "bits", "samples"),
    [
        (3970, 2000, 0, 16, 2 * 73728 * 4 + 50),
        (3920, 2000, 8, 24, 2 * 73728 + 50),
        (3850, 4000, 1, 8, 2 * 73728 + 50),
        (3850, 2000, 0, 16, 2 * 9216 + 50),
    ],
)
def test_old_ape_versions_have_frames_of_their_own_size(
    tmp_path: Path, version: int, level: int, flags: int, bits: int, samples: int
) -> None:
    head = struct.pack("<4sHHHHIIIII", b"MAC ", version, level, flags, 2, 44100, 44, 0, 3, 50)
    source = read(tmp_path / "x.ape", head + bytes(1000))
    assert (source.samples, source.bits, source.channels) == (samples, bits, 2)
    assert source.rate_hz == 44100


def test_ape_without_a_frame_is_of_unknown_length(tmp_path: Path) -> None:
    head = struct.pack("<4sHHHHIIIII", b"MAC ", 3970, 2000, 0, 2, 44100, 44, 0, 0, 0)
    assert read(tmp_path / "x.ape", head).samples is None
