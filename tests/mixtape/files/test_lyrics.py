from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixtape.files.lyrics import MAX_TEXT_BYTES, decode_text, read_lyrics

LRC = """[ar:Somebody]
[ti: A title ]
[la:EN]
[offset:-250]
not for singing

[00:12.50][01:02:005] Again
[00:01.2]First <00:01.50>line
[00:20]
[0:13.5]Later
"""


def test_lrc_says_when_each_line_is_sung() -> None:
    lyrics = read_lyrics(LRC)
    assert lyrics is not None
    assert lyrics.is_synced
    assert lyrics.lines == (
        (1_200, "First line"),
        (12_500, "Again"),
        (13_500, "Later"),
        (20_000, ""),
        (62_005, "Again"),
    )
    assert (lyrics.artist, lyrics.title) == ("Somebody", "A title")
    assert (lyrics.offset_ms, lyrics.language) == (-250, "en")


def test_plain_words_stay_in_their_lines() -> None:
    lyrics = read_lyrics("One\r\n\r\nTwo [live]\x07\n", "DEU")
    assert lyrics is not None
    assert not lyrics.is_synced
    assert lyrics.lines == ((None, "One"), (None, ""), (None, "Two [live]"))
    assert lyrics.text == "One\n\nTwo [live]"
    assert (lyrics.language, lyrics.offset_ms) == ("deu", 0)


@pytest.mark.parametrize("language", ["", "xxx", "XXX", "not a code", "\0"])
def test_what_is_no_language_is_an_unknown_one(language: str) -> None:
    lyrics = read_lyrics("words", language)
    assert lyrics is not None
    assert lyrics.language == "und"


@pytest.mark.parametrize("text", ["", " \n\n", "[ar:A]\n[ti:B]", "[00:01.00]\n[00:02.00]"])
def test_without_words_there_are_no_lyrics(text: str) -> None:
    assert read_lyrics(text) is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Stück".encode(), "Stück"),
        ("Stück".encode("utf-8-sig"), "Stück"),
        ("Stück".encode("utf-16"), "Stück"),
        (b"\xfe\xff\x00S", "S"),
        ("Stück".encode("cp1252"), "Stück"),
        (b"\x81", "\ufffd"),
    ],
)
def test_a_file_is_read_in_whatever_encoding_it_has(content: bytes, text: str) -> None:
    assert decode_text(content) == text


@given(st.text(alphabet="[]:.<>0123456789 az\n\0\ud800", max_size=200))
def test_any_text_is_read(text: str) -> None:
    lyrics = read_lyrics(text)
    if lyrics is not None:
        starts = [start for start, _ in lyrics.lines]
        assert len({start is None for start in starts}) == 1
        assert starts == sorted(starts, key=lambda start: start or 0)
        lyrics.text.encode()


def test_what_is_longer_than_any_song_is_cut() -> None:
    lyrics = read_lyrics("la\n" * MAX_TEXT_BYTES)
    assert lyrics is not None
    assert len(lyrics.lines) <= 5_000
