from __future__ import annotations

import pytest

from audio_cache import TrafficCount
from mixtape.admin.history import (
    RATES,
    SPANS,
    History,
    Sample,
    Span,
    TrafficRate,
    columns_of,
    hit_rate,
)


def test_counters_become_growth_per_minute_and_gauges_stay_as_they_are() -> None:
    before = Sample(at_s=100.0, hits=5, sent_bytes=1000, encoders=3, cache_bytes=10)
    after = Sample(at_s=220.0, hits=9, sent_bytes=4000, encoders=1, cache_bytes=70)
    columns = columns_of([before, after])
    assert columns["at_s"] == [220.0]
    assert columns["hits"] == [2.0]
    assert columns["sent_bytes"] == [1500.0]
    assert columns["encoders"] == [1]
    assert columns["cache_bytes"] == [70]


def test_growth_is_that_of_the_last_minute_so_that_one_play_is_no_spike() -> None:
    samples = [Sample(at_s=10.0 * step, hits=step >= 3) for step in range(12)]
    columns = columns_of(samples)
    assert columns["hits"] == [0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0]


def test_fewer_than_two_samples_draw_nothing() -> None:
    assert columns_of([Sample(at_s=1.0)])["at_s"] == []
    assert set(columns_of([])) == {*Sample.__dataclass_fields__, *RATES}


def test_the_memory_of_a_span_is_bounded() -> None:
    history = History({"short": Span(10.0, 3)})
    for moment in range(0, 100, 10):
        history.add(Sample(at_s=float(moment)))
    assert history.columns("short")["at_s"] == [80.0, 90.0]


def test_each_span_keeps_its_own_distance_between_samples() -> None:
    history = History({"fine": Span(10.0, 9), "coarse": Span(30.0, 9)})
    for moment in range(0, 70, 10):
        history.add(Sample(at_s=float(moment), hits=moment))
    assert history.columns("fine")["at_s"] == [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    assert history.columns("coarse")["at_s"] == [30.0, 60.0]
    assert history.columns("coarse")["hits"] == [30.0, 60.0]


def test_a_clock_that_was_set_back_makes_no_time_go_backwards() -> None:
    history = History({"short": Span(10.0, 9)})
    for moment in (10.0, 20.0, 90.0, 40.0, 50.0):
        history.add(Sample(at_s=moment))
    assert history.columns("short")["at_s"] == [20.0, 40.0, 50.0]


def test_an_unknown_span_is_an_error() -> None:
    with pytest.raises(KeyError):
        History().columns("year")


def test_a_hit_rate_is_of_what_the_cache_was_asked_for() -> None:
    before = TrafficCount(hits=1, live=1, sent_bytes=300, hit_bytes=100)
    after = TrafficCount(4, 2, 0, 7, sent_bytes=1900, hit_bytes=400, bypass_bytes=1000)
    assert hit_rate(after, before) == TrafficRate(plays=0.75, bytes=0.5)
    assert hit_rate(before) == TrafficRate(plays=0.5, bytes=1 / 3)
    assert hit_rate(TrafficCount(bypasses=3, sent_bytes=9, bypass_bytes=9)) == TrafficRate(
        None, None
    )


def test_hit_rates_are_taken_over_longer_than_a_minute_and_are_none_without_plays() -> None:
    hits = [0, 0, 3, 3, 3, 3]
    samples = [
        Sample(at_s=60.0 * step, hits=count, live=step >= 2, sent_bytes=count, hit_bytes=count)
        for step, count in enumerate(hits)
    ]
    columns = columns_of(samples, rate_s=120.0)
    assert columns["hit_rate"] == [None, 0.75, 0.75, None, None]
    assert columns["hit_rate_bytes"] == [None, 1.0, 1.0, None, None]
    assert SPANS["hour"].rate_s < SPANS["day"].rate_s


def test_what_an_index_has_counted_may_begin_anew() -> None:
    samples = [Sample(at_s=60.0 * step, evicted_bytes=size) for step, size in enumerate((5, 0, 2))]
    assert columns_of(samples)["evicted_bytes"] == [0, 2]


def test_without_a_cap_there_is_none_at_any_moment() -> None:
    samples = [Sample(at_s=1.0), Sample(at_s=2.0), Sample(at_s=3.0, cap_bytes=7)]
    assert columns_of(samples)["cap_bytes"] == [None, 7]
