"""What a rendition says of itself, and the id that follows from it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_cache.encoding.rendition import RENDITION_ID, audio_key, parse_identity, rendition_id
from tests.helpers.renditions import legacy_payload, make_identity

audios = st.text(st.characters(codec="utf-8"), max_size=60)


def test_an_identity_is_read_as_it_was_written() -> None:
    identity = make_identity()
    assert identity.payload().isascii()
    assert parse_identity(identity.payload()) == identity


def test_an_identity_says_nothing_of_where_or_when_it_was_made() -> None:
    assert set(json.loads(make_identity().payload())) == {
        "layout",
        "quality",
        "bitrate",
        "frames",
        "samples",
        "encoder",
    }


@given(audios, st.binary(max_size=200))
def test_an_id_is_the_same_for_the_same_audio_and_header(audio: str, header: bytes) -> None:
    made = rendition_id(audio, header)
    assert made == rendition_id(audio, header)
    assert RENDITION_ID.fullmatch(made)
    assert made.startswith(audio_key(audio))


@given(audios, audios, st.binary(max_size=200), st.binary(max_size=200))
def test_an_id_is_another_for_other_audio_or_another_header(
    audio: str, other: str, header: bytes, another: bytes
) -> None:
    same = (audio, header) == (other, another)
    assert (rendition_id(audio, header) == rendition_id(other, another)) is same
    assert (audio_key(audio) == audio_key(other)) is (audio == other)


def test_audio_and_header_are_told_apart() -> None:
    assert rendition_id("ab", b"c") != rendition_id("a", b"bc")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no json",
        b"[]",
        b"null",
        b'{"layout":2}',
        b"\xff\xfe",
        b"[" * 100_000,
        make_identity().payload()[:-10],
        legacy_payload(),
    ],
    ids=lambda payload: repr(payload[:12]),
)
def test_what_is_no_identity_is_none(payload: bytes) -> None:
    assert parse_identity(payload) is None


@pytest.mark.parametrize(
    "change",
    [
        {"layout": 1},
        {"layout": 3},
        {"quality": "original"},
        {"quality": "best"},
        {"quality": 3},
        {"bitrate": 128},
        {"frames": "116"},
        {"frames": True},
        {"frames": -5},
        {"samples": 1.5},
        {"encoder": None},
        {"more": 1},
    ],
    ids=str,
)
def test_an_identity_with_a_field_of_another_kind_is_none(change: dict[str, object]) -> None:
    fields = json.loads(make_identity().payload())
    assert parse_identity(json.dumps({**fields, **change}).encode()) is None
