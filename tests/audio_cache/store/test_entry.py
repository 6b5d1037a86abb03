"""Whether a file under an entry's name may be trusted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audio_cache import AudioCache
from audio_cache.encoding import mp3
from audio_cache.store.entry import ENTRY_NAME, Verdict, judge_alone, read_entry
from audio_cache.store.legacy import parse_legacy
from audio_cache.store.lookups import foreign_etag
from tests.helpers.audio import DATA
from tests.helpers.renditions import legacy_payload, make_identity, rendition_of

NOON_NS = 1_700_000_000_000_000_000
PAYLOADS = {"ours": make_identity().payload(), "legacy": legacy_payload()}


def write_entry(path: Path, payload: bytes, *, size_change: int = 0) -> Path:
    """Write a file of the size that its frames (116 at low) promise, with silence for music."""
    audio = 144 * 128_000 // 44_100 + mp3.frames_size(128_000, 116)
    path.write_bytes(mp3.id3_tag([("title", "T")], payload) + bytes(audio + size_change))
    return path


def verdict_of(path: Path, source: os.stat_result | None) -> Verdict:
    entry = read_entry(path)
    return Verdict.ABSENT if entry is None else judge_alone(entry, source)


@pytest.fixture
def source(tmp_path: Path) -> os.stat_result:
    source = tmp_path / "source.flac"
    source.write_bytes(bytes(5_000))
    os.utime(source, ns=(NOON_NS, NOON_NS))
    return source.stat()


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_file_of_the_promised_size_is_whole_whatever_its_time(
    tmp_path: Path, source: os.stat_result, payload: bytes
) -> None:
    entry = write_entry(tmp_path / "x.mp3", payload)
    for mtime_ns in (source.st_mtime_ns - 1, source.st_mtime_ns + 1):
        os.utime(entry, ns=(0, mtime_ns))
        assert verdict_of(entry, source) is Verdict.VALID
    assert Verdict.VALID
    assert not Verdict.ABSENT


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("change", [-1, 1, -10_000])
def test_a_file_of_another_size_is_incomplete(
    tmp_path: Path, source: os.stat_result, change: int, payload: bytes
) -> None:
    entry = write_entry(tmp_path / "x.mp3", payload, size_change=change)
    assert verdict_of(entry, source) is Verdict.INCOMPLETE
    assert verdict_of(entry, None) is Verdict.INCOMPLETE


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_missing_source_invalidates_nothing(tmp_path: Path, payload: bytes) -> None:
    entry = write_entry(tmp_path / "x.mp3", payload)
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


@pytest.mark.parametrize("payload", [b"damaged", make_identity(layout=3).payload()])
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


def test_an_entry_of_layout_1_says_what_it_was_made_from_however_long_its_path(
    tmp_path: Path,
) -> None:
    payload = legacy_payload(path="/" + "%C3%A4" * 1300 + "/%ff")
    entry = read_entry(write_entry(tmp_path / "x.mp3", payload))
    assert entry is not None
    assert entry.legacy is not None
    assert entry.identity is None
    assert not entry.is_foreign
    assert entry.legacy == parse_legacy(payload)
    assert os.fsencode(entry.legacy.source_path) == b"/" + "ä".encode() * 1300 + b"/\xff"
    assert entry.size_bytes == entry.expected_size()


@pytest.mark.parametrize(
    "change",
    [{"layout": 2}, {"quality": "best"}, {"frames": 0}, {"frames": True}, {"path": 3}, {"more": 1}],
    ids=str,
)
def test_an_odd_entry_of_layout_1_is_not_trusted(
    tmp_path: Path, source: os.stat_result, change: dict[str, object]
) -> None:
    entry = write_entry(tmp_path / "x.mp3", legacy_payload(**change))
    assert verdict_of(entry, source) is Verdict.UNREADABLE


@pytest.mark.parametrize(
    ("fingerprint", "audio", "size_bytes", "is_of"),
    [
        ("flac-md5:ab-44100", "flac-md5:ab-flac-44100", 1, True),
        ("flac-md5:ab-44100", "flac-md5:cd-flac-44100", 5_000, False),
        ("blocks:ab", "blake3:cd-pcm", 5_000, True),
        ("blocks:ab", "blake3:cd-pcm", 5_001, False),
        ("blocks:ab", "flac-md5:ab-flac", 5_001, False),
    ],
)
def test_an_entry_of_layout_1_is_of_the_same_flac_or_of_a_file_that_did_not_change(
    tmp_path: Path,
    source: os.stat_result,
    fingerprint: str,
    audio: str,
    size_bytes: int,
    is_of: bool,
) -> None:
    legacy = parse_legacy(legacy_payload(fingerprint=fingerprint, size_bytes=size_bytes))
    assert legacy is not None
    assert legacy.is_of(source, audio) is is_of


def test_an_entry_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        read_entry(DATA / "stereo.flac" / "x.mp3")
    (tmp_path / "x.mp3").symlink_to("x.mp3")
    with pytest.raises(OSError, match="symbolic links"):
        read_entry(tmp_path / "x.mp3")


def test_the_header_is_that_of_the_rendition(tmp_path: Path) -> None:
    path = AudioCache(tmp_path).transcode_file(DATA / "stereo.flac", "low")
    rendition = rendition_of(DATA / "stereo.flac", "low")
    entry = read_entry(path)
    assert entry is not None
    assert entry.identity == rendition.identity
    assert entry.header_bytes == len(rendition.header)


def test_the_entity_tag_of_a_foreign_file_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    tags = set()
    for content, mtime_ns in ((b"one", 1), (b"one", 2), (b"three", 2)):
        path.write_bytes(content)
        os.utime(path, ns=(0, mtime_ns))
        tags.add(foreign_etag(path.stat()))
    assert len(tags) == 3


@pytest.mark.parametrize(
    ("name", "is_entry"),
    [
        (f"{'0af9' * 8}_medium_192k.mp3", True),
        (f"{'0af9' * 8}_low_128k.mp3", True),
        (f"{'0af9' * 8}_low_128k.mp3.part", False),
        (f"{'0af9' * 8}_low_128k.mp3.{'0' * 24}.part", False),
        (f"{'0af9' * 8}_original_0k.mp3", False),
        (f"{'0AF9' * 8}_low_128k.mp3", False),
        ("song.mp3", False),
    ],
)
def test_entries_are_known_by_their_names(name: str, is_entry: bool) -> None:
    assert bool(ENTRY_NAME.fullmatch(name)) is is_entry
