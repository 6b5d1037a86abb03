"""Files that become links out of the library between the look at them and their reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audio_cache import MusicRoots
from mixtape.database.units_of_work import Database
from mixtape.errors import NotFoundError
from mixtape.library import covers, scanner
from mixtape.library.covers import Artwork
from mixtape.library.scanner import LOCK_NAME, Scanner
from tests.helpers.links import coming_and_going, exchange
from tests.helpers.tracks import embed, find_track, make_picture, place
from tests.helpers.waiting import LIMIT_S, wait_until


@pytest.fixture
def database_url() -> None:
    """One database will do: the other one makes no difference to files."""


@pytest.fixture
def secret(tmp_path: Path, flac: Path) -> Path:
    """Return a file outside of the library, with a picture."""
    path = place(flac, tmp_path / "secret.flac", title="Secret")
    embed(path, (3, make_picture(colour="red")))
    return path


def exchanging(function: Callable[..., Any], track: Path, secret: Path) -> Callable[..., Any]:
    """Return a function that exchanges a file first."""

    def exchanged(*arguments: Any) -> Any:
        if not track.is_symlink():
            exchange(track, secret)
        return function(*arguments)

    return exchanged


def scan(database: Database, music: Path) -> None:
    scanner = Scanner(database, music, music.parent / LOCK_NAME)
    scanner.start(reread=True)
    assert scanner.wait(LIMIT_S).error is None


@pytest.mark.parametrize("kind", ["flac", "mp3"])
@pytest.mark.parametrize("step", ["opened", "read_audio_file"])
def test_a_scan_reads_no_tags_of_what_a_link_that_was_swapped_in_leads_to(
    database: Database,
    music: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    kind: str,
    step: str,
) -> None:
    audio = request.getfixturevalue(kind)
    secret = place(audio, tmp_path / f"secret.{kind}", title="Secret")
    track = place(audio, music / f"a.{kind}", title="A")
    owner = MusicRoots if step == "opened" else scanner
    monkeypatch.setattr(owner, step, exchanging(getattr(owner, step), track, secret))
    scan(database, music)
    found = find_track(database, f"a.{kind}".encode())
    assert found is None or "Secret" not in found.title


def test_no_picture_is_shown_of_what_a_link_that_was_swapped_in_leads_to(
    database: Database,
    music: Path,
    tmp_path: Path,
    flac: Path,
    secret: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    track = place(flac, music / "a.flac")
    embed(track, (3, make_picture()))
    scan(database, music)
    found = find_track(database, b"a.flac")
    assert found is not None
    monkeypatch.setattr(covers, "read_picture", exchanging(covers.read_picture, track, secret))
    artwork = Artwork(database, music, tmp_path / "data")
    with pytest.raises(NotFoundError):
        artwork.get_cover(str(found.cover_key), 96)
    assert artwork.find_folder_cover(b"", 96) is None


def test_no_picture_file_is_shown_that_a_link_leads_to_which_comes_and_goes(
    database: Database, music: Path, tmp_path: Path
) -> None:
    (tmp_path / "private.jpg").write_bytes(make_picture(colour="red"))
    (music / "cover.jpg").write_bytes(make_picture())
    artwork = Artwork(database, music, tmp_path / "data")
    seen: set[bytes | None] = set()
    with coming_and_going(music / "cover.jpg", tmp_path / "private.jpg"):

        def has_seen_both() -> bool:
            # On a busy machine the one who exchanges the files may have no turn in so many tries.
            seen.update(read_covers(artwork, 2000))
            return len(seen) > 1

        wait_until(has_seen_both)
    assert seen == {None, make_picture()}


def read_covers(artwork: Artwork, tries: int) -> Iterator[bytes | None]:
    """Give what a folder's picture file is read as, so many times."""
    for _ in range(tries):
        try:
            folder = covers.get_folder(artwork._roots, b"")
        except NotFoundError:
            continue
        yield artwork._read_folder_cover(folder)
