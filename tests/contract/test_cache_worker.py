"""CacheWorker, line by line of the contract's table."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from audio_cache import AudioCache, CacheWorker, QualityLevel
from tests.contract.callbacks import Listener
from tests.contract.signatures import REQUIRED, begins_with
from tests.helpers.audio import make_audio
from tests.helpers.renditions import files_of

SKIPPED = {"skipped": True}
NOT_NEEDED = {"skipped": True, "reason": "No transcoding needed"}


@pytest.fixture
def worker(tmp_path: Path) -> CacheWorker:
    return CacheWorker(AudioCache(tmp_path / "cache"), max_workers=2)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return make_audio(tmp_path / "song.flac", samples=5000)


@pytest.fixture
def broken(data: Path) -> Path:
    return data / "truncated.flac"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("__init__", {"audio_cache": REQUIRED, "logger": None, "max_workers": 4}),
        ("cache_single_file", {"file_path": REQUIRED, "qualities": None}),
        (
            "cache_mixtape",
            {"track_paths": REQUIRED, "qualities": None, "progress_callback": None},
        ),
        (
            "cache_mixtape_async",
            {"track_paths": REQUIRED, "qualities": None, "progress_callback": None},
        ),
        ("verify_mixtape_cache", {"track_paths": REQUIRED, "quality": "medium"}),
        ("regenerate_outdated_cache", {"track_paths": REQUIRED, "qualities": None}),
    ],
)
def test_methods_take_what_the_table_says(name: str, parameters: dict[str, Any]) -> None:
    assert begins_with(getattr(CacheWorker, name), parameters)


class TestCacheSingleFile:
    def test_success_per_quality(self, worker: CacheWorker, song: Path, broken: Path) -> None:
        assert worker.cache_single_file(song, ["low", "high"]) == {"low": True, "high": True}
        assert worker.cache_single_file(broken, ["low"]) == {"low": False}

    def test_a_quality_that_fails_keeps_no_other_away(
        self, worker: CacheWorker, song: Path
    ) -> None:
        worker.audio_cache.get_cache_path(song, "high").mkdir()
        expected = {"high": False, "low": True}
        assert worker.cache_single_file(song, ["high", "low"]) == expected
        expected = {"high": False, "medium": True}
        assert worker.cache_mixtape_async([song], ["high", "medium"]) == {str(song): expected}

    def test_original_is_true(self, worker: CacheWorker, broken: Path) -> None:
        expected = {"low": False, "original": True}
        assert worker.cache_single_file(broken, ["low", "original"]) == expected

    def test_an_empty_list_asks_for_nothing_and_gives_an_empty_dict(
        self, worker: CacheWorker, song: Path
    ) -> None:
        assert worker.cache_single_file(song, []) == {}
        assert worker.cache_single_file(Path("/nowhere/a.flac"), []) == {}

    def test_only_none_means_the_default(self, worker: CacheWorker, song: Path) -> None:
        assert worker.cache_single_file(song, None) == {"medium": True}


class TestCacheMixtape:
    def test_is_sequential(self, worker: CacheWorker, song: Path, tmp_path: Path) -> None:
        paths = [song, *(Path(shutil.copy(song, tmp_path / f"{n}.flac")) for n in range(3))]
        listener = Listener()
        worker.cache_mixtape(paths, ["low"], listener)
        assert [name for name, *_ in listener.told] == [path.name for path in paths]

    def test_success_by_quality(self, worker: CacheWorker, song: Path, broken: Path) -> None:
        assert worker.cache_mixtape([song, broken], ["low", "high"]) == {
            str(song): {"low": True, "high": True},
            str(broken): {"low": False, "high": False},
        }

    def test_lossy_tracks_are_skipped(self, worker: CacheWorker, mp3: Path) -> None:
        gone = Path("/nowhere/a.mp3")
        expected = {str(mp3): SKIPPED, str(gone): SKIPPED}
        for qualities in (None, ["low"], ["original"], []):
            assert worker.cache_mixtape([mp3, gone], qualities) == expected


class TestCacheMixtapeAsync:
    def test_blocks_until_done(self, worker: CacheWorker, song: Path) -> None:
        assert worker.cache_mixtape_async([song]) == {str(song): {"medium": True}}
        assert worker.audio_cache.is_cached(song, "medium")

    def test_lossy_tracks_are_skipped_with_no_transcoding_needed(
        self, worker: CacheWorker, mp3: Path
    ) -> None:
        gone = Path("/nowhere/a.mp3")
        expected = {str(mp3): NOT_NEEDED, str(gone): NOT_NEEDED}
        for qualities in (None, ["low"], ["original"], []):
            assert worker.cache_mixtape_async([mp3, gone], qualities) == expected

    def test_a_track_that_cannot_be_made_is_false_at_each_of_its_qualities(
        self, worker: CacheWorker, broken: Path
    ) -> None:
        result = worker.cache_mixtape_async([broken], ["low", "high"])
        assert result == {str(broken): {"low": False, "high": False}}
        assert not all(result[str(broken)].values())

    def test_a_missing_track_is_false_at_each_of_its_qualities(self, worker: CacheWorker) -> None:
        gone = Path("/nowhere/a.flac")
        result = worker.cache_mixtape_async([gone], ["low", "high"])
        assert result == {str(gone): {"low": False, "high": False}}

    def test_the_words_go_to_track_failed(self, worker: CacheWorker, broken: Path) -> None:
        listener = Listener()
        worker.cache_mixtape_async([broken], None, listener)
        [(name, fate, words)] = listener.told
        assert (name, fate) == ("truncated.flac", "failed")
        assert "invalid residual" in words


class TestEmptyListsOfQualities:
    @pytest.mark.parametrize("name", ["cache_mixtape", "cache_mixtape_async"])
    def test_ask_for_nothing_of_each_track(
        self, worker: CacheWorker, song: Path, name: str
    ) -> None:
        gone = Path("/nowhere/a.flac")
        result = getattr(worker, name)([song, gone], [])
        assert result == {str(song): {}, str(gone): {}}
        assert files_of(worker.audio_cache.cache_dir) == []

    def test_regenerate_nothing(self, worker: CacheWorker, song: Path) -> None:
        assert worker.regenerate_outdated_cache([song], []) == {}


class TestVerifyMixtapeCache:
    def test_is_cached_by_path_and_lossy_tracks_true(
        self, worker: CacheWorker, song: Path, mp3: Path
    ) -> None:
        expected = {str(song): False, str(mp3): True}
        assert worker.verify_mixtape_cache([song, mp3]) == expected
        worker.cache_single_file(song)
        assert worker.verify_mixtape_cache([song, mp3])[str(song)]
        assert not worker.verify_mixtape_cache([song], "low")[str(song)]


class TestRegenerateOutdatedCache:
    def test_only_missing_or_outdated_ones_by_path_and_quality(
        self, worker: CacheWorker, song: Path, mp3: Path, tmp_path: Path
    ) -> None:
        other = Path(shutil.copy(song, tmp_path / "other.flac"))
        worker.cache_mixtape([song, other], ["low"])
        make_audio(other, samples=5000, seed=1)
        qualities: list[QualityLevel] = ["low"]
        result = worker.regenerate_outdated_cache([song, other, mp3], qualities)
        assert result == {f"{other}_low": {"success": True}}

    def test_an_error_is_told(self, worker: CacheWorker, broken: Path) -> None:
        result = worker.regenerate_outdated_cache([broken])
        [(key, value)] = result.items()
        assert key == f"{broken}_medium"
        assert value["success"] is False
        assert isinstance(value["error"], str)

    def test_empty_when_all_are_current(self, worker: CacheWorker, song: Path) -> None:
        worker.cache_single_file(song)
        assert worker.regenerate_outdated_cache([song]) == {}
