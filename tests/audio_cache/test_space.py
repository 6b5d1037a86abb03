"""Amounts of disk space and of time, as people write them."""

from __future__ import annotations

import pytest

from audio_cache.space import parse_seconds, parse_space

DISK = 1_000_000_000_000


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("500", 500),
        (500, 500),
        ("0", 0),
        ("1 kB", 1000),
        ("1.5MB", 1_500_000),
        ("200GB", 200_000_000_000),
        ("200 g", 200_000_000_000),
        ("1TiB", 2**40),
        ("10%", DISK // 10),
        ("2.5 %", DISK // 40),
        ("1GB,5%", 1_000_000_000),
        ("5%, 900GB", DISK // 20),
    ],
)
def test_an_amount_is_so_many_bytes_of_a_disk(text: str | int, size_bytes: int) -> None:
    assert parse_space(text).of(DISK) == size_bytes
    assert str(parse_space(text)) == str(text)


@pytest.mark.parametrize("text", ["", "lots", "-5", "5 PB", "101%", "1e9", "5,", "%", "1GBs"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="disk"):
        parse_space(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), (90, 90), ("90 s", 90), ("1.5min", 90), ("3h", 10_800), ("1d", 86_400), ("0", 0)],
)
def test_a_length_of_time_is_so_many_seconds(text: str | float, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "long", "-1", "3 weeks", "nan"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="length of time"):
        parse_seconds(text)
