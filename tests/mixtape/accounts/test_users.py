from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from mixtape.accounts.devices import Devices
from mixtape.accounts.sealing import Sealer
from mixtape.accounts.users import Belongings, SavedUser, Users
from mixtape.database.account_tables import Device, Play
from mixtape.database.tables import FIRST_USER
from mixtape.database.units_of_work import Database
from mixtape.errors import InvalidAccountError, NotFoundError
from mixtape.mixtapes.drafts import Drafts
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState
from tests.helpers.people import ANNS_PASSWORD


@pytest.fixture
def users(database: Database) -> Users:
    return Users(database)


def test_at_first_there_is_one_user_an_admin_without_a_password(users: Users) -> None:
    [first] = users.all()
    assert (first.id, first.name, first.is_admin, first.is_first) == (1, "admin", True, True)
    assert not users.has_others()
    assert users.find_by_password("admin", "") is None
    assert not users.is_password_of(FIRST_USER, "")


def test_a_user_is_found_by_name_in_any_letters_and_by_the_right_password(users: Users) -> None:
    ann = users.add("  Ann ", "listener", ANNS_PASSWORD)
    assert (ann.name, ann.role, ann.is_first) == ("Ann", "listener", False)
    assert users.has_others()
    assert users.find("ANN") == users.find_by_password("ann", ANNS_PASSWORD) == ann
    assert users.find_by_password("ann", "another one entirely") is None
    assert users.find_by_password("bob", ANNS_PASSWORD) is None
    assert users.find_by_password("ann", "x" * 100_000) is None
    assert users.is_password_of(ann.id, ANNS_PASSWORD)


@pytest.mark.parametrize(
    ("name", "role", "password", "message"),
    [
        (" ", "listener", ANNS_PASSWORD, "needs a name"),
        ("x" * 61, "listener", ANNS_PASSWORD, "longer than 60"),
        ("Admin", "listener", ANNS_PASSWORD, "is called “Admin” already"),
        ("ann", "listener", ANNS_PASSWORD, "is called “ann” already"),
        # Browsers have PASSWORD under this name.
        ("mixtape", "listener", ANNS_PASSWORD, "choose another name"),
        ("Bob", "owner", ANNS_PASSWORD, "no role 'owner'"),
        ("Bob", "listener", "short", "fewer than"),
        ("Bob", "listener", "aaaaaaaaaaaaaa", "different characters"),
        ("Bob", "listener", "four words " * 20, "longer than 200"),
    ],
)
def test_who_cannot_be_added_is_refused_with_the_reason(
    users: Users, name: str, role: str, password: str, message: str
) -> None:
    users.add("Ann", "listener", ANNS_PASSWORD)
    with pytest.raises(InvalidAccountError, match=message):
        users.add(name, role, password)
    assert len(users.all()) == 2


@pytest.mark.parametrize(
    "name", ["JU\u0308RGEN  M", "j\u00fcrgen\u00a0m", "\uff2a\u00fcrgen M", " J\u00fcrgen M "]
)
def test_a_name_is_the_same_however_it_is_typed(users: Users, name: str) -> None:
    there = users.add("J\u00fcrgen M", "listener", ANNS_PASSWORD)
    assert users.find_by_password(name, ANNS_PASSWORD) == there
    with pytest.raises(InvalidAccountError, match="already"):
        users.add(name, "listener", ANNS_PASSWORD)


def test_a_name_can_be_changed_that_of_the_first_user_too(users: Users) -> None:
    ann = users.add("Ann", "listener", ANNS_PASSWORD)
    assert users.rename(ann.id, "ANN").name == "ANN"
    assert users.rename(FIRST_USER, "mixtape").name == "mixtape"
    assert users.find("admin") is None
    with pytest.raises(InvalidAccountError, match="already"):
        users.rename(FIRST_USER, "ann")
    with pytest.raises(NotFoundError):
        users.rename(99, "Nobody")
    with pytest.raises(NotFoundError):
        users.rename(2**70, "Nobody")


CHANGES: list[Callable[[Users, int], object]] = [
    lambda users, ann: users.set_role(ann, "admin"),
    lambda users, ann: users.set_password(ann, "another one entirely"),
    lambda users, ann: users.end_sessions(ann),
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_ends_sessions_changes_their_epoch(
    users: Users, change: Callable[[Users, int], object]
) -> None:
    ann = users.add("Ann", "listener", ANNS_PASSWORD)
    bob = users.add("Bob", "listener", ANNS_PASSWORD)
    assert ann.session_epoch != bob.session_epoch
    change(users, ann.id)
    assert users.get(ann.id).session_epoch != ann.session_epoch
    assert users.get(bob.id) == bob


def test_what_changes_nothing_of_that_leaves_the_epoch(users: Users) -> None:
    ann = users.add("Ann", "listener", ANNS_PASSWORD)
    users.set_role(ann.id, "listener")
    users.rename(ann.id, "Anna")
    assert users.get(ann.id).session_epoch == ann.session_epoch


def test_the_first_user_stays_an_admin_with_the_password_of_the_settings(users: Users) -> None:
    ann = users.add("Ann", "admin", ANNS_PASSWORD)
    for change in (
        lambda: users.set_role(FIRST_USER, "listener"),
        lambda: users.set_password(FIRST_USER, ANNS_PASSWORD),
        lambda: users.remove(FIRST_USER, ann.id),
    ):
        with pytest.raises(InvalidAccountError, match="PASSWORD"):
            change()
    assert users.get().is_admin


@pytest.mark.parametrize("is_given", [False, True])
def test_with_a_user_go_all_things_but_tapes_that_are_given_away(
    users: Users, database: Database, is_given: bool
) -> None:
    ann = users.add("Ann", "listener", ANNS_PASSWORD)
    mixtapes, drafts = Mixtapes(database).for_user(ann.id), Drafts(database).for_user(ann.id)
    tape = mixtapes.create(MixtapeState("Hers"))
    drafts.begin(tape.slug)
    drafts.begin()
    Devices(database, Sealer("a secret key")).add(ann.id, "Phone", is_recoverable=True)
    now = datetime.now(UTC)
    with database.write() as session:
        session.add(Play(user_id=ann.id, path=b"a.flac", plays=1, last_played_at=now))
    # The draft of the mixtape is a part of that.
    assert users.belongings() == {1: Belongings(), ann.id: Belongings(1, 1, 1)}

    assert users.remove(ann.id, FIRST_USER if is_given else None).name == "Ann"

    with database.read() as session:
        assert session.scalars(select(Device)).all() == []
        assert session.scalars(select(Play)).all() == []
    left = Belongings(1, 1) if is_given else Belongings()
    assert users.belongings() == {1: left}
    assert [one.title for one in Mixtapes(database).summaries()] == ["Hers"] * is_given
    assert users.find("Ann") is None
    with pytest.raises(NotFoundError):
        users.remove(ann.id, None)


def test_nothing_is_removed_for_an_heir_who_is_not_there(users: Users) -> None:
    ann = users.add("Ann", "listener", ANNS_PASSWORD)
    with pytest.raises(NotFoundError):
        users.remove(ann.id, 99)
    with pytest.raises(InvalidAccountError):
        users.remove(ann.id, ann.id)
    assert users.get(ann.id) == ann


def test_a_user_is_known_for_a_second_and_changes_of_this_process_at_once(
    database: Database,
) -> None:
    second = [0.0]
    here, elsewhere = Users(database, tick=lambda: second[0]), Users(database)
    ann = here.add("Ann", "listener", ANNS_PASSWORD)
    assert here.find_known(ann.id) == ann
    elsewhere.rename(ann.id, "Anna")
    second[0] = 0.9
    assert here.find_known(ann.id) == ann
    second[0] = 1.0
    assert here.find_known(ann.id) == elsewhere.get(ann.id)
    here.rename(ann.id, "Annie")
    assert here.find_known(ann.id) == here.get(ann.id)
    here.remove(ann.id, None)
    assert here.find_known(ann.id) is None


def test_what_was_read_before_a_change_is_not_known_after_it(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = users.add("Ann", "listener", ANNS_PASSWORD)
    get = users.get

    def get_and_lose_the_race(user_id: int) -> SavedUser:
        found = get(user_id)
        users.set_role(user_id, "admin")
        return found

    monkeypatch.setattr(users, "get", get_and_lose_the_race)
    users.find_known(ann.id)
    monkeypatch.setattr(users, "get", get)
    known = users.find_known(ann.id)
    assert known is not None
    assert known.is_admin
