"""A server that watches its music folder from its start to its end."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.helpers.host import make_app
from tests.helpers.mixtapes import services_of
from tests.helpers.tracks import find_track, place
from tests.helpers.waiting import LIMIT_S, wait_until


@pytest.mark.parametrize("mode", ["auto", "1"])
def test_a_new_file_is_known_without_anybody_looking(
    tmp_path: Path, music: Path, flac: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("AUDIO_CACHE_WATCH", mode)
    place(flac, music / "1.flac", title="One")
    services = services_of(make_app(tmp_path))
    services.start()
    wait_until(lambda: find_track(services.database, b"1.flac"))
    place(flac, music / "Album" / "2.flac", title="Two")
    wait_until(lambda: find_track(services.database, b"Album/2.flac"))
    services.close()
    services.scanner.wait(LIMIT_S)
    assert not any(thread.name == "source watch" for thread in threading.enumerate())


def test_a_server_that_does_not_watch_has_scanned_at_its_start(
    tmp_path: Path, music: Path, flac: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIO_CACHE_WATCH", "off")
    place(flac, music / "1.flac", title="One")
    services = services_of(make_app(tmp_path))
    services.start()
    wait_until(lambda: find_track(services.database, b"1.flac"))
    assert not any(thread.name == "source watch" for thread in threading.enumerate())
    services.close()
    services.scanner.wait(LIMIT_S)
