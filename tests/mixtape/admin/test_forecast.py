from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from audio_cache import AudioCache
from mixtape.admin import forecast as forecast_module
from mixtape.admin.forecast import KEPT_S, Forecasts
from tests.helpers.rooms import cache_with_room, plant, play
from tests.helpers.waiting import LIMIT_S


@pytest.fixture
def cache(tmp_path: Path) -> AudioCache:
    """Return a cache with a cap, of which one object was played three times."""
    cache = cache_with_room(tmp_path / "cache", "3MB")
    object_id = plant(cache, 1)
    for listener in ("one", "two", "three"):
        play(cache, object_id, listener)
    return cache


def test_a_forecast_tells_what_sizes_give_and_marks_the_cap(cache: AudioCache) -> None:
    forecasts = Forecasts(cache, lambda: 1000.0)
    assert forecasts.latest is None
    forecast = forecasts.begin()
    forecasts.wait(LIMIT_S)
    assert forecasts.latest is forecast
    told = forecast.as_json()
    assert (told["plays"], told["cap_bytes"], told["error"]) == (3, 3_000_000, "")
    assert (told["done"], told["ended_at_s"]) == (told["total"], 1000.0)
    rates = {rate["size_bytes"]: rate for rate in told["rates"]}
    assert rates[3_000_000] == {"size_bytes": 3_000_000, "plays": 0.6667, "bytes": 0.6667}


def test_nothing_played_is_a_forecast_without_rates(tmp_path: Path) -> None:
    forecasts = Forecasts(cache_with_room(tmp_path / "cache", ""))
    forecast = forecasts.begin()
    forecasts.wait(LIMIT_S)
    told = forecast.as_json()
    assert (told["plays"], told["cap_bytes"], told["rates"]) == (0, None, [])


def test_there_is_one_at_a_time_and_it_tells_how_far_it_is(
    cache: AudioCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()
    made = []

    def look_ahead(*_: object, on_replay: Callable[[int, int], None], **__: object) -> None:
        made.append(1)
        on_replay(2, 10)
        begun.set()
        assert may_end.wait(LIMIT_S)
        raise OSError("the disk is gone")

    monkeypatch.setattr(forecast_module, "look_ahead", look_ahead)
    forecasts = Forecasts(cache)
    first = forecasts.begin()
    assert begun.wait(LIMIT_S)
    assert forecasts.begin() is first
    assert forecasts.latest is first
    assert (first.as_json()["done"], first.as_json()["total"]) == (2, 10)
    assert first.as_json()["ended_at_s"] is None
    may_end.set()
    forecasts.wait(LIMIT_S)
    assert made == [1]
    assert first.as_json()["error"] == "the disk is gone"
    assert first.as_json()["rates"] == []


def test_a_defect_ends_it_and_the_next_one_can_begin(
    cache: AudioCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecasts = Forecasts(cache)
    with monkeypatch.context() as broken:
        broken.setattr(forecast_module, "look_ahead", lambda *_, **__: 1 / 0)
        first = forecasts.begin()
        forecasts.wait(LIMIT_S)
    assert "defect" in first.error
    second = forecasts.begin()
    forecasts.wait(LIMIT_S)
    assert second is not first
    assert second.outlook is not None


def test_a_result_is_kept_for_some_minutes(cache: AudioCache) -> None:
    clock = [1000.0]
    forecasts = Forecasts(cache, lambda: clock[0])
    forecast = forecasts.begin()
    forecasts.wait(LIMIT_S)
    clock[0] += KEPT_S - 1
    assert forecasts.latest is forecast
    clock[0] += 1
    assert forecasts.latest is None
