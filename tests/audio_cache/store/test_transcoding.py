"""Transcoding a file: what is made, what is kept, and what fails."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from mutagen.flac import FLAC, Picture
from mutagen.mp3 import MP3

from audio_cache import AudioCache
from audio_cache.errors import EncodeError, FFmpegNotFoundError
from audio_cache.store.lookups import Found
from tests.helpers.audio import DATA, count_samples, make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.renditions import files_of, undisturbed
from tests.helpers.rooms import on_disk

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def test_a_file_is_44_1_khz_stereo_with_tags_and_nothing_is_left_beside_it(
    cache: AudioCache, song: Path
) -> None:
    entry = cache.transcode_file(song)
    assert entry == cache.get_cache_path(song, "medium")
    assert files_of(cache.cache_dir) == [entry]
    assert count_samples(entry) == 132_300
    read = MP3(entry)
    assert (read.info.sample_rate, read.info.channels) == (44_100, 2)
    assert read.tags.version == (2, 3, 0)
    assert read.tags["TPE1"].text == ["Ähnliche Töne"]


def test_no_picture_is_carried_over(cache: AudioCache, song: Path) -> None:
    picture = Picture()
    picture.mime, picture.type, picture.data = "image/png", 3, PNG
    file = FLAC(song)
    file.add_picture(picture)
    file.save()
    entry = cache.transcode_file(song, "low")
    assert PNG not in entry.read_bytes()
    assert count_samples(entry) == 132_300


def test_a_valid_file_is_used_again_unless_it_is_to_be_overwritten(
    counted: AudioCache, song: Path, ffmpeg: StubFFmpeg
) -> None:
    entry = counted.transcode_file(song, "low")
    first, content = entry.stat(), entry.read_bytes()
    assert counted.transcode_file(song, "low") == entry
    assert entry.stat().st_ino == first.st_ino
    assert len(ffmpeg.starts()) == 1
    assert counted.transcode_file(song, "low", overwrite=True) == entry
    assert entry.stat().st_ino != first.st_ino
    assert entry.read_bytes() == content
    assert len(ffmpeg.starts()) == 2


def test_lossy_files_are_given_back(counted: AudioCache, mp3: Path, ffmpeg: StubFFmpeg) -> None:
    assert counted.transcode_file(mp3) == mp3
    assert counted.transcode_file(DATA / "aac.m4a") == DATA / "aac.m4a"
    assert ffmpeg.starts() == []


def test_a_missing_source_is_not_found(cache: AudioCache, tmp_path: Path) -> None:
    for name in ("missing.flac", "missing.mp3"):
        with pytest.raises(FileNotFoundError, match="missing"):
            cache.transcode_file(tmp_path / name)


def test_a_failure_is_a_called_process_error_with_the_words_of_ffmpeg(
    cache: AudioCache, song: Path
) -> None:
    content = bytearray(song.read_bytes())
    content[len(content) // 2] ^= 0xFF
    song.write_bytes(content)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        cache.transcode_file(song)
    assert caught.value.stderr
    assert str(song) in " ".join(map(str, caught.value.cmd))
    assert "(ffmpeg said: " in str(caught.value)
    assert files_of(cache.cache_dir) == []


def test_a_touched_source_keeps_its_audio(
    counted: AudioCache, song: Path, ffmpeg: StubFFmpeg
) -> None:
    entry = counted.transcode_file(song, "low")
    starts = len(ffmpeg.starts())
    os.utime(song, (1_600_000_000, 1_600_000_000))
    assert counted.is_cached(song, "low")
    assert counted.transcode_file(song, "low") == entry
    assert len(ffmpeg.starts()) == starts
    assert entry.read_bytes() == undisturbed(song, counted.cache_dir.parent)


def test_a_retagged_source_keeps_its_audio_and_gets_the_new_tags(
    counted: AudioCache, song: Path, ffmpeg: StubFFmpeg
) -> None:
    entry = counted.transcode_file(song, "low")
    starts = len(ffmpeg.starts())
    file = FLAC(song)
    file["title"] = "Another title"
    file.save()
    assert counted.transcode_file(song, "low") == entry
    assert len(ffmpeg.starts()) == starts
    assert b"Another title" in entry.read_bytes()
    assert entry.read_bytes() == undisturbed(song, counted.cache_dir.parent)


def test_one_flac_in_two_folders_and_two_caches_has_the_same_bytes_and_one_object(
    counted: AudioCache, song: Path, ffmpeg: StubFFmpeg, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    copy = Path(shutil.copyfile(song, tmp_path / "elsewhere" / "another name.flac"))
    os.utime(copy, (1, 1))
    entries = [counted.transcode_file(path, "low") for path in (song, copy)]
    assert len({entry.name for entry in entries}) == 2
    assert len(on_disk(counted)) == len(ffmpeg.encodes()) == 1
    other = AudioCache(tmp_path / "other cache")
    entries.append(other.transcode_file(copy, "low"))
    assert len({entry.read_bytes() for entry in entries}) == 1
    found = [counted.find(song, "low"), counted.find(copy, "low"), other.find(copy, "low")]
    tags = [each.etag for each in found if isinstance(each, Found)]
    assert tags == list(on_disk(counted)) * 3 == list(on_disk(other)) * 3


def test_an_edit_in_place_of_a_long_wav_is_heard(cache: AudioCache, tmp_path: Path) -> None:
    path = make_noise(tmp_path / "x.wav", samples=400_000, codec="pcm_s16le")
    before = cache.transcode_file(path, "low").read_bytes()
    with path.open("r+b") as file:
        file.seek(44 + 4 * 222_222)
        file.write(bytes(4_000))
    os.utime(path, (1_600_000_000, 1_600_000_000))
    after = cache.transcode_file(path, "low").read_bytes()
    assert len(after) == len(before)
    assert after[-len(after) // 2 :] != before[-len(after) // 2 :]
    assert after == undisturbed(path, tmp_path)


def test_an_encode_that_hangs_is_ended_in_time(tmp_path: Path, song: Path) -> None:
    stub = StubFFmpeg(tmp_path / "hang", "exec sleep 600")
    cache = AudioCache(tmp_path / "cache", ffmpeg=stub.path, encode_timeout_s=3)
    with pytest.raises(EncodeError, match="AUDIO_CACHE_ENCODE_TIMEOUT_S"):
        cache.transcode_file(song)
    [start] = stub.starts()
    assert not Path(f"/proc/{start.pid}").exists()
    assert files_of(cache.cache_dir) == []


def test_batch_encodes_run_at_the_given_niceness(tmp_path: Path, song: Path) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    stub = StubFFmpeg(tmp_path / "nice", f"nice > {tmp_path / 'niceness'}; exit 1")
    cache = AudioCache(tmp_path / "cache", ffmpeg=stub.path, nice=5)
    with pytest.raises(EncodeError):
        cache.transcode_file(song)
    assert int((tmp_path / "niceness").read_text()) == min(19, own + 5)


def test_words_in_any_encoding_fail_no_good_encode(tmp_path: Path, song: Path) -> None:
    noisy = r"printf '[error] M\374ll \377\n' >&2"
    cache = AudioCache(tmp_path / "cache", ffmpeg=StubFFmpeg(tmp_path / "noisy", noisy).path)
    assert cache.transcode_file(song, "low").read_bytes() == undisturbed(song, tmp_path)


def test_no_ffmpeg_is_an_error_that_says_so(tmp_path: Path, song: Path) -> None:
    cache = AudioCache(tmp_path / "cache", ffmpeg=tmp_path / "no-ffmpeg")
    assert not cache.is_cached(song)
    with pytest.raises(FFmpegNotFoundError, match="AUDIO_CACHE_FFMPEG"):
        cache.transcode_file(song)
    assert files_of(cache.cache_dir) == []
