"""What a rendition says that it was made from."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_cache.encoding.rendition import parse_identity, quote_path
from tests.helpers.renditions import make_identity

names = st.binary(min_size=1, max_size=200).map(lambda name: name.replace(b"\0", b"?"))


def test_an_identity_is_read_as_it_was_written() -> None:
    identity = make_identity()
    assert parse_identity(identity.payload()) == identity
    assert identity.source_path == Path("/music/a song.flac")


@given(names)
def test_a_path_of_any_bytes_is_kept_in_ascii(name: bytes) -> None:
    path = Path(os.fsdecode(b"/music/" + name))
    identity = make_identity(path=quote_path(path))
    assert identity.payload().isascii()
    read = parse_identity(identity.payload())
    assert read is not None
    assert read.source_path == path


@pytest.mark.parametrize("name", ["path", "size_bytes", "mtime_ns"])
def test_audio_is_the_same_wherever_and_whenever_its_source_is(name: str) -> None:
    changed = make_identity(**{name: "/elsewhere" if name == "path" else 1})
    assert make_identity().same_audio(changed)


@pytest.mark.parametrize(
    "change",
    [
        {"quality": "high"},
        {"frames": 117},
        {"samples": 132_301},
        {"fingerprint": "flac-md5:ff"},
        {"encoder": "ffmpeg-2"},
    ],
)
def test_audio_differs_where_anything_that_makes_it_does(change: dict[str, object]) -> None:
    assert not make_identity().same_audio(make_identity(**change))


def test_a_fingerprint_of_some_blocks_proves_nothing() -> None:
    identity = make_identity(fingerprint="blocks:0011")
    assert not identity.same_audio(identity)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no json",
        b"[]",
        b"null",
        b'{"layout":1}',
        b"\xff\xfe",
        b"[" * 100_000,
        make_identity().payload()[:-10],
    ],
    ids=lambda payload: repr(payload[:12]),
)
def test_what_is_no_identity_is_none(payload: bytes) -> None:
    assert parse_identity(payload) is None


@pytest.mark.parametrize(
    "change",
    [
        {"layout": 2},
        {"quality": "original"},
        {"quality": "best"},
        {"quality": 3},
        {"frames": "116"},
        {"frames": True},
        {"frames": -5},
        {"mtime_ns": 1.5},
        {"path": None},
        {"more": 1},
    ],
    ids=str,
)
def test_an_identity_with_a_field_of_another_kind_is_none(change: dict[str, object]) -> None:
    fields = json.loads(make_identity().payload())
    assert parse_identity(json.dumps({**fields, **change}).encode()) is None
