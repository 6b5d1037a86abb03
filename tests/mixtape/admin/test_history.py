from __future__ import annotations

import pytest

from mixtape.admin.history import History, Sample, Span, columns_of


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
    assert set(columns_of([])) == set(Sample.__dataclass_fields__)


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
