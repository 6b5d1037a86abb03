"""What a listener gets of a damaged track: as much as there is, marked, and never kept."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from audio_cache import AudioCache
from audio_cache.encoding.ffmpeg import find_ffmpeg
from audio_cache.encoding.survey import Damage, survey
from audio_cache.errors import DamagedSourceError, EncodeError
from audio_cache.live.encodes import Live
from audio_cache.sources.source import read_source, version_of
from audio_cache.store import damaged_sources
from tests.audio_cache.serving.player import BYPASS, LIVE, ORIGINAL, Answer, Player
from tests.helpers.audio import make_noise
from tests.helpers.damage import damaged, destroy
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.renditions import files_of, undisturbed
from tests.helpers.waiting import wait_until

pytestmark = pytest.mark.slow
SECONDS = 30
DAMAGE = "Audio-Cache-Damage"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_noise(tmp_path_factory.mktemp("sound") / "sound.flac", samples=SECONDS * 44_100)


@pytest.fixture
def broken(sound: Path, tmp_path: Path) -> Path:
    return damaged(sound, tmp_path / "broken.flac", "overwritten")


def meet_damage(player: Player, track: Path, **headers: str) -> None:
    with pytest.raises(DamagedSourceError, match="is damaged at"):
        player.play(track, **headers)
    player.rest()


def damage_of(answer: Answer) -> dict[str, float]:
    """Return what the header says, in seconds."""
    pairs = (each.split("=") for each in answer.headers[DAMAGE].split(", "))
    return {name: float(seconds) for name, seconds in pairs}


def test_the_answer_that_meets_damage_is_cut_and_the_next_is_all_that_can_be_had(
    player: Player, broken: Path, sound: Path, tmp_path: Path
) -> None:
    meet_damage(player, broken)
    answer = player.play(broken)
    assert (answer.status, answer.cache_status) == (200, LIVE)
    whole = undisturbed(sound, tmp_path)
    assert len(answer.body) == int(answer.headers["Content-Length"]) == len(whole)
    assert answer.body[: len(whole) // 3] == whole[: len(whole) // 3]
    assert answer.body[-len(whole) // 3 :] == whole[-len(whole) // 3 :]


def test_what_is_made_of_a_damaged_source_is_marked_and_never_kept(
    player: Player, broken: Path
) -> None:
    meet_damage(player, broken)
    answer = player.play(broken)
    player.rest()
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    said = damage_of(answer)
    assert 14 < said["at"] < 16
    assert said["until"] == SECONDS
    assert said["lost"] + said["heard"] == pytest.approx(SECONDS)
    assert files_of(player.cache.cache_dir) == []
    assert not player.cache.is_cached(broken, "low")


def test_ranges_are_slices_of_it_and_no_condition_holds(player: Player, broken: Path) -> None:
    meet_damage(player, broken)
    whole = player.play(broken).body
    for start in (0, 1000, len(whole) // 2, len(whole) - 10):
        stop = min(start + 20_000, len(whole))
        answer = player.play(broken, Range=f"bytes={start}-{stop - 1}")
        assert (answer.status, answer.body) == (206, whole[start:stop])
    tag = '"0123456789abcdef"'
    assert player.play(broken, Range="bytes=5-9", If_Range=tag).status == 200
    assert player.play(broken, If_Match=tag).status == 412
    assert player.play(broken, If_None_Match=tag).status == 200
    assert player.play(broken, Range="bytes=99999999-").status == 416
    player.rest()


def test_the_second_is_the_same_whoever_finds_it(sound: Path, tmp_path: Path) -> None:
    track = damaged(sound, tmp_path / "broken.flac", "overwritten")
    found = set()
    for number, start in enumerate((0, 200_000, 240_000, 250_000)):
        player = Player(tmp_path / f"{number}")
        with contextlib.suppress(DamagedSourceError):
            player.play(track, Range=f"bytes={start}-")
        player.rest()
        found.add(damage_of(player.play(track, method="HEAD"))["at"])
        player.live.stop()
    cache = AudioCache(tmp_path / "batch")
    with pytest.raises(DamagedSourceError) as caught:
        cache.transcode_file(track, "low")
    assert caught.value.at_s is not None
    assert found == {round(caught.value.at_s, 3)}


def test_a_seek_into_the_damage_is_answered_with_what_there_is(
    player: Player, broken: Path
) -> None:
    answer = player.play(broken, Range="bytes=245000-")
    assert answer.status == 206
    assert len(answer.body) == int(answer.headers["Content-Length"])
    assert damage_of(answer)["lost"] > 1
    player.rest()


def test_of_what_cannot_be_decoded_at_all_the_original_is_sent_and_marked(
    player: Player, sound: Path, tmp_path: Path
) -> None:
    track = tmp_path / "destroyed.flac"
    track.write_bytes(destroy(sound.read_bytes()))
    for _ in range(2):
        answer = player.play(track)
        player.rest()
        assert (answer.cache_status, answer.body) == (ORIGINAL, track.read_bytes())
        assert damage_of(answer) == {"at": 0, "until": 0, "lost": SECONDS, "heard": 0}


def test_the_original_of_a_damaged_track_is_marked_once_that_is_known(
    player: Player, broken: Path
) -> None:
    assert DAMAGE not in player.play(broken, "original").headers
    meet_damage(player, broken)
    answer = player.play(broken, "original")
    assert (answer.cache_status, answer.body) == (BYPASS, broken.read_bytes())
    assert damage_of(answer)["lost"] > 1


def test_a_track_that_was_restored_is_whole_again(
    player: Player, broken: Path, sound: Path, tmp_path: Path
) -> None:
    meet_damage(player, broken)
    shutil.copyfile(sound, broken)
    for _ in range(2):
        answer = player.play(broken)
        player.rest()
        assert DAMAGE not in answer.headers
        assert answer.body == undisturbed(sound, tmp_path)


def test_an_encode_that_succeeds_after_all_takes_the_mark_back(player: Player, track: Path) -> None:
    cache = player.cache
    version = version_of(track.stat())
    wrong = Damage(1.0, 9.0, 0.1, 8.9)
    cache.facts.note_damage(str(track), version, wrong)
    assert cache.damages.of(track, version) == wrong
    assert cache.damages.all() == {track: (version, wrong)}
    cache.transcode_file(track, "low")
    assert cache.damages.of(track, version) is None
    assert cache.damages.all() == {}


@pytest.mark.parametrize("fault", ["exit 1", "exit 127", "kill -9 $$"])
def test_an_ffmpeg_that_fails_marks_no_source(sound: Path, tmp_path: Path, fault: str) -> None:
    cache = AudioCache(tmp_path / "cache", ffmpeg=StubFFmpeg(tmp_path, fault).path)
    with pytest.raises(Exception, match=r"ffmpeg|killed"):
        cache.transcode_file(sound, "low")
    assert cache.damages.all() == {}


def test_a_source_is_surveyed_once(
    player: Player, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meet_damage(player, broken)

    def fail(*_: object) -> None:
        raise AssertionError("surveyed again")

    monkeypatch.setattr("audio_cache.store.damaged_sources.survey", fail)
    with pytest.raises(DamagedSourceError, match=r"is damaged at 1\d\.\d s"):
        player.cache.transcode_file(broken, "low")
    copy = Path(shutil.copyfile(broken, broken.with_name("copy.flac")))
    with pytest.raises(AssertionError, match="surveyed again"):
        player.cache.transcode_file(copy, "low")


def test_a_disk_that_fails_for_a_moment_marks_no_track_as_damaged(
    player: Player, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([Damage(at_s=1.0, until_s=1.0, lost_s=29.0, heard_s=1.0), None])
    monkeypatch.setattr(damaged_sources, "survey", lambda *_: next(looks))
    error = DamagedSourceError("'sound.flac'", "cannot be decoded")
    with pytest.raises(DamagedSourceError), player.cache.damages.explained(sound):
        raise error
    assert next(looks, "both were used") == "both were used"
    assert player.cache.damages.now(sound) is None


@pytest.mark.parametrize("signal", ["SEGV", "TERM", "KILL"])
def test_a_decoder_that_was_ended_says_nothing_of_its_source(
    player: Player, sound: Path, tmp_path: Path, signal: str
) -> None:
    ended = find_ffmpeg(StubFFmpeg(tmp_path / "ended", f"kill -{signal} $$").path)
    with pytest.raises(EncodeError, match=r"signal|killed") as caught:
        survey(read_source(sound), ended)
    assert not isinstance(caught.value, DamagedSourceError)


def test_damage_is_known_by_a_relative_path_too(
    player: Player, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(broken.parent)
    with pytest.raises(DamagedSourceError):
        player.cache.transcode_file(Path(broken.name), "low")
    known = player.cache.damages.now(broken)
    assert known is not None
    assert player.cache.damages.now(Path(broken.name)) == known
    assert player.cache.damages.of(broken.name, version_of(broken.stat())) == known


def test_a_best_effort_ends_soon_after_its_last_listener_has_left(
    player: Player, broken: Path, tmp_path: Path
) -> None:
    meet_damage(player, broken)
    slow = AudioCache(player.cache.cache_dir, ffmpeg=StubFFmpeg(tmp_path / "slow", speed=0.2).path)
    live = Live(slow)
    rendition = replace(slow.get_rendition(broken, "low"), is_best_effort=True)
    answer = live.play(rendition, 0, rendition.length)
    next(answer)
    answer.close()
    # To its end it would take minutes.
    wait_until(lambda: not live.growing(), "the end of what nobody hears")
    live.stop()
    slow.close()
