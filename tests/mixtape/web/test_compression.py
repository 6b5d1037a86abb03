from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import mixtape

GZIP = {"Accept-Encoding": "gzip, deflate"}
SHEET = "/static/vendor/bootstrap/bootstrap.min.css"
STATIC = Path(mixtape.__file__).parent / "static"


def test_a_stylesheet_is_sent_at_a_fraction_of_its_size(client: FlaskClient) -> None:
    with client.get(SHEET, headers=GZIP) as answer:
        content = (STATIC / SHEET.removeprefix("/static/")).read_bytes()
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.content_length == len(answer.data) < len(content) / 5
        assert gzip.decompress(answer.data) == content
        assert "Accept-Encoding" in answer.vary


@pytest.mark.parametrize(
    "headers", [{}, {"Accept-Encoding": "gzip;q=0"}, {**GZIP, "Range": "bytes=0-99"}]
)
def test_who_does_not_take_it_gets_the_file_itself(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    with client.get(SHEET, headers=headers) as answer:
        assert "Content-Encoding" not in answer.headers
        assert answer.data.startswith(b"@charset")
        assert "Accept-Encoding" in answer.vary or answer.status_code == 206


def test_a_browser_that_has_it_is_told_so(client: FlaskClient) -> None:
    with client.get(SHEET, headers=GZIP) as first:
        etag = first.headers["ETag"]
    assert etag.startswith("W/")
    with client.get(SHEET, headers={**GZIP, "If-None-Match": etag}) as again:
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == etag


@pytest.mark.parametrize("address", ["/", "/healthz", "/static/img/favicon.svg"])
def test_pages_answers_and_the_smallest_files_are_left_alone(
    client: FlaskClient, address: str
) -> None:
    with client.get(address, headers={**GZIP, "Accept": "text/html"}) as answer:
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers
