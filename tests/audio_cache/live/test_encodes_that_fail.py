"""Encodes that fail or find no place: what listeners are told, and when it is tried again."""

from __future__ import annotations

import errno
import logging
import os
import threading
from pathlib import Path

import pytest

from audio_cache.errors import EncodeError, LiveUnavailableError
from audio_cache.store.partial import Partial
from tests.audio_cache.live.house import House, is_idle, low, read
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.waiting import LIMIT_S, wait_until


def test_a_source_that_cannot_be_encoded_is_left_alone_for_a_while(
    house: House, fast: StubFFmpeg, data: Path
) -> None:
    live = house.live(fast)
    rendition = low(live, data / "truncated.flac")
    with pytest.raises((LiveUnavailableError, EncodeError)):
        read(live.play(rendition, 0, rendition.length))
    wait_until(is_idle(live))
    with pytest.raises(LiveUnavailableError, match="failed a while ago"):
        live.play(rendition, 0, rendition.length)
    assert len(fast.encodes()) == 1
    assert house.files() == set()


def test_a_source_that_failed_is_tried_again_later(
    house: House, fast: StubFFmpeg, track: Path, tmp_path: Path, whole: bytes
) -> None:
    live = house.live(fast, retry_after_s=0)
    damaged = tmp_path / "track.flac"
    damaged.write_bytes(track.read_bytes()[: track.stat().st_size // 200])
    rendition = low(live, damaged)
    for _ in range(2):
        with pytest.raises((LiveUnavailableError, EncodeError)):
            read(live.play(rendition, 0, rendition.length))
        wait_until(is_idle(live))
    assert len(fast.encodes()) == 2


def test_a_failure_in_the_middle_ends_the_answer_with_an_error(
    house: House, fast: StubFFmpeg, track: Path, tmp_path: Path, whole: bytes
) -> None:
    live = house.live(fast)
    damaged = tmp_path / "cut.flac"
    damaged.write_bytes(track.read_bytes()[: track.stat().st_size // 2])
    rendition = low(live, damaged)
    pieces = []
    answer = live.play(rendition, 0, rendition.length)
    with pytest.raises(EncodeError, match=r"cut\.flac"):
        pieces.extend(answer)
    answer.close()
    header = len(rendition.header)
    made = b"".join(pieces)[header:]
    assert len(made) > rendition.length // 3
    assert whole[-rendition.length + header :].startswith(made[:-2000])
    assert house.files() == set()


def test_an_encode_that_fails_is_logged(
    house: House, fast: StubFFmpeg, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    live = house.live(fast)
    rendition = low(live, data / "truncated.flac")
    with caplog.at_level(logging.WARNING), pytest.raises((LiveUnavailableError, EncodeError)):
        read(live.play(rendition, 0, rendition.length))
    assert "live encode failed" in caplog.text
    assert "truncated.flac" in caplog.text


def test_with_a_full_disk_a_listener_has_an_encoder_of_his_own_and_the_next_is_kept(
    house: House,
    fast: StubFFmpeg,
    track: Path,
    whole: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    with monkeypatch.context() as patch:
        patch.setattr(Partial, "append", fail_with_full_disk)
        assert read(live.play(rendition, 0, rendition.length)) == whole
    assert "No space left" in caplog.text
    wait_until(is_idle(live))
    assert house.files() == set()
    assert read(live.play(rendition, 0, rendition.length)) == whole
    wait_until(is_idle(live))
    assert house.entry(rendition).read_bytes() == whole


def fail_with_full_disk(self: Partial, piece: bytes) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_when_all_encoders_are_busy_a_new_listener_waits_briefly(
    house: House, slow: StubFFmpeg, track: Path, flac: Path
) -> None:
    live = house.live(slow, max_encoders=1, wait_s=0.05)
    first = live.play(low(live, track), 0, 10)
    with pytest.raises(LiveUnavailableError, match="busy"):
        live.play(low(live, flac), 0, 10)
    with pytest.raises(LiveUnavailableError, match="busy"):
        live.start(low(live, flac))
    live.play(low(live, track), 5, 10).close()  # the same file needs no encoder
    first.close()


def test_who_waits_gets_the_place_that_becomes_free(
    house: House, fast: StubFFmpeg, track: Path, flac: Path
) -> None:
    live = house.live(fast, max_encoders=1, wait_s=LIMIT_S)
    first = live.play(low(live, track), 0, 10)
    rendition = low(live, flac)
    assert len(read(live.play(rendition, 0, rendition.length))) == rendition.length
    first.close()


def test_a_thread_that_cannot_start_costs_no_place(
    house: House, fast: StubFFmpeg, track: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    live = house.live(fast)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(LiveUnavailableError, match="can't start new thread"):
            live.play(low(live, track), 0, 10)
    assert (live.busy_encoders, live.growing()) == (0, [])
    live.play(low(live, track), 0, 10).close()
