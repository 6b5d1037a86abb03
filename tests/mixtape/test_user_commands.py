from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result

from mixtape.accounts.devices import Devices
from mixtape.accounts.sealing import Sealer
from mixtape.accounts.users import Users
from mixtape.database.units_of_work import Database
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState
from tests.helpers.people import ANNS_PASSWORD

Run = Callable[..., Result]


@pytest.fixture
def run(command: Run) -> Run:
    """Return what runs `mixtape users …` with standard input."""
    return partial(command, "users")


def test_users_are_added_listed_and_given_another_password(tmp_path: Path, run: Run) -> None:
    added = run("add", "Ann", "--role", "admin", said=f"{ANNS_PASSWORD}\n")
    assert added.exit_code == 0, added.output
    assert added.output == "Ann can sign in as admin now.\n"
    assert run("list").output.splitlines() == [
        "admin (admin): 0 mixtapes, 0 devices, signs in with PASSWORD",
        "Ann (admin): 0 mixtapes, 0 devices",
    ]
    changed = run("reset-password", "ann", said="another one entirely")
    assert changed.exit_code == 0, changed.output
    database = Database.open(tmp_path / "data")
    users = Users(database)
    assert users.find_by_password("Ann", ANNS_PASSWORD) is None
    assert users.find_by_password("Ann", "another one entirely") is not None
    database.close()


def test_devices_go_with_a_password_or_alone_where_that_is_said(tmp_path: Path, run: Run) -> None:
    run("add", "Ann", said=ANNS_PASSWORD)
    database = Database.open(tmp_path / "data")
    ann = Users(database).find("Ann")
    assert ann is not None
    devices = Devices(database, Sealer("a key of a site"))

    def add() -> None:
        devices.add(ann.id, "Phone", is_recoverable=False)

    add()
    said = run("reset-password", "Ann", said="another one entirely").output
    assert "1 device still signed in" in said
    said = run("reset-password", "Ann", "--remove-devices", said="another one entirely").output
    assert said.splitlines()[1:] == ["1 device removed."]
    assert devices.of(ann.id) == ()
    add()
    assert run("remove-devices", "ann").output == "1 device of Ann removed.\n"
    assert devices.of(ann.id) == ()
    database.close()


@pytest.mark.parametrize(
    ("arguments", "said", "message"),
    [
        (("add", "Admin"), ANNS_PASSWORD, "called “Admin” already"),
        (("add", "Ann"), "short", "fewer than"),
        (("add", "Ann"), "", "fewer than"),
        (("remove", "Nobody"), "", "no user “Nobody”"),
        (("remove", "admin"), "", "stays"),
        (("reset-password", "admin"), ANNS_PASSWORD, "setting PASSWORD"),
    ],
)
def test_what_cannot_be_done_is_said(
    run: Run, arguments: tuple[str, ...], said: str, message: str
) -> None:
    result = run(*arguments, said=said)
    assert result.exit_code == 1
    assert message in result.output


@pytest.mark.parametrize("tapes", ["give", "delete"])
def test_who_has_tapes_is_removed_once_it_is_said_what_becomes_of_them(
    tmp_path: Path, run: Run, tapes: str
) -> None:
    run("add", "Ann", said=ANNS_PASSWORD)
    database = Database.open(tmp_path / "data")
    ann = Users(database).find("ann")
    assert ann is not None
    Mixtapes(database).for_user(ann.id).create(MixtapeState("Hers"))
    refused = run("remove", "Ann")
    assert refused.exit_code == 2
    assert "Nothing was changed" in refused.output.replace("\n", " ")
    assert Users(database).find("ann") is not None
    removed = run("remove", "Ann", "--tapes", tapes)
    assert removed.exit_code == 0, removed.output
    assert Users(database).find("ann") is None
    mixtapes = Mixtapes(database)
    left = [mixtapes.get(summary.slug).user_id for summary in mixtapes.summaries()]
    assert left == ([1] if tapes == "give" else [])
    database.close()
