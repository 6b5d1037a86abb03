from __future__ import annotations

import pytest

from audio_cache import is_audio_name
from mixtape.files.formats import (
    duration_text,
    format_label,
    mime_type,
    size_text,
    total_duration_text,
)


@pytest.mark.parametrize(
    ("name", "codec", "bits", "rate_hz", "label"),
    [
        ("a.flac", "flac", 24, 96_000, "FLAC 24/96"),
        ("a.flac", "flac", 16, 44_100, "FLAC 16/44.1"),
        ("a.WAV", "pcm", 16, 48_000, "WAV 16/48"),
        ("a.aif", "pcm", 24, 44_100, "AIFF 24/44.1"),
        ("a.m4a", "alac", 16, 44_100, "ALAC 16/44.1"),
        ("a.wv", "wavpack", 24, 192_000, "WavPack 24/192"),
        ("a.dsf", "dsd", 1, 352_800, "DSD64"),
        ("a.dff", "dst", 1, 705_600, "DSD128"),
        ("a.ape", "ape", 0, 0, "APE"),
    ],
)
def test_a_lossless_format_is_named_with_its_depth_and_rate(
    name: str, codec: str, bits: int, rate_hz: int, label: str
) -> None:
    assert format_label(name, codec, lossless=True, bits=bits, rate_hz=rate_hz, kbit_s=900) == label


def test_a_lossy_format_is_named_with_its_bitrate() -> None:
    label = format_label("a.mp3", "mp3", lossless=False, bits=0, rate_hz=44_100, kbit_s=320)
    assert label == "MP3 320 kbit/s"
    assert format_label("a.xyz", "", lossless=False, bits=0, rate_hz=0, kbit_s=0) == "XYZ"


@pytest.mark.parametrize(
    ("name", "codec", "mime"),
    [
        ("a.FLAC", "flac", "audio/flac"),
        ("a.m4a", "alac", 'audio/mp4; codecs="alac"'),
        ("a.m4a", "aac", 'audio/mp4; codecs="mp4a.40.2"'),
        ("a.wv", "wavpack", "audio/x-wavpack"),
        ("a.unknown", "", "application/octet-stream"),
    ],
)
def test_a_browser_is_asked_about_what_is_in_the_file(name: str, codec: str, mime: str) -> None:
    assert mime_type(name, codec) == mime


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (41.6, "0:41"), (185, "3:05"), (3723, "1:02:03")]
)
def test_a_length_is_written_as_a_clock_shows_it(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(42, "42 s"), (240, "4 min"), (4320, "1 h 12 min"), (7199, "2 h 0 min")]
)
def test_the_length_of_a_folder_is_written_in_words(seconds: float, text: str) -> None:
    assert total_duration_text(seconds) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (4_100, "4.1 kB"),
        (999_940, "999.9 kB"),
        (999_999, "1.0 MB"),
        (31_000_000, "31.0 MB"),
        (999_999_999, "1.00 GB"),
        (2_345_000_000, "2.35 GB"),
    ],
)
def test_a_size_is_written_in_decimal_units(size_bytes: int, text: str) -> None:
    assert size_text(size_bytes) == text


def test_pictures_and_texts_are_no_tracks() -> None:
    assert is_audio_name("Song.FlAc")
    assert not any(map(is_audio_name, ["cover.jpg", "notes.txt", "flac", ".flac"]))
