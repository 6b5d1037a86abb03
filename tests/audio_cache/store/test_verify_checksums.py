"""Checksums of what is stored, objects without a name, and comparing with the source again."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from audio_cache.encoding import mp3
from audio_cache.store.cache import AudioCache
from audio_cache.store.comparison import find_deviation
from audio_cache.store.facts import FILE_NAME, Checksum
from audio_cache.store.lookups import Found
from audio_cache.store.objects import hash_file
from audio_cache.store.verify import Inspection, State, inspect_entry, verify
from tests.helpers.audio import make_noise
from tests.helpers.ffmpeg import StubFFmpeg

DIFFERS = "its bytes are not those that were written: the checksum differs"


@pytest.fixture
def entry(counted: AudioCache, song: Path) -> Path:
    return counted.transcode_file(song, "medium")


def id_of(cache: AudioCache, source: Path) -> str:
    found = cache.find(source, "medium")
    assert isinstance(found, Found)
    return found.etag


def flip(path: Path, at: int) -> None:
    """Change one byte in place, as a disk does that forgets."""
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))


def in_padding(path: Path) -> int:
    """Return where a byte can be changed that no decoder complains of: in a frame's side bits."""
    content = path.read_bytes()
    return content.index(b"\xff\xfb", len(content) // 2) + 200


def lose_the_index(cache: AudioCache) -> None:
    cache.facts.close()
    for suffix in ("", "-wal", "-shm"):
        (cache.cache_dir / f"{FILE_NAME}{suffix}").unlink(missing_ok=True)


def only(found: list[Inspection]) -> Inspection:
    (one,) = found
    return one


def test_the_checksum_is_noted_when_an_object_is_made(
    counted: AudioCache, song: Path, entry: Path
) -> None:
    assert counted.facts.checksum_of(id_of(counted, song)) == Checksum(hash_file(entry), True)


def test_a_sound_entry_is_verified_without_an_encoder(
    counted: AudioCache, entry: Path, ffmpeg: StubFFmpeg
) -> None:
    before = len(ffmpeg.starts())
    assert only(list(verify(counted))) == Inspection(
        entry, State.SOUND, "", counted.facts.source_of(entry.name), "medium"
    )
    assert len(ffmpeg.starts()) == before


def test_one_flipped_byte_that_still_decodes_is_found_and_mended(
    counted: AudioCache, entry: Path
) -> None:
    good = entry.read_bytes()
    flip(entry, in_padding(entry))
    found = only(list(verify(counted)))
    assert found.state is State.DAMAGED
    assert found.reason == DIFFERS
    assert only(list(verify(counted, repair=True))).state is State.REPAIRED
    assert entry.read_bytes() == good
    assert only(list(verify(counted))).state is State.SOUND


@pytest.mark.parametrize("seed", range(6))
def test_a_byte_flipped_anywhere_is_found(counted: AudioCache, entry: Path, seed: int) -> None:
    flip(entry, random.Random(seed).randrange(entry.stat().st_size))
    assert only(list(verify(counted))).state is State.DAMAGED


def test_all_names_of_a_mended_object_are_mended(
    counted: AudioCache, song: Path, entry: Path, tmp_path: Path, ffmpeg: StubFFmpeg
) -> None:
    copy = Path(shutil.copy(song, tmp_path / "copy.flac"))
    other = counted.transcode_file(copy, "medium")
    good = entry.read_bytes()
    assert other.samefile(entry)
    flip(entry, in_padding(entry))
    assert {each.state for each in verify(counted, entries=[entry])} == {State.DAMAGED}
    assert only(list(verify(counted, repair=True, entries=[entry]))).state is State.REPAIRED
    assert other.read_bytes() == entry.read_bytes() == good
    assert other.samefile(entry)
    before = len(ffmpeg.starts())
    assert [each.state for each in verify(counted)] == [State.SOUND] * 2
    assert len(ffmpeg.starts()) == before


def test_an_unknown_checksum_is_noted_by_the_first_verification(
    counted: AudioCache, song: Path, entry: Path
) -> None:
    object_id = id_of(counted, song)
    lose_the_index(counted)
    assert counted.facts.checksum_of(object_id) is None
    found = only(list(verify(counted)))
    assert (found.state, found.object_id) == (State.SOUND, object_id)
    assert counted.facts.checksum_of(object_id) == Checksum(hash_file(entry), False)
    flip(entry, in_padding(entry))
    assert only(list(verify(counted))).state is State.DAMAGED


def test_deep_finds_a_byte_that_was_flipped_before_anything_was_known(
    counted: AudioCache, song: Path, entry: Path
) -> None:
    object_id, good = id_of(counted, song), entry.read_bytes()
    at = in_padding(entry)
    lose_the_index(counted)
    flip(entry, at)
    counted.facts.note_checksum(object_id, Checksum(hash_file(entry), False))
    restarted = AudioCache(counted.cache_dir)
    assert id_of(restarted, song) == object_id  # played again, so that its source is known
    found = only(list(verify(restarted, deep=True)))
    assert found.state is State.DAMAGED
    assert found.reason == f"byte {at:,} is not what its source gives"
    assert only(list(verify(counted, deep=True, repair=True))).state is State.REPAIRED
    assert entry.read_bytes() == good


def test_deep_proves_what_it_has_compared_as_a_whole(
    counted: AudioCache, song: Path, entry: Path
) -> None:
    object_id = id_of(counted, song)
    counted.facts.note_checksum(object_id, Checksum(hash_file(entry), False))
    assert only(list(verify(counted, deep=True))).state is State.SOUND
    assert counted.facts.checksum_of(object_id) == Checksum(hash_file(entry), True)


def test_deep_says_where_nothing_can_be_compared(
    counted: AudioCache, song: Path, entry: Path
) -> None:
    song.write_bytes(b"other music")
    found = only(list(verify(counted, deep=True)))
    assert (found.state, entry.exists()) == (State.OUTDATED, True)
    song.unlink()
    assert only(list(verify(counted, deep=True))).reason == "its source is gone"


@pytest.mark.slow
def test_random_stretches_find_what_is_wrong_in_them(
    counted: AudioCache, tmp_path: Path, ffmpeg: StubFFmpeg
) -> None:
    track = make_noise(tmp_path / "long.flac", samples=44_100 * 40)
    path = counted.transcode_file(track, "medium")
    rendition = counted.identify(track, "medium")
    before = len(ffmpeg.starts())
    for seed in range(3):
        chance = random.Random(seed)
        assert find_deviation(path, rendition, whole=False, chance=chance) is None
    assert len(ffmpeg.starts()) - before == 9
    chance = random.Random(1)
    start = chance.randrange(len(rendition.header), rendition.length - (1 << 16) + 1)
    flip(path, start + 1000)
    words = f"byte {start + 1000:,} is not what its source gives"
    assert find_deviation(path, rendition, whole=False, chance=random.Random(1)) == words
    assert find_deviation(path, rendition, whole=True) == words
    flip(path, start + 1000)
    with path.open("ab") as file:
        file.truncate(rendition.length - 1)
    words = f"byte {rendition.length - 1:,} is not what its source gives"
    assert find_deviation(path, rendition, whole=True) == words


def test_an_object_without_a_name_is_verified_and_deleted_where_it_is_bad(
    counted: AudioCache, song: Path, entry: Path
) -> None:
    object_id = id_of(counted, song)
    lone = Path(counted.objects.path(object_id))
    entry.unlink()
    assert counted.stored_files() == [lone]
    found = only(list(verify(counted)))
    assert (found.path, found.state, found.is_unnamed) == (lone, State.SOUND, True)
    assert found.reason.startswith("no entry names it")
    flip(lone, in_padding(lone))
    assert only(list(verify(counted))).state is State.DAMAGED
    mended = only(list(verify(counted, repair=True)))
    assert mended.state is State.REPAIRED
    assert mended.reason.startswith("deleted: ")
    assert not counted.objects.has(object_id)
    assert list(verify(counted)) == []


def test_damage_does_not_spread_to_what_is_made_of_the_same_frames(
    counted: AudioCache, song: Path, entry: Path, tmp_path: Path
) -> None:
    """A retag takes over the frames, unless they are not those that were written."""
    flip(entry, in_padding(entry))
    tagged = Path(shutil.copy(song, tmp_path / "tagged.flac"))
    content = tagged.read_bytes()
    tagged.write_bytes(content.replace(b"Probe", b"Probt"))
    made = counted.transcode_file(tagged, "medium")
    clean = AudioCache(tmp_path / "clean").transcode_file(tagged, "medium")
    assert made.read_bytes() == clean.read_bytes()


def test_a_checksum_is_proven_only_by_an_encode_from_the_start(
    counted: AudioCache, song: Path
) -> None:
    rendition = counted.identify(song, "medium")
    partials = counted.cache_dir / "partials"
    partials.mkdir(exist_ok=True)
    name = counted.get_cache_path(song, "medium").name
    begun = partials / f"{name}.{rendition.token}.part"
    frames = b"".join(rendition.encode(0, 2 * mp3.GROUP_FRAMES))
    begun.write_bytes(rendition.header + frames)
    entry = counted.transcode_file(song, "medium")
    assert counted.facts.checksum_of(rendition.id) == Checksum(hash_file(entry), False)
    assert inspect_entry(counted, entry) == Inspection(entry, State.SOUND, "", song, "medium")
