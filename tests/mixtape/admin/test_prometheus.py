from __future__ import annotations

import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from mixtape.admin import monitor as monitor_module
from mixtape.admin.prometheus import METRICS
from mixtape.settings import SettingsError, load_settings
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD, make_app, sign_in
from tests.helpers.rooms import fill, planted_source

TOKEN = "0123456789abcdef-token"


def read_metrics(client: FlaskClient) -> dict[tuple[str, str], float]:
    """Return every figure by its name and the value of its label."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_every_metric_of_the_table_is_exposed_with_its_help(client: FlaskClient) -> None:
    text = client.get("/metrics").text
    for row in METRICS:
        kind = "counter" if row.is_counter else "gauge"
        assert f"# TYPE {row.name} {kind}\n" in text
        assert f"# HELP {row.name} {row.help}\n" in text
    assert "process_resident_memory_bytes " in text


def test_plays_and_traffic_are_counted_by_kind(client: FlaskClient, music: Path) -> None:
    source = make_audio(music / "a.flac", samples=44_100)
    for quality in ("low", "low", "low", "original"):
        with client.get(f"/play/a.flac?quality={quality}") as answer:
            assert answer.get_data()
        # The first play's encoder may be about to put its file in place.
        client.application.extensions["audio_cache"].cache.transcode_file(source, "low")
    figures = read_metrics(client)
    assert figures["mixtape_plays_total", "live"] == 1
    assert figures["mixtape_plays_total", "hit"] == 2
    assert figures["mixtape_plays_total", "bypass"] == 1
    assert figures["mixtape_plays_total", "miss"] == 0
    hits, bypasses = "mixtape_hit_bytes_total", "mixtape_bypass_bytes_total"
    assert figures[bypasses, ""] == source.stat().st_size
    assert 0 < figures[hits, ""] < figures["mixtape_sent_bytes_total", ""]
    sent, originals = "mixtape_sent_bytes_total", "mixtape_original_bytes_total"
    assert 0 < figures[sent, ""] < figures[originals, ""]


def test_the_cache_is_told_by_quality(client: FlaskClient, music: Path) -> None:
    cache = client.application.extensions["audio_cache"].cache
    path = cache.transcode_file(make_audio(music / "a.flac", samples=44_100), "high")
    (cache.cache_dir / f"{'0' * 32}_low_128k.mp3").write_bytes(bytes(7))
    figures = read_metrics(client)
    assert figures["mixtape_cache_entries", "high"] == 1
    assert figures["mixtape_cache_bytes", "high"] == path.stat().st_size
    assert figures["mixtape_cache_entries", "low"] == 0
    assert figures["mixtape_cache_bytes", "foreign"] == 7


def test_the_room_is_told_with_what_had_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIO_CACHE_MAX_SIZE", "3MB")
    monkeypatch.setenv("AUDIO_CACHE_MIN_FREE", "1kB")
    client = make_app(tmp_path).test_client()
    cache = client.application.extensions["audio_cache"].cache
    cache.pin("a mixtape", [Path(planted_source(0))], ["low"])
    fill(cache)
    cache.heads.keep("0" * 48, bytes(1000))
    cache.room.take_for_copy("1" * 48, 200_000)
    figures = read_metrics(client)
    assert figures["mixtape_cache_cap_bytes", ""] == 3_000_000
    assert figures["mixtape_cache_floor_bytes", ""] == 1000
    assert 1_000_000 < figures["mixtape_cache_used_bytes", ""] <= 3_000_000
    assert figures["mixtape_cache_pinned", ""] == 1
    assert figures["mixtape_cache_pinned_bytes", ""] == 100_000
    assert figures["mixtape_cache_heads", ""] == 1
    assert figures["mixtape_cache_head_bytes", ""] == 1000
    evictions = figures["mixtape_cache_evictions_total", ""]
    assert evictions >= 1
    assert figures["mixtape_cache_evicted_bytes_total", ""] == 100_000 * evictions


def test_without_a_cap_there_is_no_figure_for_it(client: FlaskClient) -> None:
    figures = read_metrics(client)
    assert ("mixtape_cache_cap_bytes", "") not in figures
    assert figures["mixtape_cache_evictions_total", ""] == 0


def test_asking_often_does_not_walk_the_cache(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_metrics(client)
    walks = []
    real = monitor_module.gather_stats
    monkeypatch.setattr(
        monitor_module, "gather_stats", lambda cache: (walks.append(cache), real(cache))[1]
    )
    for _ in range(10):
        read_metrics(client)
    # One look may be the monitor's own, of whose thread nobody knows when it gets its turn.
    assert walks.count(client.application.extensions["audio_cache"].cache) <= 1


def test_two_applications_count_for_themselves(tmp_path: Path) -> None:
    clients = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        clients.append(make_app(tmp_path / name).test_client())
        make_audio(tmp_path / name / "music" / "a.mp3", samples=4410, codec="libmp3lame")
    with clients[0].get("/play/a.mp3") as answer:
        assert answer.status_code == 200
    assert [read_metrics(each)["mixtape_plays_total", "bypass"] for each in clients] == [1, 0]


def test_scrapes_at_the_same_time_answer_all(client: FlaskClient) -> None:
    answers = []
    app = client.application

    def scrape() -> None:
        answers.append(app.test_client().get("/metrics").status_code)

    threads = [threading.Thread(target=scrape) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [200] * 8


def test_openmetrics_is_sent_to_who_asks_for_it(client: FlaskClient) -> None:
    answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert answer.content_type.startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer ünwahr"},
    ],
)
@pytest.mark.parametrize("token", [None, TOKEN])
def test_with_a_password_metrics_are_refused_without_session_and_token(
    tmp_path: Path, header: dict[str, str], token: str | None
) -> None:
    client = make_app(tmp_path, password=PASSWORD, metrics_token=token).test_client()
    answer = client.get("/metrics", headers=header)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "mixtape_" not in answer.text


def test_the_token_opens_the_metrics_and_nothing_else(tmp_path: Path) -> None:
    client = make_app(tmp_path, password=PASSWORD, metrics_token=TOKEN).test_client()
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert "mixtape_plays_total" in client.get("/metrics", headers=bearer).text
    assert client.get("/admin/figures", headers=bearer).status_code == 401


def test_a_session_opens_the_metrics(locked: FlaskClient) -> None:
    sign_in(locked)
    assert locked.get("/metrics").status_code == 200


def test_a_short_token_stops_the_start_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "tooshort")
    with pytest.raises(SettingsError, match="METRICS_TOKEN") as caught:
        load_settings()
    assert "tooshort" not in str(caught.value)
