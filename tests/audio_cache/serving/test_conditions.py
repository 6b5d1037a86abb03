"""The conditions of RFC 9110: what a player has already, and what has changed since."""

from __future__ import annotations

import pytest

from tests.audio_cache.serving.representation_site import (
    BODY,
    ETAG,
    IN_FUTURE,
    LONG_AGO,
    Site,
    assert_part,
    assert_validators,
    assert_whole,
)


@pytest.mark.parametrize("value", [ETAG, f" {ETAG} "])
def test_a_range_holds_where_if_range_does(site: Site, value: str) -> None:
    assert_part(site.ask(Range="bytes=5-9", If_Range=value), 5, 10)


@pytest.mark.parametrize(
    "value",
    [f"W/{ETAG}", '"other"', "tag", LONG_AGO, IN_FUTURE, "yesterday", "", f'{ETAG}, "other"'],
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


@pytest.mark.parametrize("date", [LONG_AGO, IN_FUTURE, "the day before", ""])
@pytest.mark.parametrize("name", ["If_Modified_Since", "If_Unmodified_Since"])
def test_no_date_is_told_so_no_condition_by_date_holds_or_fails(
    site: Site, name: str, date: str
) -> None:
    assert_whole(site.ask(**{name: date}))
    assert_part(site.ask(Range="bytes=5-9", **{name: date}), 5, 10)
    assert site.ask("HEAD", **{name: date}).status_code == 200


@pytest.mark.parametrize("date", [LONG_AGO, IN_FUTURE])
def test_a_date_changes_nothing_of_what_a_tag_says(site: Site, date: str) -> None:
    assert site.ask(If_None_Match='"other"', If_Modified_Since=date).status_code == 200
    assert site.ask(If_None_Match=ETAG, If_Modified_Since=date).status_code == 304
    assert site.ask(If_Match=ETAG, If_Unmodified_Since=date).status_code == 200
    assert site.ask(If_Match='"other"', If_Unmodified_Since=date).status_code == 412


@pytest.mark.parametrize(
    ("value", "status"),
    [(ETAG, 200), ("*", 200), (f'"a", {ETAG}', 200), ('"a"', 412), (f"W/{ETAG}", 412)],
)
def test_if_match_is_compared_strongly(site: Site, value: str, status: int) -> None:
    answer = site.ask(If_Match=value)
    assert answer.status_code == status
    assert answer.data == (BODY if status == 200 else b"")


def test_preconditions_come_before_the_range(site: Site) -> None:
    assert site.ask(If_None_Match=ETAG, Range="bytes=0-9").status_code == 304
    assert site.ask(If_Match='"a"', Range="bytes=0-9").status_code == 412
    assert site.ask(If_None_Match=ETAG, Range=f"bytes={len(BODY)}-").status_code == 304
    assert_part(site.ask(If_Match=ETAG, Range="bytes=0-9"), 0, 10)


def test_conditions_hold_for_head_too(site: Site) -> None:
    assert site.ask("HEAD", If_None_Match=ETAG).status_code == 304
    assert site.ask("HEAD", If_Match='"a"').status_code == 412


EARLIER = '"earlier"'


@pytest.fixture
def renamed() -> Site:
    """Return a site of bytes that had another tag before."""
    return Site(other_etag="earlier")


def test_a_tag_that_the_same_bytes_had_before_is_as_good_but_is_not_sent(renamed: Site) -> None:
    part = renamed.ask(Range="bytes=5-9", If_Range=EARLIER)
    assert_part(part, 5, 10)
    assert_validators(part)
    assert renamed.ask(If_None_Match=EARLIER).status_code == 304
    assert renamed.ask(If_None_Match=f"W/{EARLIER}").status_code == 304
    assert renamed.ask(If_Match=EARLIER).status_code == 200
    assert_part(renamed.ask(Range="bytes=5-9", If_Range=ETAG), 5, 10)


@pytest.mark.parametrize("tag", [f"W/{EARLIER}", '""', '"other"', f"{EARLIER}, {ETAG}"])
def test_no_other_tag_than_those_two_lets_a_range_hold(renamed: Site, tag: str) -> None:
    assert_whole(renamed.ask(Range="bytes=5-9", If_Range=tag))


def test_where_there_was_no_other_tag_an_empty_one_is_none_of_these_bytes(site: Site) -> None:
    assert_whole(site.ask(Range="bytes=5-9", If_Range='""'))
    assert_whole(site.ask(If_None_Match='""'))
    assert site.ask(If_Match='""').status_code == 412
