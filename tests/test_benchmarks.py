"""What benchmarks compute rather than measure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.result import Result
from benchmarks.site_model import HOUR_S, Parameters, Site
from benchmarks.site_simulation import make_result

SMALL = Parameters(
    tracks=2_000,
    nodes=5,
    days=3,
    plays_a_day=2_000,
    mixtapes_a_day=400,
    disk_bytes=20e9,
    encoding_speed=10,
    warm_up_at_s=30 * HOUR_S,
    fails_at_s=30.2 * HOUR_S,
    returns_at_s=36 * HOUR_S,
)


def simulate(parameters: Parameters, seed: int = 1) -> Site:
    site = Site(parameters, seed)
    site.run()
    return site


def test_a_simulation_of_the_same_seed_is_the_same() -> None:
    one, same, other = simulate(SMALL), simulate(SMALL), simulate(SMALL, seed=2)
    assert one.hours == same.hours
    assert repr(make_result(one)) == repr(make_result(same))
    assert one.hours != other.hours


def test_a_simulated_warm_up_reaches_each_track_in_spite_of_a_node_that_fails() -> None:
    site = simulate(SMALL)
    assert site.handed_out_again > 0
    assert site.stored_share[-1] == 1
    assert all(site.encodes)
    assert sum(hour.plays for hour in site.hours) == SMALL.days * SMALL.plays_a_day
    assert sum(hour.live for hour in site.hours[-24:]) == 0


def test_a_simulated_node_without_room_refuses_the_library() -> None:
    site = simulate(replace(SMALL, disk_bytes=1e8))
    assert site.refused > 0
    assert site.stored_share[-1] < 1


def test_the_courses_of_a_result_are_drawn_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is missing: pip install matplotlib")
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    result: Result = make_result(simulate(SMALL))
    report.save("site", result, "")
    assert (tmp_path / "site.png").read_bytes().startswith(b"\x89PNG")
    assert "site.png" in (tmp_path / "RESULTS.md").read_text("utf-8")
