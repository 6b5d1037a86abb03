from __future__ import annotations

import gc
import shutil
import threading
import weakref
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from audio_cache import AudioCache
from audio_cache.store.entry import PARTIAL_FOLDER
from mixtape.admin import monitor as monitor_module
from mixtape.admin.monitor import COUNT_EVERY_S, Monitor
from tests.helpers.audio import make_audio
from tests.helpers.host import make_app
from tests.helpers.waiting import LIMIT_S


class Clock:
    def __init__(self) -> None:
        self.at_s = 1_000_000.0

    def __call__(self) -> float:
        return self.at_s


class Counts:
    """Counts how often a cache's directory is walked, whatever monitors of other tests still do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, monitor: Monitor) -> None:
        self.number = 0
        real = monitor_module.gather_stats

        def gather_stats(cache: AudioCache) -> object:
            self.number += cache is monitor.state.cache
            return real(cache)

        monkeypatch.setattr(monitor_module, "gather_stats", gather_stats)


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return make_app(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def monitor(app: Flask, clock: Clock) -> Monitor:
    return Monitor(app.extensions["audio_cache"], clock)


def put_foreign_entry(monitor: Monitor, digit: str) -> None:
    name = f"{digit * 32}_low_128k.mp3"
    (monitor.state.cache.cache_dir / name).write_bytes(bytes(100))


def test_what_is_read_often_is_counted_seldom(
    monitor: Monitor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Counts(monkeypatch, monitor)
    monitor.look()
    put_foreign_entry(monitor, "a")
    for _ in range(20):
        monitor.look()
        assert monitor.census().stats.entries == 0
    assert counts.number == 1
    clock.at_s += COUNT_EVERY_S
    monitor.look()
    assert counts.number == 2
    assert monitor.census().stats.entries == 1


def test_a_directory_that_did_not_change_is_not_counted_again(
    monitor: Monitor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Counts(monkeypatch, monitor)
    monitor.state.cache.facts.entries()  # as the first lookup does, this makes the index
    for _ in range(5):
        monitor.look()
        clock.at_s += 10 * COUNT_EVERY_S
    assert counts.number == 1


def test_a_file_that_begins_to_grow_is_counted_though_no_entry_comes_or_goes(
    monitor: Monitor, clock: Clock
) -> None:
    folder = monitor.state.cache.cache_dir / PARTIAL_FOLDER
    folder.mkdir()
    monitor.look()
    clock.at_s += COUNT_EVERY_S
    monitor.look()
    (folder / "x.mp3.0.part").write_bytes(bytes(10))
    clock.at_s += COUNT_EVERY_S
    monitor.look()
    assert monitor.census().stats.partial_bytes == 10


def test_files_that_grow_are_counted_though_the_directory_does_not_change(
    monitor: Monitor, clock: Clock
) -> None:
    partial = monitor.state.cache.cache_dir / "x.mp3.part"
    partial.write_bytes(bytes(10))
    monitor.look()
    partial.write_bytes(bytes(50))
    clock.at_s += COUNT_EVERY_S
    monitor.look()
    assert monitor.census().stats.partial_bytes == 50


def test_a_recount_is_made_with_the_next_look(monitor: Monitor) -> None:
    monitor.look()
    put_foreign_entry(monitor, "b")
    monitor.recount()
    monitor.look()
    assert monitor.census().stats.foreign_bytes == 100


def test_stock_is_taken_with_a_look_and_not_when_it_is_asked_for(
    monitor: Monitor, clock: Clock
) -> None:
    assert monitor.stock().heads == 0
    monitor.state.cache.heads.keep("0" * 48, bytes(1000))
    assert monitor.stock().heads == 0
    clock.at_s += 10 * COUNT_EVERY_S
    monitor.look()
    assert (monitor.stock().heads, monitor.stock().head_bytes) == (1, 1000)
    assert monitor.sample().used_bytes == monitor.stock().usage.used_bytes > 1000


def test_stock_that_took_long_is_left_to_rest(
    monitor: Monitor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    real = monitor_module.take_stock
    monkeypatch.setattr(
        monitor_module, "take_stock", lambda cache: (taken.append(cache), real(cache))[1]
    )
    monitor.look()
    assert monitor._inventory is not None
    monitor._inventory = replace(monitor._inventory, took_s=2.0)
    clock.at_s += 99
    monitor.look()
    # Monitors of other tests may not have ended yet.
    assert taken.count(monitor.state.cache) == 1
    clock.at_s += 1
    monitor.look()
    assert taken.count(monitor.state.cache) == 2


def test_a_cache_directory_that_is_gone_counts_as_empty(monitor: Monitor) -> None:
    shutil.rmtree(monitor.state.cache.cache_dir)
    monitor.look()
    assert monitor.census().stats.entries == 0
    assert monitor.disk().total_bytes == 0
    assert monitor.stock().usage.used_bytes == 0


def test_a_sample_has_the_traffic_and_the_cache(
    app: Flask, monitor: Monitor, tmp_path: Path
) -> None:
    source = make_audio(tmp_path / "music" / "a.flac", samples=44_100)
    for quality in ("low", "low", "original"):
        with app.test_client().get(f"/play/a.flac?quality={quality}") as answer:
            assert answer.get_data()
        # The first play's encoder may be about to put its file in place.
        monitor.state.cache.transcode_file(source, "low")
    sample = monitor.sample()
    assert (sample.hits, sample.live, sample.bypasses) == (1, 1, 1)
    assert sample.sent_bytes < sample.original_bytes
    assert sample.original_bytes == pytest.approx(3 * source.stat().st_size, abs=3)
    assert sample.free_bytes > 0


def test_the_first_request_starts_the_watching_once(app: Flask) -> None:
    monitor: Monitor = app.extensions["mixtape_monitor"]
    before = {thread for thread in threading.enumerate() if thread.name == "monitor"}
    for _ in range(3):
        app.test_client().get("/healthz")
    started = {thread for thread in threading.enumerate() if thread.name == "monitor"} - before
    assert len(started) == 1
    assert monitor.census().at_s


def test_a_monitor_that_is_forgotten_ends_its_thread(app: Flask) -> None:
    monitor = Monitor(app.extensions["audio_cache"])
    monitor.start()
    thread, gone = monitor._thread, weakref.ref(monitor)
    assert thread is not None
    del monitor
    gc.collect()
    thread.join(LIMIT_S)
    assert not thread.is_alive()
    assert gone() is None
