"""A host whose music is in several folders, or was in one before."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mixtape.mixtapes.values import SavedMixtape
from tests.helpers.audio import make_noise
from tests.helpers.host import PAGE, make_app, page_of
from tests.helpers.mixtapes import (
    save_mixtape,
    scan,
    services_of,
    share_mixtape,
    stream_urls,
    track_id,
)
from tests.helpers.tracks import embed, find_track, make_picture, open_picture, place
from tests.helpers.waiting import LIMIT_S, wait_until


@pytest.fixture
def more(tmp_path: Path) -> Path:
    folder = tmp_path / "more"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def _filled(music: Path, more: Path, flac: Path) -> None:
    """Put an album with its picture file into one folder, other tracks and a sheet into another."""
    place(flac, music / "Album" / "1.flac", title="One", artist="Ann", album="First")
    (music / "Album" / "cover.jpg").write_bytes(make_picture(colour="red"))
    embed(place(flac, more / "2.flac", title="Two"), (3, make_picture(colour="blue")))
    (more / "Disc").mkdir()
    make_noise(more / "Disc" / "disc.flac", samples=10 * 44_100)
    (more / "Disc" / "disc.cue").write_text(
        'FILE "disc.flac" WAVE\n  TRACK 01 AUDIO\n    TITLE "Cut one"\n    INDEX 01 00:00:00\n'
        '  TRACK 02 AUDIO\n    TITLE "Cut two"\n    INDEX 01 00:04:00\n'
    )


def start(root: Path, *folders: Path, scanned: bool = True) -> Flask:
    """Return the application over some folders, as another process starts it."""
    app = make_app(root, music_root=folders)
    if scanned:
        scan(app)
    return app


def stop(app: Flask) -> None:
    services_of(app).close()


def colour_of(client: FlaskClient, address: str) -> tuple[int, ...]:
    """Return which of red, green and blue a picture is most of."""
    with client.get(address) as answer:
        assert answer.status_code == 200
        pixel = open_picture(answer.data).convert("RGB").getpixel((10, 10))
    assert isinstance(pixel, tuple)
    return tuple(round(part / 255) for part in pixel)


def test_the_folders_are_at_the_top_of_the_library(tmp_path: Path, music: Path, more: Path) -> None:
    client = start(tmp_path, music, more).test_client()
    top = page_of(client, "/browse/")
    assert '<span class="folder-name">music</span>' in top
    assert '<span class="folder-name">more</span>' in top
    assert "One" in page_of(client, "/browse/music/Album")
    assert "Two" in page_of(client, "/browse/more")
    assert "Cut two" in page_of(client, "/browse/more/Disc")
    for nowhere in ("/browse/Album", "/browse/third", "/browse/.removed", "/browse/music/../more"):
        assert client.get(nowhere, headers=PAGE).status_code == 404


def test_tracks_and_covers_come_from_each(tmp_path: Path, music: Path, more: Path) -> None:
    app = start(tmp_path, music, more)
    client = app.test_client()
    for path in ("music/Album/1.flac", "more/2.flac", "more/Disc/disc.cue/02.flac"):
        whole = client.get(f"/play/{path}?quality=low")
        assert (whole.status_code, len(whole.data)) == (200, whole.content_length)
        middle = client.get(f"/play/{path}?quality=low", headers={"Range": "bytes=100-299"})
        assert (middle.status_code, middle.data) == (206, whole.data[100:300])
        answer = client.get(f"/api/tracks/{track_id(app, path)}/loudness")
        assert answer.status_code in {200, 204}
    assert colour_of(client, "/cover/music/Album?size=320") == (1, 0, 0)
    for path, colour in (("music/Album/1.flac", (1, 0, 0)), ("more/2.flac", (0, 0, 1))):
        track = find_track(services_of(app).database, path.encode())
        assert track is not None
        assert colour_of(client, f"/art/{track.cover_key}/96.jpg") == colour


def test_a_tape_of_all_folders_is_taken_along(tmp_path: Path, music: Path, more: Path) -> None:
    app = start(tmp_path, music, more)
    tape = share_mixtape(app, "music/Album/1.flac", "more/2.flac", "more/Disc/disc.cue/01.flac")
    client = app.test_client()
    answer = client.get(f"/mixtapes/{tape.slug}/download/low.zip")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        assert sum(name.endswith(".mp3") for name in archive.namelist()) == 3


def test_what_is_known_of_one_folder_is_known_of_it_among_two_and_alone_again(
    tmp_path: Path, music: Path, more: Path
) -> None:
    app = start(tmp_path, music)
    known = find_track(services_of(app).database, b"Album/1.flac")
    assert known is not None
    tape = share_mixtape(app, "Album/1.flac", cover_key=known.cover_key)
    [url] = stream_urls(app.test_client(), tape)
    sound = app.test_client().get(url).data
    draft = services_of(app).drafts.begin(tape.slug)
    services_of(app).drafts.save(draft.key, {"track_ids": [known.id]}, revision=draft.revision)
    stop(app)
    for folders, path in (
        ((music, more), b"music/Album/1.flac"),
        ((more, music), b"music/Album/1.flac"),
        ((music,), b"Album/1.flac"),
    ):
        # Before the first scan and after it.
        for scanned in (False, True):
            app = start(tmp_path, *folders, scanned=scanned)
            track = find_track(services_of(app).database, path)
            assert track is not None
            assert (track.id, track.cover_key) == (known.id, known.cover_key)
            is_whole(app, tape, url, sound)
            kept = services_of(app).drafts.get(draft.key)
            assert kept.state == {"track_ids": [known.id]}
            stop(app)


def is_whole(app: Flask, tape: SavedMixtape, url: str, sound: bytes) -> None:
    """Make sure that a tape with one track plays by the addresses of before, with its cover."""
    client = app.test_client()
    assert client.get(url).data == sound
    [item] = services_of(app).mixtapes.get(tape.slug).items
    assert not item.is_missing
    assert colour_of(client, f"/art/{tape.cover_key}/320.jpg") == (1, 0, 0)
    shutil.rmtree(services_of(app).artwork._cache, ignore_errors=True)


def test_what_was_encoded_of_one_folder_is_played_when_there_are_two(
    tmp_path: Path, music: Path, more: Path
) -> None:
    app = start(tmp_path, music)
    cache = app.extensions["audio_cache"].cache
    cache.transcode_file(music / "Album" / "1.flac", "low")
    stop(app)
    client = start(tmp_path, music, more).test_client()
    answer = client.get("/play/music/Album/1.flac?quality=low")
    assert answer.headers["Cache-Status"].endswith("hit")


def test_the_tracks_of_a_folder_that_was_removed_are_missing_and_come_back(
    tmp_path: Path, music: Path, more: Path, flac: Path
) -> None:
    app = start(tmp_path, music, more)
    tape = save_mixtape(app, "A tape", "more/2.flac", "music/Album/1.flac")
    known = track_id(app, "more/2.flac")
    # What one of them alone has at the path of the other among two.
    place(flac, music / "more" / "2.flac", title="Another")
    stop(app)
    for scanned in (False, True):
        app = start(tmp_path, music, scanned=scanned)
        kept = services_of(app).mixtapes.get(tape.slug)
        assert [item.is_missing for item in kept.items] == [True, False]
        assert [item.track.title for item in kept.items if item.track] == ["Two", "One"]
        assert services_of(app).caching.readiness(kept).total == 1
        stop(app)
    app = start(tmp_path, music, more)
    items = services_of(app).mixtapes.get(tape.slug).items
    assert [item.is_missing for item in items] == [False, False]
    assert track_id(app, "more/2.flac") == known


def test_the_demo_that_plays_by_mistake_loses_nothing(
    tmp_path: Path, music: Path, more: Path
) -> None:
    app = start(tmp_path, music, more)
    tape = save_mixtape(app, "A tape", "more/2.flac", "music/Album/1.flac")
    stop(app)
    app = start(tmp_path)
    assert find_track(services_of(app).database, b"music/Album/1.flac") is None
    stop(app)
    app = start(tmp_path, music, more)
    items = services_of(app).mixtapes.get(tape.slug).items
    assert [item.is_missing for item in items] == [False, False]


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_folder_whose_disk_is_away_is_kept_and_the_others_are_scanned(
    tmp_path: Path, music: Path, more: Path, flac: Path, is_gone: bool
) -> None:
    app = start(tmp_path, music, more)
    stop(app)
    disk = tmp_path / "disk"
    more.rename(disk)
    if not is_gone:
        more.mkdir()
    place(flac, music / "new.flac", title="New")
    app = start(tmp_path, music, more, scanned=False)
    scanner = services_of(app).scanner
    assert scanner.start()
    progress = scanner.wait(LIMIT_S)
    assert progress.added == 1
    assert progress.error is not None
    assert str(progress.error).startswith("the music folder more ")
    assert "the library knows 3 of its tracks: is its disk mounted?" in str(progress.error)
    client = app.test_client()
    assert "New" in page_of(client, "/browse/music")
    assert "more" in page_of(client, "/browse/")
    assert client.get("/cover/more").mimetype == "image/svg+xml"
    assert client.get("/cover/other").status_code == 404
    assert client.get("/play/more/2.flac").status_code == 404
    stop(app)
    if not is_gone:
        more.rmdir()
    disk.rename(more)
    app = start(tmp_path, music, more)
    assert "Two" in page_of(app.test_client(), "/browse/more")


def test_both_are_watched(
    tmp_path: Path, music: Path, more: Path, flac: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIO_CACHE_WATCH", "auto")
    app = make_app(tmp_path, music_root=(music, more))
    services = services_of(app)
    services.start()
    try:
        wait_until(lambda: find_track(services.database, b"music/Album/1.flac"))
        wait_until(lambda: find_track(services.database, b"more/2.flac"))
        wait_until(lambda: not services.scanner.progress.running)
        for folder in (music, more):
            place(flac, folder / "Later" / "3.flac", title="Three")
            path = f"{folder.name}/Later/3.flac".encode()
            wait_until(lambda path=path: find_track(services.database, path))
    finally:
        services.close()


def test_a_link_out_of_the_folders_is_nowhere(
    tmp_path: Path, music: Path, more: Path, flac: Path
) -> None:
    place(flac, tmp_path / "outside" / "secret.flac", title="Secret")
    (music / "link.flac").symlink_to(tmp_path / "outside" / "secret.flac")
    (more / "way out").symlink_to(tmp_path / "outside")
    (more / "across").symlink_to(music / "Album")
    app = start(tmp_path, music, more)
    client = app.test_client()
    for path in (b"music/link.flac", b"more/way out/secret.flac", b"more/across/1.flac"):
        assert find_track(services_of(app).database, path) is None
    for path in ("music/link.flac", "more/way out/secret.flac"):
        assert client.get(f"/play/{path}?quality=original").status_code == 404
    assert client.get("/browse/more/way out", headers=PAGE).status_code == 404
    assert "way out" not in page_of(client, "/browse/more")
    # A folder of the other one is shown where the link is, with the tracks that it has there.
    assert "One" in page_of(client, "/browse/more/across")
