from __future__ import annotations

from pathlib import Path

from mixtape.database.units_of_work import Database
from mixtape.library.scanner import LOCK_NAME, Scanner, ScanProgress
from tests.helpers.tracks import Clock, find_track, place
from tests.helpers.waiting import LIMIT_S


def scan(scanner: Scanner) -> ScanProgress:
    assert scanner.start()
    return scanner.wait(LIMIT_S)


def test_the_tracks_of_a_disk_that_is_not_mounted_are_kept_and_come_back_unopened(
    database: Database,
    music: Path,
    tmp_path: Path,
    flac: Path,
    clock: Clock,
    opened: list[str],
) -> None:
    scanner = Scanner(database, music, tmp_path / "data" / LOCK_NAME, clock)
    place(flac, music / "a" / "1.flac")
    assert scan(scanner).error is None
    before = find_track(database, b"a/1.flac")
    disk = tmp_path / "disk"
    (music / "a").rename(disk)
    for _ in range(2):
        progress = scan(scanner)
        assert progress.error is not None
        assert "the library knows 1 of its tracks: is its disk mounted?" in str(progress.error)
        away = find_track(database, b"a/1.flac")
        assert away is not None
        assert away.missing_since is not None
        clock.advance(days=40)
    disk.rename(music / "a")
    assert scan(scanner).error is None
    after = find_track(database, b"a/1.flac")
    assert before is not None
    assert after is not None
    assert (after.id, after.missing_since) == (before.id, None)
    assert opened == ["1.flac"]
