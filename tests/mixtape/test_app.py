from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import abort
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from mixtape.web.security import CONTENT_SECURITY_POLICY
from tests.helpers.host import PAGE, PASSWORD, make_app

ADDRESSES = ["/", "/nope", "/healthz", "/static/js/app.js", "/cover/", "/play/none.flac"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_carries_the_security_headers(client: FlaskClient, address: str) -> None:
    with client.get(address, headers=PAGE) as answer:
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "microphone=()" in answer.headers["Permissions-Policy"]


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "data:" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("address", ["/", "/nope"])
def test_pages_hold_no_inline_script_or_style_and_no_foreign_address(
    client: FlaskClient, address: str
) -> None:
    page = client.get(address, headers=PAGE).text
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)
    assert not re.search(r"""(src|href|action)=["'](?:https?:)?//""", page)


def test_no_stylesheet_or_script_of_ours_asks_another_host() -> None:
    import mixtape

    static = Path(mixtape.__file__).parent / "static"
    own = [path for path in static.rglob("*.[cj]s*") if "vendor" not in path.parts]
    assert len(own) > 10
    assert [path.name for path in own if "//" in path.read_text().replace("// ", "")] == []


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "LOCALHOST"]
)
def test_this_machines_own_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:5000",
        "localhost.evil.example",
        "127.0.0.1.nip.example",
        "[",
        "",
    ],
)
def test_without_a_password_other_names_are_refused(client: FlaskClient, host: str) -> None:
    # Past the test client: some versions of it fail at such a name before the application is asked.
    environ = EnvironBuilder(path="/", headers=PAGE).get_environ()
    environ["HTTP_HOST"] = host
    answer = Response(*run_wsgi_app(client.application, environ))
    assert answer.status_code == 400
    assert "evil" not in answer.get_data(as_text=True)


def test_the_refusal_of_a_name_says_what_to_do(client: FlaskClient) -> None:
    answer = client.get("/play/a.flac", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.json is not None
    assert "http://localhost" in answer.json["error"]["message"]


def test_with_a_password_any_name_is_answered(locked: FlaskClient) -> None:
    assert locked.get("/login", headers={"Host": "music.example"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", "/browse/nope", 404),
        ("GET", "/play/nope.flac", 404),
        ("GET", "/cover/nope.flac", 404),
        ("GET", "/cover/?size=huge", 400),
        ("DELETE", "/", 405),
        ("POST", "/logout", 400),
    ],
)
def test_every_error_is_json_of_one_shape_for_programs(
    client: FlaskClient, method: str, address: str, status: int
) -> None:
    answer = client.open(address, method=method)
    assert answer.status_code == status
    assert answer.json is not None
    assert set(answer.json) == {"error"}
    assert answer.json["error"]["status"] == status
    assert answer.json["error"]["message"]


def test_an_error_is_a_page_with_a_way_out_for_browsers(client: FlaskClient) -> None:
    answer = client.get("/nope", headers=PAGE)
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "<h1>Nothing here</h1>" in answer.text
    assert 'href="/"' in answer.text


def test_what_nobody_foresaw_is_logged_and_answered_without_details(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(tmp_path)
    app.add_url_rule("/boom", "boom", view_func=lambda: 1 / 0)
    app.add_url_rule("/abort", "abort", view_func=lambda: abort(500))
    client = app.test_client()
    answer = client.get("/boom")
    assert answer.status_code == 500
    assert "division" not in answer.text
    assert "GET '/boom' failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    page = client.get("/boom", headers=PAGE)
    assert "<h1>Something broke</h1>" in page.text
    assert client.get("/abort").json == answer.json


def test_the_headers_of_an_error_are_kept(client: FlaskClient) -> None:
    answer = client.open("/healthz", method="TRACE")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_health_says_ok(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}


def test_pages_are_kept_by_no_shared_cache(client: FlaskClient) -> None:
    assert client.get("/", headers=PAGE).headers["Cache-Control"] == "private, no-cache"


def test_the_engine_is_told_where_the_music_is(tmp_path: Path, music: Path) -> None:
    app = make_app(tmp_path, password=PASSWORD)
    assert app.config["MUSIC_ROOT"] == str(music)
    assert app.config["DATA_ROOT"] == str(tmp_path / "data")
    assert app.extensions["audio_cache"].settings.default_quality == "medium"


def test_the_address_of_what_failed_is_one_line_of_the_log(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = client.application
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setitem(app.view_functions, "library.browse", lambda **_: 1 / 0)
    assert client.get("/browse/a%0a2026-01-01%20INFO%20forged").status_code == 500
    assert "forged" in caplog.text
    assert not any(line.startswith("2026-01-01 INFO") for line in caplog.text.splitlines())
