"""A lookup explained: what is there, why it is not valid, and what may be meant instead."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from pathlib import Path

import pytest

from audio_cache.cli.report import explanation_as_lines
from audio_cache.errors import DamagedSourceError
from audio_cache.quality import QUALITY_SETTINGS, QualityLevel
from audio_cache.store.cache import AudioCache
from audio_cache.store.entry import Verdict
from audio_cache.store.explanation import Explanation, PartialFile, QualityExplanation, explain
from audio_cache.store.partial import Partial
from tests.helpers.audio import make_noise
from tests.helpers.damage import damaged
from tests.helpers.renditions import growing_of


@pytest.fixture
def cache(tmp_path: Path) -> AudioCache:
    return AudioCache(tmp_path / "cache")


def at(explanation: Explanation, quality: QualityLevel) -> QualityExplanation:
    return next(each for each in explanation.qualities if each.quality == quality)


def text(explanation: Explanation) -> str:
    return "\n".join(explanation_as_lines(explanation))


def test_a_cached_track_is_explained_with_its_facts(album: Path, cache: AudioCache) -> None:
    entry = cache.transcode_file(album / "Album/Track.flac", "low")
    explanation = explain(album, "./Album/../Album/Track.flac", cache.cache_dir)
    assert explanation.path == album / "Album/Track.flac"
    assert entry.name == f"{explanation.hash}_low_128k.mp3"
    assert (explanation.exists, explanation.lossless, explanation.near) == (True, True, ())
    assert [each.quality for each in explanation.qualities] == list(QUALITY_SETTINGS)
    low = at(explanation, "low")
    assert (low.path, low.exists, low.verdict) == (entry, True, Verdict.VALID)
    assert low.identity is not None
    assert low.identity.samples == 132_300
    assert at(explanation, "high").verdict is Verdict.ABSENT
    assert "VALID" in text(explanation)
    assert "not valid: there is no such file" in text(explanation)


def test_an_entry_of_a_changed_source_says_what_changed(album: Path, cache: AudioCache) -> None:
    source = album / "Album/Track.flac"
    cache.transcode_file(source, "low")
    make_noise(source, samples=20_000)
    low = at(explain(album, "Album/Track.flac", cache.cache_dir), "low")
    assert low.verdict is Verdict.SOURCE_CHANGED
    assert low.reason == "it was made from other audio or other tags than the source has now"
    assert (low.origin, low.object_id) == (source, "")


def test_a_short_entry_says_how_short_it_is(album: Path, cache: AudioCache) -> None:
    entry = cache.transcode_file(album / "Album/Track.flac", "low")
    os.truncate(entry, 20_000)
    low = at(explain(album, "Album/Track.flac", cache.cache_dir), "low")
    assert low.verdict is Verdict.INCOMPLETE
    assert "20,000 bytes instead of" in low.reason


def test_a_partial_file_says_how_far_it_is_and_whether_somebody_writes_it(
    album: Path, cache: AudioCache
) -> None:
    source = album / "Album/Track.flac"
    whole = cache.transcode_file(source, "low").read_bytes()
    growing_of(cache, source).write_bytes(whole[:10_000])
    left = at(explain(album, "Album/Track.flac", cache.cache_dir), "low").partial
    assert left == PartialFile(10_000, len(whole), False)
    entry = cache.get_cache_path(source, "low")
    held = Partial.lock(entry, cache.get_rendition(source, "low"), wait=True)
    assert held is not None
    with held:
        explanation = explain(album, "Album/Track.flac", cache.cache_dir)
    assert "10,000 of" in text(explanation)
    assert "being written" in text(explanation)


def test_entries_of_a_moved_library_are_near(album: Path, cache: AudioCache) -> None:
    entry = cache.transcode_file(album / "Album/Track.flac", "low")
    moved = album.rename(album.with_name("moved"))
    [near] = explain(moved, "Album/Track.flac", cache.cache_dir).near
    assert near.path == entry
    assert near.reason.startswith(f"the same audio, from {album}/Album/Track.flac")


def test_an_entry_of_a_file_of_the_same_name_is_near(
    album: Path, cache: AudioCache, wav: Path
) -> None:
    (album / "Other").mkdir()
    other = Path(shutil.copy(wav, album / "Other" / "TRACK.flac"))
    entry = cache.transcode_file(other, "low")
    [near] = explain(album, "Album/Track.flac", cache.cache_dir).near
    assert near.path == entry
    assert near.reason == f"of a file with the same name: {other}"


def test_an_entry_of_another_bitrate_is_near(album: Path, cache: AudioCache) -> None:
    digest = explain(album, "Album/Track.flac", cache.cache_dir).hash
    older = cache.cache_dir / f"{digest}_medium_160k.mp3"
    older.write_bytes(b"x")
    [near] = explain(album, "Album/Track.flac", cache.cache_dir).near
    assert (near.path, near.reason) == (older, "for this path, but at another quality or bitrate")


def test_a_missing_source_that_differs_in_case_is_near(album: Path, cache: AudioCache) -> None:
    explanation = explain(album, "album/track.FLAC", cache.cache_dir)
    assert (explanation.exists, explanation.lossless) == (False, True)
    [near] = explanation.near
    assert near.path == album / "Album/Track.flac"
    assert near.reason == "the same name except for upper and lower case"


def test_a_missing_source_in_another_unicode_form_is_near(
    album: Path, cache: AudioCache, flac: Path
) -> None:
    composed = unicodedata.normalize("NFC", "Ménage à trois.flac")
    shutil.copy(flac, album / composed)
    [near] = explain(album, unicodedata.normalize("NFD", composed), cache.cache_dir).near
    assert near.path == album / composed
    assert "NFC" in near.reason


def test_a_missing_source_of_a_similar_name_is_near(album: Path, cache: AudioCache) -> None:
    [near] = explain(album, "Album/Trak.flac", cache.cache_dir).near
    assert (near.path.name, near.reason) == ("Track.flac", "with a similar name in the same folder")


def test_a_lossy_track_is_called_so(album: Path, cache: AudioCache, mp3: Path) -> None:
    shutil.copy(mp3, album / "x.mp3")
    explanation = explain(album, "x.mp3", cache.cache_dir)
    assert not explanation.lossless
    assert "lossy: played as it is" in text(explanation)


def test_a_missing_cache_is_a_problem_and_is_not_made(album: Path, tmp_path: Path) -> None:
    explanation = explain(album, "Album/Track.flac", tmp_path / "nowhere")
    assert explanation.problem == f"there is no cache directory {tmp_path}/nowhere"
    assert not (tmp_path / "nowhere").exists()


def test_a_source_that_cannot_be_read_is_a_problem(album: Path, cache: AudioCache) -> None:
    explanation = explain(album, "Album", cache.cache_dir)
    assert explanation.problem == "the source cannot be read: Is a directory"


def test_an_entry_that_cannot_be_read_says_why(album: Path, cache: AudioCache) -> None:
    entry = cache.get_cache_path(album / "Album/Track.flac", "low")
    entry.mkdir()
    low = at(explain(album, "Album/Track.flac", cache.cache_dir), "low")
    assert (low.exists, low.verdict) == (True, None)
    assert "Is a directory" in low.reason


def test_a_damaged_source_is_the_reason_for_there_being_no_entry(
    cache: AudioCache, flac: Path, tmp_path: Path
) -> None:
    broken = damaged(flac, tmp_path / "broken.flac", "overwritten")
    with pytest.raises(DamagedSourceError):
        cache.transcode_file(broken, "low")
    found = explain(broken.parent, broken.name, cache.cache_dir)
    reasons = {each.reason for each in found.qualities}
    assert len(reasons) == 1
    assert re.search(r"none is made: the source is damaged at \d\.\d s", reasons.pop())
