from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mixtape.secret_key import read_secret_key
from mixtape.settings import SettingsError
from tests.helpers.host import make_settings


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    key = read_secret_key(settings)
    file = tmp_path / "data" / "secret_key"
    assert len(key) == 64
    assert read_secret_key(settings) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path / "data") == ["secret_key"]


def test_servers_that_start_together_agree_on_one_secret_key(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: read_secret_key(settings), range(32)))
    assert len(keys) == 1


def test_a_secret_key_that_is_given_is_used_and_not_kept(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, secret_key="0123456789abcdef")
    assert read_secret_key(settings) == "0123456789abcdef"
    assert not (tmp_path / "data").exists()


def test_a_damaged_secret_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret_key").write_text("x")
    with pytest.raises(SettingsError, match=r"secret_key holds no usable key. Delete it"):
        read_secret_key(make_settings(tmp_path))
