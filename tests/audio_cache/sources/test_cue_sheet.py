"""Sheets of all sorts, and bytes that are none."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audio_cache.errors import CueSheetError
from audio_cache.sources.cue_sheet import (
    MAX_SHEET_BYTES,
    MAX_TRACKS,
    CueSheet,
    decode_sheet,
    parse_cue_sheet,
)
from tests.helpers.sheets import place_text, sheet_text

REAL = """\
REM GENRE "Alternative Rock"
REM DATE 1995
REM DISCID 8A0A3D0C
REM COMMENT "ExactAudioCopy v0.95b4"
REM REPLAYGAIN_ALBUM_GAIN -7.21 dB
CATALOG 0724384023829
PERFORMER "The Band"
TITLE "An "Album" of Songs"
FILE "The Band - Album.flac" WAVE
  TRACK 01 AUDIO
    TITLE "One"
    PERFORMER "The Band feat. Somebody"
    ISRC GBAYE9500001
    FLAGS DCP
    REM REPLAYGAIN_TRACK_GAIN -6.00 dB
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Two"
    PREGAP 00:02:00
    INDEX 00 03:58:40
    INDEX 01 04:00:74
    INDEX 02 05:00:00
"""


def starts_of(sheet: CueSheet) -> list[tuple[str, list[int | None]]]:
    return [(file.name, [track.start for track in file.tracks]) for file in sheet.files]


def test_a_sheet_of_a_ripper_is_read() -> None:
    sheet = parse_cue_sheet(REAL.encode())
    assert starts_of(sheet) == [("The Band - Album.flac", [0, 4 * 60 * 75 + 74])]
    assert sheet.words["TITLE"] == 'An "Album" of Songs'
    assert sheet.words["DATE"] == "1995"
    assert sheet.words["REPLAYGAIN_ALBUM_GAIN"] == "-7.21 dB"
    one, two = sheet.files[0].tracks
    assert one.words["PERFORMER"] == "The Band feat. Somebody"
    assert one.words["ISRC"] == "GBAYE9500001"
    assert one.words["REPLAYGAIN_TRACK_GAIN"] == "-6.00 dB"
    assert (two.number, two.pregap) == (2, 3 * 60 * 75 + 58 * 75 + 40)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("case", [str, str.lower])
def test_line_ends_and_case_do_not_matter(ends: str, case: type[str]) -> None:
    text = case(sheet_text("a.wav")).replace("\n", ends)
    assert parse_cue_sheet(text.encode()).track_count == 3


def test_names_without_quotes_and_lines_with_tabs_are_read() -> None:
    text = "FILE an album.wav WAVE\n\tTRACK\t1 AUDIO\n\t\tINDEX\t01\t0:00:00\n"
    assert starts_of(parse_cue_sheet(text.encode())) == [("an album.wav", [0])]


def test_a_gap_in_the_file_before_leaves_the_track_in_its_own() -> None:
    text = (
        'FILE "1.wav" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 00 03:00:00\n'
        'FILE "2.wav" WAVE\nINDEX 01 00:00:00\nTRACK 03 AUDIO\nINDEX 01 01:00:00\n'
    )
    assert starts_of(parse_cue_sheet(text.encode())) == [("1.wav", [0]), ("2.wav", [0, 4500])]


def test_a_file_that_is_named_for_each_track_is_one() -> None:
    text = 'FILE "a.wav" WAVE\nTRACK 01 AUDIO\nINDEX 01 0:0:0\n'
    text += 'FILE "a.wav" WAVE\nTRACK 02 AUDIO\nINDEX 01 1:0:0\n'
    assert starts_of(parse_cue_sheet(text.encode())) == [("a.wav", [0, 4500])]


@pytest.mark.parametrize(
    ("title", "coding"),
    [
        ("Für Élise – “live”", "utf-8"),
        ("Für Élise", "utf-8-sig"),
        ("Für Élise – “live”", "cp1252"),
        ("Béla Bartók: Ő", "utf-16"),
        ("Für Élise", "utf-16-le"),
        ("Für Élise", "utf-16-be"),
        ("さくら さくら", "cp932"),
        ("東京音頭", "cp932"),
        ("ラブ・ストーリー", "cp932"),
        ("…and “you” – yes", "cp1252"),
        ("Café del Mar", "cp1252"),
    ],
)
def test_the_encoding_is_found_out(title: str, coding: str) -> None:
    text = sheet_text("album.flac").replace("Song 1", title)
    assert f'TITLE "{title}"' in decode_sheet(text.encode(coding))
    assert parse_cue_sheet(text.encode(coding)).files[0].tracks[0].words["TITLE"] == title


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no track"),
        ("just some text\n", "names no track"),
        ('FILE "a.bin" BINARY\nTRACK 01 MODE1/2352\nINDEX 01 00:00:00\n', "names no track"),
        ("TRACK 01 AUDIO\n", "line 1: TRACK stands before any FILE"),
        ("INDEX 01 00:00:00\n", "line 1: INDEX stands before any TRACK"),
        ("FILE a WAVE\nTRACK one AUDIO\n", "line 2: TRACK needs a number"),
        ("FILE a WAVE\nTRACK 1 AUDIO\nINDEX 01 0:60:00\n", "line 3: INDEX needs a place"),
        ("FILE a WAVE\nTRACK 1 AUDIO\nINDEX 01 0:00:75\n", "line 3: INDEX needs a place"),
        ("FILE a WAVE\nTRACK 1 AUDIO\nINDEX 01 -1:00:00\n", "line 3: INDEX needs a place"),
        ("FILE a WAVE\nTRACK 1 AUDIO\nTRACK 2 AUDIO\n", "line 3: track 1 has no INDEX 01"),
        ("FILE a WAVE\nTRACK 1 AUDIO\n", "track 1 has no INDEX 01"),
        ("FILE\n", "line 1: FILE needs a name"),
        (sheet_text("a", (0, 75)).replace("TRACK 02", "TRACK 01"), "there are two tracks 1"),
        (sheet_text("a", (75, 75)), "track 2 does not begin after track 1"),
        (sheet_text("a", (75, 0)), "track 2 does not begin after track 1"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(CueSheetError, match=said):
        parse_cue_sheet(text.encode())


def test_no_sheet_is_longer_than_a_mebibyte() -> None:
    text = sheet_text("a.wav").encode()
    assert parse_cue_sheet(text + b"\n" * (MAX_SHEET_BYTES - len(text))).track_count == 3
    with pytest.raises(CueSheetError, match="more than"):
        parse_cue_sheet(text + b"\n" * MAX_SHEET_BYTES)


@pytest.mark.parametrize(
    ("rest", "name", "kind"),
    [
        ('"My Album.flac" WAVE', "My Album.flac", "WAVE"),
        ("My Album.flac wave", "My Album.flac", "WAVE"),
        ('"My Album.flac"', "My Album.flac", "WAVE"),
        ("album.bin\tBINARY", "album.bin", "BINARY"),
        ("album", "album", "WAVE"),
        ('"a" b.flac WAVE', '"a" b.flac', "WAVE"),
        ('"', '"', "WAVE"),
        ("a é", "a é", "WAVE"),
    ],
)
def test_the_name_of_a_file_may_stand_without_quotes_and_without_a_kind(
    rest: str, name: str, kind: str
) -> None:
    sheet = parse_cue_sheet(f"FILE {rest}\nTRACK 1 AUDIO\nINDEX 01 0:0:0\n".encode())
    assert [(file.name, file.kind) for file in sheet.files] == [(name, kind)]


@pytest.mark.parametrize("inner", [" ", "a ", '" ', '"a" ', "\t"])
def test_one_long_line_keeps_nobody_waiting(inner: str) -> None:
    # A pattern that goes back and forth in it takes hours.
    line = f"FILE a{inner * (1_000_000 // len(inner))}!"
    text = f"{line}\nTRACK 1 AUDIO\nINDEX 01 0:0:0\n"
    assert parse_cue_sheet(text.encode()).track_count == 1


def test_thousands_of_tracks_are_refused() -> None:
    lines = [f"TRACK {n} AUDIO\nINDEX 01 {place_text(n)}\n" for n in range(1, MAX_TRACKS + 2)]
    assert parse_cue_sheet("".join(["FILE a WAVE\n", *lines[:-1]]).encode()).track_count == 999
    with pytest.raises(CueSheetError, match="up to three digits"):
        parse_cue_sheet("".join(["FILE a WAVE\n", *lines]).encode())
    with pytest.raises(CueSheetError, match="at most 999 files"):
        parse_cue_sheet("".join(f"FILE {n}.wav WAVE\n" for n in range(2000)).encode())


_WORDS = st.sampled_from(
    [
        "FILE",
        "TRACK",
        "INDEX",
        "REM",
        "DATE",
        "TITLE",
        "PERFORMER",
        "AUDIO",
        "WAVE",
        "MODE1/2352",
        '"',
        "a.wav",
        "01",
        "1",
        "00",
        "02",
        "999",
        "00:00:00",
        "1:02:03",
        "99:99:99",
        "\n",
        "\r",
        "é",
    ]
)


@given(
    st.one_of(st.binary(max_size=400), st.lists(_WORDS, max_size=60).map(" ".join).map(str.encode))
)
@example(codecs.BOM_UTF16_LE + b"F")
@example(b"\0F\0")
@example(b"F\0I")
@example("INDEX \u0660\u0661 00:00:00".encode())
@example("FILE a WAVE\nTRACK \u0661 AUDIO\nINDEX 01 00:00:00".encode())
def test_no_bytes_raise_anything_else(content: bytes) -> None:
    try:
        sheet = parse_cue_sheet(content)
    except CueSheetError:
        return
    assert 0 < sheet.track_count <= MAX_TRACKS
    for file in sheet.files:
        starts = [track.start for track in file.tracks]
        assert None not in starts
        assert starts == sorted(set(starts), key=lambda start: start or 0)
