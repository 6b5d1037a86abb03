from __future__ import annotations

import struct
from pathlib import Path

import pytest

from audio_cache.sources.source import is_lossless, read_source
from tests.audio_cache.sources.written import audio_of, read
from tests.data import handmade
from tests.data.handmade import aiff, aiff_common, aiff_sound, chunk, riff, wave_format
from tests.helpers.audio import DATA, count_samples

STEREO = wave_format(1, 44100, 2, 16)


@pytest.mark.parametrize(
    ("tag", "bits", "valid_bits", "codec", "lossless", "decoder"),
    [
        (1, 16, 16, "pcm", True, ""),
        (1, 24, 20, "pcm", True, ""),
        (1, 24, 0, "pcm", True, ""),
        (1, 32, 24, "pcm", True, "pcm_s32le"),
        (1, 24, 16, "pcm", True, "pcm_s24le"),
        (3, 32, 32, "pcm", True, ""),
        (6, 8, 8, "alaw", False, ""),
        (7, 8, 8, "mulaw", False, ""),
    ],
)
def test_an_extensible_wav_is_what_its_guid_says(
    tmp_path: Path, tag: int, bits: int, valid_bits: int, codec: str, lossless: bool, decoder: str
) -> None:
    fmt = handmade.extensible_format(tag, 48000, 2, bits, valid_bits)
    source = read(tmp_path / "x.wav", handmade.wav(fmt, bytes(96 * 25)))
    assert (source.codec, source.lossless, source.decoder) == (codec, lossless, decoder)
    if lossless:
        assert source.samples == 2400 // (bits // 4)
        assert source.samples == count_samples(source.path, decoder=decoder)


@pytest.mark.parametrize(
    ("tag", "codec"),
    [(2, "adpcm"), (0x11, "adpcm"), (6, "alaw"), (0x55, "mp3"), (0xFF, "aac"), (0x2000, "ac3")],
)
def test_lossy_format_tags_of_wav_are_lossy(tmp_path: Path, tag: int, codec: str) -> None:
    source = read(tmp_path / "x.wav", handmade.wav(wave_format(tag, 44100, 2, 4), bytes(400)))
    assert (source.codec, source.lossless, source.samples) == (codec, False, None)
    assert not is_lossless(source.path)


def test_an_unheard_of_format_tag_is_left_to_ffmpeg(tmp_path: Path) -> None:
    source = read(tmp_path / "x.wav", handmade.wav(wave_format(0x4321, 44100, 2, 4), bytes(400)))
    assert (source.codec, source.demuxer, source.lossless) == ("unknown", "wav", True)


def test_chunks_of_odd_sizes_before_and_after_the_data_are_padded(tmp_path: Path) -> None:
    content = riff(
        chunk(b"bext", bytes(603)),
        chunk(b"fmt ", wave_format(1, 8000, 1, 8)),
        chunk(b"JUNK", bytes(5001)),
        chunk(b"data", bytes(77)),
        chunk(b"LIST", b"INFO" + chunk(b"INAM", b"Odd\0\0") + chunk(b"IART", b"Even")),
    )
    source = read(tmp_path / "x.wav", content)
    assert source.samples == count_samples(source.path) == 77
    assert source.tags == (("artist", "Even"), ("title", "Odd"))


def test_a_data_chunk_is_as_long_as_it_states_even_past_the_end(tmp_path: Path) -> None:
    source = read(tmp_path / "x.wav", handmade.wav(STEREO, bytes(400), stated=4000))
    assert source.samples == 1000
    exact = read(tmp_path / "y.wav", handmade.wav(STEREO, bytes(402)))
    assert exact.samples == 100


@pytest.mark.parametrize("frame_bytes", [0, 3, 8])
def test_an_odd_block_size_makes_the_length_doubtful(tmp_path: Path, frame_bytes: int) -> None:
    fmt = wave_format(1, 44100, 2, 16, frame_bytes=frame_bytes)
    source = read(tmp_path / "x.wav", handmade.wav(fmt, bytes(4000)))
    assert (source.codec, source.lossless, source.samples) == ("pcm", True, None)


def test_a_wav_without_its_chunks_is_unknown_and_still_to_be_tried(tmp_path: Path) -> None:
    for content in (riff(), riff(chunk(b"fmt ", STEREO)), riff(chunk(b"fmt ", b"\1\0"))):
        source = read(tmp_path / "x.wav", content)
        assert (source.demuxer, source.samples, source.lossless) == ("wav", None, True)


@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
def test_rf64_takes_its_sizes_from_ds64(tmp_path: Path, magic: bytes) -> None:
    content = (DATA / "rf64.wav").read_bytes()
    source = read(tmp_path / "x.wav", magic + content[4:])
    assert source.samples == count_samples(source.path) == 4410


@pytest.mark.parametrize("size", [0, 0xFFFFFFFFFFFFFFFF])
def test_rf64_without_a_usable_size_is_of_unknown_length(tmp_path: Path, size: int) -> None:
    content = bytearray((DATA / "rf64.wav").read_bytes())
    place = content.index(b"ds64") + 16
    content[place : place + 8] = struct.pack("<Q", size)
    assert read(tmp_path / "x.wav", content).samples is None


def test_rf64_of_more_than_4_gib_is_counted_to_the_sample(tmp_path: Path) -> None:
    data_size = (5 << 30) + 8
    sizes = struct.pack("<QQQI", data_size + 72, data_size, data_size // 4, 0)
    head = riff(
        chunk(b"ds64", sizes),
        chunk(b"fmt ", STEREO),
        b"data\xff\xff\xff\xff",
        magic=b"RF64",
    )
    path = tmp_path / "x.wav"
    path.write_bytes(head)
    with path.open("r+b") as file:
        file.truncate(len(head) + data_size)
        file.seek(0, 2)
        file.write(chunk(b"LIST", b"INFO" + chunk(b"INAM", b"Behind it")))
    source = read_source(path)
    assert source.samples == data_size // 4
    assert source.tags == (("title", "Behind it"),)


def test_rifx_is_read_in_big_endian(tmp_path: Path) -> None:
    fmt = struct.pack(">HHIIHH", 1, 2, 44100, 176400, 4, 16)
    content = riff(
        chunk(b"fmt ", fmt, form=">I"), chunk(b"data", bytes(400), form=">I"), magic=b"RIFX"
    )
    source = read(tmp_path / "x.wav", content)
    assert (source.rate_hz, source.channels, source.samples) == (44100, 2, 100)
    assert count_samples(source.path) == 100


@pytest.mark.parametrize(
    ("kind", "bits", "codec", "lossless"),
    [
        (b"NONE", 24, "pcm", True),
        (b"sowt", 16, "pcm", True),
        (b"twos", 16, "pcm", True),
        (b"in24", 24, "pcm", True),
        (b"fl32", 32, "pcm", True),
        (b"FL64", 64, "pcm", True),
        (b"ulaw", 16, "mulaw", False),
        (b"alaw", 16, "alaw", False),
        (b"ima4", 16, "adpcm", False),
        (b"MAC3", 8, "mace", False),
    ],
)
def test_aiff_c_is_what_its_compression_says(
    tmp_path: Path, kind: bytes, bits: int, codec: str, lossless: bool
) -> None:
    common = aiff_common(100, bits=bits, kind=kind)
    source = read(
        tmp_path / "x.aifc", aiff(common, aiff_sound(bytes(100 * bits // 8)), kind=b"AIFC")
    )
    assert (source.codec, source.lossless) == (codec, lossless)
    assert source.samples == (100 if lossless else None)
    if lossless:
        assert count_samples(source.path) == 100


def test_aiff_whose_chunks_disagree_is_of_unknown_length(tmp_path: Path) -> None:
    content = aiff(aiff_common(70), aiff_sound(bytes(200)))
    source = read(tmp_path / "x.aiff", content)
    assert (source.samples, count_samples(source.path)) == (None, 100)


def test_aiff_audio_begins_where_its_offset_says(tmp_path: Path) -> None:
    shifted = aiff(aiff_common(100), aiff_sound(bytes(range(200)), skip=512))
    plain = aiff(aiff_common(100), aiff_sound(bytes(range(200))))
    first, second = read(tmp_path / "x.aiff", shifted), read(tmp_path / "y.aiff", plain)
    assert first.samples == second.samples == count_samples(first.path) == 100
    assert audio_of(first) == audio_of(second)


@pytest.mark.parametrize(("frames", "stated"), [(0, 0), (100, 0xFFFFFFFF)])
def test_streamed_aiff_is_of_unknown_length(tmp_path: Path, frames: int, stated: int) -> None:
    content = aiff(aiff_common(frames), aiff_sound(bytes(200), stated=stated))
    assert read(tmp_path / "x.aiff", content).samples is None


def test_aiff_without_sound_has_no_samples_or_an_unknown_number(tmp_path: Path) -> None:
    assert read(tmp_path / "x.aiff", aiff(aiff_common(0))).samples == 0
    assert read(tmp_path / "y.aiff", aiff(aiff_common(9))).samples is None


@pytest.mark.parametrize("rate", [8000, 22050, 44056, 96000, 352800])
def test_rates_of_aiff_are_80_bit_floats(tmp_path: Path, rate: int) -> None:
    source = read(tmp_path / "x.aiff", aiff(aiff_common(10, rate=rate), aiff_sound(bytes(20))))
    assert source.rate_hz == rate


def test_a_broken_rate_of_aiff_is_rounded_as_ffmpeg_does(tmp_path: Path) -> None:
    content = bytearray(aiff(aiff_common(10, rate=22255), aiff_sound(bytes(20))))
    place = content.index(struct.pack(">H", 16383 + 14))
    content[place : place + 10] = struct.pack(">HQ", 16383 + 14, int(22254.54545 * 2**49))
    assert read(tmp_path / "x.aiff", content).rate_hz == 22255


@pytest.mark.parametrize(("rate", "channels"), [(2_822_400, 1), (5_644_800, 2), (3_072_000, 2)])
def test_dsdiff_counts_eight_bits_as_one_sample(tmp_path: Path, rate: int, channels: int) -> None:
    source = read(tmp_path / "x.dff", handmade.dff(2400, rate=rate, channels=channels))
    assert (source.codec, source.rate_hz, source.channels) == ("dsd", rate // 8, channels)
    assert source.samples == count_samples(source.path) == 300


def test_dst_is_lossless_and_of_unknown_length(tmp_path: Path) -> None:
    source = read(tmp_path / "x.dff", handmade.dff(2400, kind=b"DST "))
    assert (source.codec, source.demuxer, source.lossless) == ("dst", "iff", True)
    assert source.samples is None


def test_a_file_of_nothing_but_empty_chunks_ends(tmp_path: Path) -> None:
    source = read(tmp_path / "x.wav", riff(chunk(b"junk", b"") * 200_000))
    assert (source.codec, source.samples) == ("unknown", None)
