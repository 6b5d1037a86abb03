"""People of a backup that somebody else has written: what nobody can have does not come in."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from mixtape.accounts.devices import Devices
from mixtape.accounts.marks import Marks, Subject
from mixtape.accounts.plays import HeardTrack, Plays
from mixtape.accounts.sealing import Sealer
from mixtape.accounts.users import Users
from mixtape.backups.backups import Backups
from mixtape.database.account_tables import Device, Mark, Play, User
from mixtape.database.units_of_work import Database
from mixtape.errors import BackupError
from tests.helpers.people import ANNS_PASSWORD
from tests.helpers.tracks import Clock, add_track
from tests.mixtape.backups.conftest import SECRET_KEY, Contents, rewritten, written
from tests.mixtape.backups.test_hostile_backups import DEAR

PART = "people/2.json"
QUEUE = {"state": {"paths": ["a.flac"]}, "changed_at": "2024-05-01T12:00:00+00:00"}


@pytest.fixture
def file(database: Database, backups: Backups, clock: Clock) -> io.BytesIO:
    """Return a backup with somebody who has a device, a star and a play, and is here no more."""
    add_track(database, b"a.flac")
    users = Users(database, clock)
    user = users.add("Ann", "listener", ANNS_PASSWORD)
    Devices(database, Sealer(SECRET_KEY), clock).add(user.id, "Phone", is_recoverable=True)
    Marks(database, clock).star(user.id, [Subject.track(b"a.flac")])
    Plays(database, clock).count(user.id, [HeardTrack(b"a.flac", clock())])
    good = written(backups)
    users.remove(user.id, None)
    return good


def counts(database: Database) -> list[int]:
    with database.read() as session:
        models = (User, Device, Mark, Play)
        return [session.scalars(select(func.count()).select_from(one)).one() for one in models]


@pytest.mark.parametrize(
    ("table", "values", "said"),
    [
        ("user", {"name": ""}, "no name of a user"),
        ("user", {"name": "x\n"}, "no name of a user"),
        ("user", {"name": "x" * 61}, "no name of a user"),
        ("user", {"name": "admin"}, "twice"),
        ("user", {"name": "mixtape"}, "cannot be added"),
        ("user", {"id": 1}, "twice"),
        ("user", {"role": "root"}, "a role that there is not"),
        *(("user", {"password_hash": each}, "in a way that is not ours") for each in DEAR),
        ("device", {"name": " "}, "has no name"),
        ("device", {"key_hash": "x"}, "no key that could be ours"),
        ("device", {"key_hash": 7}, "not a value of its kind"),
        ("mark", {"kind": "planet"}, "of nothing that there can be"),
        ("mark", {"kind": "album", "key": "no separator"}, "of nothing that there can be"),
        ("mark", {"kind": "album", "key": {"base64": "/wH/"}}, "of nothing that there can be"),
        ("mark", {"kind": "artist", "key": {"base64": "/w=="}}, "of nothing that there can be"),
        ("mark", {"key": "x" * 9_000}, "of nothing that there can be"),
        ("mark", {"rating": 6}, "from 1 to 5"),
        ("play", {"plays": 0}, "cannot be"),
        ("play", {"plays": 2**62}, "cannot be"),
        ("play", {"last_played_at": "soon"}, "not a date"),
        ("bookmark", {"path": "a.flac", "position_ms": -1}, "cannot be"),
        ("play_queue", {**QUEUE, "state": []}, "does not hold"),
        ("play_queue", {**QUEUE, "state": {"paths": []}}, "does not hold"),
        ("play_queue", {**QUEUE, "state": {"paths": ["x"] * 10_001}}, "does not hold"),
        ("play_queue", {**QUEUE, "state": {"paths": [7]}}, "neither text nor base64"),
        ("play_queue", {**QUEUE, "place": 1}, "goes on where it has no track"),
    ],
)
def test_what_nobody_can_have_is_refused_and_nothing_changed(
    backups: Backups,
    database: Database,
    file: io.BytesIO,
    table: str,
    values: dict[str, Any],
    said: str,
) -> None:
    def spoil(contents: Contents) -> None:
        dates = {"created_at": "2024-05-01T12:00:00+00:00", "changed_at": QUEUE["changed_at"]}
        rows = contents["rows"].setdefault(table, [])
        rows[:] = [{**(rows[0] if rows else dates), **values}]

    before = counts(database)
    with pytest.raises(BackupError, match=said):
        backups.restore(rewritten(file, spoil, PART), "keep", lets_in=True)
    assert counts(database) == before


def test_a_play_of_the_future_is_one_of_now(
    backups: Backups, database: Database, file: io.BytesIO, clock: Clock
) -> None:
    def spoil(contents: Contents) -> None:
        contents["rows"]["play"][0]["last_played_at"] = "2999-01-01T00:00:00+00:00"

    backups.restore(rewritten(file, spoil, PART), "keep", lets_in=True)
    with database.read() as session:
        assert session.scalars(select(Play.last_played_at)).one() == clock()


def test_a_key_that_is_sealed_for_another_device_is_not_taken(
    backups: Backups, database: Database, file: io.BytesIO
) -> None:
    def spoil(contents: Contents) -> None:
        contents["rows"]["device"][0]["key_hash"] = "0" * 64

    backups.restore(rewritten(file, spoil, PART), "keep", lets_in=True)
    with database.read() as session:
        assert session.scalars(select(Device.sealed_key)).one() is None


def test_a_role_or_password_of_somebody_who_is_here_is_never_changed(
    backups: Backups, database: Database, file: io.BytesIO
) -> None:
    def promote(contents: Contents) -> None:
        contents["rows"]["user"][0]["role"] = "admin"

    users = Users(database)
    ann = users.add("Ann", "listener", "other words of a quiet town")
    backups.restore(rewritten(file, promote, PART), "replace", lets_in=True)
    assert users.get(ann.id).role == "listener"
    assert users.find_by_password("Ann", ANNS_PASSWORD) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda contents: contents.clear(),
        lambda contents: contents["rows"].pop("user"),
        lambda contents: contents["rows"]["user"].append({}),
        lambda contents: contents["rows"].update(mark=7),
        lambda contents: contents.update(tracks=[{"path": 7}]),
    ],
)
def test_a_part_of_another_form_is_refused(
    backups: Backups, file: io.BytesIO, change: Callable[[Contents], None]
) -> None:
    with pytest.raises(BackupError, match="not of the form"):
        backups.preview(rewritten(file, change, PART))


@pytest.mark.parametrize("name", ["people/0.json", "people/x.json", "people/1.json/../2", "people"])
def test_a_part_with_another_name_is_refused(backups: Backups, file: io.BytesIO, name: str) -> None:
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(name, "{}")
    with pytest.raises(BackupError, match="it holds"):
        backups.preview(file)
