from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixtape.files.tags import (
    MAX_TEXT,
    VARIOUS_ARTISTS,
    TrackTags,
    clean_lines,
    clean_text,
    lead_artist,
    read_track_tags,
    sort_key,
)


def test_the_names_of_all_formats_mean_the_same() -> None:
    vorbis = [("title", "So"), ("tracknumber", "3"), ("discnumber", "2"), ("albumartist", "X")]
    ffmpeg = [("title", "So"), ("track", "3/12"), ("disc", "2/2"), ("album_artist", "X")]
    expected = TrackTags(
        title="So", album_artist="X", tagged_album_artist="X", track_no=3, disc_no=2
    )
    assert read_track_tags(vorbis) == read_track_tags(ffmpeg) == expected


def test_the_album_artist_is_the_artist_where_nothing_else_is_said() -> None:
    assert read_track_tags([("artist", "Nina Simone")]).album_artist == "Nina Simone"


def test_a_compilation_is_filed_under_various_artists() -> None:
    tags = read_track_tags([("artist", "Nina Simone"), ("compilation", "1")])
    assert (tags.artist, tags.album_artist) == ("Nina Simone", VARIOUS_ARTISTS)
    assert tags.tagged_album_artist == VARIOUS_ARTISTS


@pytest.mark.parametrize(
    ("artist", "lead"),
    [
        ("Ann feat. Ben", "Ann"),
        ("Ann (ft. Ben)", "Ann"),
        ("Ann [featuring Ben & Cid]", "Ann"),
        ("Ann & Ben", "Ann & Ben"),
        ("Featherweight", "Featherweight"),
        ("Little Feat", "Little Feat"),
        ("", ""),
    ],
)
def test_guests_come_behind_who_leads(artist: str, lead: str) -> None:
    assert lead_artist(artist) == lead
    assert read_track_tags([("artist", artist)]).album_artist == lead
    assert read_track_tags([("artist", artist)]).tagged_album_artist == ""


def test_a_disc_may_have_a_title_of_its_own() -> None:
    assert read_track_tags([("discsubtitle", "Live")]).disc_subtitle == "Live"


def test_several_artists_are_joined_and_repeated_ones_are_not() -> None:
    pairs = [("artist", "A"), ("artist", "B"), ("artist", "A")]
    assert read_track_tags(pairs).artist == "A, B"


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), ("03/12", 3), ("A7", 7), ("0", None), ("", None), ("side", None), ("9" * 40, None)],
)
def test_a_track_number_is_the_first_number_in_the_tag(text: str, number: int | None) -> None:
    assert read_track_tags([("tracknumber", text)]).track_no == number


@pytest.mark.parametrize(
    ("text", "year"),
    [("2024-09-28", 2024), ("28.09.2024", 2024), ("1999", 1999), ("99", None), ("0000", None)],
)
def test_a_year_is_found_in_any_date(text: str, year: int | None) -> None:
    assert read_track_tags([("date", text)]).year == year


def test_texts_lose_what_breaks_pages_and_databases() -> None:
    assert clean_text("  So\x00 \n What\u2028\x7f ") == "So What"
    assert clean_text("a\ud800b") == "a?b"
    assert len(clean_text("x" * 10**6)) == MAX_TEXT


def test_notes_keep_their_lines() -> None:
    assert clean_lines("one  \r\ntwo\x00\n\n\x1bthree\n\n") == "one\ntwo\n\nthree"


def test_sorting_passes_over_case_accents_and_the() -> None:
    assert sort_key("The  BEATLES") == sort_key("beatles")
    assert sort_key("Björk") == sort_key("Bjo\u0308rk") == "bjork"
    assert sort_key("The The") == "the"
    assert sort_key("The") == "the"


def test_sorting_keeps_marks_that_make_another_letter() -> None:
    assert sort_key("が") != sort_key("か")


@given(st.lists(st.tuples(st.sampled_from(["title", "artist", "track", "date"]), st.text())))
def test_any_tags_give_texts_that_can_be_stored(pairs: list[tuple[str, str]]) -> None:
    tags = read_track_tags(pairs)
    for text in (tags.title, tags.artist, tags.album_artist):
        assert text.encode("utf-8").decode() == text
        assert text.isprintable() or not text.isascii()
        assert len(text) <= MAX_TEXT


@given(st.text())
def test_only_a_blank_name_has_an_empty_sort_key(name: str) -> None:
    assert bool(sort_key(clean_text(name))) == bool(clean_text(name))
