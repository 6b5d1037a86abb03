"""What a file may cost to read, however it is laid out."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import mutagen.apev2
import mutagen.id3
import pytest

from audio_cache.sources import reader as reader_module
from audio_cache.sources.source import read_source
from tests.audio_cache.sources.bombs import (
    BOMBS,
    id3_frame,
    id3_tag,
    inflating,
    mp4_with_tags,
)
from tests.audio_cache.sources.limited import MEMORY_BYTES, Cost, read_limited
from tests.audio_cache.sources.written import read
from tests.data.handmade import box, flac
from tests.helpers.audio import DATA

MUSIC = sorted(path for path in DATA.iterdir() if path.suffix != ".py" and path.is_file())


def too_dear(costs: list[Cost]) -> list[Cost]:
    return [
        cost
        for cost in costs
        if cost.error or cost.looks > reader_module.MAX_STEPS or cost.memory_bytes > MEMORY_BYTES
    ]


@pytest.mark.slow
def test_no_file_of_20_mb_costs_more_than_a_few_looks_and_little_memory(tmp_path: Path) -> None:
    files = []
    for name, make in BOMBS.items():
        files.append(tmp_path / name)
        files[-1].write_bytes(make())
        assert files[-1].stat().st_size < 21_000_000
    costs = read_limited(files)
    assert [cost.name for cost in costs] == list(BOMBS)
    assert too_dear(costs) == []


@pytest.mark.parametrize(
    "mutants", [10, pytest.param(1_000, marks=[pytest.mark.stress, pytest.mark.timeout(1800)])]
)
def test_no_damage_to_real_files_is_an_error_or_costs_much(mutants: int) -> None:
    costs = read_limited(MUSIC, mutants)
    assert len(costs) == mutants * len(MUSIC)
    assert too_dear(costs) == []


def test_texts_in_compressed_frames_are_read_and_what_becomes_too_long_is_left_out(
    tmp_path: Path,
) -> None:
    packed = zlib.compress(b"\3A title")
    # The early form, without the length before it, and one that says that it was unsynchronised.
    artist, album = zlib.compress(b"\3An artist"), zlib.compress(b"\3\xc3\xbf album")
    tag = id3_tag(
        id3_frame(b"TIT2", bytes((0, 0, 0, 8)) + packed, 0x0009)
        + id3_frame(b"TPE1", artist, 0x0008)
        + id3_frame(b"TALB", bytes(4) + album.replace(b"\xff", b"\xff\0"), 0x000B)
        + id3_frame(b"TCOM", bytes(4) + inflating(2 << 20), 0x0009)
        + id3_frame(b"TEXT", b"\1encrypted", 0x0004)
        + id3_frame(b"TPE4", b"\3Last", 0)
    )
    source = read(tmp_path / "a.flac", tag + flac([1, 2, 3]))
    assert source.tags == (
        ("album", "\xff album"),
        ("artist", "An artist"),
        ("remixer", "Last"),
        ("title", "A title"),
    )


def test_compressed_frames_of_id3v2_3_are_read(tmp_path: Path) -> None:
    packed = (8).to_bytes(4, "big") + zlib.compress(b"\0A title")
    frame = b"TIT2" + len(packed).to_bytes(4, "big") + b"\0\x80" + packed
    source = read(tmp_path / "a.flac", id3_tag(frame, version=3) + flac([1, 2, 3]))
    assert source.tags == (("title", "A title"),)


@pytest.mark.parametrize("extended", [b"\0\0\0\x06\x01\0", b""])
def test_an_extended_header_is_passed_over_even_where_only_its_flag_is_there(
    tmp_path: Path, extended: bytes
) -> None:
    tag = id3_tag(extended + id3_frame(b"TIT2", b"\3A title"), flags=0x40)
    source = read(tmp_path / "a.flac", tag + flac([1, 2, 3]))
    assert source.tags == (("title", "A title"),)


def test_sizes_that_itunes_wrote_as_plain_numbers_are_understood(tmp_path: Path) -> None:
    text = b"\3" + b"A title" * 40
    frame = b"TIT2" + len(text).to_bytes(4, "big") + bytes(2) + text
    tag = id3_tag(frame + id3_frame(b"TPE1", b"\3An artist") + bytes(50))
    source = read(tmp_path / "a.flac", tag + flac([1, 2, 3]))
    assert source.tags == (("artist", "An artist"), ("title", "A title" * 40))


def test_an_unsynchronised_tag_of_id3v2_3_is_read(tmp_path: Path) -> None:
    text = b"\1\xff\xfeA\0\xff\0".replace(b"\xff", b"\xff\0")
    # The sizes of its frames are those before, so that the tag has to be put right first.
    frame = b"TIT2" + (len(text) - 2).to_bytes(4, "big") + bytes(2) + text
    source = read(tmp_path / "a.flac", id3_tag(frame, version=3, flags=0x80) + flac([1, 2, 3]))
    assert source.tags == (("title", "A\xff"),)


def test_frames_before_the_end_of_a_tag_that_is_cut_short_are_read(tmp_path: Path) -> None:
    tag = id3_tag(id3_frame(b"TIT2", b"\3A title") + id3_frame(b"APIC", bytes(5_000)))
    file = mutagen.id3.ID3(io.BytesIO(tag))
    assert file.getall("TIT2")
    assert dict(read(tmp_path / "a.mp3", tag[:500]).tags) == {"title": "A title"}


def test_a_text_that_claims_to_be_longer_than_what_it_is_in_ends_there(tmp_path: Path) -> None:
    name = struct.pack(">I4sI4x", 0xFFFF_FFF0, b"data", 1) + b"Inside"
    items = (
        box(b"\xa9nam", name),
        box(b"\xa9ART", box(b"data", bytes((0, 0, 0, 1)), bytes(4), b"A")),
    )
    source = read(tmp_path / "a.m4a", mp4_with_tags(*items))
    assert dict(source.tags) == {"title": "Inside", "artist": "A"}


def test_an_ape_tag_gives_its_texts_and_not_what_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "a.wv"
    path.write_bytes((DATA / "stereo.wv").read_bytes())
    tag = mutagen.apev2.APEv2()
    tag["Title"] = ["One", "Two"]
    tag["Comment"] = "x" * 400_000
    tag["Cover Art (Front)"] = mutagen.apev2.APEValue(b"x\0y", mutagen.apev2.BINARY)
    tag["Album"] = "An album"
    tag.save(path)
    assert read_source(path).tags == (("album", "An album"), ("title", "One"), ("title", "Two"))


@pytest.mark.parametrize("total", ["9" * 5_000, "\xb2", "0", "x"])
def test_a_total_that_is_no_number_of_tracks_is_left_out(tmp_path: Path, total: str) -> None:
    tag = id3_tag(id3_frame(b"TRCK", f"\3{3}/{total}".encode()))
    source = read(tmp_path / "a.flac", tag + flac([1, 2, 3]))
    assert source.tags == (("tracknumber", "3"),)
