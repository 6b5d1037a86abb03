from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.helpers.audio import make_noise
from tests.helpers.damage import cut, destroy
from tests.helpers.mixtapes import (
    Owner,
    make_scanned_app,
    message_of,
    save_mixtape,
    scan,
    services_of,
    track_id,
)
from tests.helpers.renditions import partial_of
from tests.helpers.tracks import place
from tests.helpers.waiting import LIMIT_S


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path, mp3: Path) -> Iterator[Flask]:
    other = make_noise(tmp_path / "other.flac", samples=132_300, seed=1)
    place(flac, music / "album" / "1.flac", title="Alpha")
    place(other, music / "album" / "deep" / "2.flac", title="Beta")
    place(mp3, music / "album" / "3.mp3", title="Gamma")
    app = make_scanned_app(tmp_path)
    yield app
    services_of(app).close()


def follow(owner: Owner, task: dict[str, Any]) -> dict[str, Any]:
    """Read a run's stream to its end and return its last event."""
    answer = owner.client.get(task["url"])
    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if "data: " in line]
    last: dict[str, Any] = json.loads(events[-1])
    return last


def ready(owner: Owner, slug: str) -> dict[str, Any]:
    answer = owner.client.get(f"/api/mixtapes/{slug}/readiness").json
    assert answer is not None
    return dict(answer)


def test_a_save_begins_to_cache_and_tells_of_the_end(app: Flask, owner: Owner) -> None:
    ids = [track_id(app, title) for title in ("Alpha", "Beta", "Gamma")]
    draft = owner.send("POST", "/api/drafts", {}).json
    assert draft is not None
    state = {"title": "Night train", "track_ids": ids}
    saved = owner.send("POST", f"/api/drafts/{draft['key']}/save", {"state": state}).json
    assert saved is not None
    assert saved["task"]["taskId"] == saved["slug"]
    assert saved["task"]["title"] == "Caching Night train"
    last = follow(owner, saved["task"])
    assert (last["status"], last["cached"], last["failed"]) == ("completed", 2, 0)
    readiness = ready(owner, saved["slug"])
    assert readiness["ready"]["medium"] == readiness["total"]
    assert readiness["task"] is None


def test_readiness_counts_by_quality_and_lossy_tracks_are_always_ready(
    app: Flask, owner: Owner
) -> None:
    mixtape = save_mixtape(app, "Night train", "Alpha", "Beta", "Gamma")
    assert ready(owner, mixtape.slug)["ready"] == {"high": 1, "medium": 1, "low": 1}
    services_of(app).caching.start("one", [b"album/1.flac"], ["low"])
    follow(owner, {"url": "/editor/progress/one"})
    found = ready(owner, mixtape.slug)
    assert (found["ready"], found["total"]) == ({"high": 1, "medium": 1, "low": 2}, 3)


def test_what_can_never_be_ready_is_nothing_to_wait_for(
    tmp_path: Path, music: Path, flac: Path
) -> None:
    place(flac, music / "sound.flac", title="Sound")
    noise = make_noise(tmp_path / "noise.flac", samples=132_300, seed=2).read_bytes()
    (music / "silent.flac").write_bytes(destroy(noise))
    (music / "cut.flac").write_bytes(cut(noise))
    (music / "no music.flac").write_bytes(b"fLaC" + bytes(100))
    app = make_scanned_app(tmp_path)
    owner = Owner(app.test_client())
    names = ("sound.flac", "silent.flac", "cut.flac", "no music.flac")
    mixtape = save_mixtape(app, "Night train", *names)
    services_of(app).caching.start_mixtape(mixtape, ["medium"])
    follow(owner, {"url": f"/editor/progress/{mixtape.slug}"})
    found = ready(owner, mixtape.slug)
    assert (found["total"], found["ready"]["medium"]) == (4, 1)
    assert (found["damaged"], found["unplayable"]) == (1, 2)
    services_of(app).close()


def test_a_track_is_ready_with_another_of_the_same_audio_under_other_tags(
    app: Flask, owner: Owner, music: Path
) -> None:
    place(music / "album" / "1.flac", music / "album" / "4.flac", title="Delta")
    scan(app)
    mixtape = save_mixtape(app, "Night train", "Delta")
    assert ready(owner, mixtape.slug)["ready"] == {"high": 0, "medium": 0, "low": 0}
    services_of(app).caching.start("one", [b"album/1.flac"], ["low"])
    follow(owner, {"url": "/editor/progress/one"})
    assert ready(owner, mixtape.slug)["ready"] == {"high": 0, "medium": 0, "low": 1}


def test_the_rest_is_cached_on_demand(app: Flask, owner: Owner) -> None:
    mixtape = save_mixtape(app, "Night train", "Alpha", "Beta", "Gamma")
    address = f"/api/mixtapes/{mixtape.slug}/cache"
    answer = owner.send("POST", address, {"qualities": ["low", "high"]})
    assert answer.status_code == 202
    assert answer.json is not None
    assert follow(owner, answer.json["task"])["status"] == "completed"
    assert ready(owner, mixtape.slug)["ready"] == {"high": 3, "medium": 1, "low": 3}


@pytest.mark.parametrize("body", [{}, {"qualities": []}, {"qualities": ["loud"]}, []])
def test_a_quality_that_does_not_exist_is_refused_with_those_that_do(
    app: Flask, owner: Owner, body: Any
) -> None:
    mixtape = save_mixtape(app, "Night train", "Alpha")
    answer = owner.send("POST", f"/api/mixtapes/{mixtape.slug}/cache", body)
    assert answer.status_code == 400
    message_of(answer)


def test_a_folder_is_cached_with_all_below_it(app: Flask, owner: Owner) -> None:
    answer = owner.send("POST", "/api/cache-folder/album")
    assert answer.status_code == 202
    assert answer.json is not None
    last = follow(owner, answer.json["task"])
    assert (last["status"], last["cached"], last["total"]) == ("completed", 2, 2)
    assert 'data-cache="/api/cache-folder/album"' in owner.page("/browse/album").text


def test_the_whole_library_is_the_folder_without_a_name(owner: Owner) -> None:
    answer = owner.send("POST", "/api/cache-folder/")
    assert answer.json is not None
    assert follow(owner, answer.json["task"])["cached"] == 2


def test_a_folder_with_nothing_to_cache_says_so(owner: Owner) -> None:
    answer = owner.send("POST", "/api/cache-folder/nowhere")
    assert answer.status_code == 409
    assert "no lossless track" in message_of(answer)


def test_a_second_quality_joins_the_one_that_is_being_made(app: Flask, owner: Owner) -> None:
    mixtape = save_mixtape(app, "Night train", "Alpha", "Beta")
    caching, cache = services_of(app).caching, app.extensions["audio_cache"].cache
    [source] = [Path(app.config["MUSIC_ROOT"]) / "album" / "1.flac"]
    partial = partial_of(cache, source, "high")
    partial.parent.mkdir()
    with partial.open("wb") as held:
        # As another process that encodes would: the run cannot end before this has.
        fcntl.flock(held, fcntl.LOCK_EX)
        caching.start_mixtape(mixtape, ["high"])
        answer = owner.send("POST", f"/api/mixtapes/{mixtape.slug}/cache", {"qualities": ["low"]})
        assert answer.status_code == 202
    assert answer.json is not None
    assert follow(owner, answer.json["task"])["status"] == "completed"
    assert ready(owner, mixtape.slug)["ready"] == {"high": 2, "medium": 0, "low": 2}


def test_a_run_is_cancelled_by_its_id(app: Flask, owner: Owner) -> None:
    mixtape = save_mixtape(app, "Night train", "Alpha", "Beta")
    services_of(app).caching.start_mixtape(mixtape, ["medium"])
    assert owner.send("POST", f"/api/caching/{mixtape.slug}/cancel").status_code == 204
    assert follow(owner, {"url": f"/editor/progress/{mixtape.slug}"})["status"] in {
        "failed",
        "completed",  # where it was quicker than we
    }
    assert not services_of(app).caching.is_running(mixtape.slug)
    assert owner.send("POST", "/api/caching/unknown/cancel").status_code == 204


def test_after_a_restart_what_is_missing_goes_on(app: Flask, owner: Owner) -> None:
    save_mixtape(app, "Lossy", "Gamma")
    mixtape = save_mixtape(app, "Night train", "Alpha", "Beta")
    caching, mixtapes = services_of(app).caching, services_of(app).mixtapes
    stored = [mixtapes.get(each.slug) for each in mixtapes.summaries()]
    assert caching.resume(stored) == 1
    assert follow(owner, {"url": f"/editor/progress/{mixtape.slug}"})["cached"] == 2
    assert caching.resume(stored) == 0


def test_a_run_goes_on_under_the_new_link(app: Flask, owner: Owner) -> None:
    mixtape = save_mixtape(app, "Night train", "Alpha", "Beta")
    services_of(app).caching.start_mixtape(mixtape, ["medium"])
    renewed = owner.send("POST", f"/api/mixtapes/{mixtape.slug}/renew").json
    assert renewed is not None
    services_of(app).caching.start_mixtape(
        services_of(app).mixtapes.get(renewed["slug"]), ["medium"]
    )
    assert follow(owner, {"url": f"/editor/progress/{renewed['slug']}"})["status"] == "completed"
    assert ready(owner, renewed["slug"])["ready"]["medium"] == 2


@pytest.mark.parametrize(
    ("name", "value", "ahead", "best"),
    [
        ("AUDIO_CACHE_PRECACHE_ON_UPLOAD", "false", (), None),
        ("AUDIO_CACHE_ENABLED", "false", (), None),
        ("AUDIO_CACHE_PRECACHE_QUALITIES", "low,original,high", ("low", "high"), "high"),
        ("AUDIO_CACHE_PRECACHE_QUALITIES", "low", ("low",), "low"),
    ],
)
def test_the_settings_say_what_is_made_ahead_and_what_auto_asks_for_at_most(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    ahead: tuple[str, ...],
    best: str | None,
) -> None:
    monkeypatch.setenv(name, value)
    app = make_scanned_app(tmp_path)
    assert services_of(app).caching.ahead == ahead
    assert services_of(app).caching.best == best
    services_of(app).close()


def test_without_a_cache_nothing_can_be_cached_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, music: Path, flac: Path
) -> None:
    place(flac, music / "1.flac", title="Alpha")
    monkeypatch.setenv("AUDIO_CACHE_ENABLED", "false")
    app = make_scanned_app(tmp_path)
    owner = Owner(app.test_client())
    mixtape = save_mixtape(app, "Night train", "Alpha")
    answer = owner.send("POST", f"/api/mixtapes/{mixtape.slug}/cache", {"qualities": ["low"]})
    assert answer.status_code == 409
    assert "AUDIO_CACHE_ENABLED" in message_of(answer)
    assert ready(owner, mixtape.slug)["enabled"] is False
    services_of(app).close()


def test_closing_ends_the_runs(app: Flask) -> None:
    mixtape = save_mixtape(app, "Night train", "Alpha", "Beta")
    caching = services_of(app).caching
    caching.start_mixtape(mixtape, ["high", "medium", "low"])
    services_of(app).close()
    assert not caching.is_running(mixtape.slug)
    assert services_of(app).scanner.wait(LIMIT_S).running is False
