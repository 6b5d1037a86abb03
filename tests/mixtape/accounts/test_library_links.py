from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mixtape.accounts.devices import Devices
from mixtape.accounts.library_links import LibraryLinks
from mixtape.accounts.sealing import Sealer
from mixtape.database.tables import FIRST_USER
from mixtape.database.units_of_work import Database
from mixtape.errors import LinkError, NotFoundError
from tests.helpers.databases import open_database
from tests.helpers.tracks import NOON, add_track

SECRET_KEY = "a key of the site"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    yield database
    database.close()


@pytest.fixture
def devices(database: Database) -> Devices:
    return Devices(database, Sealer(SECRET_KEY))


@pytest.fixture
def links(database: Database) -> LibraryLinks:
    return LibraryLinks(database, SECRET_KEY)


def nobody(_user_id: int) -> str | None:
    """Return what sessions carry, of which there are none."""
    return None


def make_link(devices: Devices, name: str = "Living room") -> tuple[int, str]:
    device, key = devices.add(FIRST_USER, name, is_recoverable=False, is_link=True)
    assert device.is_link
    return device.id, key


def test_a_token_plays_its_track_until_the_link_is_removed(
    database: Database, devices: Devices, links: LibraryLinks
) -> None:
    device_id, key = make_link(devices)
    track_id = add_track(database, b"Ann/a\xff.flac")
    gone_id = add_track(database, b"gone.flac", missing_since=NOON)
    sign = links.signing(links.get(key))
    token = sign(track_id)
    assert links.find_track(token, nobody) == (device_id, b"Ann/a\xff.flac")
    # Whoever is handed a track is not handed the key.
    assert key not in token
    for missing in (gone_id, 999, 2**70):
        with pytest.raises(NotFoundError):
            links.find_track(sign(missing), nobody)
    devices.remove(FIRST_USER, device_id)
    with pytest.raises(LinkError):
        links.find_track(token, nobody)
    with pytest.raises(LinkError):
        links.get(key)


def test_a_token_is_for_one_track_of_one_link_of_one_site(
    database: Database, devices: Devices, links: LibraryLinks
) -> None:
    (one_id, one), (other_id, other) = make_link(devices), make_link(devices)
    first, second = add_track(database, b"1.flac"), add_track(database, b"2.flac")
    token = links.signing(links.get(one))(first)
    signature = token.rpartition(".")[2]
    wrong = [
        f"{one_id}.{second}.{signature}",
        f"{other_id}.{first}.{signature}",
        f"{one_id}.{first}.{signature[:-1]}",
        f"{one_id}.{first}",
        LibraryLinks(database, "another key of the site").signing(links.get(one))(first),
        links.signing(links.get(other))(first).replace(f"{other_id}.", f"{one_id}.", 1),
        *("", ".", "..", "-1.1.x", "٣.1.x", "9" * 300, "1.1.\udcff", "1.\0.x"),
    ]
    for one_wrong in wrong:
        with pytest.raises(LinkError):
            links.find_track(one_wrong, nobody)
    assert links.find_track(token, nobody) == (one_id, b"1.flac")


def test_the_key_of_a_link_is_no_key_of_a_player_and_the_other_way_round(
    devices: Devices, links: LibraryLinks
) -> None:
    _, key = make_link(devices)
    assert devices.find_by_key(key) is None
    assert devices.find_by_key(key, "admin") is None
    device, player_key = devices.add(FIRST_USER, "Phone", is_recoverable=True)
    assert not device.is_link
    with pytest.raises(LinkError):
        links.get(player_key)


def test_a_token_of_a_session_plays_its_track_for_a_day_and_no_longer_than_the_session(
    database: Database,
) -> None:
    day_s = 24 * 3600
    now = 20_000.25 * day_s
    links = LibraryLinks(database, SECRET_KEY, lambda: now)
    track_id = add_track(database, b"Ann/a\xff.flac")
    marks = {1: "a session of one", 2: "a session of another"}
    token = links.signing_for_session(1, marks[1])(track_id)
    assert links.find_track(token, marks.get) == (None, b"Ann/a\xff.flac")
    now = 20_000.99 * day_s
    # A browser that asks again has it already.
    assert links.signing_for_session(1, marks[1])(track_id) == token
    for later, is_good in ((20_001.99, True), (20_002.0, False)):
        now = later * day_s
        if is_good:
            assert links.find_track(token, marks.get)[1] == b"Ann/a\xff.flac"
        else:
            with pytest.raises(LinkError, match="ended"):
                links.find_track(token, marks.get)
    now = 20_000.5 * day_s
    marks[1] = "the next session"
    with pytest.raises(LinkError):
        links.find_track(token, marks.get)
    with pytest.raises(LinkError):
        links.find_track(token, nobody)


def test_a_token_of_a_session_is_for_one_track_of_one_user(
    database: Database, devices: Devices
) -> None:
    links = LibraryLinks(database, SECRET_KEY, lambda: 0.0)
    first, second = add_track(database, b"1.flac"), add_track(database, b"2.flac")
    link_id, key = make_link(devices)
    marks = {1: "one", 2: "another", link_id: "one"}
    start, signature = links.signing_for_session(1, "one")(first).rsplit(".", 1)
    assert start == f"u1.2.{first}"
    wrong = [
        f"u1.2.{second}.{signature}",
        f"u2.2.{first}.{signature}",
        f"u1.3.{first}.{signature}",
        f"u1.2.{first}.{signature[:-1]}",
        f"{link_id}.2.{first}.{signature}",
        "u" + links.signing(links.get(key))(first),
        *("u", "u.", "uu1.2.1.x", "u1", "u-1.2.1.x", "u" + "9" * 300, "u1.2.1.\udcff"),
    ]
    for one_wrong in wrong:
        with pytest.raises(LinkError):
            links.find_track(one_wrong, marks.get)
    assert links.find_track(f"{start}.{signature}", marks.get) == (None, b"1.flac")
