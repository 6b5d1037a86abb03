"""Entries that are what they say, and all the ways in which one can be something else."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from audio_cache.encoding import mp3
from audio_cache.encoding.cancellation import Cancellation
from audio_cache.errors import EncodeInterruptedError, FFmpegNotFoundError
from audio_cache.store.cache import AudioCache
from audio_cache.store.entry import Verdict, read_entry
from audio_cache.store.verify import Inspection, State, inspect_entry, repair_entry, verify
from tests.helpers.audio import make_noise


@pytest.fixture
def source(flac: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(flac, tmp_path / "track.flac"))


@pytest.fixture
def entry(cache: AudioCache, source: Path) -> Path:
    return cache.transcode_file(source, "medium")


def inspect(cache: AudioCache, path: Path) -> Inspection:
    found = inspect_entry(cache, path)
    assert found is not None
    return found


def change(path: Path, edit: Callable[[bytearray], object]) -> None:
    content = bytearray(path.read_bytes())
    edit(content)
    path.write_bytes(content)


def flip_frame_header(content: bytearray) -> None:
    at = content.index(b"\xff\xfb", len(content) // 2)
    content[at + 1] = 0


def zero_a_page(content: bytearray) -> None:
    content[20_000:24_096] = bytes(4096)


def scramble_audio(content: bytearray) -> None:
    """Damage what stands between the headers of two frames: only a decoder sees that."""
    at = content.index(b"\xff\xfb", len(content) // 2) + 4
    content[at : at + 32] = b"\xaa" * 32


def shorten_info(content: bytearray) -> None:
    """Let the Info frame tell decoders of less padding than there is."""
    at = content.index(b"LAME3.100") + 21
    content[at + 2] -= 1


def test_an_entry_as_it_was_made_is_sound(cache: AudioCache, source: Path, entry: Path) -> None:
    assert inspect(cache, entry) == Inspection(entry, State.SOUND, "", source, "medium")
    assert repair_entry(cache, inspect(cache, entry)) == inspect(cache, entry)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda content: content.pop(), "bytes instead of"),
        (lambda content: content.append(0), "bytes instead of"),
        (flip_frame_header, "frame .* of .* is damaged"),
        (zero_a_page, "frame .* of .* is damaged"),
        (shorten_info, "Info frame"),
        (scramble_audio, "cannot be decoded"),
        (lambda content: content.clear(), "empty"),
    ],
)
def test_a_damaged_entry_is_found(
    cache: AudioCache, entry: Path, edit: Callable[[bytearray], object], reason: str
) -> None:
    change(entry, edit)
    found = inspect(cache, entry)
    assert found.state is State.DAMAGED
    assert re.search(reason, found.reason)


def test_a_damaged_entry_is_encoded_again_byte_for_byte(cache: AudioCache, entry: Path) -> None:
    good = entry.read_bytes()
    change(entry, zero_a_page)
    [found] = verify(cache, repair=True)
    assert found.state is State.REPAIRED
    assert found.is_good
    assert entry.read_bytes() == good


def test_damage_whose_source_is_gone_is_reported_and_kept(
    cache: AudioCache, source: Path, entry: Path
) -> None:
    change(entry, zero_a_page)
    source.unlink()
    [found] = verify(cache, repair=True)
    assert found.state is State.DAMAGED
    assert found.reason.endswith("and its source is gone")
    assert entry.exists()


def test_damage_whose_source_is_damaged_too_says_so(
    cache: AudioCache, source: Path, entry: Path
) -> None:
    change(entry, zero_a_page)
    source.write_bytes(b"no music")
    [found] = verify(cache, repair=True)
    assert found.state is State.DAMAGED
    assert "cannot be encoded again" in found.reason


def test_an_entry_that_lost_its_beginning_cannot_be_mended(cache: AudioCache, entry: Path) -> None:
    change(entry, lambda content: content.__setitem__(slice(0, 4096), bytes(4096)))
    [found] = verify(cache, repair=True)
    assert (found.state, found.source) == (State.DAMAGED, None)
    assert "delete it" in found.reason


def test_an_entry_whose_origin_cannot_be_read_is_damage(cache: AudioCache, entry: Path) -> None:
    change(entry, lambda content: content.__setitem__(slice(40, 44), b"\xff" * 4))
    assert inspect(cache, entry).reason == "what it says about its origin cannot be read"


def test_an_entry_of_a_changed_source_is_outdated_until_repaired(
    cache: AudioCache, source: Path, entry: Path
) -> None:
    os.utime(source, (0, 0))
    assert inspect(cache, entry).state is State.SOUND
    make_noise(source, samples=20_000)
    assert inspect(cache, entry).state is State.OUTDATED
    assert repair_entry(cache, inspect(cache, entry)).state is State.REPAIRED
    assert inspect(cache, entry).state is State.SOUND


def test_an_entry_outlives_its_source(cache: AudioCache, source: Path, entry: Path) -> None:
    source.unlink()
    found = inspect(cache, entry)
    assert (found.state, found.reason) == (State.SOUND, "its source is gone")


def test_an_entry_under_the_name_of_another_source_is_served_for_neither(
    cache: AudioCache, source: Path, entry: Path, wav: Path
) -> None:
    other = cache.get_cache_path(wav, "medium")
    entry.rename(other)
    assert inspect(cache, other).reason == "it is under the name of another source"
    assert cache.examine(wav, "medium") is Verdict.SOURCE_CHANGED
    assert cache.is_cached(source, "medium")
    assert inspect(cache, entry) == Inspection(entry, State.SOUND, "", source, "medium")
    cache.transcode_file(wav, "medium")
    assert [found.state for found in verify(cache)] == [State.SOUND] * 2


def test_a_foreign_file_is_decoded_and_no_more(cache: AudioCache, mp3: Path, wav: Path) -> None:
    path = Path(shutil.copy(mp3, cache.get_cache_path(wav, "low")))
    found = inspect(cache, path)
    assert (found.state, found.source) == (State.SOUND, None)
    assert "not made by audio_cache" in found.reason
    path.write_text("#EXTM3U\nhttp://127.0.0.1/x.mp3\n")
    assert inspect(cache, path).state is State.DAMAGED


def test_a_header_that_contradicts_itself_is_damage(cache: AudioCache, entry: Path) -> None:
    """The private frame states one length, the Info frame another."""
    made = read_entry(entry)
    assert made is not None
    assert made.identity is not None
    audio = entry.read_bytes()[made.header_bytes :]
    shorter = made.identity.samples - 100
    payload = made.identity.payload().replace(b"%d" % made.identity.samples, b"%d" % shorter)
    info = bytearray(mp3.info_frame(192_000, made.identity.samples))
    entry.write_bytes(mp3.id3_tag([], payload) + bytes(info) + audio)
    assert "Info frame" in inspect(cache, entry).reason


def test_one_that_is_gone_is_nothing(cache: AudioCache, entry: Path) -> None:
    entry.unlink()
    assert inspect_entry(cache, entry) is None
    assert list(verify(cache, entries=[entry])) == []


def test_all_entries_are_verified_by_several_at_once(cache: AudioCache, source: Path) -> None:
    cache.store_together(source, ["low", "medium", "high"])
    found = list(verify(cache, jobs=3))
    assert [each.state for each in found] == [State.SOUND] * 3
    assert {each.quality for each in found} == {"low", "medium", "high"}


def test_verifying_can_be_interrupted(cache: AudioCache, entry: Path) -> None:
    cancellation = Cancellation()
    cancellation.set()
    with pytest.raises(EncodeInterruptedError):
        inspect_entry(cache, entry, cancellation)


def test_without_ffmpeg_nothing_is_called_damaged(entry: Path, tmp_path: Path) -> None:
    blind = AudioCache(entry.parent, ffmpeg=tmp_path / "nothing")
    assert State.DAMAGED not in [each.state for each in verify(blind)]  # its checksum says so
    change(entry, scramble_audio)
    with pytest.raises(FFmpegNotFoundError):
        list(verify(blind))
