"""Whether a file under an entry's name may be trusted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audio_cache import AudioCache
from audio_cache.encoding import mp3
from audio_cache.encoding.rendition import Identity
from audio_cache.store.entry import ENTRY_NAME, Verdict, entry_etag, judge, read_entry
from tests.helpers.audio import DATA
from tests.helpers.renditions import make_identity, rendition_of


def write_entry(path: Path, identity: Identity, *, size_change: int = 0) -> Path:
    """Write a file of the size that its identity promises, with silence for music."""
    audio = 144 * 128_000 // 44_100 + mp3.frames_size(128_000, identity.frames)
    path.write_bytes(mp3.id3_tag([("title", "T")], identity.payload()) + bytes(audio + size_change))
    return path


def stat_of(tmp_path: Path, *, size_bytes: int, mtime_ns: int) -> os.stat_result:
    source = tmp_path / "source.flac"
    source.write_bytes(bytes(size_bytes))
    os.utime(source, ns=(mtime_ns, mtime_ns))
    return source.stat()


def verdict_of(path: Path, source: os.stat_result | None) -> Verdict:
    return judge(read_entry(path), source)


@pytest.fixture
def source(tmp_path: Path) -> os.stat_result:
    identity = make_identity()
    return stat_of(tmp_path, size_bytes=identity.size_bytes, mtime_ns=identity.mtime_ns)


def test_a_file_of_the_promised_size_made_from_this_source_is_valid(
    tmp_path: Path, source: os.stat_result
) -> None:
    entry = write_entry(tmp_path / "x.mp3", make_identity())
    assert verdict_of(entry, source) is Verdict.VALID
    assert Verdict.VALID
    assert not Verdict.ABSENT


@pytest.mark.parametrize("change", [-1, 1, -10_000])
def test_a_file_of_another_size_is_incomplete(
    tmp_path: Path, source: os.stat_result, change: int
) -> None:
    entry = write_entry(tmp_path / "x.mp3", make_identity(), size_change=change)
    assert verdict_of(entry, source) is Verdict.INCOMPLETE


@pytest.mark.parametrize("change", [{"size_bytes": 4999}, {"mtime_ns": 1_700_000_000_000_000_001}])
def test_any_other_size_or_time_of_the_source_makes_it_stale(
    tmp_path: Path, source: os.stat_result, change: dict[str, object]
) -> None:
    entry = write_entry(tmp_path / "x.mp3", make_identity(**change))
    assert verdict_of(entry, source) is Verdict.SOURCE_CHANGED


def test_a_missing_source_invalidates_nothing(tmp_path: Path) -> None:
    entry = write_entry(tmp_path / "x.mp3", make_identity())
    assert verdict_of(entry, None) is Verdict.VALID


def test_no_file_and_an_empty_file_are_told_apart(tmp_path: Path, source: os.stat_result) -> None:
    assert verdict_of(tmp_path / "x.mp3", source) is Verdict.ABSENT
    (tmp_path / "x.mp3").touch()
    assert verdict_of(tmp_path / "x.mp3", source) is Verdict.EMPTY


@pytest.mark.parametrize(
    ("later_ns", "verdict"),
    [(0, Verdict.VALID), (1, Verdict.VALID), (-1, Verdict.OLDER_THAN_SOURCE)],
)
def test_a_file_of_others_is_valid_unless_it_is_older_than_the_source(
    tmp_path: Path, source: os.stat_result, later_ns: int, verdict: Verdict
) -> None:
    entry = tmp_path / "x.mp3"
    entry.write_bytes((DATA / "lossy.mp3").read_bytes())
    os.utime(entry, ns=(0, source.st_mtime_ns + later_ns))
    assert verdict_of(entry, source) is verdict
    assert verdict_of(entry, None) is Verdict.VALID


@pytest.mark.parametrize("payload", [b"damaged", make_identity(layout=2).payload()])
def test_what_we_made_and_cannot_read_is_not_trusted(
    tmp_path: Path, source: os.stat_result, payload: bytes
) -> None:
    entry = tmp_path / "x.mp3"
    entry.write_bytes(mp3.id3_tag([], payload) + bytes(5000))
    os.utime(entry, ns=(0, source.st_mtime_ns + 1))
    assert verdict_of(entry, source) is Verdict.UNREADABLE


def test_a_frame_that_claims_more_than_the_file_has_is_read_to_its_end(
    tmp_path: Path, source: os.stat_result
) -> None:
    start = bytearray(mp3.id3_tag([], b"x" * 3000))
    start[14:18] = b"\xff\xff\xff\xff"
    (tmp_path / "x.mp3").write_bytes(start)
    assert verdict_of(tmp_path / "x.mp3", source) is Verdict.UNREADABLE


def test_the_identity_of_a_source_with_a_very_long_path_is_found(tmp_path: Path) -> None:
    identity = make_identity(path="/" + "%C3%A4" * 1300)
    entry = read_entry(write_entry(tmp_path / "x.mp3", identity))
    assert entry is not None
    assert entry.identity == identity
    assert entry.size_bytes == entry.expected_size()


def test_an_entry_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        read_entry(DATA / "stereo.flac" / "x.mp3")
    (tmp_path / "x.mp3").symlink_to("x.mp3")
    with pytest.raises(OSError, match="symbolic links"):
        read_entry(tmp_path / "x.mp3")


def test_header_and_entity_tag_are_those_of_the_rendition(tmp_path: Path) -> None:
    path = AudioCache(tmp_path).transcode_file(DATA / "stereo.flac", "low")
    rendition = rendition_of(DATA / "stereo.flac", "low")
    entry = read_entry(path)
    assert entry is not None
    assert entry.header_bytes == len(rendition.header)
    with path.open("rb") as file:
        assert entry_etag(file.fileno(), entry) == rendition.etag


def test_the_entity_tag_of_a_foreign_file_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    tags = set()
    for content, mtime_ns in ((b"one", 1), (b"one", 2), (b"three", 2)):
        path.write_bytes(content)
        os.utime(path, ns=(0, mtime_ns))
        entry = read_entry(path)
        assert entry is not None
        with path.open("rb") as file:
            tags.add(entry_etag(file.fileno(), entry))
    assert len(tags) == 3


@pytest.mark.parametrize(
    ("name", "is_entry"),
    [
        (f"{'0af9' * 8}_medium_192k.mp3", True),
        (f"{'0af9' * 8}_low_128k.mp3", True),
        (f"{'0af9' * 8}_low_128k.mp3.part", False),
        (f"{'0af9' * 8}_original_0k.mp3", False),
        (f"{'0AF9' * 8}_low_128k.mp3", False),
        ("song.mp3", False),
    ],
)
def test_entries_are_known_by_their_names(name: str, is_entry: bool) -> None:
    assert bool(ENTRY_NAME.fullmatch(name)) is is_entry
