"""What a listener gets: a cached rendition, a live one, or the original."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import threading
from pathlib import Path

import pytest

from audio_cache.errors import EncodeError, LiveUnavailableError
from audio_cache.quality import QualityLevel
from audio_cache.serving.playback import Playback
from audio_cache.serving.traffic import Traffic, TrafficCount
from audio_cache.sources import source
from audio_cache.sources.source import is_audio_name, media_type
from tests.audio_cache.serving.player import BYPASS, HIT, LIVE, ORIGINAL, Player
from tests.helpers.audio import make_noise, run_ffmpeg
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.renditions import undisturbed
from tests.helpers.tracks import place
from tests.helpers.waiting import LIMIT_S, together


def test_the_file_is_live_then_a_hit_with_the_same_bytes_and_validators(
    player: Player, track: Path
) -> None:
    live = player.play(track)
    player.rest()
    hit = player.play(track)
    assert (live.status, live.cache_status) == (200, LIVE)
    assert (hit.status, hit.cache_status) == (200, HIT)
    assert live.body == hit.body == player.entry(track).read_bytes()
    assert "Last-Modified" not in live.headers
    assert "Last-Modified" not in hit.headers
    for name in ("ETag", "Content-Type", "Content-Length", "Accept-Ranges"):
        assert live.headers[name] == hit.headers[name]
    assert live.headers["Audio-Cache-Rendition"] == hit.headers["Audio-Cache-Rendition"]
    assert hit.headers["Content-Type"] == "audio/mpeg"


def test_the_tag_changes_with_the_tags_of_the_source_but_not_with_its_date(
    player: Player, track: Path
) -> None:
    import mutagen.flac

    player.play(track)
    player.rest()
    before = player.play(track).headers["ETag"]
    file = mutagen.flac.FLAC(track)
    file["title"] = "Another"
    file.save()
    assert player.play(track, method="HEAD").headers["ETag"] != before


def test_a_miss_is_logged_and_a_look_ahead_is_none(
    player: Player, track: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        player.play(track, method="HEAD")
        assert "cache miss" not in caplog.text
        player.play(track)
    assert f"cache miss: {str(track)!r} at low" in caplog.text


def test_on_miss_original_plays_the_original_and_makes_the_file_once_for_the_next(
    tmp_path: Path, track: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Nobody listens to an encode in the background, which is no reason to give it up.
    player = Player(tmp_path, on_miss="original", finish_abandoned=False)
    assert player.play(track, method="HEAD").cache_status == ORIGINAL
    assert player.ffmpeg.starts() == []
    with caplog.at_level(logging.WARNING):
        answers = together(*[lambda: player.play(track)] * 5)
    assert {answer.cache_status for answer in answers} <= {ORIGINAL, HIT}
    assert answers[0].body == track.read_bytes() or answers[0].cache_status == HIT
    assert "cache miss" in caplog.text
    player.rest()
    assert player.play(track).cache_status == HIT
    assert len(player.ffmpeg.starts()) == 1


def test_the_background_encode_stands_back_for_others(tmp_path: Path, track: Path) -> None:
    ffmpeg_log = tmp_path / "nice.log"
    player = Player(tmp_path, on_miss="original", nice=7)
    player.ffmpeg = StubFFmpeg(tmp_path, before=f"nice > {ffmpeg_log}")
    player.play(track)
    player.rest()
    assert int(ffmpeg_log.read_text()) == min(19, os.nice(0) + 7)


def test_encodes_for_listeners_do_not(tmp_path: Path, track: Path) -> None:
    ffmpeg_log = tmp_path / "nice.log"
    player = Player(tmp_path, nice=7)
    player.ffmpeg = StubFFmpeg(tmp_path, before=f"nice > {ffmpeg_log}")
    player.play(track)
    player.rest()
    assert int(ffmpeg_log.read_text()) == os.nice(0)


def test_the_original_is_sent_where_it_is_asked_for(player: Player, track: Path) -> None:
    answer = player.play(track, "original", Range="bytes=4-99")
    assert (answer.status, answer.cache_status) == (206, BYPASS)
    assert answer.body == track.read_bytes()[4:100]
    assert answer.headers["Content-Type"] == "audio/flac"
    size = track.stat().st_size
    assert answer.headers["Audio-Cache-Rendition"] == f"quality=original, source-length={size}"


def test_a_lossy_source_is_sent_as_it_is(player: Player, mp3: Path, data: Path) -> None:
    for path in (mp3, data / "aac.m4a"):
        answer = player.play(path)
        assert (answer.cache_status, answer.body) == (BYPASS, path.read_bytes())
    assert player.ffmpeg.starts() == []


def test_switched_off_it_touches_nothing(tmp_path: Path, track: Path) -> None:
    player = Player(tmp_path, enabled=False)
    player.cache.transcode_file(track, "low")
    assert player.play(track).cache_status == BYPASS
    assert player.play(track).body == track.read_bytes()


def test_a_file_that_somebody_else_made_is_a_hit_unless_it_is_older_than_the_source(
    player: Player, track: Path, mp3: Path
) -> None:
    entry = player.entry(track)
    shutil.copyfile(mp3, entry)
    os.utime(entry, ns=(0, track.stat().st_mtime_ns))
    answer = player.play(track)
    assert (answer.cache_status, answer.body) == (HIT, mp3.read_bytes())
    os.utime(entry, ns=(0, track.stat().st_mtime_ns - 1))
    assert player.play(track, method="HEAD").cache_status == LIVE


def test_an_entry_is_no_hit_when_its_source_is_another(player: Player, track: Path) -> None:
    before = player.play(track)
    player.rest()
    make_noise(track, samples=132_300, seed=3)
    os.utime(track, (1, 1))  # older than the entry, as from a backup
    after = player.play(track)
    assert after.cache_status == LIVE
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.body != before.body


def test_a_source_that_is_touched_moved_or_copied_is_a_hit_with_the_same_tag(
    player: Player, track: Path, tmp_path: Path
) -> None:
    first = player.play(track)
    player.rest()
    os.utime(track, (1, 1))
    plays = [player.play(track), player.play(Path(shutil.copyfile(track, tmp_path / "copy.flac")))]
    plays.append(player.play(track.rename(tmp_path / "moved.flac")))
    assert {(play.cache_status, play.body) for play in plays} == {(HIT, first.body)}
    assert {play.headers["ETag"] for play in plays} == {first.headers["ETag"]}
    assert len(player.ffmpeg.starts()) == 1


def test_other_tags_alone_are_a_hit_with_another_tag_and_the_same_frames(
    player: Player, track: Path, tmp_path: Path
) -> None:
    first = player.play(track)
    player.rest()
    retagged = place(track, tmp_path / "retagged.flac", title="Another")
    play = player.play(retagged)
    assert play.cache_status == HIT
    assert play.headers["ETag"] != first.headers["ETag"]
    assert play.body[-40_000:] == first.body[-40_000:]
    assert len(player.ffmpeg.starts()) == 1


def test_where_the_disk_has_no_more_than_its_floor_plays_go_on_and_nothing_is_stored(
    track: Path, tmp_path: Path
) -> None:
    full = Player(tmp_path / "full", min_free="100%")
    whole = undisturbed(track, tmp_path)
    play = full.play(track)
    assert (play.status, play.cache_status, play.body) == (200, LIVE, whole)
    full.rest()
    part = full.play(track, Range="bytes=20000-29999")
    assert (part.status, part.body) == (206, whole[20_000:30_000])
    full.rest()
    assert list(full.cache.mp3_files()) == full.cache.partials() == []


def test_an_entry_that_was_cut_short_is_no_hit(player: Player, track: Path) -> None:
    whole = player.play(track).body
    player.rest()
    assert player.play(track).cache_status == HIT
    os.truncate(player.entry(track), 5000)
    answer = player.play(track)
    assert (answer.cache_status, answer.body) == (LIVE, whole)


def test_an_entry_that_cannot_be_read_is_a_miss(player: Player, track: Path) -> None:
    player.entry(track).mkdir()
    answer = player.play(track)
    assert answer.status == 200
    # A directory cannot be replaced either, so what is played is not kept.
    assert answer.cache_status == LIVE
    rendition = player.cache.get_rendition(track, "low")
    assert answer.body == rendition.header + b"".join(rendition.encode())


@pytest.mark.parametrize("span", ["bytes=0-99", "bytes=-1", None])
def test_a_source_that_cannot_be_decoded_is_played_as_it_is(
    player: Player, tmp_path: Path, span: str | None
) -> None:
    path = tmp_path / "odd.flac"
    path.write_bytes(b"fLaC and no more" * 100)
    answer = player.play(path, **({"Range": span} if span else {}))
    assert answer.cache_status == ORIGINAL
    assert answer.status == (206 if span else 200)
    assert path.read_bytes().count(answer.body) >= 1


def test_a_defect_in_reading_the_source_is_logged_and_the_original_played(
    player: Player,
    track: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise IndexError("a tag of no sense")

    monkeypatch.setattr(Playback, "get_rendition", fail)
    answer = player.play(track)
    assert (answer.cache_status, answer.body) == (ORIGINAL, track.read_bytes())
    assert "a tag of no sense" in caplog.text


def test_what_is_no_file_is_not_played(player: Player, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.flac")
    for path in (tmp_path / "missing.flac", tmp_path, tmp_path / "pipe.flac"):
        with pytest.raises(FileNotFoundError):
            player.play(path)


def test_plays_are_counted_by_kind_and_bytes(player: Player, track: Path, mp3: Path) -> None:
    length = len(player.play(track, Range="bytes=0-99").body) and int(
        player.play(track, method="HEAD").headers["Content-Length"]
    )
    player.rest()
    player.play(track)
    player.play(mp3)
    player.play(track, If_None_Match="*")
    size, lossy = track.stat().st_size, mp3.stat().st_size
    assert player.playback.traffic.snapshot() == TrafficCount(
        hits=2,
        live=1,
        bypasses=1,
        sent_bytes=100 + length + lossy,
        original_bytes=round(100 * size / length) + size + lossy,
        hit_bytes=length,
        bypass_bytes=lossy,
    )


def test_a_play_is_one_however_many_parts_a_player_asks_for(player: Player, track: Path) -> None:
    length = int(player.play(track, method="HEAD").headers["Content-Length"])
    # As Safari does: two bytes to see what it is, the beginning, and then a seek.
    for part in ("0-1", "0-", f"{length // 2}-", "100-199", f"{length}-"):
        player.play(track, Range=f"bytes={part}")
        player.rest()
    counted = player.playback.traffic.snapshot()
    assert (counted.hits, counted.live) == (1, 0)
    assert counted.sent_bytes == 2 + length + (length - length // 2) + 100


def test_the_counters_of_many_threads_add_up() -> None:
    traffic = Traffic()
    kinds = ["hit", "fwd=miss; detail=live", "fwd=miss", "fwd=bypass"]

    def count() -> None:
        for _ in range(100):
            for kind in kinds:
                traffic.count(kind, 1, 2)

    together(*[count] * 8)
    assert traffic.snapshot() == TrafficCount(800, 800, 800, 800, 3200, 6400, 800, 800)


def test_ten_listeners_have_the_samples_of_a_doubtful_source_counted_once(
    player: Player, track: Path, tmp_path: Path
) -> None:
    path = tmp_path / "streamed.flac"
    piped = run_ffmpeg("-i", str(track), "-c:a", "flac", "-f", "flac", "pipe:1").stdout
    path.write_bytes(piped)
    assert source.read_source(path).samples is None
    answers = together(*[lambda: player.play(path)] * 10)
    assert len({answer.body for answer in answers}) == 1
    assert answers[0].cache_status == LIVE
    player.rest()
    counts = [each for each in player.ffmpeg.starts() if "s16le" in each.arguments]
    assert len(counts) == 1


def test_a_source_that_cannot_be_counted_is_left_alone_for_a_while(
    player: Player, tmp_path: Path, track: Path
) -> None:
    path = tmp_path / "odd.flac"
    path.write_bytes(b"fLaC and no more")
    playback = player.playback
    with pytest.raises(EncodeError):
        playback.get_rendition(path, "low", os.stat(path))
    with pytest.raises(LiveUnavailableError, match="a while ago"):
        playback.get_rendition(path, "low", os.stat(path))
    assert len(player.ffmpeg.starts()) <= 1
    shutil.copyfile(track, path)
    assert playback.get_rendition(path, "low", os.stat(path)).length > 0
    gc.collect()
    assert dict(playback._asked) == {}


def test_one_slow_source_does_not_hold_up_another(
    player: Player, track: Path, flac: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playback = player.playback
    may_go_on, has_begun = threading.Event(), threading.Event()
    get = player.cache.get_rendition

    def slow(path: Path, quality: QualityLevel) -> object:
        if path == track:
            has_begun.set()
            assert may_go_on.wait(LIMIT_S)
        return get(path, quality)

    monkeypatch.setattr(player.cache, "get_rendition", slow)
    reader = threading.Thread(target=playback.get_rendition, args=(track, "low", os.stat(track)))
    reader.start()
    assert has_begun.wait(LIMIT_S)
    assert playback.get_rendition(flac, "low", os.stat(flac)).source.path == flac
    may_go_on.set()
    reader.join(LIMIT_S)
    gc.collect()
    assert dict(playback._asked) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.FLAC", "audio/flac"),
        ("a.m4a", "audio/mp4"),
        ("a.wv", "audio/x-wavpack"),
        ("a.mp3", "audio/mpeg"),
        ("a.bin", "application/octet-stream"),
    ],
)
def test_media_types(name: str, expected: str) -> None:
    assert media_type(Path(name)) == expected


def test_a_music_folder_holds_files_that_are_not_for_listeners() -> None:
    names = ["a.flac", "a.Mp3", "a.opus", "a.au"]
    assert [is_audio_name(Path(name)) for name in names] == [True] * 4
    names = ["notes.txt", "library.db", ".htpasswd", "cover.jpg", "flac", "", "a.flac.part"]
    assert [is_audio_name(Path(name)) for name in names] == [False] * 7
