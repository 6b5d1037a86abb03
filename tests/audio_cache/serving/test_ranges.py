"""The answers of RFC 9110 for one representation, from a function and from an open file alike."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.datastructures import Headers
from werkzeug.http import http_date
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Request

from audio_cache.serving.ranges import (
    OpenRange,
    Representation,
    listener_has_left,
    requested_span,
    respond,
)

BODY = bytes(range(256)) * 400
MTIME_S = 1_700_000_000.75
LAST_MODIFIED = "Tue, 14 Nov 2023 22:13:20 GMT"
EARLIER = "Tue, 14 Nov 2023 22:13:19 GMT"
LATER = "Tue, 14 Nov 2023 22:13:21 GMT"
ETAG = '"tag"'


@dataclass(frozen=True)
class Answer:
    """What a server would send."""

    status_code: int
    headers: Headers
    data: bytes


class Site:
    """Answers requests for BODY, from memory or from a file."""

    def __init__(self, path: Path | None = None, **given: Any) -> None:
        self.path = path
        self.given = given
        self.spans: list[tuple[int, int]] = []

    def representation(self) -> Representation:
        values: dict[str, Any] = {
            "length": len(BODY),
            "etag": "tag",
            "mtime_s": MTIME_S,
            "content_type": "audio/mpeg",
            "headers": {"X-More": "yes"},
        }
        return Representation(**{**values, **self.given})

    def body(self) -> OpenRange | int:
        return self.open_range if self.path is None else os.open(self.path, os.O_RDONLY)

    def open_range(self, start: int, stop: int) -> Iterable[bytes]:
        self.spans.append((start, stop))
        return [BODY[start:stop]]

    def ask(
        self, method: str = "GET", environ: dict[str, Any] | None = None, **headers: str
    ) -> Answer:
        """Return the answer with its body read; names of headers are written with underscores."""
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        request = Request(
            EnvironBuilder(method=method, headers=given, environ_overrides=environ).get_environ()
        )
        response = respond(request, self.representation(), self.body())
        body, status, sent = run_wsgi_app(response, request.environ)
        content = b"".join(body)
        if hasattr(body, "close"):
            body.close()
        return Answer(int(status.split()[0]), sent, content)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture(params=["memory", "file"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Return a site; when the test is over, no file that it opened is open any more."""
    before = open_files()
    if request.param == "memory":
        yield Site()
    else:
        path = tmp_path / "body"
        path.write_bytes(BODY)
        yield Site(path)
    assert open_files() == before


def assert_whole(answer: Answer) -> None:
    assert answer.status_code == 200
    assert answer.data == BODY
    assert answer.headers["Content-Length"] == str(len(BODY))
    assert "Content-Range" not in answer.headers


def assert_part(answer: Answer, start: int, stop: int) -> None:
    assert answer.status_code == 206
    assert answer.data == BODY[start:stop]
    assert answer.headers["Content-Length"] == str(stop - start)
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(BODY)}"


def assert_validators(answer: Answer) -> None:
    assert answer.headers["ETag"] == ETAG
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-More"] == "yes"


def test_a_plain_get_is_answered_with_all_of_it_and_the_validators(site: Site) -> None:
    answer = site.ask()
    assert_whole(answer)
    assert_validators(answer)
    assert answer.headers["Last-Modified"] == LAST_MODIFIED
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
    assert answer.headers["Last-Modified"] == LAST_MODIFIED
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


@pytest.mark.parametrize("value", [ETAG, LAST_MODIFIED, f" {ETAG} "])
def test_a_range_holds_where_if_range_does(site: Site, value: str) -> None:
    assert_part(site.ask(Range="bytes=5-9", If_Range=value), 5, 10)


@pytest.mark.parametrize(
    "value", [f"W/{ETAG}", '"other"', "tag", EARLIER, LATER, "yesterday", "", f'{ETAG}, "other"']
)
def test_a_range_is_ignored_where_if_range_does_not_hold(site: Site, value: str) -> None:
    assert_whole(site.ask(environ={"HTTP_RANGE": "bytes=5-9", "HTTP_IF_RANGE": value}))


def test_if_range_saves_who_asks_for_what_is_not_there_in_the_new_file(site: Site) -> None:
    assert_whole(site.ask(Range=f"bytes={len(BODY)}-", If_Range='"old"'))


@pytest.mark.parametrize(
    "value", [ETAG, f"W/{ETAG}", f'"a", {ETAG}, "b"', f'"a",W/{ETAG}', "*", f'"with,comma",{ETAG}']
)
def test_what_the_client_has_is_not_sent_again(site: Site, value: str) -> None:
    answer = site.ask(If_None_Match=value)
    assert answer.status_code == 304
    assert answer.data == b""
    assert_validators(answer)
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("value", ['"other"', 'W/"other"', '"a", "b"', '"TAG"'])
def test_another_tag_is_answered_with_the_file(site: Site, value: str) -> None:
    assert_whole(site.ask(If_None_Match=value))


@pytest.mark.parametrize(("date", "status"), [(LAST_MODIFIED, 304), (LATER, 304), (EARLIER, 200)])
def test_if_modified_since(site: Site, date: str, status: int) -> None:
    assert site.ask(If_Modified_Since=date).status_code == status


def test_a_tag_outweighs_a_date(site: Site) -> None:
    assert site.ask(If_None_Match='"other"', If_Modified_Since=LATER).status_code == 200
    assert site.ask(If_None_Match=ETAG, If_Modified_Since=EARLIER).status_code == 304
    assert site.ask(If_Match=ETAG, If_Unmodified_Since=EARLIER).status_code == 200
    assert site.ask(If_Match='"other"', If_Unmodified_Since=LATER).status_code == 412


@pytest.mark.parametrize(
    ("value", "status"),
    [(ETAG, 200), ("*", 200), (f'"a", {ETAG}', 200), ('"a"', 412), (f"W/{ETAG}", 412)],
)
def test_if_match_is_compared_strongly(site: Site, value: str, status: int) -> None:
    answer = site.ask(If_Match=value)
    assert answer.status_code == status
    assert answer.data == (BODY if status == 200 else b"")


@pytest.mark.parametrize(("date", "status"), [(LAST_MODIFIED, 200), (LATER, 200), (EARLIER, 412)])
def test_if_unmodified_since(site: Site, date: str, status: int) -> None:
    assert site.ask(If_Unmodified_Since=date).status_code == status


@pytest.mark.parametrize("name", ["If_Modified_Since", "If_Unmodified_Since"])
def test_a_date_that_is_none_is_ignored(site: Site, name: str) -> None:
    assert_whole(site.ask(**{name: "the day before"}))


def test_preconditions_come_before_the_range(site: Site) -> None:
    assert site.ask(If_None_Match=ETAG, Range="bytes=0-9").status_code == 304
    assert site.ask(If_Match='"a"', Range="bytes=0-9").status_code == 412
    assert site.ask(If_None_Match=ETAG, Range=f"bytes={len(BODY)}-").status_code == 304
    assert_part(site.ask(If_Match=ETAG, Range="bytes=0-9"), 0, 10)


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


def test_conditions_hold_for_head_too(site: Site) -> None:
    assert site.ask("HEAD", If_None_Match=ETAG).status_code == 304
    assert site.ask("HEAD", If_Match='"a"').status_code == 412


def test_all_answers_carry_the_same_validators(site: Site) -> None:
    answers = [
        site.ask(),
        site.ask("HEAD"),
        site.ask(Range="bytes=1-2"),
        site.ask(Range=f"bytes={len(BODY)}-"),
    ]
    assert {answer.headers["ETag"] for answer in answers} == {ETAG}
    assert {answer.headers["Last-Modified"] for answer in answers} == {LAST_MODIFIED}


def test_the_last_fraction_of_a_second_does_not_round_the_date_up() -> None:
    site = Site(mtime_s=1_700_000_000.9999998)
    assert site.ask().headers["Last-Modified"] == LAST_MODIFIED
    assert_part(site.ask(Range="bytes=1-2", If_Range=LAST_MODIFIED), 1, 3)


def test_a_file_older_than_the_epoch_has_its_date() -> None:
    site = Site(mtime_s=-0.5)
    assert site.ask().headers["Last-Modified"] == "Wed, 31 Dec 1969 23:59:59 GMT"


@pytest.mark.parametrize("mtime_s", [4e9, 1e12, 1e18, -1e18])
def test_a_date_that_cannot_be_sent_is_none(mtime_s: float) -> None:
    site = Site(mtime_s=mtime_s)
    answer = site.ask()
    assert_whole(answer)
    assert "Last-Modified" not in answer.headers
    assert_whole(site.ask(If_Modified_Since=LATER))
    assert_whole(site.ask(If_Unmodified_Since=EARLIER))
    assert_whole(site.ask(Range="bytes=0-1", If_Range=http_date(4_000_000_000)))
    assert_part(site.ask(Range="bytes=0-1", If_Range=ETAG), 0, 2)


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
    response = respond(request, Site(path).representation(), Site(path).body())
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
