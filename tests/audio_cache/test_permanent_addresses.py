"""Permanent addresses: `/r/<id>.mp3`, signed, for what is stored and for what can be made again."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from audio_cache import quality
from audio_cache.errors import QualityError
from audio_cache.flask_ext import FlaskAudioCache, sign_rendition
from audio_cache.serving.permanent import StoredPlays
from tests.audio_cache.foreign_app import make_app, state_of
from tests.helpers.processes import open_files
from tests.helpers.waiting import wait_until

HIT = "audio-cache; hit"
LIVE = "audio-cache; fwd=miss; detail=live"
FOREVER = "max-age=31536000, immutable"
LATER = int(time.time()) + 3600


@pytest.fixture
def track(music: Path) -> Path:
    return music / "folder" / "track.flac"


def address(app: Flask, track: Path, *, expires_at_s: int = LATER, shared: bool = False) -> str:
    with app.test_request_context():
        return sign_rendition(track, "low", expires_at_s, shared=shared)


def store(app: Flask, track: Path) -> bytes:
    return state_of(app).cache.transcode_file(track, "low").read_bytes()


def forget_file(app: Flask, track: Path) -> None:
    """Take a rendition out of the store, as an eviction does."""
    cache = state_of(app).cache
    cache.objects.delete(cache.identify(track, "low").id)
    cache.get_cache_path(track, "low").unlink()


def seen(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.headers["Cache-Status"]


def test_what_is_stored_is_sent_and_may_be_kept_for_ever(
    app: Flask, client: FlaskClient, track: Path
) -> None:
    content = store(app, track)
    private, shared = address(app, track), address(app, track, shared=True)
    object_id = state_of(app).cache.identify(track, "low").id
    assert private.startswith(f"/r/{object_id}.mp3?e={LATER}&s=")
    for url, scope in ((private, "private"), (shared, "public")):
        answer = client.get(url)
        assert (*seen(answer), answer.data) == (200, HIT, content)
        assert answer.headers["Cache-Control"] == f"{scope}, {FOREVER}"
        assert answer.headers["ETag"] == f'"{object_id}"'
        assert answer.headers["Audio-Cache-Rendition"] == "quality=low, bitrate=128"
        assert answer.mimetype == "audio/mpeg"
        assert "Set-Cookie" not in answer.headers
        assert "Vary" not in answer.headers
        assert "Last-Modified" not in answer.headers


def test_ranges_conditions_and_head_are_those_of_play(
    app: Flask, client: FlaskClient, track: Path
) -> None:
    content, url = store(app, track), address(app, track)
    etag = client.head(url).headers["ETag"]
    assert client.head(url).headers["Content-Length"] == str(len(content))
    assert client.head(url).data == b""
    part = client.get(url, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.data) == (206, content[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(content)}"
    kept = client.get(url, headers={"If-None-Match": etag})
    assert (kept.status_code, kept.headers["Cache-Control"]) == (304, f"private, {FOREVER}")
    other = client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (other.status_code, other.data) == (200, content)
    assert client.post(url).status_code == 405


def test_a_refusal_is_kept_by_nobody(app: Flask, client: FlaskClient, track: Path) -> None:
    """A proxy such as nginx keeps any status that says how long it may, for everybody."""
    store(app, track)
    url = address(app, track, shared=True)
    refused = client.get(url, headers={"Range": "bytes=999999999-"})
    failed = client.get(url, headers={"If-Match": '"other"'})
    assert (refused.status_code, failed.status_code) == (416, 412)
    for answer in (refused, failed):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "X-Accel-Expires" not in answer.headers
        assert "CDN-Cache-Control" not in answer.headers


def test_what_was_never_encoded_is_made_while_it_plays(
    app: Flask, client: FlaskClient, track: Path, tmp_path: Path
) -> None:
    url = address(app, track, shared=True)
    head = client.head(url)
    assert seen(head) == (200, LIVE)
    first = client.get(url)
    entry = state_of(app).cache.get_cache_path(track, "low")
    wait_until(entry.exists)
    assert seen(first) == (200, LIVE)
    assert first.data == entry.read_bytes()
    assert (head.headers["ETag"], head.content_length) == (first.headers["ETag"], len(first.data))
    # Nobody has checked yet that the audio is what its header says.
    assert first.headers["Cache-Control"] == "no-store"
    assert "X-Accel-Expires" not in first.headers
    again = client.get(url)
    assert (*seen(again), again.data) == (200, HIT, first.data)
    assert again.headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize("shared", [True, False])
def test_what_is_no_longer_stored_is_made_again_and_proxies_may_keep_it(
    app: Flask, client: FlaskClient, track: Path, shared: bool
) -> None:
    content, url = store(app, track), address(app, track, shared=shared)
    forget_file(app, track)
    answer = client.get(url, headers={"Range": "bytes=5000-9999"})
    assert (*seen(answer), answer.data) == (206, LIVE, content[5000:10_000])
    assert answer.headers["Cache-Control"] == "no-store"
    kept = {"X-Accel-Expires": "31536000", "CDN-Cache-Control": f"public, {FOREVER}"}
    assert {name: answer.headers.get(name) for name in kept} == (
        kept if shared else dict.fromkeys(kept)
    )
    names = [name for name, _ in answer.headers]
    if shared:  # nginx before 1.23 obeys whichever comes first
        assert names.index("X-Accel-Expires") < names.index("Cache-Control")


def test_an_address_outlives_a_move_and_ends_with_the_bytes(
    app: Flask, client: FlaskClient, track: Path
) -> None:
    content, url = store(app, track), address(app, track)
    moved = track.with_name("moved.flac")
    track.rename(moved)
    assert client.get(url).data == content
    assert address(app, moved) == url
    state_of(app).cache.clear_cache()
    assert client.get(url).data == content  # made of the file in its new place
    wait_until(state_of(app).cache.get_cache_path(moved, "low").exists)
    state_of(app).cache.clear_cache()
    moved.write_bytes(b"other music")
    gone = client.get(url)
    assert gone.status_code == 404
    assert os.fspath(moved) not in gone.text


def test_a_retag_has_an_address_of_its_own_and_the_old_one_goes_on(
    app: Flask, client: FlaskClient, track: Path
) -> None:
    content, before = store(app, track), address(app, track)
    track.write_bytes(track.read_bytes().replace(b"Probe", b"Probt"))
    after = address(app, track)
    assert after != before
    assert client.get(before).data == content
    assert client.get(after).data != content


@pytest.mark.parametrize("change", ["id", "expiry", "signature", "none", "scope", "over"])
def test_whoever_has_no_good_signature_learns_nothing(
    app: Flask, client: FlaskClient, track: Path, change: str
) -> None:
    store(app, track)
    url = address(app, track, expires_at_s=1 if change == "over" else LATER)
    object_id = url[3:51]
    wrong = {
        "id": url.replace(object_id, "0" * 48),
        "expiry": url.replace(f"e={LATER}", f"e={LATER + 1}"),
        "signature": url[:-1] + ("A" if url[-1] != "A" else "Q"),
        "none": url.partition("?")[0],
        "scope": f"{url}&public=1".replace("&s=", "&s=public"),
        "over": url,
    }[change]
    refused = client.get(wrong)
    unknown = client.get(f"/r/{'1' * 48}.mp3?e={LATER}&s=x")
    assert (refused.status_code, refused.data) == (unknown.status_code, unknown.data)
    assert refused.status_code == 403
    assert object_id not in refused.text
    assert "ETag" not in refused.headers


def test_a_good_signature_of_what_is_not_known_is_not_found(
    app: Flask, client: FlaskClient
) -> None:
    object_id = "0" * 48
    signature = state_of(app).own_signer.sign(object_id, LATER, shared=True)
    missing = client.get(f"/r/{object_id}.mp3?e={LATER}&s={signature}")
    assert missing.status_code == 404
    assert "immutable" not in missing.headers.get("Cache-Control", "")


def test_the_key_is_the_secret_of_the_application_or_one_of_the_cache(music: Path) -> None:
    track = music / "folder" / "track.flac"
    apps = [make_app(music), make_app(music), make_app(music, SECRET_KEY="of the app")]
    for app in apps:
        FlaskAudioCache(app)
    first, second, secret = (address(app, track) for app in apps)
    assert first == second != secret
    apps[0].config["SECRET_KEY"] = "of the app"  # as hosts do that set it later
    assert address(apps[0], track) == secret
    for app in apps:
        state_of(app).shut_down()


def test_the_signature_stands_in_for_the_hosts_own_question(music: Path) -> None:
    app = make_app(music)
    FlaskAudioCache(app, authorize=lambda: abort(401))
    track = music / "folder" / "track.flac"
    client = app.test_client()
    assert client.get("/play/folder/track.flac").status_code == 401
    assert client.get(address(app, track)).status_code == 200
    assert client.get("/r/x.mp3").status_code == 403
    state_of(app).shut_down()


def test_what_has_no_rendition_has_no_address(app: Flask, music: Path, mp3: Path) -> None:
    lossy = Path(shutil.copy(mp3, music / "lossy.mp3"))
    with app.test_request_context():
        with pytest.raises(QualityError, match="play the original"):
            sign_rendition(lossy, "low", LATER)
        with pytest.raises(QualityError, match="play the original"):
            sign_rendition(music / "folder" / "track.flac", "original", LATER)
        with pytest.raises(FileNotFoundError):
            sign_rendition(music / "none.flac", "low", LATER)


def test_while_nothing_can_be_made_it_says_when_to_come_back(
    app: Flask, client: FlaskClient, track: Path
) -> None:
    url = address(app, track)
    state_of(app).shut_down()
    busy = client.get(url)
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")
    assert os.fspath(track) not in busy.text


def test_plays_by_address_are_counted(app: Flask, client: FlaskClient, track: Path) -> None:
    content, url = store(app, track), address(app, track)
    client.get(url, headers={"Range": "bytes=0-9"})
    client.head(url)
    forget_file(app, track)
    client.get(url)
    count = state_of(app).playback.traffic.snapshot()
    assert (count.hits, count.live, count.sent_bytes) == (1, 1, 10 + len(content))


def test_a_play_by_a_permanent_address_counts_towards_what_is_kept(
    app: Flask, client: FlaskClient, track: Path
) -> None:
    store(app, track)
    cache = state_of(app).cache
    before = {each.id: each.worth for each in cache.ledger.holdings()}
    with client.get(address(app, track)):
        pass
    cache.plays.write()
    assert all(each.worth > before[each.id] for each in cache.ledger.holdings())


def test_an_object_of_a_quality_that_is_gone_leaves_no_file_open(
    app: Flask, client: FlaskClient, track: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(app, track)
    url = address(app, track)
    monkeypatch.setattr(quality, "QUALITY_LEVELS", ("high", "medium"))
    assert client.get(url).status_code == 404
    before = open_files()
    for _ in range(5):
        client.get(url)
    assert open_files() == before


def test_a_web_server_that_takes_x_sendfile_gets_the_path_of_what_is_cached(
    music: Path, track: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIO_CACHE_SENDFILE", "X-Sendfile")
    app = make_app(music)
    FlaskAudioCache(app)
    content = store(app, track)
    client = app.test_client()
    for url in (address(app, track), "/play/folder/track.flac?quality=low"):
        answer = client.get(url, headers={"Range": "bytes=5-9"})
        assert (answer.status_code, answer.data) == (200, b"")
        assert Path(answer.headers["X-Sendfile"]).read_bytes() == content
        assert "Content-Range" not in answer.headers
        # What nobody has cached is sent from here.
        original = client.get(f"{url.partition('?')[0]}?quality=original")
        assert "X-Sendfile" not in original.headers
        original.close()


def test_the_short_way_and_the_long_one_answer_alike(
    app: Flask, client: FlaskClient, track: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(app, track)
    url = address(app, track)
    asked = ["", "bytes=0-9", "bytes=5-", "bytes=-5", "bytes=9-5", "bytes=0-1,3-4", "junk"]
    headers: list[dict[str, str]] = [{"Range": each} if each else {} for each in asked]
    short = [client.get(url, headers=each) for each in headers]
    monkeypatch.setattr(StoredPlays, "answer", lambda *_: None)
    for given, one in zip(headers, short, strict=True):
        other = client.get(url, headers=given)
        assert (one.status, one.data) == (other.status, other.data), given
        assert dict(one.headers) == dict(other.headers), given
