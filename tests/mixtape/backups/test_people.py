"""People come back with what is theirs: stars, ratings, plays, places, devices and mixtapes."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from mixtape.accounts.bookmarks import Bookmarks
from mixtape.accounts.devices import MAX_DEVICES, Devices
from mixtape.accounts.marks import Liking, Marks, Subject
from mixtape.accounts.plays import HeardTrack, Plays
from mixtape.accounts.sealing import Sealer
from mixtape.accounts.users import Users
from mixtape.backups.backups import Backups
from mixtape.database.account_tables import ALBUM, User
from mixtape.database.tables import FIRST_USER
from mixtape.database.units_of_work import Database
from mixtape.errors import BackupError
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState
from tests.helpers.people import ANNS_PASSWORD
from tests.helpers.tracks import Clock, add_track
from tests.mixtape.backups.conftest import SECRET_KEY, Contents, rewritten, written
from tests.mixtape.backups.test_backups import backups_of, elsewhere

HEARD, GONE, ODD = b"a/heard.flac", b"a/gone.flac", b"\xff/odd.flac"
ALBUMS_KEY = b"somebody\1something"


@dataclass(frozen=True)
class Ann:
    """A listener with some of everything, and the keys of her devices."""

    id: int
    phone: str
    television: str


@pytest.fixture
def ann(database: Database, clock: Clock) -> Ann:
    user = Users(database, clock).add("Ann", "listener", ANNS_PASSWORD)
    like_everything(database, clock, user.id)
    devices = Devices(database, Sealer(SECRET_KEY), clock)
    _, phone = devices.add(user.id, "Phone", is_recoverable=True)
    _, television = devices.add(user.id, "Television", is_recoverable=False)
    return Ann(user.id, phone, television)


def like_everything(database: Database, clock: Clock, user_id: int) -> None:
    ids = [add_track(database, path, artist="Somebody") for path in (HEARD, GONE, ODD)]
    marks, bookmarks = Marks(database, clock), Bookmarks(database, clock)
    marks.star(user_id, [Subject.track(ODD), Subject.album("somebody", "something")])
    marks.rate(user_id, Subject.track(HEARD), 4)
    for minute in range(3):
        Plays(database, clock).count(user_id, [HeardTrack(HEARD, clock())])
        clock.advance(minutes=minute + 1)
    bookmarks.put(user_id, HEARD, 90_000, "the chorus")
    bookmarks.save_queue(user_id, [ids[1], ids[0], ids[2]], 1, 1_000, "Player")


def liking_of(database: Database, user_id: int) -> dict[bytes, Liking]:
    return dict(Marks(database).of_tracks(user_id, [HEARD, ODD]))


def token(key: str) -> str:
    return hashlib.md5(f"{key}salt".encode(), usedforsecurity=False).hexdigest()


def id_of(database: Database, name: str) -> int:
    user = Users(database).find(name)
    assert user is not None
    return user.id


def test_somebody_comes_back_with_all_that_is_theirs_on_another_server_and_database(
    database: Database,
    backups: Backups,
    ann: Ann,
    tmp_path: Path,
    clock: Clock,
    database_url: str | None,
    request: pytest.FixtureRequest,
) -> None:
    Mixtapes(database, clock).for_user(ann.id).create(MixtapeState("Hers"))
    before, queue = liking_of(database, ann.id), Bookmarks(database).find_queue(ann.id)
    bookmarks = Bookmarks(database).of(ann.id)
    assert queue is not None
    url = request.getfixturevalue("postgres_url") if database_url is None else None
    with elsewhere(tmp_path, clock, url) as other:
        ids = [add_track(other, path, artist="Somebody") for path in (b"first.flac", ODD, HEARD)]
        there = backups_of(other, tmp_path, clock)
        plan = there.preview(written(backups)).people
        assert (plan.new, plan.devices, plan.locked) == ((("Ann", "listener"),), 2, 0)
        done = there.restore(written(backups), "keep", lets_in=True)
        assert (done.people.added, done.people.devices, done.people.heard) == (("Ann",), 2, 1)
        user_id = id_of(other, "ann")
        assert liking_of(other, user_id) == before
        assert before[HEARD].plays == 3
        assert list(Marks(other).starred(user_id, ALBUM)) == [ALBUMS_KEY]
        assert Bookmarks(other).of(user_id) == bookmarks
        # What is not in this library has left the queue, which plays on where it was.
        found = Bookmarks(other).find_queue(user_id)
        assert found is not None
        assert (found.track_ids, found.place) == ((ids[2], ids[1]), 0)
        assert (found.position_ms, found.changed_by) == (queue.position_ms, queue.changed_by)
        assert Users(other).find_by_password("Ann", ANNS_PASSWORD) is not None
        devices = Devices(other, Sealer(SECRET_KEY))
        assert devices.find_by_token("Ann", token(ann.phone), "salt") is not None
        assert devices.find_by_key(ann.television) is not None
        (tape,) = Mixtapes(other).for_user(user_id).summaries()
        assert tape.title == "Hers"


def test_nobody_gets_in_by_a_backup_unless_that_is_asked(
    backups: Backups, ann: Ann, tmp_path: Path, clock: Clock
) -> None:
    with elsewhere(tmp_path, clock) as other:
        done = backups_of(other, tmp_path, clock).restore(written(backups), "keep")
        assert (done.people.added, done.people.devices) == ((), 0)
        assert [user.name for user in Users(other).all()] == ["admin"]
        assert Devices(other, Sealer(SECRET_KEY)).find_by_key(ann.phone) is None


def test_who_is_here_gets_stars_and_plays_back_and_keeps_password_role_and_devices(
    backups: Backups, ann: Ann, tmp_path: Path, clock: Clock
) -> None:
    with elsewhere(tmp_path, clock) as other:
        users, others_password = Users(other), "another quiet town by the sea"
        user = users.add("ANN", "admin", others_password)
        done = backups_of(other, tmp_path, clock).restore(written(backups), "keep")
        assert done.people.heard == 1
        assert liking_of(other, user.id)[HEARD].plays == 3
        assert users.find_by_password("Ann", ANNS_PASSWORD) is None
        assert users.find_by_password("Ann", others_password) is not None
        assert users.get(user.id).is_admin
        assert Devices(other, Sealer(SECRET_KEY)).of(user.id) == ()


def test_what_was_said_and_heard_since_stays_and_twice_is_as_once(
    database: Database, backups: Backups, ann: Ann, clock: Clock
) -> None:
    file = io.BytesIO(written(backups).getvalue())
    marks, plays = Marks(database, clock), Plays(database, clock)
    marks.rate(ann.id, Subject.track(HEARD), 1)
    marks.unstar(ann.id, [Subject.track(ODD)])
    plays.count(ann.id, [HeardTrack(HEARD, clock())])
    Bookmarks(database, clock).put(ann.id, HEARD, 5, "later")
    for _ in range(2):
        backups.restore(file, "replace", lets_in=True)
        found = liking_of(database, ann.id)
        assert (found[HEARD].rating, found[HEARD].plays, found[HEARD].bookmark_ms) == (1, 4, 5)
        assert found[HEARD].last_played_at == clock()
        assert found[ODD].starred_at is not None
        assert len(Devices(database, Sealer(SECRET_KEY)).of(ann.id)) == 2


def test_the_first_user_is_the_first_one_whatever_either_is_called(
    database: Database, backups: Backups, tmp_path: Path, clock: Clock
) -> None:
    like_everything(database, clock, FIRST_USER)
    Users(database).rename(FIRST_USER, "Berta")
    with elsewhere(tmp_path, clock) as other:
        backups_of(other, tmp_path, clock).restore(written(backups), "keep", lets_in=True)
        (first,) = Users(other).all()
        assert (first.id, first.name) == (FIRST_USER, "admin")
        assert liking_of(other, FIRST_USER)[HEARD].plays == 3


def test_with_another_secret_key_a_device_is_known_by_its_key_alone(
    backups: Backups, ann: Ann, tmp_path: Path, clock: Clock
) -> None:
    with elsewhere(tmp_path, clock) as other:
        there = backups_of(other, tmp_path, clock, "another key of a site")
        assert there.preview(written(backups)).people.locked == 1
        there.restore(written(backups), "keep", lets_in=True)
        devices = Devices(other, Sealer("another key of a site"))
        assert devices.find_by_token("Ann", token(ann.phone), "salt") is None
        assert devices.find_by_key(ann.phone) is not None
        assert not any(one.is_recoverable for one in devices.of(id_of(other, "Ann")))


def test_stars_and_plays_follow_files_to_where_they_are_here(
    backups: Backups, ann: Ann, tmp_path: Path, clock: Clock
) -> None:
    with elsewhere(tmp_path, clock) as other:
        moved = add_track(other, b"b/heard.flac", title="heard.flac", artist="Somebody")
        backups_of(other, tmp_path, clock).restore(written(backups), "keep", lets_in=True)
        user_id = id_of(other, "Ann")
        found = Marks(other).of_tracks(user_id, [b"b/heard.flac", HEARD])
        assert set(found) == {b"b/heard.flac"}
        assert (found[b"b/heard.flac"].plays, found[b"b/heard.flac"].rating) == (3, 4)
        queue = Bookmarks(other).find_queue(user_id)
        assert queue is not None
        assert queue.track_ids == (moved,)


def test_a_backup_holds_no_key_in_plain_and_no_session(
    database: Database, backups: Backups, ann: Ann
) -> None:
    with zipfile.ZipFile(written(backups)) as archive:
        parts = [archive.read(name).decode() for name in archive.namelist()]
    assert not any(ann.phone in part or ann.television in part for part in parts)
    assert not any(ANNS_PASSWORD in part for part in parts)
    with database.read() as session:
        epochs = [epoch for epoch in session.scalars(select(User.session_epoch)) if epoch]
    assert epochs
    assert not any(epoch in part for part in parts for epoch in epochs)


def test_a_backup_from_before_there_were_people_in_it_is_restored(
    backups: Backups, tmp_path: Path, clock: Clock
) -> None:
    with elsewhere(tmp_path, clock) as other:
        old = io.BytesIO()
        with zipfile.ZipFile(written(backups)) as whole, zipfile.ZipFile(old, "w") as archive:
            contents = {**json.loads(whole.read("backup.json")), "version": 1}
            archive.writestr("backup.json", json.dumps(contents))
        done = backups_of(other, tmp_path, clock).restore(old, "keep", lets_in=True)
        assert done.people.added == ()


def test_a_queue_of_which_nothing_is_left_is_in_no_backup(
    database: Database, backups: Backups, clock: Clock
) -> None:
    Bookmarks(database, clock).save_queue(FIRST_USER, [404], 0, 0, "Player")
    assert backups.preview(written(backups)).people.heard == 0


def test_more_devices_than_anybody_may_have_stay_out(
    database: Database, backups: Backups, ann: Ann, clock: Clock
) -> None:
    def multiply(contents: Contents) -> None:
        (one, _) = contents["rows"]["device"]
        contents["rows"]["device"] = [{**one, "key_hash": f"{n:064x}"} for n in range(MAX_DEVICES)]

    file = rewritten(written(backups), multiply, "people/2.json")
    before = Devices(database, Sealer(SECRET_KEY)).of(ann.id)
    with pytest.raises(BackupError, match=f"more than {MAX_DEVICES} devices"):
        backups.restore(file, "keep", lets_in=True)
    assert Devices(database, Sealer(SECRET_KEY)).of(ann.id) == before
