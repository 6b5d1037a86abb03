"""What Auto chooses and what it measures: the page's own modules, asked alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.helpers.host import PASSWORD, make_app
from tests.helpers.looks import new_visitor
from tests.helpers.waiting import LIMIT_MS
from tests.helpers.web import served

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

UNKNOWN = {
    "start": "medium",
    "best": "",
    "saveData": False,
    "type": "",
    "effectiveType": "",
    "downlink": 0,
    "measured": 0,
    "stalledAt": "",
}


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Return a page of the site, which its modules can be loaded into."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MUSIC_ROOT", "DATA_ROOT", "SECRET_KEY"):
            patch.delenv(name, raising=False)
        app = make_app(tmp_path_factory.mktemp("modules"), password=PASSWORD)
    with served(app) as address:
        context = new_visitor(browser)
        context.set_default_timeout(LIMIT_MS)
        page = context.new_page()
        page.goto(f"{address}/login")
        yield page
        context.close()


def choose(page: Page, **evidence: Any) -> object:
    return page.evaluate(
        "async (evidence) => "
        "(await import('/static/js/player/auto-quality.js')).chooseQuality(evidence)",
        {**UNKNOWN, **evidence},
    )


@pytest.mark.parametrize(
    ("evidence", "quality"),
    [
        ({}, "medium"),
        ({"start": "low"}, "low"),
        ({"start": "original"}, "medium"),
        ({"measured": 20_000}, "high"),
        ({"measured": 512}, "high"),
        ({"measured": 511}, "medium"),
        ({"measured": 384}, "medium"),
        ({"measured": 383}, "low"),
        ({"measured": 10}, "low"),
        ({"downlink": 10_000}, "high"),
        ({"downlink": 600}, "medium"),
        ({"downlink": 100}, "low"),
        ({"downlink": 10_000, "measured": 100}, "low"),
        ({"downlink": 100, "measured": 10_000}, "high"),
        ({"saveData": True, "measured": 90_000}, "low"),
        ({"effectiveType": "slow-2g", "measured": 90_000}, "low"),
        ({"effectiveType": "2g"}, "low"),
        ({"effectiveType": "4g", "measured": 90_000}, "high"),
        ({"type": "cellular", "measured": 90_000}, "medium"),
        ({"type": "cellular", "measured": 100}, "low"),
        ({"type": "wifi", "measured": 90_000}, "high"),
        ({"measured": 90_000, "stalledAt": "high"}, "medium"),
        ({"measured": 90_000, "stalledAt": "medium"}, "low"),
        ({"measured": 90_000, "stalledAt": "low"}, "low"),
        ({"measured": 100, "stalledAt": "high"}, "low"),
        # What is made ahead is the most that is asked for.
        ({"measured": 90_000, "best": "medium"}, "medium"),
        ({"measured": 90_000, "best": "high"}, "high"),
        ({"measured": 100, "best": "medium"}, "low"),
        ({"start": "high", "best": "low"}, "low"),
        ({"measured": 90_000, "stalledAt": "medium", "best": "medium"}, "low"),
        ({"measured": 90_000, "best": "original"}, "high"),
    ],
)
def test_auto_chooses_what_the_connection_bears(
    page: Page, evidence: dict[str, Any], quality: str
) -> None:
    assert choose(page, **evidence) == quality


def measure(page: Page, steps: list[list[float]]) -> list[float]:
    """Return the kbit/s after each (second, bytes); a negative number of bytes means a rest."""
    return page.evaluate(  # type: ignore[no-any-return]
        """async (steps) => {
          const { Throughput } = await import('/static/js/player/connection.js');
          let now = 0;
          const throughput = new Throughput(() => now);
          return steps.map(([second, bytes]) => {
            now = second;
            if (bytes < 0) throughput.pause();
            else throughput.add(bytes);
            return Math.round(throughput.kbits);
          });
        }""",
        steps,
    )


def test_the_pace_is_measured_while_the_buffer_fills(page: Page) -> None:
    assert measure(page, [[1.0, 125_000], [2.0, 250_000]]) == [1000, 1000]


def test_newer_measurements_weigh_more_than_old_ones(page: Page) -> None:
    assert measure(page, [[1, 125_000], [2, 625_000], [3, 1_125_000]]) == [1000, 2500, 3250]


def test_a_moment_too_short_or_a_piece_too_small_measures_nothing(page: Page) -> None:
    assert measure(page, [[0.01, 900_000], [0.1, 49_000]]) == [0, 0]


def test_a_rest_of_the_browser_is_not_taken_for_a_slow_connection(page: Page) -> None:
    steps = [[1, 1_250_000], [2, -1], [60, 1_300_000], [61, 2_550_000]]
    assert measure(page, steps) == [10_000, 10_000, 10_000, 10_000]


def test_what_was_saved_is_counted_once_for_each_address(page: Page) -> None:
    total = page.evaluate(
        """async () => {
          const { Savings } = await import('/static/js/player/savings.js');
          const savings = new Savings();
          const served = { bytes: 1000, sourceBytes: 5000 };
          for (const share of [0.25, 0.5, 0.4]) savings.add('a', share, served);
          savings.add('b', 1.01, served);
          savings.add('original', 1, { bytes: 5000, sourceBytes: 5000 });
          savings.add('larger', 1, { bytes: 6000, sourceBytes: 5000 });
          return savings.total;
        }"""
    )
    assert total == 2000 + 4000


def test_the_start_of_the_next_track_is_learned_from_earlier_ones(page: Page) -> None:
    learned = page.evaluate(
        """async () => {
          const { StartLatency } = await import('/static/js/player/start-latency.js');
          const latency = new StartLatency(() => 0);
          for (let time = 0; time < 20; time += 1) latency.add(0.03);
          const steady = latency.seconds;
          latency.add(9);
          return [steady, latency.seconds];
        }"""
    )
    assert learned == [pytest.approx(0.03, abs=0.001), pytest.approx(0.115, abs=0.001)]


READY = {"enabled": True, "total": 24, "usual": ["medium"], "damaged": 0, "unplayable": 0}


@pytest.mark.parametrize(
    ("found", "done", "words"),
    [
        ({"ready": 24}, 0, "24 tracks are ready at Medium"),
        ({"ready": 22, "unplayable": 2}, 0, "22 tracks are ready at Medium · 2 cannot be played"),
        (
            {"ready": 23, "damaged": 1},
            0,
            "23 tracks are ready at Medium · 1 is damaged and played as far as it can be read",
        ),
        ({"ready": 0, "unplayable": 24}, 0, "24 cannot be played"),
        ({"ready": 3, "task": {}}, 12, "12 of 24 tracks ready at Medium"),
        ({"ready": 3, "task": {}}, 0, "3 of 24 tracks ready at Medium"),
        # A small cap is no disaster.
        (
            {"ready": 14},
            0,
            "14 of 24 tracks are kept at Medium, and the rest is encoded while it plays",
        ),
        ({"ready": 0}, 0, "Nothing is kept at Medium yet: it is encoded while it plays"),
        ({"ready": 3, "enabled": False}, 0, ""),
        ({"ready": 0, "total": 0}, 0, ""),
    ],
)
def test_the_line_says_what_is_ready_and_what_never_will_be(
    page: Page, found: dict[str, Any], done: int, words: str
) -> None:
    given = {**READY, "task": None, **found, "ready": {"medium": found["ready"]}}
    said = page.evaluate(
        "async ([found, done]) => "
        "(await import('/static/js/share/ready-line.js')).readyText(found, done)",
        [given, done],
    )
    assert said == words
