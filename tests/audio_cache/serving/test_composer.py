"""Files that are composed of tracks: what a range of them takes, and what it gives."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from audio_cache.errors import EncodeError, LiveUnavailableError
from audio_cache.serving.composer import Composer
from audio_cache.serving.composition import Composition, JoinedTracks, TrackCrc, TrackFile
from tests.audio_cache.serving.player import Player
from tests.helpers.waiting import wait_until


@pytest.fixture
def composer(player: Player) -> Composer:
    return Composer(player.playback)


def describe(composer: Composer, path: Path) -> TrackFile:
    return composer.describe(path, "low", os.stat(path))


def ask(composer: Composer, what: Composition, span: str = "") -> Response:
    headers = {"Range": f"bytes={span}"} if span else {}
    request = Request(EnvironBuilder(headers=headers).get_environ())
    return composer.answer(request, what, "application/octet-stream")


def read(composer: Composer, what: Composition, span: str = "") -> bytes:
    response = ask(composer, what, span)
    content = b"".join(response.iter_encoded())
    response.close()
    return content


def rest(player: Player) -> None:
    wait_until(lambda: not player.playback.live.growing(), "the encoders to end")


def test_the_parts_follow_each_other_and_the_length_is_known_first(
    composer: Composer, player: Player, track: Path
) -> None:
    file = describe(composer, track)
    what = Composition((b"head", file, TrackCrc(file), b"tail"))
    assert what.length == 4 + file.length + 4 + 4
    made = read(composer, what)
    rest(player)
    stored = player.entry(track).read_bytes()
    assert made == b"head" + stored + zlib.crc32(stored).to_bytes(4, "little") + b"tail"
    assert describe(composer, track) == file


def test_bytes_that_are_known_take_no_encoder(
    composer: Composer, player: Player, track: Path
) -> None:
    file = describe(composer, track)
    what = Composition((b"head", file, b"tail"))
    assert read(composer, what, "0-3") == b"head"
    assert read(composer, what, "-4") == b"tail"
    assert player.playback.live.busy_encoders == 0
    assert not player.entry(track).exists()


def test_a_download_is_counted_once_with_all_its_bytes_and_is_no_play(
    composer: Composer, player: Player, track: Path
) -> None:
    what = Composition((b"head", describe(composer, track), b"tail"))
    whole = read(composer, what)
    rest(player)
    traffic = player.playback.traffic
    first = traffic.snapshot()
    assert (first.downloads, first.download_bytes) == (1, what.length)
    assert b"".join(read(composer, what, span) for span in ("0-9999", "10000-")) == whole
    assert read(composer, what, "-4") == b"tail"
    found = traffic.snapshot()
    assert (found.downloads, found.download_bytes) == (2, 2 * what.length + 4)
    assert (found.hits, found.live, found.sent_bytes, found.original_bytes) == (0, 0, 0, 0)


def test_a_checksum_is_found_out_once_and_outlives_the_file(
    composer: Composer, player: Player, track: Path
) -> None:
    file = describe(composer, track)
    what = Composition((file, TrackCrc(file)))
    first = read(composer, what, "-4")
    rest(player)
    player.cache.clear_cache()
    assert read(composer, what, "-4") == first
    assert player.playback.live.busy_encoders == 0
    assert not player.entry(track).exists()


def test_a_file_that_was_replaced_is_not_sent_for_another(
    composer: Composer, tmp_path: Path, mp3: Path
) -> None:
    path = tmp_path / "lossy.mp3"
    path.write_bytes(mp3.read_bytes())
    file = describe(composer, path)
    assert file.rendition is None
    path.write_bytes(mp3.read_bytes()[::-1])
    with pytest.raises(FileNotFoundError):
        ask(composer, Composition((file,)))
    with pytest.raises(EncodeError, match="cannot be joined"):
        composer.join([file])


def test_who_may_make_nothing_answers_nothing(
    composer: Composer, player: Player, track: Path
) -> None:
    def refuse() -> None:
        raise LiveUnavailableError("not here")

    player.playback.live.may_make = refuse
    with pytest.raises(LiveUnavailableError):
        ask(composer, Composition((describe(composer, track),)))


def test_joined_tracks_are_one_part_of_a_file(composer: Composer, track: Path) -> None:
    joined = composer.join([describe(composer, track)] * 2)
    assert isinstance(joined, JoinedTracks)
    what = Composition((b"tag", joined))
    whole = read(composer, what)
    assert len(whole) == what.length == 3 + joined.length
    assert read(composer, what, "2000-2999") == whole[2000:3000]


def test_an_entity_tag_tells_what_the_parts_are(composer: Composer, track: Path) -> None:
    file = describe(composer, track)
    compositions = [(file,), (file, file), (b"ab", b"c"), (b"a", b"bc"), (file, b"")]
    assert len({Composition(parts).etag for parts in compositions}) == len(compositions)
