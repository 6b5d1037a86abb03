"""Two hosts with one database on PostgreSQL: what one stores, the other shows and plays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.helpers.host import PASSWORD, make_app
from tests.helpers.mixtapes import Owner, scan, services_of, share_mixtape, stream_urls
from tests.helpers.people import add_user, signed_in
from tests.helpers.tracks import place
from tests.helpers.waiting import LIMIT_S, wait_until

KEY = "0123456789abcdef"


@pytest.fixture
def hosts(
    tmp_path: Path, music: Path, flac: Path, mp3: Path, postgres_url: str
) -> Iterator[tuple[Flask, Flask]]:
    place(flac, music / "a" / "1.flac", title="Jóga", artist="Björk", album="Homogenic")
    place(mp3, music / "b.mp3", title="Alone", artist="Nobody")
    roots = [tmp_path / "one", tmp_path / "two"]
    one, two = (
        make_app(tmp_path, data_root=root, database_url=postgres_url, secret_key=KEY)
        for root in roots
    )
    yield one, two
    for host in (one, two):
        services_of(host).close()


def test_what_one_host_scans_and_saves_the_other_finds_shows_and_plays(
    hosts: tuple[Flask, Flask],
) -> None:
    one, two = hosts
    scan(one)
    found = two.test_client().get("/api/search?q=bjo&all=1").json
    assert found is not None
    assert [track["title"] for track in found["tracks"]] == ["Jóga"]
    assert [album["title"] for album in found["albums"]] == ["Homogenic"]
    owner = Owner(two.test_client())
    assert owner.send("POST", "/api/drafts", {}).status_code < 300
    mixtape = share_mixtape(one, "Jóga", "Alone")
    listener = two.test_client()
    for url in stream_urls(listener, mixtape):
        with listener.get(f"{url}?quality=original") as played:
            assert played.status_code == 200
    assert "Homogenic" in owner.page("/albums").text
    assert listener.get("/healthz").json == {"status": "ok"}


def test_a_session_of_a_user_is_good_at_both_hosts_and_ends_at_both(
    tmp_path: Path, music: Path, postgres_url: str
) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    one, two = (
        make_app(
            tmp_path, data_root=root, database_url=postgres_url, secret_key=KEY, password=PASSWORD
        )
        for root in roots
    )
    user = add_user(one)
    here = signed_in(one, "ann")
    there = Owner(two.test_client())
    cookie = here.client.get_cookie("mixtape_session")
    assert cookie is not None
    there.client.set_cookie(cookie.key, cookie.value)
    assert there.client.get("/api/session").status_code == 200
    services_of(one).users.end_sessions(user.id)
    assert here.client.get("/api/session").status_code == 401
    wait_until(lambda: there.client.get("/api/session").status_code == 401)
    for host in (one, two):
        services_of(host).close()


def test_one_host_scans_at_a_time(hosts: tuple[Flask, Flask]) -> None:
    one, two = hosts
    scanner = services_of(two).scanner
    with services_of(one).database.claim_scan() as is_alone:
        assert is_alone
        scanner.start()
        assert str(scanner.wait(LIMIT_S).error) == "another host is scanning already"
    scan(two)
    assert services_of(one).catalogue.counts().tracks == 2


def test_addresses_with_texts_that_no_database_keeps_are_not_found(
    hosts: tuple[Flask, Flask],
) -> None:
    client = hosts[0].test_client()
    for address in ("/api/search?q=%00", "/api/search?q=a%00b&all=1", "/cover/%00", "/play/%00"):
        assert client.get(address).status_code < 500, address
