"""Signed addresses: what is granted, to whom, how long, and the key behind it."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_cache.serving import addresses
from audio_cache.serving.addresses import KEY_FILE, Grant, Signer, read_key
from tests.helpers.waiting import together

ID = "0123456789ab" * 4
NOW = 1_800_000_000
signer = Signer(b"key", clock=lambda: NOW)


@pytest.mark.parametrize("shared", [True, False])
def test_a_signature_grants_what_it_was_made_for(shared: bool) -> None:
    signature = signer.sign(ID, NOW + 1, shared=shared)
    assert signer.find_grant(ID, str(NOW + 1), signature) == Grant(is_shared=shared)
    assert len(base64.urlsafe_b64decode(f"{signature}=")) == 32


@pytest.mark.parametrize("late_s", [0, 1, 10**9])
def test_it_ends_in_the_second_that_it_names(late_s: int) -> None:
    signature = signer.sign(ID, NOW - late_s, shared=True)
    assert signer.find_grant(ID, str(NOW - late_s), signature) is None


def test_an_address_that_was_good_ends_all_the_same() -> None:
    times = [NOW, NOW, NOW + 5]
    aging = Signer(b"key", clock=lambda: times.pop(0))
    signature = aging.sign(ID, NOW + 5, shared=True)
    found = [aging.find_grant(ID, str(NOW + 5), signature) for _ in range(3)]
    assert found == [Grant(is_shared=True), Grant(is_shared=True), None]


def test_good_addresses_without_number_take_memory_for_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(addresses, "_MOST_REMEMBERED", 3)
    some = Signer(b"key", clock=lambda: NOW)
    expiries = range(NOW + 1, NOW + 11)
    for expires_at_s in expiries:
        signature = some.sign(ID, expires_at_s, shared=False)
        for _ in range(2):
            assert some.find_grant(ID, str(expires_at_s), signature) == Grant(is_shared=False)
            assert some.find_grant(ID, str(expires_at_s), f"{signature}x") is None
        assert len(some._granted) <= 3


def test_it_is_of_one_id_one_expiry_one_scope_and_one_key() -> None:
    signature = signer.sign(ID, NOW + 9, shared=False)
    other = Signer(b"other key", clock=lambda: NOW)
    assert signer.find_grant("f" * 48, str(NOW + 9), signature) is None
    assert signer.find_grant(ID, str(NOW + 10), signature) is None
    assert other.find_grant(ID, str(NOW + 9), signature) is None
    assert signature != signer.sign(ID, NOW + 9, shared=True)
    assert Signer.of_secret("secret") == Signer.of_secret(b"secret") != Signer.of_secret("secre")


@pytest.mark.parametrize(
    "written",
    ["", "-1", "+9", " 1900000000", "1_900_000_000", "01900000000", "1.9e9", "٣", "9" * 400, "nan"],
)
def test_an_expiry_is_written_in_one_way(written: str) -> None:
    for seconds in (1_900_000_000, 9, 3):
        for shared in (True, False):
            signature = signer.sign(ID, seconds, shared=shared)
            assert signer.find_grant(ID, written, signature) is None


@given(st.text(), st.text(), st.text())
def test_nothing_else_is_granted_and_nothing_raises(
    object_id: str, expires_at: str, signature: str
) -> None:
    assert signer.find_grant(object_id, expires_at, signature) is None
    assert signer.find_grant(ID, str(NOW + 9), signature) is None


def test_the_key_of_a_directory_is_made_once_for_its_owner(tmp_path: Path) -> None:
    keys = together(*[lambda: read_key(tmp_path)] * 8)
    assert len(set(keys)) == 1
    assert len(keys[0]) == 64
    assert keys[0] == read_key(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_a_key_that_is_no_key_is_refused_and_told_how_to_mend(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("short\n")
    with pytest.raises(ValueError, match="delete it, and a new one is made"):
        read_key(tmp_path)


def test_a_signer_does_not_show_its_key() -> None:
    assert "key" not in repr(signer)
