from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mixtape.backups import incoming as incoming_module
from mixtape.backups.incoming import KEPT_S, Incoming
from mixtape.errors import BackupError, NotFoundError


@pytest.fixture
def incoming(tmp_path: Path) -> Incoming:
    return Incoming(tmp_path)


def test_pieces_become_a_file_that_only_its_owner_reads(incoming: Incoming) -> None:
    key = incoming.begin()
    assert incoming.add(key, 0, b"abc") == 3
    assert incoming.add(key, 3, b"de") == 5
    # The answer was lost, and the piece came again.
    assert incoming.add(key, 3, b"de") == 5
    assert incoming.path(key).read_bytes() == b"abcde"
    assert stat.S_IMODE(incoming.path(key).stat().st_mode) == 0o600


def test_a_gap_is_refused(incoming: Incoming) -> None:
    key = incoming.begin()
    for offset in (1, -1):
        with pytest.raises(BackupError, match="piece of the backup is missing"):
            incoming.add(key, offset, b"abc")


def test_nothing_grows_larger_than_any_backup(
    incoming: Incoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming_module, "MAX_TOTAL_BYTES", 4)
    key = incoming.begin()
    with pytest.raises(BackupError, match="larger than"):
        incoming.add(key, 0, b"abcde")


@pytest.mark.parametrize("key", ["", "../secret_key", "a" * 22, "a" * 22 + "/.."])
def test_a_key_that_was_not_given_opens_nothing(incoming: Incoming, key: str) -> None:
    incoming.begin()
    with pytest.raises(NotFoundError):
        incoming.path(key)
    incoming.discard(key)


def test_what_was_discarded_or_forgotten_is_gone(incoming: Incoming) -> None:
    done, forgotten, young = incoming.begin(), incoming.begin(), incoming.begin()
    incoming.discard(done)
    long_ago = incoming.path(young).stat().st_mtime - KEPT_S - 60
    os.utime(incoming.path(forgotten), (long_ago, long_ago))
    incoming.begin()
    for key in (done, forgotten):
        with pytest.raises(NotFoundError):
            incoming.path(key)
    assert incoming.path(young).exists()
