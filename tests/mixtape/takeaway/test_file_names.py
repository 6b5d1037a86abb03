from __future__ import annotations

import pytest

from mixtape.takeaway.file_names import safe_name, track_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Songs for you", "Songs for you"),
        ("AC/DC: live?", "AC_DC_ live_"),
        ('a<b>|"c"*', "a_b_c_"),
        ("Ends in dots...", "Ends in dots"),
        ("  two \n lines ", "two _ lines"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1", "_com1"),
        ("Control", "Control"),
        ("..", "mixtape"),
        ("", "mixtape"),
        ("A\u0308", "Ä"),
        ("half \ud83d an emoji", "half _ an emoji"),
        ("photo\u202egpj.exe", "photo_gpj.exe"),
    ],
)
def test_a_name_is_one_on_every_system(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_a_long_name_fits_and_ends_with_a_whole_letter() -> None:
    name = safe_name("ä" * 300)
    assert len(name.encode()) <= 180
    assert set(name) == {"ä"}


def test_tracks_sort_in_their_order() -> None:
    assert track_name(3, 12, "Ann", "B-side", ".mp3") == "03 Ann – B-side.mp3"
    assert track_name(3, 120, "", "B-side", ".flac") == "003 B-side.flac"
