"""AudioCache and the qualities, line by line of the contract's table."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
from mutagen.flac import FLAC, Picture
from mutagen.mp3 import MP3

import audio_cache
from audio_cache import QUALITY_SETTINGS, AudioCache, QualityLevel
from tests.contract.signatures import REQUIRED, begins_with
from tests.helpers.audio import DATA, make_audio
from tests.helpers.renditions import files_of

DAY_S = 86_400


@pytest.fixture
def cache(tmp_path: Path) -> AudioCache:
    return AudioCache(tmp_path / "cache")


@pytest.fixture
def song(tmp_path: Path, flac: Path) -> Path:
    return Path(shutil.copy2(flac, tmp_path / "song.flac"))


def age(path: Path, days: float) -> None:
    now_s = path.stat().st_mtime
    os.utime(path, (now_s - days * DAY_S, now_s - days * DAY_S))


class TestQualities:
    def test_quality_level_is_high_medium_low_original(self) -> None:
        assert get_args(QualityLevel) == ("high", "medium", "low", "original")

    @pytest.mark.parametrize(("level", "rate"), [("high", 256), ("medium", 192), ("low", 128)])
    def test_quality_settings_have_bitrate_and_format(self, level: QualityLevel, rate: int) -> None:
        assert QUALITY_SETTINGS[level] == {"bitrate": f"{rate}k", "format": "mp3"}

    @pytest.mark.parametrize("suffix", [".flac", ".wav", ".aiff", ".ape", ".alac"])
    def test_lossless_suffixes(self, cache: AudioCache, suffix: str) -> None:
        assert cache.should_transcode(Path("/nowhere/a" + suffix))

    @pytest.mark.parametrize("suffix", [".aif", ".wv", ".tta", ".dsf", ".dff"])
    def test_beyond_more_lossless_suffixes(self, cache: AudioCache, suffix: str) -> None:
        assert cache.should_transcode(Path("/nowhere/a" + suffix))

    @pytest.mark.parametrize("suffix", [".m4a", ".mp4"])
    def test_beyond_alac_inside_is_found_and_aac_is_not_lossless(
        self, cache: AudioCache, tmp_path: Path, suffix: str
    ) -> None:
        alac, aac = (
            Path(shutil.copy(DATA / f"{codec}.m4a", tmp_path / f"{codec}{suffix}"))
            for codec in ("alac", "aac")
        )
        assert cache.should_transcode(alac)
        assert not cache.should_transcode(aac)


class TestSignatures:
    @pytest.mark.parametrize(
        ("name", "parameters"),
        [
            ("__init__", {"cache_dir": REQUIRED, "logger": None}),
            ("get_cache_path", {"original_path": REQUIRED, "quality": "medium"}),
            ("should_transcode", {"file_path": REQUIRED}),
            ("is_cached", {"original_path": REQUIRED, "quality": "medium"}),
            (
                "transcode_file",
                {"original_path": REQUIRED, "quality": "medium", "overwrite": False},
            ),
            ("get_cached_or_original", {"original_path": REQUIRED, "quality": "medium"}),
            ("precache_file", {"original_path": REQUIRED, "qualities": None}),
            ("get_cache_size", {}),
            ("clear_cache", {"older_than_days": None}),
        ],
    )
    def test_methods_take_what_the_table_says(self, name: str, parameters: dict[str, Any]) -> None:
        assert begins_with(getattr(AudioCache, name), parameters)

    @pytest.mark.parametrize(
        "name",
        [
            *("AudioCache", "CacheWorker", "ProgressCallback", "ProgressEvent", "ProgressStatus"),
            *("ProgressTracker", "QUALITY_SETTINGS", "QualityLevel", "get_progress_tracker"),
            "schedule_mixtape_caching",
        ],
    )
    def test_import_audio_cache_gives_every_name(self, name: str) -> None:
        assert hasattr(audio_cache, name)
        assert name in audio_cache.__all__


class TestConstructor:
    def test_creates_cache_dir(self, tmp_path: Path) -> None:
        assert AudioCache(tmp_path / "a" / "b").cache_dir == tmp_path / "a" / "b"
        assert (tmp_path / "a" / "b").is_dir()

    def test_logger_is_used(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        cache = AudioCache(tmp_path / "cache", logging.getLogger("my own"))
        cache.precache_file(tmp_path / "gone.flac")
        assert {record.name for record in caplog.records} == {"my own"}


class TestGetCachePath:
    @pytest.mark.parametrize("quality", ["high", "medium", "low"])
    def test_md5_of_the_normalised_absolute_path_quality_and_bitrate(
        self, cache: AudioCache, quality: QualityLevel
    ) -> None:
        digest = hashlib.md5(b"/music/song.flac").hexdigest()
        bitrate = QUALITY_SETTINGS[quality]["bitrate"]
        expected = cache.cache_dir / f"{digest}_{quality}_{bitrate}.mp3"
        assert cache.get_cache_path(Path("/music/x/../song.flac"), quality) == expected

    def test_the_default_is_medium_192k(self, cache: AudioCache) -> None:
        name = cache.get_cache_path(Path("/music/song.flac")).name
        assert re.fullmatch(r"[0-9a-f]{32}_medium_192k\.mp3", name)

    def test_original_gives_original_path_back(self, cache: AudioCache) -> None:
        assert cache.get_cache_path(Path("x/song.flac"), "original") == Path("x/song.flac")


class TestShouldTranscode:
    def test_lossless_or_not(self, cache: AudioCache, song: Path, mp3: Path) -> None:
        assert (cache.should_transcode(song), cache.should_transcode(mp3)) == (True, False)

    def test_suffix_in_any_case(self, cache: AudioCache) -> None:
        assert cache.should_transcode(Path("/nowhere/A.FlAc"))

    def test_never_raises_for_a_missing_file(self, cache: AudioCache) -> None:
        assert cache.should_transcode(Path("/nowhere/a.flac"))
        assert not cache.should_transcode(Path("/nowhere/a.m4a"))


class TestIsCached:
    def test_true_for_original_and_for_lossy_sources(
        self, cache: AudioCache, song: Path, mp3: Path
    ) -> None:
        assert cache.is_cached(song, "original")
        assert cache.is_cached(mp3, "low")
        assert cache.is_cached(Path("/nowhere/a.mp3"), "low")

    def test_true_for_a_lossy_source_that_cannot_be_looked_at(
        self, cache: AudioCache, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        loop = tmp_path / "loop.mp3"
        loop.symlink_to(loop)
        assert cache.is_cached(loop)
        assert not caplog.records

    def test_else_a_valid_cached_file_exists(self, cache: AudioCache, song: Path) -> None:
        assert not cache.is_cached(song)
        cache.transcode_file(song)
        assert cache.is_cached(song)

    def test_and_is_not_older_than_the_source(self, cache: AudioCache, song: Path) -> None:
        shutil.copyfile(DATA / "lossy.mp3", cache.get_cache_path(song))
        os.utime(song, (2_000_000_000, 2_000_000_000))
        assert not cache.is_cached(song)
        os.utime(song, (1_000_000_000, 1_000_000_000))
        assert cache.is_cached(song)

    def test_a_missing_source_does_not_invalidate_it(self, cache: AudioCache, song: Path) -> None:
        cache.transcode_file(song)
        song.unlink()
        assert cache.is_cached(song)

    def test_oserror_is_a_warning_and_false(
        self, cache: AudioCache, song: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        cache.get_cache_path(song).mkdir()
        assert not cache.is_cached(song)
        assert [record.levelname for record in caplog.records] == ["WARNING"]


class TestTranscodeFile:
    def test_path_of_the_cached_file(self, cache: AudioCache, song: Path) -> None:
        assert cache.transcode_file(song, "low") == cache.get_cache_path(song, "low")
        assert cache.get_cache_path(song, "low").is_file()

    def test_original_path_where_nothing_is_to_be_transcoded(
        self, cache: AudioCache, song: Path, mp3: Path
    ) -> None:
        assert cache.transcode_file(mp3) == mp3
        assert cache.transcode_file(song, "original") == song

    def test_filenotfounderror_for_a_missing_source(self, cache: AudioCache) -> None:
        with pytest.raises(FileNotFoundError):
            cache.transcode_file(Path("/nowhere/a.flac"))

    def test_calledprocesserror_with_stderr_where_ffmpeg_fails(
        self, cache: AudioCache, data: Path
    ) -> None:
        with pytest.raises(subprocess.CalledProcessError) as caught:
            cache.transcode_file(data / "truncated.flac")
        assert "invalid residual" in caught.value.stderr

    def test_reuses_a_valid_file_unless_overwrite(self, cache: AudioCache, song: Path) -> None:
        path = cache.transcode_file(song, "low")
        first = path.stat().st_ino, path.stat().st_mtime_ns
        cache.transcode_file(song, "low")
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == first
        cache.transcode_file(song, "low", overwrite=True)
        assert (path.stat().st_ino, path.stat().st_mtime_ns) != first

    def test_keeps_metadata_as_id3v2_3(self, cache: AudioCache, song: Path) -> None:
        tags = MP3(cache.transcode_file(song, "low"), translate=False).tags
        assert tags.version == (2, 3, 0)
        assert str(tags["TIT2"]) == "Ein Stück"
        assert str(tags["TPE1"]) == "Ähnliche Töne"

    def test_no_video_stream(self, cache: AudioCache, song: Path) -> None:
        picture, file = Picture(), FLAC(song)
        picture.mime, picture.type, picture.data = "image/png", 3, b"\x89PNG" + bytes(range(256))
        file.add_picture(picture)
        file.save()
        assert not MP3(cache.transcode_file(song, "low")).tags.getall("APIC")

    def test_44_1_khz_stereo_at_the_bitrate(self, cache: AudioCache, tmp_path: Path) -> None:
        mono = make_audio(
            tmp_path / "mono.wav", samples=48_000, rate=48_000, channels=1, codec="pcm_s16le"
        )
        info = MP3(cache.transcode_file(mono, "low")).info
        assert (info.sample_rate, info.channels) == (44_100, 2)
        assert round(info.bitrate, -3) == 128_000


class TestGetCachedOrOriginal:
    def test_never_transcodes(self, cache: AudioCache, song: Path) -> None:
        assert cache.get_cached_or_original(song) == song
        assert files_of(cache.cache_dir) == []
        path = cache.transcode_file(song)
        assert cache.get_cached_or_original(song) == path


class TestPrecacheFile:
    def test_default_is_medium(self, cache: AudioCache, song: Path) -> None:
        assert cache.precache_file(song) == {"medium": cache.get_cache_path(song, "medium")}

    def test_an_empty_list_asks_for_nothing(self, cache: AudioCache, song: Path) -> None:
        assert cache.precache_file(song, []) == {}

    def test_a_quality_that_fails_is_logged_and_maps_to_the_original(
        self, cache: AudioCache, song: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        cache.get_cache_path(song, "high").mkdir()
        low = cache.get_cache_path(song, "low")
        assert cache.precache_file(song, ["high", "low"]) == {"high": song, "low": low}
        assert "at high" in caplog.text


class TestSizeAndClearing:
    @pytest.fixture
    def files(self, cache: AudioCache) -> dict[str, Path]:
        """Return files of ten bytes in the cache's directory, by name."""
        names = ("own.mp3", "a/foreign.mp3", "a/b/deep.mp3", "a/notes.txt", "a/cover.mp3.jpg")
        files = {name: cache.cache_dir / name for name in names}
        for path in files.values():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"0123456789")
        return files

    def test_get_cache_size_is_the_bytes_of_all_files(
        self, cache: AudioCache, files: dict[str, Path]
    ) -> None:
        assert cache.get_cache_size() == 10 * len(files)

    def test_clear_cache_deletes_every_mp3_at_any_depth_and_returns_how_many(
        self, cache: AudioCache, files: dict[str, Path]
    ) -> None:
        assert cache.clear_cache() == 3
        left = {name for name, path in files.items() if path.exists()}
        assert left == {"a/notes.txt", "a/cover.mp3.jpg"}

    def test_clear_cache_deletes_those_whose_age_in_days_is_greater(
        self, cache: AudioCache, files: dict[str, Path]
    ) -> None:
        age(files["own.mp3"], 6)
        age(files["a/b/deep.mp3"], 8)
        assert cache.clear_cache(older_than_days=7) == 1
        assert not files["a/b/deep.mp3"].exists()
        assert files["own.mp3"].exists()

    def test_clear_cache_deletes_a_link_that_leads_nowhere(self, cache: AudioCache) -> None:
        link = cache.cache_dir / "lost.mp3"
        link.symlink_to("nowhere")
        assert cache.clear_cache(older_than_days=1) == 0
        assert cache.clear_cache() == 1
        assert not link.is_symlink()

    def test_one_that_cannot_be_deleted_is_logged_and_skipped(
        self, cache: AudioCache, files: dict[str, Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        stubborn = cache.cache_dir / "a" / "folder.mp3"
        stubborn.mkdir()
        assert cache.clear_cache() == len(files) - 2
        assert str(stubborn) in caplog.text
