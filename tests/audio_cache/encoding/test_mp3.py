"""The arithmetic of MP3 against an independent simulation, and against what decoders read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen.mp3 import MP3, BitrateMode

from audio_cache.encoding import mp3
from tests.helpers.audio import make_audio
from tests.helpers.renditions import split_frames

KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
BITRATES = tuple(1000 * each for each in KBPS)
bitrates = st.sampled_from(BITRATES)


def simulate_lame(bitrate_bps: int, frames: int) -> list[int]:
    """Return frame sizes as lame.c finds them, one by one."""
    base, fraction = divmod(144 * bitrate_bps, 44_100)
    sizes, lag = [], fraction
    for _ in range(frames):
        lag -= fraction
        padded = lag < 0
        lag += 44_100 if padded else 0
        sizes.append(base + padded)
    return sizes


def crc16(data: bytes) -> int:
    """Return CRC-16/ARC by its definition: a division in GF(2), the bits of all bytes reversed."""
    bits = int("1" + "".join(f"{byte:08b}"[::-1] for byte in data) + "0" * 16, 2)
    bits ^= 1 << 8 * len(data) + 16
    while bits.bit_length() > 16:
        bits ^= 0x18005 << bits.bit_length() - 17
    return int(f"{bits:016b}"[::-1], 2)


@pytest.mark.parametrize(
    ("samples", "rate", "expected"),
    [(0, 44_100, 0), (1, 44_100, 1), (1, 192_000, 1), (48_000, 48_000, 44_100), (3, 8_000, 17)],
)
def test_a_part_of_an_output_sample_counts_as_one(samples: int, rate: int, expected: int) -> None:
    assert mp3.output_samples(samples, rate) == expected


@pytest.mark.parametrize(("samples", "frames"), [(1, 2), (1152, 2), (1153, 3), (44_100, 40)])
def test_the_delay_of_the_encoder_takes_one_frame_more(samples: int, frames: int) -> None:
    assert mp3.frame_count(samples) == frames


@pytest.mark.parametrize("bitrate", BITRATES)
def test_frames_are_padded_as_the_encoder_pads_them(bitrate: int) -> None:
    sizes = simulate_lame(bitrate, 200)
    assert [mp3.frames_size(bitrate, frames) for frames in range(201)] == [
        sum(sizes[:frames]) for frames in range(201)
    ]


@pytest.mark.parametrize(
    ("bitrate", "size"), [(128_000, 20_480), (192_000, 30_720), (256_000, 40_960)]
)
def test_a_group_has_a_whole_number_of_everything(bitrate: int, size: int) -> None:
    assert mp3.frames_size(bitrate, mp3.GROUP_FRAMES) == size
    assert mp3.frames_size(bitrate, 5 * mp3.GROUP_FRAMES) == 5 * size
    samples = mp3.GROUP_FRAMES * mp3.FRAME_SAMPLES
    assert samples * 1_000_000 % mp3.SAMPLE_RATE_HZ == 0
    for rate in (8_000, 22_050, 48_000, 88_200, 96_000, 176_400, 192_000, 352_800):
        assert samples * rate % mp3.SAMPLE_RATE_HZ == 0


def test_no_or_fewer_frames_have_no_bytes() -> None:
    assert mp3.frames_size(128_000, 0) == mp3.frames_size(128_000, -3) == 0


@given(bitrates, st.integers(0, 10**10))
def test_every_byte_lies_in_the_frame_that_is_found_for_it(bitrate: int, offset: int) -> None:
    frame = mp3.frame_at(bitrate, offset)
    assert mp3.frames_size(bitrate, frame) <= offset < mp3.frames_size(bitrate, frame + 1)


@given(st.integers(0, 10**9))
def test_the_start_of_a_group_is_the_multiple_of_49_at_or_before_a_frame(frame: int) -> None:
    start = mp3.group_start(frame)
    assert start % 49 == 0
    assert 0 <= frame - start < 49


def make_frames(bitrate: int, first: int, stop: int) -> bytes:
    sizes = simulate_lame(bitrate, stop)[first:]
    return b"".join(
        mp3.frame_prefix(bitrate, frame) + b"\x64" + b"\xaa" * (size - 4)
        for frame, size in enumerate(sizes, first)
    )


@given(bitrates, st.integers(0, 120), st.integers(0, 60), st.integers(0, 800))
def test_whole_frames_are_counted_wherever_a_stretch_starts_and_ends(
    bitrate: int, first: int, count: int, more: int
) -> None:
    audio = make_frames(bitrate, first, first + count + 1)
    end = mp3.frames_size(bitrate, first + count) - mp3.frames_size(bitrate, first)
    more = min(more, len(audio) - end - 1)
    assert mp3.intact_frames(bitrate, audio[: end + more], first) == count


@given(bitrates, st.integers(0, 40_000))
def test_a_page_of_zeros_anywhere_tears_the_last_intact_frame_at_most(
    bitrate: int, at: int
) -> None:
    audio = bytearray(make_frames(bitrate, 0, max(147, 147 * 128_000 // bitrate)))
    audio[at : at + 4096] = bytes(4096)
    intact = mp3.intact_frames(bitrate, bytes(audio), 0)
    # The last of them may be torn: its header stands before the page, its end in it.
    assert mp3.frames_size(bitrate, intact - 1) <= at
    assert mp3.frames_size(bitrate, intact + 1) > at


def test_frames_of_another_bitrate_or_place_are_not_intact() -> None:
    audio = make_frames(192_000, 0, 10)
    assert mp3.intact_frames(128_000, audio, 0) == 0
    # Frame 0 is never padded and the one behind it is.
    assert mp3.intact_frames(192_000, audio, 1) == 0


@pytest.mark.parametrize("bitrate", BITRATES)
def test_the_prefixes_are_those_of_real_frames(tmp_path: Path, bitrate: int) -> None:
    options = ("-b:a", str(bitrate), "-write_xing", "0", "-id3v2_version", "0")
    path = make_audio(tmp_path / "x.mp3", samples=90_000, codec="libmp3lame", options=options)
    frames = split_frames(path.read_bytes(), bitrate)
    assert [frame[:3] for frame in frames] == [
        mp3.frame_prefix(bitrate, number) for number in range(len(frames))
    ]
    assert len(frames) == mp3.frame_count(90_000)


@pytest.mark.parametrize("bitrate", BITRATES)
@pytest.mark.parametrize("samples", [1, 575, 1152, 1153, 100_000, 10_000_000])
def test_the_info_frame_states_length_delay_and_padding(
    tmp_path: Path, bitrate: int, samples: int
) -> None:
    frames = mp3.frame_count(samples)
    info = mp3.info_frame(bitrate, samples)
    # Below 64 kbit/s a frame is too small for the tag.
    assert len(info) == mp3.info_size(bitrate) == 144 * max(bitrate, 64_000) // 44_100
    audio = make_frames(bitrate, 0, min(frames, 50))
    path = tmp_path / "x.mp3"
    path.write_bytes(info + audio)
    read = MP3(path).info
    assert read.bitrate_mode is BitrateMode.CBR
    assert read.encoder_info.startswith("LAME 3.100")
    assert read.length == pytest.approx(samples / 44_100, abs=1e-4)
    lame = info.index(b"LAME")
    delay_and_padding = int.from_bytes(info[lame + 21 : lame + 24], "big")
    delay, padding = delay_and_padding >> 12, delay_and_padding & 0xFFF
    assert delay == 576
    assert frames * 1152 - delay - padding == samples
    assert int.from_bytes(info[lame + 28 : lame + 32], "big") == len(info) + mp3.frames_size(
        bitrate, frames
    )


def test_the_checksum_of_the_info_frame_is_the_one_that_lame_writes(tmp_path: Path) -> None:
    lame = make_audio(tmp_path / "x.mp3", samples=50_000, codec="libmp3lame").read_bytes()
    theirs = lame[lame.index(b"\xff\xfb") :]
    assert crc16(theirs[:190]) == int.from_bytes(theirs[190:192], "big")
    ours = mp3.info_frame(128_000, 50_000)
    assert crc16(ours[:190]) == int.from_bytes(ours[190:192], "big")
