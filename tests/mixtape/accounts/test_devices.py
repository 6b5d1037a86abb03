from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from mixtape.accounts.devices import MAX_DEVICES, MAX_RECOVERABLE, Devices
from mixtape.accounts.sealing import Sealer
from mixtape.database.account_tables import Device
from mixtape.database.tables import FIRST_USER
from mixtape.database.units_of_work import Database
from mixtape.errors import InvalidAccountError, NotFoundError
from tests.helpers.databases import open_database
from tests.helpers.tracks import Clock

SECRET_KEY = "a key of the site"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    yield database
    database.close()


@pytest.fixture
def devices(database: Database, clock: Clock) -> Devices:
    return Devices(database, Sealer(SECRET_KEY), clock)


def token(key: str, salt: str) -> str:
    return hashlib.md5((key + salt).encode(), usedforsecurity=False).hexdigest()


def test_what_was_sealed_is_opened_with_the_same_key_alone() -> None:
    sealed = Sealer(SECRET_KEY).seal("secret")
    assert b"secret" not in sealed
    assert Sealer(SECRET_KEY).open(sealed) == "secret"
    assert Sealer("another key of the site").open(sealed) is None
    assert Sealer(SECRET_KEY).open(sealed[:-4]) is None
    assert Sealer(SECRET_KEY).open(b"") is None


def test_a_copy_of_the_database_alone_holds_no_key(database: Database, devices: Devices) -> None:
    _, key = devices.add(FIRST_USER, "Phone", is_recoverable=True)
    with database.read() as session:
        [(made, sealed)] = session.execute(select(Device.key_hash, Device.sealed_key)).all()
    assert key not in made
    assert sealed is not None
    assert key.encode() not in sealed


def test_another_secret_key_takes_no_token_and_still_knows_the_key(
    database: Database, devices: Devices
) -> None:
    _, key = devices.add(FIRST_USER, "Phone", is_recoverable=True)
    assert devices.find_by_token("admin", token(key, "salt"), "salt") is not None
    moved = Devices(database, Sealer("another key of the site"))
    assert moved.find_by_token("admin", token(key, "salt"), "salt") is None
    assert moved.find_by_key(key) is not None


def test_keys_differ_and_can_be_typed(devices: Devices) -> None:
    keys = {devices.add(FIRST_USER, f"{n}", is_recoverable=False)[1] for n in range(10)}
    assert len(keys) == 10
    assert all(len(key) == 29 and not set(key) & set("iloIO1 ") for key in keys)


def test_a_device_needs_a_name_and_a_user_and_there_are_not_endless_ones(devices: Devices) -> None:
    with pytest.raises(InvalidAccountError, match="needs a name"):
        devices.add(FIRST_USER, " \n", is_recoverable=True)
    with pytest.raises(NotFoundError):
        devices.add(99, "Phone", is_recoverable=True)
    for number in range(MAX_DEVICES):
        devices.add(FIRST_USER, str(number), is_recoverable=False)
    with pytest.raises(InvalidAccountError, match=f"more than {MAX_DEVICES} devices"):
        devices.add(FIRST_USER, "one more", is_recoverable=False)
    assert len(devices.of(FIRST_USER)) == MAX_DEVICES


def test_devices_that_work_with_every_app_are_fewer_and_others_can_still_be_added(
    devices: Devices,
) -> None:
    for number in range(MAX_RECOVERABLE):
        devices.add(FIRST_USER, str(number), is_recoverable=True)
    with pytest.raises(InvalidAccountError, match=f"more than {MAX_RECOVERABLE} devices that work"):
        devices.add(FIRST_USER, "one more", is_recoverable=True)
    devices.add(FIRST_USER, "one more", is_recoverable=False)


class CountingSealer(Sealer):
    """A sealer that counts how many secrets it has opened."""

    opened = 0

    def open(self, sealed: bytes) -> str | None:
        self.opened += 1
        return super().open(sealed)


@pytest.mark.parametrize("count", [0, 1, MAX_RECOVERABLE])
def test_a_token_takes_as_many_openings_whoever_asks_and_whatever_is_right(
    database: Database, count: int
) -> None:
    sealer = CountingSealer(SECRET_KEY)
    devices = Devices(database, sealer)
    keys = [devices.add(FIRST_USER, str(n), is_recoverable=True)[1] for n in range(count)]
    tokens = [token(key, "salt") for key in (*keys[:1], *keys[-1:], "wrong")]
    for name in ("admin", "nobody"):
        for each in tokens:
            before = sealer.opened
            is_right = name == "admin" and each != tokens[-1]
            assert (devices.find_by_token(name, each, "salt") is not None) is is_right
            assert sealer.opened == before + MAX_RECOVERABLE


def test_a_removed_device_is_gone_and_others_cannot_remove_it(devices: Devices) -> None:
    device, key = devices.add(FIRST_USER, "Phone", is_recoverable=True)
    with pytest.raises(NotFoundError):
        devices.remove(99, device.id)
    devices.remove(FIRST_USER, device.id)
    assert devices.find_by_key(key) is None
    with pytest.raises(NotFoundError):
        devices.remove(FIRST_USER, device.id)


def test_the_use_of_a_device_is_noted_once_a_minute(devices: Devices, clock: Clock) -> None:
    device, _ = devices.add(FIRST_USER, "Phone", is_recoverable=True)
    devices.note_use(device.id, "Player")
    first = devices.of(FIRST_USER)[0].last_used_at
    assert first is not None
    clock.advance(seconds=30)
    devices.note_use(device.id, "Player")
    assert devices.of(FIRST_USER)[0].last_used_at == first
    clock.advance(seconds=31)
    devices.note_use(device.id, "Player")
    assert devices.of(FIRST_USER)[0].last_used_at != first
