from __future__ import annotations

from mixtape.database.units_of_work import Database
from mixtape.library.changes import Changes
from tests.helpers.tracks import NOON, Clock, add_track


def test_the_last_change_is_that_of_a_scan_or_of_another_host(
    database: Database, clock: Clock
) -> None:
    version = [1]
    changes = Changes(database, lambda: version[0], clock)
    start_ms = int(NOON.timestamp() * 1000)
    assert changes.last_ms() == start_ms
    clock.advance(hours=1)
    assert changes.last_ms() == start_ms
    version[0] = 2
    assert changes.last_ms() == start_ms + 3_600_000
    clock.advance(hours=1)
    add_track(database, b"1", added_at=clock.now)
    assert changes.last_ms() == start_ms + 7_200_000
    clock.advance(hours=1)
    add_track(database, b"2", missing_since=clock.now)
    assert changes.last_ms() == start_ms + 10_800_000
