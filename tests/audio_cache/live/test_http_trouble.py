"""Sources, disks and encoders that give trouble: what a player gets over HTTP."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.audio_cache.live.site import LIVE, ORIGINAL, Site, own_site
from tests.helpers.disks import small_disk
from tests.helpers.renditions import files_under


def test_a_source_that_breaks_off_ends_the_connection_and_then_what_there_is_is_played(
    site: Site,
) -> None:
    content = site.track.read_bytes()
    part = site.part
    site.track.unlink()
    site.track.write_bytes(content[: len(content) // 2])
    cut = site.server.play(site.track.name)
    assert (cut.status, cut.cache_status, cut.is_cut_short) == (200, LIVE, True)
    assert int(cut.headers["Content-Length"]) == len(site.whole)
    assert len(site.whole) // 4 < len(cut.body) < len(site.whole) * 3 // 4
    again = site.server.play(site.track.name)
    assert (again.status, again.cache_status, again.is_cut_short) == (200, LIVE, False)
    assert again.body[: len(cut.body)] == cut.body
    assert len(again.body) == len(site.whole)
    assert "ETag" not in again.headers
    assert again.headers["Audio-Cache-Damage"].startswith("at=")
    assert f"{site.track.name}' is damaged at " in site.server.log
    assert not part.exists()


@pytest.mark.parametrize("name", ["nothing.flac", "empty.flac", "odd.flac"])
def test_a_source_that_cannot_be_encoded_is_played_as_it_is(
    site: Site, data: Path, name: str
) -> None:
    source = site.server.music / name
    source.write_bytes((data / name).read_bytes() if name != "odd.flac" else b"fLaC and no more")
    for span in (None, "0-9", "-1"):
        answer = site.server.play(name, span=span)
        assert answer.cache_status == ORIGINAL
        assert answer.status in ({200, 206} if source.stat().st_size else {200, 416})
    assert f"{name}' is played as the original" in site.server.log
    # Only the first play looked into it.
    assert len([start for start in site.ffmpeg.starts() if f"/{name} " in start.arguments]) <= 1


def test_a_lossy_source_is_played_as_it_is(site: Site, mp3: Path) -> None:
    shutil.copyfile(mp3, site.server.music / "lossy.mp3")
    answer = site.server.play("lossy.mp3", "low")
    assert (answer.status, answer.cache_status) == (200, "audio-cache; fwd=bypass")
    assert answer.body == mp3.read_bytes()
    assert answer.headers["Content-Type"] == "audio/mpeg"


def test_with_no_ffmpeg_the_original_is_played(tmp_path: Path, track: Path) -> None:
    with own_site(tmp_path, track) as site:
        site.server.ask("/small")
        site.ffmpeg.path.unlink()
        answer = site.server.play("track.flac")
        assert (answer.status, answer.cache_status) == (200, ORIGINAL)
        assert answer.body == site.track.read_bytes()
        assert "'track.flac" not in site.server.log
        assert (
            "track.flac' is played as the original: cannot play live: cannot start"
            in site.server.log
        )


def test_with_a_full_disk_tracks_are_played_live_and_not_kept(
    tmp_path: Path, track: Path, whole: bytes
) -> None:
    with small_disk(tmp_path / "data", "size=200k"), own_site(tmp_path, track) as site:
        for _ in range(2):
            answer = site.server.play("track.flac", span="0-")
            assert (answer.status, answer.cache_status) == (206, LIVE)
            assert answer.body == whole
        assert "the disk has" in site.server.log
        assert [name for name in files_under(site.server.cache_dir) if ".mp3" in name] == []


@pytest.mark.slow
def test_when_all_encoders_are_busy_a_new_listener_gets_the_original(
    tmp_path: Path, track: Path
) -> None:
    busy = {"AUDIO_CACHE_MAX_LIVE": 1, "AUDIO_CACHE_LIVE_WAIT_S": 0.1}
    with own_site(tmp_path, track, speed=0.5, **busy) as site:
        shutil.copyfile(track, site.server.music / "other.flac")
        with site.server.open("track.flac") as first:
            assert first.recv(9) == b"HTTP/1.1 "
            answer = site.server.play("other.flac")
            assert (answer.status, answer.cache_status) == (200, ORIGINAL)
            assert answer.body == track.read_bytes()
            assert "all encoders for listeners are busy" in site.server.log
            assert site.server.play("track.flac", span="0-99").body == site.whole[:100]
            # Its second encoder would be one too many, so this waits for the file.
            far = len(site.whole) // 16
            assert site.server.play("track.flac", span=f"{far}-{far}").cache_status == LIVE
        assert len(site.ffmpeg.starts()) == 1
