from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from mixtape.web.limits import visitor_address
from tests.helpers.audio import make_audio
from tests.helpers.host import PAGE, PASSWORD, csrf_token, make_app, sign_in


def test_without_a_password_everything_is_open(client: FlaskClient) -> None:
    assert client.get("/", headers=PAGE).status_code == 200
    answer = client.get("/login", headers=PAGE)
    assert (answer.status_code, answer.location) == (302, "/")


def test_a_page_leads_to_the_login_and_back(locked: FlaskClient, music: Path) -> None:
    (music / "Soul & Funk").mkdir()
    answer = locked.get("/browse/Soul%20%26%20Funk?page=1", headers=PAGE)
    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")
    form = locked.get(answer.location, headers=PAGE)
    token = csrf_token(form)
    target = "/browse/Soul%20%26%20Funk?page=1"
    assert f'value="{target.replace("&", "&amp;")}"' in form.text
    signed = locked.post(
        "/login", data={"password": PASSWORD, "csrf_token": token, "next": target}, headers=PAGE
    )
    assert (signed.status_code, signed.location) == (303, target)
    assert locked.get(target, headers=PAGE).status_code == 200


@pytest.mark.parametrize("address", ["/", "/play/a.flac", "/cover/", "/editor/progress/x", "/nope"])
def test_a_client_that_shows_no_pages_gets_401_as_json(locked: FlaskClient, address: str) -> None:
    answer = locked.get(address, headers={"Accept": "*/*"})
    assert answer.status_code == 401
    assert answer.json == {
        "error": {"status": 401, "message": "Your session has ended. Sign in again."}
    }


@pytest.mark.parametrize("address", ["/login", "/healthz", "/static/css/app.css"])
def test_login_health_and_static_files_need_no_session(locked: FlaskClient, address: str) -> None:
    with locked.get(address) as answer:
        assert answer.status_code == 200


def test_music_is_played_only_to_who_is_signed_in(locked: FlaskClient, music: Path) -> None:
    make_audio(music / "a.mp3", samples=4410, codec="libmp3lame")
    assert locked.get("/play/a.mp3").status_code == 401
    sign_in(locked)
    with locked.get("/play/a.mp3") as answer:
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers


def test_a_page_renews_the_session(locked: FlaskClient) -> None:
    sign_in(locked)
    assert "Expires=" in locked.get("/", headers=PAGE).headers["Set-Cookie"]


def test_a_wrong_password_is_told_on_the_page_and_signs_nobody_in(locked: FlaskClient) -> None:
    answer = sign_in(locked, "wrong")
    assert answer.status_code == 401
    assert "That is not the password" in answer.text
    assert locked.get("/", headers=PAGE).status_code == 302


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(locked: FlaskClient) -> None:
    cookie = sign_in(locked).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Expires=" in cookie
    assert "Secure" not in cookie


def test_the_session_cookie_is_for_https_alone_where_the_proxy_speaks_it(tmp_path: Path) -> None:
    app = make_app(tmp_path, password=PASSWORD, trusted_proxies=1)
    answer = app.test_client().get("/login", headers={**PAGE, "X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_proxy_that_is_not_trusted_changes_nothing(locked: FlaskClient) -> None:
    answer = locked.get("/login", headers={**PAGE, "X-Forwarded-Proto": "https"})
    assert "Secure" not in answer.headers["Set-Cookie"]


def test_signing_out_ends_the_session(locked: FlaskClient) -> None:
    sign_in(locked)
    token = csrf_token(locked.get("/", headers=PAGE))
    assert locked.get("/logout", headers=PAGE).status_code == 405
    answer = locked.post("/logout", data={"csrf_token": token}, headers=PAGE)
    assert (answer.status_code, answer.location) == (303, "/login")
    assert locked.get("/play/a.flac").status_code == 401


def test_a_new_password_ends_old_sessions(tmp_path: Path) -> None:
    before = make_app(tmp_path, password="old one")
    browser = before.test_client()
    sign_in(browser, "old one")
    cookie = browser.get_cookie("mixtape_session")
    assert cookie is not None
    after = make_app(tmp_path, password="new one").test_client()
    after.set_cookie("mixtape_session", cookie.value)
    assert after.get("/healthz").status_code == 200
    assert after.get("/").status_code == 401


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_a_form_without_its_token_is_refused(locked: FlaskClient, path: str) -> None:
    answer = locked.post(path, data={"password": PASSWORD}, headers=PAGE)
    assert answer.status_code == 400
    assert "open for too long" in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil",
        "",
    ],
)
def test_the_way_back_after_signing_in_never_leaves_the_site(
    locked: FlaskClient, target: str
) -> None:
    answer = sign_in(locked, next=target)
    assert (answer.status_code, answer.location) == (303, "/")


def test_the_sixth_attempt_within_a_minute_is_refused_whatever_it_says(
    locked: FlaskClient,
) -> None:
    for _ in range(5):
        assert sign_in(locked, "wrong").status_code == 401
    answer = sign_in(locked, PASSWORD)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "Too many requests" in answer.text
    assert "Wait a minute" in answer.text
    assert locked.get("/", headers=PAGE).status_code == 302


def test_attempts_are_counted_for_each_address_alone(locked: FlaskClient) -> None:
    for _ in range(6):
        sign_in(locked, "wrong")
    locked.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert sign_in(locked).status_code == 303


def test_attempts_behind_a_trusted_proxy_are_counted_for_each_visitor(tmp_path: Path) -> None:
    client = make_app(tmp_path, password=PASSWORD, trusted_proxies=1).test_client()
    statuses = []
    for visitor in ["192.0.2.1"] * 6 + ["192.0.2.2"]:
        client.environ_base["HTTP_X_FORWARDED_FOR"] = visitor
        statuses.append(sign_in(client, "wrong").status_code)
    assert statuses == [401] * 5 + [429, 401]


def test_two_applications_count_attempts_apart(tmp_path: Path) -> None:
    first, second = (make_app(tmp_path, password=PASSWORD).test_client() for _ in range(2))
    for _ in range(6):
        sign_in(first, "wrong")
    assert sign_in(second).status_code == 303


def test_attempts_are_counted_for_an_ipv6_network_as_one(locked: FlaskClient) -> None:
    statuses = []
    for address in [*(f"2001:db8:1:2::{number}" for number in range(6)), "2001:db8:1:3::1"]:
        locked.environ_base["REMOTE_ADDR"] = address
        statuses.append(sign_in(locked, "wrong").status_code)
    assert statuses == [401] * 5 + [429, 401]


@pytest.mark.parametrize("address", ["192.0.2.1", "::ffff:192.0.2.1", "unix:"])
def test_other_addresses_are_counted_as_they_are(locked: FlaskClient, address: str) -> None:
    with locked.application.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert visitor_address() == address


def test_signing_out_ends_the_sessions_of_copied_cookies_too(
    locked: FlaskClient, tmp_path: Path
) -> None:
    sign_in(locked)
    other = locked.application.test_client()
    sign_in(other)
    cookie = locked.get_cookie("mixtape_session")
    assert cookie is not None
    token = csrf_token(locked.get("/", headers=PAGE))
    locked.post("/logout", data={"csrf_token": token}, headers=PAGE)
    thief = locked.application.test_client()
    thief.set_cookie("mixtape_session", cookie.value)
    assert [each.get("/api/session").status_code for each in (thief, other)] == [401, 401]
    # After a restart as well.
    thief = make_app(tmp_path, password=PASSWORD).test_client()
    thief.set_cookie("mixtape_session", cookie.value)
    assert thief.get("/api/session").status_code == 401
    sign_in(thief)
    assert thief.get("/api/session").status_code == 200


def test_who_is_not_signed_in_ends_nobodys_session(locked: FlaskClient) -> None:
    sign_in(locked)
    stranger = locked.application.test_client()
    token = csrf_token(stranger.get("/login", headers=PAGE))
    stranger.post("/logout", data={"csrf_token": token}, headers=PAGE)
    assert locked.get("/api/session").status_code == 200


def test_a_failed_sign_in_is_logged_with_the_address_and_without_the_password(
    locked: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    sign_in(locked, "a wrong guess")
    assert "a sign-in from 127.0.0.1 failed" in caplog.text
    assert "a wrong guess" not in caplog.text


def test_a_sign_in_of_megabytes_is_refused_unread(locked: FlaskClient) -> None:
    answer = locked.post("/login", data={"password": "x" * 20_000})
    assert answer.status_code == 413
    assert locked.post("/login", headers={"Transfer-Encoding": "chunked"}).status_code == 411


def test_https_is_kept_to(locked: FlaskClient) -> None:
    over_https = locked.get("/login", base_url="https://localhost")
    assert over_https.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in locked.get("/login").headers
