"""The conditions of RFC 9110: what a player has already, and what has changed since."""

from __future__ import annotations

import pytest
from werkzeug.http import http_date

from tests.audio_cache.serving.representation_site import (
    BODY,
    EARLIER,
    ETAG,
    LAST_MODIFIED,
    LATER,
    Site,
    assert_part,
    assert_validators,
    assert_whole,
)


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


def test_conditions_hold_for_head_too(site: Site) -> None:
    assert site.ask("HEAD", If_None_Match=ETAG).status_code == 304
    assert site.ask("HEAD", If_Match='"a"').status_code == 412


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
