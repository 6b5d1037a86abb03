from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixtape.server.arrival import MAX_HEAD_BYTES, Arrival, Stage

HEAD = b"POST /login HTTP/1.1\r\nHost: localhost\r\n"
LARGE = 200_000


def request(body: bytes, *fields: bytes) -> bytes:
    lines = (b"Content-Length: %d" % len(body), *fields)
    return HEAD + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def arrive(*pieces: bytes, max_body_bytes: int = 10 * LARGE) -> Arrival:
    arrival = Arrival(max_body_bytes)
    for piece in pieces:
        arrival.add(piece)
    return arrival


@given(st.binary(max_size=40), st.lists(st.integers(1, 30), min_size=1), st.binary(max_size=20))
def test_a_request_is_whole_at_its_last_byte_however_it_is_cut(
    body: bytes, sizes: list[int], behind: bytes
) -> None:
    sent = request(body)
    arrival = Arrival(1000)
    at = 0
    while at < len(sent):
        assert arrival.stage is not Stage.WHOLE
        size = sizes[at % len(sizes)]
        arrival.add(sent[at : at + size] + (behind if at + size >= len(sent) else b""))
        at += size
    assert arrival.stage is Stage.WHOLE
    assert b"".join(arrival.pieces()) == sent
    assert arrival.rest() == behind


@pytest.mark.parametrize("size", [100, LARGE])
def test_a_body_of_any_size_comes_out_as_it_went_in(size: int) -> None:
    body = bytes(number % 251 for number in range(size))
    sent = request(body)
    arrival = arrive(sent[:150], sent[150:70_000], sent[70_000:] + b"GET /")
    assert arrival.stage is Stage.WHOLE
    assert b"".join(arrival.pieces()) == sent
    assert arrival.rest() == b"GET /"
    assert arrival.stored_bytes == (size if size == LARGE else 0)
    arrival.close()


def test_empty_lines_before_a_request_are_ignored() -> None:
    arrival = arrive(b"\r\n", b"\r\n\r\nGET / HTTP/1.1\r\n\r\n")
    assert arrival.stage is Stage.WHOLE
    assert b"".join(arrival.pieces()) == b"GET / HTTP/1.1\r\n\r\n"


def test_empty_lines_alone_are_no_request() -> None:
    assert arrive(b"\r\n\r\n\r\n").stage is Stage.NOTHING


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"X: " + b"a" * MAX_HEAD_BYTES, 431),
        (b"X: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", 431),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"transfer-encoding : gzip\r\nContent-Length: 3\r\n\r\nabc", 411),
    ],
)
def test_what_cannot_be_waited_for_is_refused(fields: bytes, status: int) -> None:
    arrival = arrive(HEAD + fields)
    assert (arrival.refusal, arrival.stage, arrival.must_close) == (status, Stage.WHOLE, True)


@pytest.mark.parametrize(
    "lengths",
    [b"Content-Length: 3\r\nContent-Length: 4", b"Content-Length: -1", b"content-length: 3x"],
)
def test_a_length_that_is_none_is_left_to_the_parser_and_ends_the_connection(
    lengths: bytes,
) -> None:
    arrival = arrive(HEAD + lengths + b"\r\n\r\nabcdef")
    assert (arrival.stage, arrival.must_close, arrival.refusal) == (Stage.WHOLE, True, 0)
    assert b"".join(arrival.pieces()) == HEAD + lengths + b"\r\n\r\n"


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Length:" + b" " * 60_000 + b"\n",
        b"Content-Length: a" + b" " * 60_000 + b"b",
        b"Content-Length" + b"\t" * 60_000 + b"x: 1",
        b"Expect: 100-continue" + b" " * 60_000 + b"x",
        b"\r\n".join([b"Content-Length:"] * 3_000),
    ],
)
def test_a_head_of_blanks_is_read_as_fast_as_any_other(line: bytes) -> None:
    # With a pattern for it the first of these took longer than anybody has waited.
    assert arrive(HEAD + line + b"\r\n\r\n").stage in (Stage.WHOLE, Stage.BODY)


@pytest.mark.parametrize(
    ("field", "length"),
    [
        (b"content-length \t:\t 3 ", 3),
        (b"CONTENT-LENGTH:3", 3),
        (b"X-Content-Length: 3", 0),
        (b" Content-Length: 3", 0),
        (b"Content-Length", 0),
    ],
)
def test_a_length_is_found_where_it_is_one(field: bytes, length: int) -> None:
    assert arrive(HEAD + field + b"\r\n\r\n").length == length


def test_a_body_that_is_too_long_is_not_waited_for() -> None:
    arrival = arrive(HEAD + b"Content-Length: 1001\r\n\r\n", max_body_bytes=1000)
    assert (arrival.stage, arrival.must_close) == (Stage.WHOLE, True)


def test_a_client_that_awaits_consent_gets_it_once_and_only_before_its_body() -> None:
    arrival = arrive(request(b"abc", b"Expect: 100-continue")[:-3])
    assert arrival.take_consent()
    assert not arrival.take_consent()
    assert not arrive(request(b"abc", b"Expect: 100-continue")[:-1]).take_consent()
    assert not arrive(request(b"abc")[:-3]).take_consent()
