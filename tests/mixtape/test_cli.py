from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audio_cache import MusicRoots
from mixtape.cli import main
from mixtape.database.units_of_work import Database
from mixtape.library.roots import adopt_roots, are_noted
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState, SavedMixtape
from tests.helpers.tracks import add_track


@pytest.fixture
def mixtape(tmp_path: Path, music: Path) -> SavedMixtape:
    """Return a mixtape of the server with the folder `data`."""
    database = Database.open(tmp_path / "data")
    ids = (add_track(database, b"a.flac"), add_track(database, b"b.flac"))
    made = Mixtapes(database).create(MixtapeState("A tape", track_ids=ids))
    database.close()
    return made


def run(tmp_path: Path, *words: str, data: str = "data", said: str | None = None) -> Result:
    environment = {"DATA_ROOT": str(tmp_path / data), "MUSIC_ROOT": str(tmp_path / "music")}
    return CliRunner(env=environment).invoke(main, list(words), input=said)


def change(tmp_path: Path, mixtape: SavedMixtape, title: str) -> None:
    database = Database.open(tmp_path / "data")
    state = replace(mixtape.state, title=title)
    Mixtapes(database).save(mixtape.slug, state, revision=mixtape.revision)
    database.close()


def titles(tmp_path: Path, data: str = "data") -> list[str]:
    database = Database.open(tmp_path / data)
    found = [summary.title for summary in Mixtapes(database).summaries()]
    database.close()
    return sorted(found)


def test_a_backup_is_restored_on_another_server(tmp_path: Path, mixtape: SavedMixtape) -> None:
    file = str(tmp_path / "tapes.zip")
    result = run(tmp_path, "backup", file)
    assert result.output == f"{file} holds 1 mixtape.\n"
    result = run(tmp_path, "restore", file, "--dry-run", data="other")
    assert "1 new" in result.output
    assert titles(tmp_path, "other") == []
    result = run(tmp_path, "restore", file, data="other")
    assert result.exit_code == 0, result.output
    assert "“A tape”: 2 of 2 tracks not in the library" in result.output
    assert "1 mixtape added, 0 replaced, 0 left as they are; 0 covers put back." in result.output
    assert titles(tmp_path, "other") == ["A tape"]


def test_a_job_that_knows_no_music_root_changes_no_paths(
    tmp_path: Path, mixtape: SavedMixtape
) -> None:
    database = Database.open(tmp_path / "data")
    adopt_roots(database, MusicRoots(tmp_path / "music", tmp_path / "more"))
    file = str(tmp_path / "tapes.zip")
    environment = {"DATA_ROOT": str(tmp_path / "data"), "MUSIC_ROOT": None}
    assert CliRunner(env=environment).invoke(main, ["backup", file]).exit_code == 0
    paths = [item.path for item in Mixtapes(database).get(mixtape.slug).items]
    assert paths == [b"music/a.flac", b"music/b.flac"]
    # Nor does a restore, but where nothing is known of folders yet.
    result = run(tmp_path, "restore", file, data="other")
    assert result.exit_code == 0, result.output
    other = Database.open(tmp_path / "other")
    assert are_noted(other)
    for each in (database, other):
        each.close()


def test_a_backup_is_not_written_over_another_file(tmp_path: Path, mixtape: SavedMixtape) -> None:
    file = str(tmp_path / "tapes.zip")
    run(tmp_path, "backup", file)
    result = run(tmp_path, "backup", file)
    assert (result.exit_code, "there already" in result.output) == (1, True)
    assert run(tmp_path, "backup", file, "--force").exit_code == 0


def test_where_mixtapes_were_changed_since_nothing_is_done_until_it_is_said_what(
    tmp_path: Path, mixtape: SavedMixtape
) -> None:
    file = str(tmp_path / "tapes.zip")
    run(tmp_path, "backup", file)
    change(tmp_path, mixtape, "Changed")
    result = run(tmp_path, "restore", file)
    assert (result.exit_code, "--existing" in result.output) == (2, True)
    assert titles(tmp_path) == ["Changed"]
    result = run(tmp_path, "restore", file, "--existing", "both")
    assert result.exit_code == 0, result.output
    assert titles(tmp_path)[1] == "Changed"
    result = run(tmp_path, "restore", file, "--existing", "replace")
    assert "What was here before is in" in result.output
    assert "A tape" in titles(tmp_path)


def test_a_file_that_is_no_backup_ends_with_words(tmp_path: Path, mixtape: SavedMixtape) -> None:
    file = tmp_path / "tapes.zip"
    file.write_bytes(b"GIF89a")
    result = run(tmp_path, "restore", str(file))
    assert result.exit_code == 1
    assert result.output.startswith("Error: this is no backup of mixtape")


def test_people_are_let_in_only_where_that_is_said(tmp_path: Path, mixtape: SavedMixtape) -> None:
    file = str(tmp_path / "tapes.zip")
    said = "a quiet harbour town\n"
    assert run(tmp_path, "users", "add", "Ann", said=said).exit_code == 0
    assert run(tmp_path, "backup", file).exit_code == 0
    result = run(tmp_path, "restore", file, data="other")
    assert result.exit_code == 2
    assert "1 user not here: Ann (listener)." in result.output
    assert "say with --people or --no-people" in result.output
    assert titles(tmp_path, "other") == []
    result = run(tmp_path, "restore", file, "--no-people", data="other")
    assert result.exit_code == 0, result.output
    assert "Ann" not in run(tmp_path, "users", "list", data="other").output
    result = run(tmp_path, "restore", file, "--people", data="other")
    assert "1 user and 0 devices added." in result.output
    assert "Ann (listener)" in run(tmp_path, "users", "list", data="other").output
