"""The answers of RFC 9110 for one representation, from a function and from an open file alike."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from audio_cache.serving.ranges import listener_has_left, requested_span, respond
from tests.audio_cache.serving.representation_site import (
    BODY,
    ETAG,
    Site,
    assert_part,
    assert_validators,
    assert_whole,
)
from tests.helpers.processes import open_files


def test_a_plain_get_is_answered_with_all_of_it_and_the_validators(site: Site) -> None:
    answer = site.ask()
    assert_whole(answer)
    assert_validators(answer)
    assert answer.headers["Content-Type"] == "audio/mpeg"


@pytest.mark.parametrize(
    ("span", "start", "stop"),
    [
        ("0-0", 0, 1),
        ("0-65535", 0, 65536),
        ("100-199", 100, 200),
        ("100-", 100, len(BODY)),
        ("0-", 0, len(BODY)),
        ("-1", len(BODY) - 1, len(BODY)),
        ("-500", len(BODY) - 500, len(BODY)),
        (f"-{len(BODY)}", 0, len(BODY)),
        ("-999999999", 0, len(BODY)),
        (f"{len(BODY) - 1}-", len(BODY) - 1, len(BODY)),
        ("102000-999999999", 102000, len(BODY)),
        (f"0-{10**40}", 0, len(BODY)),
        ("007-009", 7, 10),
        (" 5-9 ", 5, 10),
    ],
)
def test_one_range_is_answered_with_it(site: Site, span: str, start: int, stop: int) -> None:
    answer = site.ask(Range=f"bytes={span}")
    assert_part(answer, start, stop)
    assert_validators(answer)
    assert answer.headers["Content-Type"] == "audio/mpeg"


def test_the_unit_may_be_written_in_any_case(site: Site) -> None:
    assert_part(site.ask(Range="Bytes=1-2"), 1, 3)


@pytest.mark.parametrize("span", [f"{len(BODY)}-", f"{len(BODY)}-{len(BODY) + 9}", "-0", "-000"])
def test_a_range_with_nothing_in_it_is_refused_with_the_true_length(site: Site, span: str) -> None:
    answer = site.ask(Range=f"bytes={span}")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(BODY)}"
    assert answer.headers["Content-Length"] == "0"
    assert answer.data == b""
    assert_validators(answer)


@pytest.mark.parametrize(
    "header",
    [
        "bytes=",
        "bytes=-",
        "bytes",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=1-2-3",
        "bytes=--5",
        "bytes=+1-5",
        "bytes=1_0-20",
        "bytes=0x1-0x5",
        "bytes=\u0661-\u0662",
        "bytes=1.0-2",
        "bytes 0-5",
        "=0-5",
        "seconds=0-5",
        "items=0-5",
        "bytes=" + "9" * 5000 + "-",
        "\x00",
    ],
)
def test_garbage_and_other_units_are_ignored(site: Site, header: str) -> None:
    environ = {"HTTP_RANGE": header}
    assert_whole(site.ask(environ=environ))


@pytest.mark.parametrize("header", ["0-0,-1", "0-9,20-29", "0-9, 5-14", "-5,0-3", "0-1," * 500])
def test_several_ranges_are_answered_with_all_of_it(site: Site, header: str) -> None:
    assert_whole(site.ask(Range=f"bytes={header}"))


def test_only_the_bytes_asked_for_are_made() -> None:
    site = Site()
    site.ask(Range="bytes=10-19")
    assert site.spans == [(10, 20)]


@pytest.mark.parametrize("span", ["0-9", f"{len(BODY)}-"])
def test_head_knows_no_ranges_and_sends_no_body(site: Site, span: str) -> None:
    answer = site.ask("HEAD", Range=f"bytes={span}")
    assert answer.status_code == 200
    assert answer.data == b""
    assert answer.headers["Content-Length"] == str(len(BODY))
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert "Content-Range" not in answer.headers
    assert_validators(answer)


def test_head_makes_nothing() -> None:
    site = Site()
    site.ask("HEAD")
    site.ask("HEAD", If_None_Match=ETAG)
    assert site.spans == []


def test_all_answers_carry_the_same_validators(site: Site) -> None:
    answers = [
        site.ask(),
        site.ask("HEAD"),
        site.ask(Range="bytes=1-2"),
        site.ask(Range=f"bytes={len(BODY)}-"),
    ]
    assert {answer.headers["ETag"] for answer in answers} == {ETAG}
    assert not any("Last-Modified" in answer.headers for answer in answers)


@pytest.mark.parametrize("header", ["0-", "0-0", "-1"])
def test_of_nothing_no_range_can_be_given(tmp_path: Path, header: str) -> None:
    path = tmp_path / "empty"
    path.touch()
    site = Site(path, length=0)
    assert site.ask().data == b""
    answer = site.ask(Range=f"bytes={header}")
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */0")


def test_an_error_in_making_the_range_reaches_who_asked() -> None:
    def fail(start: int, stop: int) -> Iterable[bytes]:
        raise LookupError

    site = Site()
    site.open_range = fail  # type: ignore[method-assign]
    with pytest.raises(LookupError):
        site.ask()


class Wrapper:
    """What a server gives as wsgi.file_wrapper, in the manner of gunicorn."""

    def __init__(self, file: Any, size: int) -> None:
        self.file = file
        self.size = size
        self.offset = file.tell()

    def __iter__(self) -> Iterator[bytes]:
        while data := self.file.read(self.size):
            yield data

    def close(self) -> None:
        self.file.close()


def wrapped(path: Path, software: str, **headers: str) -> object:
    environ = EnvironBuilder(headers=headers).get_environ()
    environ.update({"wsgi.file_wrapper": Wrapper, "SERVER_SOFTWARE": software})
    request = Request(environ)
    response, _ = respond(request, Site(path).representation(), Site(path).body())
    body, _, _ = response.get_wsgi_response(environ)
    return body


def test_a_server_with_sendfile_gets_the_file_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(BODY)
    body = wrapped(path, "gunicorn/27", Range="bytes=1000-80999")
    assert isinstance(body, Wrapper)
    assert (body.offset, os.lseek(body.file.fileno(), 0, os.SEEK_CUR)) == (1000, 1000)
    # A server that cannot use sendfile, as with TLS, reads no further than the range goes.
    assert b"".join(body) == BODY[1000:81000]
    assert body.file.read() == b""
    body.close()


def test_a_short_range_is_read_at_once_and_holds_no_file(tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(BODY)
    before = open_files()
    body = wrapped(path, "gunicorn/27", Range="bytes=10-19")
    assert open_files() == before
    assert b"".join(body) == BODY[10:20]  # type: ignore[call-overload]


def test_other_servers_get_pieces_of_the_range(tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(BODY)
    body = wrapped(path, "other/1", Range="bytes=10-99999")
    assert not isinstance(body, Wrapper)
    pieces = list(body)  # type: ignore[call-overload]
    assert b"".join(pieces) == BODY[10:100000]
    assert max(map(len, pieces)) <= 1 << 16
    body.close()  # type: ignore[attr-defined]
    assert next(body, None) is None  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=-3", (97, 100)),
        ("bytes=100-", None),
        ("bytes=-0", None),
        ("bytes=0-1,3-4", (0, 0)),
        ("rows=0-9", (0, 0)),
    ],
)
def test_requested_span(header: str, span: tuple[int, int] | None) -> None:
    assert requested_span(header, 100) == span


def test_a_listener_has_left_when_the_other_end_is_closed() -> None:
    here, there = socket.socketpair()
    with here, there:
        has_left = listener_has_left({"gunicorn.socket": here})
        assert not has_left()
        there.sendall(b"the next request")
        assert not has_left()
        there.close()
        assert has_left()


def test_where_the_server_shows_no_socket_nobody_leaves() -> None:
    assert not listener_has_left({})()
