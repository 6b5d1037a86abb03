"""Numbers as people say them."""

from __future__ import annotations

import pytest

from audio_cache.text import bytes_in_words, counted, seconds_in_words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (8_123_456, "8.1 MB"),
        (9_949_999, "9.9 MB"),
        (9_999_999, "10 MB"),
        (999_600_000, "1.0 GB"),
        (5e15, "5000 TB"),
    ],
)
def test_a_size_has_two_or_three_digits_and_its_unit(size: float, words: str) -> None:
    assert bytes_in_words(size) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (187, "3 min 07 s"),
        (3599.6, "1 h 00 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert seconds_in_words(seconds) == words


def test_a_number_comes_with_its_noun() -> None:
    assert counted(1, "track") == "1 track"
    assert counted(1200, "track") == "1,200 tracks"
    assert counted(0, "entry", "entries") == "0 entries"
