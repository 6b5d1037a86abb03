"""Whose a mixtape is, by the name that a backup has."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mixtape.accounts.users import Users
from mixtape.backups.backups import Backups
from mixtape.database.units_of_work import Database
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState
from tests.helpers.people import ANNS_PASSWORD
from tests.helpers.tracks import Clock
from tests.mixtape.backups.test_backups import backups_of, elsewhere, written


@pytest.mark.parametrize("is_there", [True, False])
def test_a_backup_holds_everybodys_mixtapes_and_gives_each_back_to_its_user(
    database: Database, backups: Backups, tmp_path: Path, clock: Clock, is_there: bool
) -> None:
    ann = Users(database).add("Ann", "listener", ANNS_PASSWORD)
    Mixtapes(database, clock).create(MixtapeState("The first one's"))
    clock.advance(seconds=1)
    Mixtapes(database, clock).for_user(ann.id).create(MixtapeState("Hers"))
    file = written(backups)
    with elsewhere(tmp_path, clock) as other:
        users, mixtapes = Users(other), Mixtapes(other)
        users.add("Somebody", "admin", ANNS_PASSWORD)
        # Under another number, and in other letters.
        owner = users.add("ANN", "listener", ANNS_PASSWORD).id if is_there else 1
        backups_of(other, tmp_path, clock).restore(file, "keep")
        owners = {one.title: mixtapes.get(one.slug).user_id for one in mixtapes.summaries()}
        assert owners == {"The first one's": 1, "Hers": owner}


def test_what_was_deleted_comes_back_to_whom_it_belonged_and_a_copy_too(
    database: Database, backups: Backups, clock: Clock
) -> None:
    ann = Users(database).add("Ann", "listener", ANNS_PASSWORD)
    hers = Mixtapes(database, clock).for_user(ann.id)
    tape = hers.create(MixtapeState("Hers"))
    file = io.BytesIO(written(backups).getvalue())
    hers.save(tape.slug, MixtapeState("Changed"), revision=tape.revision)
    backups.restore(file, "both")
    assert len(hers.summaries()) == 2
    for summary in hers.summaries():
        hers.delete(summary.slug)
    backups.restore(file, "keep")
    assert [one.title for one in hers.summaries()] == ["Hers"]
