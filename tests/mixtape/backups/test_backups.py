from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text

from mixtape.accounts.sealing import Sealer
from mixtape.backups.backups import Backups
from mixtape.database.tables import Draft, Mixtape, Track, Upload
from mixtape.database.units_of_work import Database
from mixtape.errors import BackupError, NotFoundError
from mixtape.library.covers import Artwork
from mixtape.mixtapes.drafts import Drafts
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState, SavedMixtape
from tests.helpers.databases import open_database
from tests.helpers.tracks import Clock, add_track, make_picture
from tests.mixtape.backups.conftest import SECRET_KEY, Contents, MakeMixtape, rewritten, written

ODD = b"\xff/b.flac"


@contextmanager
def elsewhere(tmp_path: Path, clock: Clock, url: str | None = None) -> Iterator[Database]:
    """Give the database of a server that has nothing yet."""
    other = open_database(tmp_path / "other", url)
    yield other
    other.close()


def backups_of(
    database: Database, tmp_path: Path, clock: Clock, secret_key: str = SECRET_KEY
) -> Backups:
    data_root = tmp_path / "other"
    artwork = Artwork(database, tmp_path, data_root, clock)
    return Backups(database, artwork, data_root, Sealer(secret_key), clock)


def told(mixtape: SavedMixtape) -> tuple[object, ...]:
    """Return what is to be the same after a restore."""
    paths = tuple(item.path for item in mixtape.items)
    return (
        *(mixtape.slug, mixtape.title, mixtape.notes, mixtape.own_cover_key),
        *(mixtape.shared, mixtape.created_at, mixtape.updated_at, paths),
    )


def whole(mixtape: SavedMixtape) -> tuple[object, ...]:
    """Return what is the same where nothing was done to a mixtape."""
    return *told(mixtape), mixtape.revision, mixtape.share_key


def test_all_mixtapes_and_covers_come_back_on_another_server_and_their_links_work(
    backups: Backups, artwork: Artwork, make_mixtape: MakeMixtape, tmp_path: Path, clock: Clock
) -> None:
    cover_key = artwork.add_upload(make_picture())
    first = make_mixtape("Été", b"a.flac", ODD, notes="One\nTwo", cover_key=cover_key)
    second = make_mixtape("Empty")
    file = written(backups)
    with elsewhere(tmp_path, clock) as other:
        there = backups_of(other, tmp_path, clock)
        preview = there.preview(file)
        assert (preview.plan.count("new"), preview.new_covers) == (2, (cover_key,))
        outcome = there.restore(file, "keep")
        assert set(outcome.restored.added) == {first.slug, second.slug}
        assert (outcome.covers, outcome.safety) == (1, None)
        for mixtape in (first, second):
            found = Mixtapes(other).get_shared(mixtape.slug)
            assert told(found) == told(mixtape)
            # What listeners had loaded from the other server is signed by a key that is not here.
            assert found.share_key != mixtape.share_key
        covers = Artwork(other, tmp_path, tmp_path / "other", clock)
        assert covers.find_upload(cover_key) == artwork.find_upload(cover_key)
        assert covers.get_cover(cover_key, 320).exists()
        # What comes next does not run into the numbers that were given here.
        Mixtapes(other).create(MixtapeState("Next"))


def test_a_backup_goes_from_postgresql_to_sqlite_and_back(
    backups: Backups,
    make_mixtape: MakeMixtape,
    tmp_path: Path,
    clock: Clock,
    database_url: str | None,
    request: pytest.FixtureRequest,
) -> None:
    mixtape = make_mixtape("Traveller", b"a.flac", ODD)
    url = request.getfixturevalue("postgres_url") if database_url is None else None
    with elsewhere(tmp_path, clock, url) as other:
        backups_of(other, tmp_path, clock).restore(written(backups), "keep")
        assert told(Mixtapes(other).get(mixtape.slug)) == told(mixtape)


def test_there_is_no_secret_in_it_beyond_the_links(
    backups: Backups, make_mixtape: MakeMixtape
) -> None:
    mixtape = make_mixtape("A tape", b"a.flac")
    with zipfile.ZipFile(written(backups)) as archive:
        contents = archive.read("backup.json").decode()
    assert mixtape.share_key not in contents
    assert "share_key" not in contents
    assert mixtape.slug in contents
    assert "keep it as private as their links" in json.loads(contents)["about"]


def test_what_was_restored_already_is_left_alone_whatever_is_asked(
    backups: Backups, make_mixtape: MakeMixtape, database: Database
) -> None:
    mixtape = make_mixtape("A tape", b"a.flac")
    file = written(backups)
    for existing in ("keep", "replace", "both"):
        outcome = backups.restore(file, existing)
        assert (outcome.restored.same, outcome.restored.added) == (1, ())
    assert whole(Mixtapes(database).get(mixtape.slug)) == whole(mixtape)


@pytest.fixture
def changed(
    backups: Backups, make_mixtape: MakeMixtape, database: Database, clock: Clock
) -> tuple[io.BytesIO, SavedMixtape, SavedMixtape]:
    """Return a backup, what was in it, and what became of that since."""
    before = make_mixtape("Before", b"a.flac", b"b.flac")
    file = written(backups)
    clock.advance(days=1)
    state = replace(before.state, title="After", track_ids=before.state.track_ids[:1])
    after = Mixtapes(database, clock).save(before.slug, state, revision=before.revision)
    return file, before, after


def test_a_mixtape_that_was_changed_since_is_kept(
    backups: Backups, changed: tuple[io.BytesIO, SavedMixtape, SavedMixtape], database: Database
) -> None:
    file, _, after = changed
    assert backups.preview(file).plan.conflicts == 1
    outcome = backups.restore(file, "keep")
    assert (outcome.restored.kept, outcome.safety) == (1, None)
    assert whole(Mixtapes(database).get(after.slug)) == whole(after)


def test_a_mixtape_that_was_changed_since_is_replaced_and_what_it_was_can_be_had_back(
    backups: Backups,
    changed: tuple[io.BytesIO, SavedMixtape, SavedMixtape],
    database: Database,
    clock: Clock,
) -> None:
    file, before, after = changed
    draft = Drafts(database).begin(after.slug)
    outcome = backups.restore(file, "replace")
    found = Mixtapes(database).get(before.slug)
    assert told(found) == told(before)
    # Whoever edits it learns that it is another one now.
    assert found.revision == after.revision + 1
    assert Drafts(database).get(draft.key).base_revision == after.revision
    assert outcome.restored.replaced == (before.slug,)
    assert outcome.safety is not None
    assert stat.S_IMODE(outcome.safety.stat().st_mode) == 0o600
    clock.advance(seconds=1)
    backups.restore(outcome.safety, "replace")
    assert told(Mixtapes(database).get(before.slug)) == told(after)


def test_a_mixtape_that_was_changed_since_is_put_beside_it(
    backups: Backups, changed: tuple[io.BytesIO, SavedMixtape, SavedMixtape], database: Database
) -> None:
    file, before, after = changed
    (slug,) = backups.restore(file, "both").restored.added
    copy = Mixtapes(database).get(slug)
    assert copy.title == "Before (2024-05-01)"
    assert [item.path for item in copy.items] == [item.path for item in before.items]
    assert slug != after.slug
    assert whole(Mixtapes(database).get(after.slug)) == whole(after)


@pytest.mark.parametrize("existing", ["keep", "replace", "both"])
def test_a_link_that_was_revoked_since_stays_so(
    backups: Backups, make_mixtape: MakeMixtape, database: Database, existing: str
) -> None:
    before = make_mixtape("A tape", b"a.flac")
    file = written(backups)
    after = Mixtapes(database).renew_link(before.slug)
    Mixtapes(database).save(after.slug, replace(after.state, title="Now"), revision=after.revision)
    assert backups.preview(file).plan.count("renewed") == 1
    backups.restore(file, existing)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        Mixtapes(database).get(before.slug)
    title = "A tape" if existing == "replace" else "Now"
    assert Mixtapes(database).get(after.slug).title == title


def test_a_mixtape_that_was_deleted_since_comes_back_under_its_link(
    backups: Backups, make_mixtape: MakeMixtape, database: Database
) -> None:
    before = make_mixtape("A tape", b"a.flac")
    file = written(backups)
    Mixtapes(database).delete(before.slug)
    backups.restore(file, "keep")
    assert told(Mixtapes(database).get(before.slug)) == told(before)


def test_tracks_are_found_where_a_library_that_moved_has_them(
    backups: Backups, make_mixtape: MakeMixtape, database: Database
) -> None:
    mixtape = make_mixtape("A tape", b"old/a.flac", b"old/b.flac", b"old/c.flac")
    file = written(backups)
    with database.write() as session:
        session.execute(delete(Track))
    Mixtapes(database).delete(mixtape.slug)
    same = {"artist": "somebody", "album": "Something"}
    add_track(database, b"new/1.flac", title="a.flac", **same, duration_s=180.4)
    add_track(database, b"live/1.flac", title="a.flac", artist="Somebody", duration_s=240.0)
    add_track(database, b"hits/1.flac", title="a.flac", artist="Somebody", album="Hits")
    add_track(database, b"cover/2.flac", title="b.flac", artist="Another", album="Something")
    add_track(database, b"old/c.flac", title="Renamed")
    plan = backups.preview(file).plan
    assert (plan.moved, plan.steps[0].lost) == (1, 1)
    backups.restore(file, "keep")
    paths = [item.path for item in Mixtapes(database).get(mixtape.slug).items]
    # What this library does not have keeps its path, and its place.
    assert paths == [b"new/1.flac", b"old/b.flac", b"old/c.flac"]


def test_what_one_mixtape_cannot_be_leaves_all_as_it_was(
    backups: Backups, make_mixtape: MakeMixtape, database: Database
) -> None:
    for title in ("One", "Two"):
        make_mixtape(title, title.encode())
    good = written(backups)
    with database.write() as session:
        session.execute(delete(Mixtape))

    def spoil(contents: Contents) -> None:
        contents["mixtapes"][1]["mixtape"][0]["title"] = ""

    with pytest.raises(BackupError, match="needs a title"):
        backups.restore(rewritten(good, spoil), "keep")
    assert Mixtapes(database).summaries() == ()


def test_a_picture_that_is_none_is_refused(
    backups: Backups, artwork: Artwork, make_mixtape: MakeMixtape, database: Database
) -> None:
    key = artwork.add_upload(make_picture())
    make_mixtape("A tape", cover_key=key)
    file = written(backups)
    forged = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(forged, "w") as new:
        new.writestr("backup.json", old.read("backup.json"))
        new.writestr(f"covers/{key}.jpg", b"<html>")
    with database.write() as session:
        session.execute(delete(Upload))
        session.execute(delete(Mixtape))
    with pytest.raises(BackupError, match="cannot be shown"):
        backups.restore(forged, "keep")
    assert Mixtapes(database).summaries() == ()


def test_a_file_is_written_whole_for_its_owner_alone_and_never_over_another(
    backups: Backups, tmp_path: Path
) -> None:
    path = tmp_path / "tapes.zip"
    assert backups.save(path) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(BackupError, match="there already"):
        backups.save(path)
    backups.save(path, replaces=True)
    with pytest.raises(BackupError, match="cannot be written"):
        backups.save(tmp_path / "nowhere" / "tapes.zip")
    assert [each.name for each in tmp_path.glob("*.zip")] == ["tapes.zip"]


def test_only_the_last_backups_from_before_restores_are_kept(
    backups: Backups, make_mixtape: MakeMixtape, database: Database, tmp_path: Path, clock: Clock
) -> None:
    mixtape = make_mixtape("0")
    file = written(backups)
    for number in range(7):
        clock.advance(hours=1)
        now = Mixtapes(database).get(mixtape.slug)
        state = MixtapeState(str(number + 1))
        Mixtapes(database).save(mixtape.slug, state, revision=now.revision)
        backups.restore(file, "replace")
    assert len(list((tmp_path / "data" / "backups").iterdir())) == 5


def test_drafts_stay_where_they_are(
    backups: Backups, make_mixtape: MakeMixtape, database: Database
) -> None:
    make_mixtape("A tape")
    Drafts(database).begin()
    backups.restore(written(backups), "replace")
    with database.read() as session:
        assert len(session.scalars(select(Draft)).all()) == 1
        assert session.scalar(text("SELECT count(*) FROM mixtape")) == 1
