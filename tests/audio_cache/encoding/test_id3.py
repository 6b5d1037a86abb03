"""The tag of a rendition, as mutagen reads it."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen.id3 import ID3

from audio_cache.encoding import mp3

PAYLOAD = b'{"layout":1}'


def read(tag: bytes) -> ID3:
    return ID3(BytesIO(tag), translate=False)


def texts(*tags: tuple[str, str]) -> dict[str, list[str]]:
    """Return the frames of a tag with their texts."""
    found = read(mp3.id3_tag(tags, PAYLOAD))
    return {
        key: [frame.text] if isinstance(frame.text, str) else [str(text) for text in frame.text]
        for key, frame in found.items()
        if not key.startswith("PRIV")
    }


def test_the_tag_is_id3v2_3_and_as_long_as_it_says() -> None:
    tag = mp3.id3_tag([("title", "A")], PAYLOAD)
    assert read(tag).version == (2, 3, 0)
    assert mp3.tag_size(tag + b"\xff\xfb audio") == len(tag)


def test_common_tags_get_their_frames() -> None:
    assert texts(
        ("title", "Song"), ("artist", "Band"), ("album", "LP"), ("albumartist", "Various"),
        ("composer", "C"), ("genre", "Jazz"), ("isrc", "X1"), ("label", "L"), ("bpm", "120"),
    ) == {
        "TIT2": ["Song"], "TPE1": ["Band"], "TALB": ["LP"], "TPE2": ["Various"],
        "TCOM": ["C"], "TCON": ["Jazz"], "TSRC": ["X1"], "TPUB": ["L"], "TBPM": ["120"],
    }  # fmt: skip


def test_dates_become_those_of_id3v2_3() -> None:
    assert texts(("date", "2024-05-06")) == {"TYER": ["2024"], "TDAT": ["0605"]}
    assert texts(("date", "1999")) == {"TYER": ["1999"]}


def test_numbers_and_totals_stand_together() -> None:
    assert texts(("tracknumber", "3"), ("tracktotal", "12"), ("discnumber", "1")) == {
        "TRCK": ["3/12"],
        "TPOS": ["1"],
    }
    assert texts(("tracknumber", "3/9"), ("totaltracks", "12")) == {"TRCK": ["3/9"]}
    assert texts(("tracktotal", "12")) == {}


def test_replaygain_has_the_names_that_players_look_for() -> None:
    gains = [
        ("replaygain_album_gain", "-7.10 dB"),
        ("replaygain_track_gain", "-6.54 dB"),
        ("replaygain_track_peak", "0.988553"),
    ]
    assert texts(*gains) == {f"TXXX:{name}": [text] for name, text in gains}


def test_tags_without_a_frame_of_their_own_become_described_texts() -> None:
    assert texts(("musicbrainz_trackid", "abc"), ("größe", "1")) == {
        "TXXX:MUSICBRAINZ_TRACKID": ["abc"],
        "TXXX:GRÖSSE": ["1"],
    }


def test_several_values_of_a_tag_are_joined_as_id3v2_3_joins_them() -> None:
    assert texts(("artist", "A"), ("artist", "B")) == {"TPE1": ["A/B"]}
    assert texts(("comment", "one"), ("comment", "two")) == {"COMM::XXX": ["one\ntwo"]}
    assert texts(("lyrics", "la\nla")) == {"USLT::XXX": ["la\nla"]}


def test_any_script_is_kept() -> None:
    assert texts(("title", "Ein Stück – 音楽 🎵"), ("artist", "Ähnliche")) == {
        "TIT2": ["Ein Stück – 音楽 🎵"],
        "TPE1": ["Ähnliche"],
    }


def test_what_describes_the_coding_of_the_original_is_left_out() -> None:
    assert texts(("encoder", "Lavf"), ("title", ""), ("vendor", "x")) == {}


def test_the_private_frame_comes_first_whatever_the_tags() -> None:
    tag = mp3.id3_tag([("title", "x" * 5000)], PAYLOAD)
    assert tag[10:14] == b"PRIV"
    assert mp3.find_private_payload(tag) == PAYLOAD
    assert mp3.private_frame_end(tag) == tag.index(PAYLOAD) + len(PAYLOAD)
    frames = read(tag).getall("PRIV")
    assert [(frame.owner, frame.data) for frame in frames] == [("audio-cache", PAYLOAD)]


@given(
    st.lists(st.tuples(st.sampled_from(["title", "artist", "comment", "odd name"]), st.text())),
    st.binary(max_size=3000),
)
def test_any_text_and_payload_gives_a_tag_that_can_be_read(
    tags: list[tuple[str, str]], payload: bytes
) -> None:
    sayable = [(name, text.encode("utf-8", "replace").decode()) for name, text in tags]
    tag = mp3.id3_tag(sayable, payload)
    assert mp3.find_private_payload(tag) == payload
    assert mp3.tag_size(tag) == len(tag)
    read(tag)


def test_a_payload_is_cut_where_the_bytes_end() -> None:
    tag = mp3.id3_tag([], b"0123456789")
    assert mp3.find_private_payload(tag[:-4]) == b"012345"
    assert mp3.private_frame_end(tag[:-4]) == len(tag)


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"ID3",
        b"\xff\xfb\x90\x44",
        b"ID3\x03\0\0\0\0\0\x10TIT2" + bytes(40),
        mp3.id3_tag([], PAYLOAD).replace(b"audio-cache", b"other-owner"),
    ],
)
def test_files_of_others_have_no_payload(start: bytes) -> None:
    assert mp3.find_private_payload(start) is None


def test_a_file_without_a_tag_has_a_tag_of_no_bytes() -> None:
    assert mp3.tag_size(b"\xff\xfb" + bytes(20)) == mp3.tag_size(b"ID3") == 0


def test_a_tag_too_large_for_the_format_is_refused() -> None:
    with pytest.raises(ValueError, match="less than 256 MiB"):
        mp3._syncsafe(1 << 28)
