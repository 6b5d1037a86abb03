"""The entity tag, which is the id of the bytes, and the tags of the source that are in them."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import mutagen.flac
import mutagen.id3
import mutagen.mp3
import pytest

from audio_cache.serving.playback import Playback
from audio_cache.store.facts import FILE_NAME
from tests.audio_cache.serving.player import HIT, LIVE, Answer, Player
from tests.helpers.audio import make_noise

PRIVATE = {"comment": "for Anna only", "encodedby": "the study", "description": "gift"}


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Return a WAV, which tells only to who reads all of it which audio it holds."""
    return make_noise(tmp_path / "recording.wav", samples=220_500, codec="pcm_s16le")


def if_range(player: Player, path: Path, etag: str) -> Answer:
    return player.play(path, Range="bytes=1000-1999", If_Range=etag)


def anew(player: Player) -> None:
    """Go on as another process on the same cache would, which remembers nothing."""
    player.playback = Playback(player.cache, player.settings, player.live)


def test_a_wav_has_a_provisional_tag_until_it_is_complete_and_then_both_hold(
    player: Player, recording: Path
) -> None:
    live = player.play(recording)
    early = live.headers["ETag"]
    player.rest()
    rendition = player.cache.recall(player.cache.get_rendition(recording, "low"))
    hit = player.play(recording)
    assert (live.cache_status, hit.cache_status) == (LIVE, HIT)
    assert (early, hit.headers["ETag"]) == (f'"{rendition.token}"', f'"{rendition.id}"')
    assert live.body == hit.body
    for _ in range(2):
        part = if_range(player, recording, early)
        assert (part.status, part.cache_status) == (206, HIT)
        assert part.body == live.body[1000:2000]
        assert part.headers["ETag"] == f'"{rendition.id}"'
        assert player.play(recording, If_None_Match=early).status == 304
        assert player.play(recording, If_Match=early).status == 200
        anew(player)


def test_once_an_id_is_known_a_file_that_was_deleted_is_live_under_it(
    player: Player, recording: Path
) -> None:
    live = player.play(recording)
    player.rest()
    tag = player.play(recording).headers["ETag"]
    player.cache.clear_cache()
    again = player.play(recording, method="HEAD")
    assert (again.cache_status, again.headers["ETag"]) == (LIVE, tag)
    for known in (tag, live.headers["ETag"]):
        part = if_range(player, recording, known)
        assert (part.status, part.cache_status) == (206, LIVE)
        assert part.body == live.body[1000:2000]
        player.cache.clear_cache()
    player.rest()


def test_without_its_index_a_cache_knows_the_id_and_the_provisional_tag_again(
    player: Player, recording: Path
) -> None:
    early = player.play(recording).headers["ETag"]
    player.rest()
    tag = player.play(recording).headers["ETag"]
    player.cache.facts.close()
    for path in player.cache.cache_dir.glob(f"{FILE_NAME}*"):
        path.unlink()
    again = Player(player.cache.cache_dir.parent)
    assert again.play(recording, method="HEAD").cache_status == HIT
    assert again.play(recording).headers["ETag"] == tag
    assert if_range(again, recording, early).status == 206
    again.cache.facts.close()


def test_a_provisional_tag_holds_no_more_once_other_audio_is_in_the_file(
    player: Player, recording: Path
) -> None:
    early = player.play(recording).headers["ETag"]
    player.rest()
    make_noise(recording, samples=220_500, codec="pcm_s16le", seed=1)
    replaced = if_range(player, recording, early)
    assert (replaced.status, replaced.cache_status) == (200, LIVE)
    player.rest()
    assert if_range(player, recording, early).status == 200
    assert player.play(recording, If_Match=early).status == 412


def test_a_flac_has_one_tag_before_while_and_after_under_any_name_and_date(
    player: Player, track: Path, tmp_path: Path
) -> None:
    tags = {player.play(track, method="HEAD").headers["ETag"], player.play(track).headers["ETag"]}
    player.rest()
    copy = Path(shutil.copyfile(track, tmp_path / "copy.flac"))
    os.utime(copy, (1, 1))
    other = Player(tmp_path / "elsewhere")
    plays = [player.play(track), player.play(copy), other.play(copy, method="HEAD")]
    assert tags | {play.headers["ETag"] for play in plays} == tags
    assert len(tags) == 1


def read_tags(body: bytes) -> dict[str, list[str]]:
    """Return the texts in the ID3 tag of an MP3, by frame."""
    frames = mutagen.id3.ID3(io.BytesIO(body))
    return {
        key: list(map(str, frame.text))
        for key, frame in frames.items()
        if key != "PRIV" and hasattr(frame, "text")
    }


def tag_source(path: Path, **tags: str) -> None:
    file = mutagen.flac.FLAC(path)
    file.delete()
    file.update({name: [text] for name, text in tags.items()})
    file.save()


def test_the_usual_tags_go_with_the_file_and_private_ones_stay_at_home(
    player: Player, track: Path
) -> None:
    usual = {"title": "A", "artist": "B", "album": "C", "albumartist": "D", "genre": "E"}
    gain = {"replaygain_track_gain": "-6.5 dB", "replaygain_album_peak": "0.98"}
    tag_source(track, **usual, **gain, tracknumber="3", date="2024", **PRIVATE, owner="Anna")
    plays = [player.play(track)]
    player.rest()
    plays.append(player.play(track))
    for play in plays:
        found = read_tags(play.body)
        texts = {text for values in found.values() for text in values}
        assert {*usual.values(), *gain.values(), "3", "2024"} <= texts
        for text in (*PRIVATE.values(), "Anna"):
            assert text.encode() not in play.body
            assert text.encode("utf-16-le") not in play.body
            assert text.encode("utf-16-be") not in play.body


def test_a_setting_decides_which_tags_travel(tmp_path: Path, track: Path) -> None:
    tag_source(track, title="A", artist="B", comment="to all", replaygain_track_gain="-6.5 dB")
    player = Player(tmp_path, tags=("title", "comment"))
    body = player.play(track).body
    player.rest()
    assert sorted(text for values in read_tags(body).values() for text in values) == ["A", "to all"]


def test_a_tag_that_stays_at_home_may_change_without_another_id(
    player: Player, track: Path
) -> None:
    tag_source(track, title="A", comment="one")
    first = player.play(track)
    player.rest()
    tag_source(track, title="A", comment="two")
    second = player.play(track)
    assert second.cache_status == HIT
    assert (second.headers["ETag"], second.body) == (first.headers["ETag"], first.body)
    assert len(player.ffmpeg.starts()) == 1
