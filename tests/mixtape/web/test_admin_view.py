from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from audio_cache import AudioCache
from mixtape.admin.forecast import Forecasts
from mixtape.admin.maintenance import Maintenance
from mixtape.admin.monitor import Monitor
from mixtape.web.views.admin import read_days
from tests.helpers.audio import make_audio
from tests.helpers.host import PAGE, csrf_token, sign_in
from tests.helpers.waiting import LIMIT_S, wait_until

DAY_S = 86_400
BAD_DAYS: list[object] = [
    "",
    " ",
    "0",
    "-1",
    "none",
    "nan",
    "inf",
    "1e9",
    "30 days",
    "0x10",
    "36501",
]
BAD_DAYS += [0, -3, float("nan"), float("inf"), 10**400, True, None, [30], {"days": 30}]
POSTS = ["/admin/clear", "/admin/purge", "/admin/maintenance/verify", "/admin/cancel"]
POSTS += ["/admin/forecast"]


@pytest.fixture
def cache(client: FlaskClient) -> AudioCache:
    found: AudioCache = client.application.extensions["audio_cache"].cache
    return found


@pytest.fixture
def entries(cache: AudioCache, music: Path) -> list[Path]:
    """Return two entries, the first of them 40 days old."""
    source = make_audio(music / "a.flac", samples=44_100)
    old, new = (cache.transcode_file(source, quality) for quality in ("low", "high"))
    os.utime(old, (time.time() - 40 * DAY_S,) * 2)
    return [old, new]


def post(client: FlaskClient, address: str, **fields: object) -> TestResponse:
    """Send what the page does, with the token in a header."""
    token = csrf_token_of_page(client)
    return client.post(address, json=fields, headers={"X-CSRFToken": token})


def csrf_token_of_page(client: FlaskClient) -> str:
    page = client.get("/admin", headers=PAGE).text
    return page.partition('name="csrf-token" content="')[2].partition('"')[0]


def message(answer: TestResponse) -> str:
    assert answer.json is not None
    return str(answer.json["error"]["message"])


def test_the_page_tells_where_the_cache_is(client: FlaskClient, cache: AudioCache) -> None:
    answer = client.get("/admin", headers=PAGE)
    assert answer.status_code == 200
    assert str(cache.cache_dir) in answer.text


def test_figures_show_the_cache_by_quality(
    client: FlaskClient, entries: list[Path], music: Path
) -> None:
    figures = client.get("/admin/figures").json
    assert figures is not None
    assert figures["cache"]["entries"] == 2
    assert figures["cache"]["sources"] == 1
    assert figures["cache"]["bytes"] == sum(path.stat().st_size for path in entries)
    by_quality = {row["quality"]: row for row in figures["cache"]["qualities"]}
    assert list(by_quality) == ["high", "medium", "low"]
    assert by_quality["medium"]["entries"] == 0
    assert by_quality["low"]["bytes"] == entries[0].stat().st_size
    assert by_quality["low"]["source_bytes"] == (music / "a.flac").stat().st_size
    assert figures["encoders"] == {"running": 0, "live": 0, "live_places": 8}
    assert 0 < figures["disk"]["free_bytes"] < figures["disk"]["total_bytes"]
    assert figures["growing"] == []
    assert figures["task"] is None
    assert figures["forecast"] is None


def test_figures_show_the_room_and_the_hit_rate(client: FlaskClient, entries: list[Path]) -> None:
    figures = client.get("/admin/figures").json
    assert figures is not None
    assert figures["hit_rate"] == {"plays": None, "bytes": None}
    space = figures["space"]
    assert space["cap_bytes"] is None
    assert space["used_bytes"] > sum(path.stat().st_size for path in entries)
    assert space["free_bytes"] > 0
    assert space["floor_bytes"] > 0
    for name in ("pinned", "pinned_bytes", "heads", "head_bytes", "evictions", "evicted_bytes"):
        assert space[name] == 0
    with client.get("/play/a.flac?quality=high") as answer:
        assert answer.get_data()
    figures = client.get("/admin/figures").json
    assert figures is not None
    assert figures["hit_rate"] == {"plays": 1.0, "bytes": 1.0}


def test_a_forecast_is_made_in_the_background_and_figures_tell(
    client: FlaskClient, entries: list[Path]
) -> None:
    for _ in range(2):
        with client.get("/play/a.flac?quality=low") as answer:
            assert answer.get_data()
    answer = post(client, "/admin/forecast")
    assert answer.status_code == 202
    forecasts: Forecasts = client.application.extensions["mixtape_forecasts"]
    forecasts.wait(LIMIT_S)
    figures = client.get("/admin/figures").json
    assert figures is not None
    # Two requests of the same listener are one play.
    assert figures["forecast"]["plays"] == 1
    assert figures["forecast"]["error"] == ""
    assert {rate["plays"] for rate in figures["forecast"]["rates"]} == {0.0}


def test_figures_and_history_are_never_stored(client: FlaskClient) -> None:
    for address in ("/admin/figures", "/admin/history"):
        assert client.get(address).headers["Cache-Control"] == "no-store"


def test_history_has_columns_of_equal_length(client: FlaskClient) -> None:
    monitor: Monitor = client.application.extensions["mixtape_monitor"]
    now = time.time() + 1000  # after whatever the monitor's own thread adds
    for step in range(3):
        monitor.now = lambda at=now + 10 * step: at
        monitor.look()
    for span, rows in {"hour": 2, "day": 0}.items():
        history = client.get(f"/admin/history?span={span}").json
        assert history is not None
        assert history["span"] == span
        assert {len(column) for column in history["columns"].values()} >= {rows}
        assert len({len(column) for column in history["columns"].values()}) == 1


def test_an_unknown_span_is_refused_with_the_known_ones(client: FlaskClient) -> None:
    answer = client.get("/admin/history?span=year")
    assert answer.status_code == 400
    assert "hour, day" in message(answer)


def test_clearing_deletes_what_is_older_and_nothing_else(
    client: FlaskClient, entries: list[Path]
) -> None:
    answer = post(client, "/admin/clear", older_than_days="30")
    assert (answer.status_code, answer.json) == (200, {"deleted": 1})
    assert [path.exists() for path in entries] == [False, True]


def test_a_bad_number_of_days_is_refused_and_nothing_is_cleared(
    client: FlaskClient, entries: list[Path]
) -> None:
    for days in BAD_DAYS:
        answer = post(client, "/admin/clear", older_than_days=days)
        assert answer.status_code == 400, days
        assert "Nothing was deleted" in message(answer)
        assert all(path.exists() for path in entries), days


def test_clearing_without_any_number_of_days_is_refused(
    client: FlaskClient, entries: list[Path]
) -> None:
    assert post(client, "/admin/clear").status_code == 400
    assert all(path.exists() for path in entries)


@pytest.mark.parametrize(("written", "days"), [("30", 30), ("0.5", 0.5), (" 7 ", 7), (30, 30)])
def test_days_are_read_as_people_write_them(written: object, days: float) -> None:
    assert read_days(written) == days


def test_purging_needs_the_word(client: FlaskClient, entries: list[Path]) -> None:
    for word in ("", "yes", "purged", "pur ge", "*"):
        answer = post(client, "/admin/purge", confirm=word)
        assert answer.status_code == 400, word
        assert "“purge”" in message(answer)
        assert all(path.exists() for path in entries), word


def test_purging_with_the_word_deletes_all_entries_and_no_music(
    client: FlaskClient, entries: list[Path], music: Path
) -> None:
    client.get("/admin/figures")
    answer = post(client, "/admin/purge", confirm="Purge ")
    assert answer.json == {"deleted": 2}
    assert not any(path.exists() for path in entries)
    assert (music / "a.flac").exists()
    # The monitor's own thread may be counting at this moment.
    wait_until(lambda: client.get("/admin/figures").json["cache"]["entries"] == 0)  # type: ignore[index]


def test_a_purge_does_not_disturb_who_is_listening(
    client: FlaskClient, entries: list[Path]
) -> None:
    whole = entries[1].read_bytes()
    with client.get("/play/a.flac?quality=high", buffered=False) as answer:
        pieces = answer.iter_encoded()
        start = next(pieces)
        assert post(client, "/admin/purge", confirm="purge").json == {"deleted": 2}
        assert start + b"".join(pieces) == whole


def test_verifying_goes_on_in_the_background_and_figures_tell(
    client: FlaskClient, entries: list[Path]
) -> None:
    answer = post(client, "/admin/maintenance/verify")
    assert answer.status_code == 202
    maintenance: Maintenance = client.application.extensions["mixtape_maintenance"]
    maintenance.wait(LIMIT_S)
    figures = client.get("/admin/figures").json
    assert figures is not None
    assert figures["task"] == {
        "kind": "verify",
        "total": 2,
        "done": 2,
        "found": {"sound": 2},
        "problems": [],
        "ending": "finished",
        "error": "",
    }
    assert post(client, "/admin/cancel").json == {"cancelled": False}


def test_outdated_entries_are_renewed(
    client: FlaskClient, entries: list[Path], music: Path, cache: AudioCache
) -> None:
    source = make_audio(music / "a.flac", samples=88_200, seed=3)
    assert not cache.is_cached(source, "low")
    assert post(client, "/admin/maintenance/regenerate").status_code == 202
    maintenance: Maintenance = client.application.extensions["mixtape_maintenance"]
    maintenance.wait(LIMIT_S)
    assert cache.is_cached(source, "low")
    assert cache.is_cached(source, "high")


def test_a_second_task_is_refused_while_one_goes_on(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    maintenance: Maintenance = client.application.extensions["mixtape_maintenance"]
    monkeypatch.setattr(maintenance, "_carry_out", lambda task: None)
    assert post(client, "/admin/maintenance/verify").status_code == 202
    answer = post(client, "/admin/maintenance/repair")
    assert answer.status_code == 409
    assert "wait for that, or cancel it" in message(answer)
    assert post(client, "/admin/cancel").json == {"cancelled": True}


def test_unknown_work_is_not_found(client: FlaskClient) -> None:
    answer = post(client, "/admin/maintenance/format")
    assert answer.status_code == 404
    assert "verify, repair, regenerate" in message(answer)


def test_nothing_happens_without_a_csrf_token(client: FlaskClient, entries: list[Path]) -> None:
    fields = {"confirm": "purge", "older_than_days": 30}
    for address in POSTS:
        assert client.post(address, json=fields).status_code == 400, address
        assert client.post(address, data=fields).status_code == 400, address
    assert all(path.exists() for path in entries)
    assert client.application.extensions["mixtape_maintenance"].latest is None


@pytest.mark.parametrize("address", POSTS)
def test_links_cannot_change_anything(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 405


@pytest.mark.parametrize("address", ["/admin/figures", "/admin/history", *POSTS])
def test_programs_without_a_session_are_refused(locked: FlaskClient, address: str) -> None:
    token = csrf_token(locked.get("/login", headers=PAGE))
    method = "POST" if address in POSTS else "GET"
    answer = locked.open(address, method=method, headers={"X-CSRFToken": token})
    assert answer.status_code == 401


def test_the_page_asks_for_the_password_and_then_comes_back(locked: FlaskClient) -> None:
    assert locked.get("/admin", headers=PAGE).location == "/login?next=/admin"
    assert sign_in(locked, next="/admin").location == "/admin"
    assert locked.get("/admin", headers=PAGE).status_code == 200
