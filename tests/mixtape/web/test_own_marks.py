from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from mixtape.accounts.marks import Subject
from mixtape.accounts.plays import HeardTrack
from mixtape.database.tables import FIRST_USER
from mixtape.web.views.as_json import encode_key
from tests.helpers.host import make_app
from tests.helpers.listenbrainz_server import TOKEN, ListenBrainzServer
from tests.helpers.mixtapes import Owner, message_of, services_of
from tests.helpers.subsonic import Player, add_device
from tests.helpers.tracks import NOON, Clock, add_track
from tests.helpers.waiting import wait_until
from tests.helpers.web import served

NO_STARS = {"track_ids": [], "ratings": [], "albums": [], "artists": []}


@pytest.fixture
def app(tmp_path: Path, music: Path, clock: Clock) -> Iterator[Flask]:
    """Return the application with two tracks of three minutes, and one that is missing."""
    app = make_app(tmp_path)
    database = services_of(app).database
    assert add_track(database, b"one.flac", title="One", artist="Singer") == 1
    assert add_track(database, b"two.flac", title="Two", artist="Singer") == 2
    assert add_track(database, b"gone.flac", missing_since=NOON) == 3
    services_of(app).now_playing._now = clock
    yield app
    services_of(app).close()


def plays(app: Flask) -> int:
    said = services_of(app).marks.of_tracks(FIRST_USER, [b"one.flac"])
    return said[b"one.flac"].plays if said else 0


def test_stars_are_given_and_taken(app: Flask, owner: Owner) -> None:
    for track_id in (1, 2, 2, 3):
        assert owner.send("PUT", f"/api/tracks/{track_id}/star").status_code == 204
    answer = owner.client.get("/api/stars")
    assert answer.json is not None
    assert sorted(answer.json["track_ids"]) == [1, 2]
    assert answer.headers["Cache-Control"] == "no-store"
    assert owner.send("DELETE", "/api/tracks/1/star").status_code == 204
    assert owner.client.get("/api/stars").json == {**NO_STARS, "track_ids": [2]}
    for method in ("PUT", "DELETE"):
        for track_id in (99, 2**80):
            answer = owner.send(method, f"/api/tracks/{track_id}/star")
            assert answer.status_code == 404
            assert "no such track" in message_of(answer)


def test_favourites_and_what_is_heard_most_have_a_page(app: Flask, owner: Owner) -> None:
    empty = owner.page("/favourites").text
    assert "The star beside a track" in empty
    assert "Most played" not in empty
    owner.send("PUT", "/api/tracks/2/star")
    services_of(app).plays.count(FIRST_USER, [HeardTrack(b"one.flac", NOON)] * 2)
    page = owner.page("/favourites").text
    starred, _, most_played = page.partition("Most played")
    assert 'data-title="Two"' in starred
    assert 'data-title="One"' not in starred
    assert 'data-title="One"' in most_played
    assert "Played once" in most_played
    services_of(app).plays.count(FIRST_USER, [HeardTrack(b"two.flac", NOON)])
    later = [HeardTrack(b"two.flac", NOON + timedelta(hours=hour)) for hour in range(1, 12)]
    services_of(app).plays.count(FIRST_USER, later)
    starred, _, most_played = owner.page("/favourites").text.partition("Most played")
    assert "Played 12 times" in starred
    assert most_played.index("Played 12 times") < most_played.index("Played once")
    assert owner.page("/favourites?offset=-5").status_code == 200
    assert 'data-title="Two"' not in owner.page("/favourites?offset=50").text


def test_ratings_are_from_one_to_five(app: Flask, owner: Owner) -> None:
    assert owner.send("PUT", "/api/tracks/1/rating", {"rating": 5}).status_code == 204
    assert services_of(app).marks.of_tracks(1, [b"one.flac"])[b"one.flac"].rating == 5
    assert owner.send("PUT", "/api/tracks/3/rating", {"rating": 2}).status_code == 204
    # Of a track that is missing no page shows any.
    rated = {**NO_STARS, "ratings": [{"id": 1, "rating": 5}]}
    assert owner.client.get("/api/stars").json == rated
    for rating in (6, -1, 2.5, "5", None, True):
        answer = owner.send("PUT", "/api/tracks/1/rating", {"rating": rating})
        assert answer.status_code == 400
        assert "0 to 5" in message_of(answer)
    assert owner.send("PUT", "/api/tracks/1/rating", {"rating": 0}).status_code == 204
    assert services_of(app).marks.of_tracks(1, [b"one.flac"]) == {}


def test_albums_and_artists_have_stars_and_ratings_that_apps_have_too(
    app: Flask, owner: Owner
) -> None:
    database = services_of(app).database
    add_track(database, b"A/1.flac", title="Deep", artist="Ärzte", album="Blau & Grün")
    add_track(database, b"A/2.flac", title="Loose", artist="Ärzte")
    player = Player(app, add_device(app))
    [album] = player.ask("search3", {"query": "Blau"})["searchResult3"]["album"]
    [artist] = player.ask("search3", {"query": "Ärzte"})["searchResult3"]["artist"]
    for kind, found in (("albums", album), ("artists", artist)):
        key = found["id"][3:]
        assert owner.send("PUT", f"/api/{kind}/{key}/star").status_code == 204
        rated = owner.send("PUT", f"/api/{kind}/{key}/rating", {"rating": 4})
        assert rated.status_code == 204
        answer = owner.client.get("/api/stars").json
        assert answer == {**NO_STARS, kind: [{"key": key, "is_starred": True, "rating": 4}]}
        name = kind[:-1]
        [starred] = player.ask("getStarred2")["starred2"][name]
        assert (starred["id"], starred["userRating"]) == (found["id"], 4)
        assert owner.send("DELETE", f"/api/{kind}/{key}/star").status_code == 204
        answer = owner.client.get("/api/stars").json
        assert answer == {**NO_STARS, kind: [{"key": key, "is_starred": False, "rating": 4}]}
        assert owner.send("PUT", f"/api/{kind}/{key}/rating", {"rating": 6}).status_code == 400
        owner.send("PUT", f"/api/{kind}/{key}/rating", {"rating": 0})
        assert owner.client.get("/api/stars").json == NO_STARS
        for wrong in ("0", "-", "QQ", "QQBR", "~"):
            if wrong == "-" and kind == "artists":
                continue  # the unknown artist, who is there
            answer = owner.send("PUT", f"/api/{kind}/{wrong}/star")
            assert answer.status_code == 404, wrong
            assert f"no such {name}" in message_of(answer)


def test_the_page_of_favourites_has_albums_and_artists(
    app: Flask, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = services_of(app)
    for number in (1, 2, 3):
        path = b"A/%d.flac" % number
        add_track(services.database, path, title="Deep", artist="Ada", album=f"Album {number}")
    add_track(services.database, b"B/1.flac", title="Far", artist="Bo")
    subjects = [Subject.album("ada", f"album {number}") for number in (1, 2)]
    # Of what went with a scan there is nothing to show.
    subjects += [Subject.album("ada", "gone"), Subject.artist("bo"), Subject.artist("gone")]
    services.marks.star(FIRST_USER, subjects)
    # What an app shows as an unknown album has no name to be shown by.
    services.marks.star(FIRST_USER, [Subject.album("bo", "")])
    page = owner.page("/favourites").text
    assert "The star beside a track" not in page
    for name in ("Album 1", "Album 2", "Unknown album", "Bo"):
        assert f'<span class="folder-name">{name}</span>' in page
    for name in ("Album 3", "gone", "Ada"):
        assert f'<span class="folder-name">{name}</span>' not in page
    assert "More albums" not in page
    monkeypatch.setattr("mixtape.web.views.favourites.PAGE_SIZE", 2)
    page = owner.page("/favourites").text
    assert "/favourites?album_offset=2" in page
    assert "More artists" not in page
    rest = owner.page("/favourites?album_offset=2").text
    assert rest.count('data-marks="albums/') == 1
    assert (
        '<h1 tabindex="-1">Unknown album</h1>' in owner.page(f"/albums/{encode_key('bo', '')}").text
    )


def test_what_a_page_plays_is_shown_and_counted(app: Flask, owner: Owner, clock: Clock) -> None:
    about = {"page": "a-page", "id": 1, "rate": 1, "is_new": True}
    begun = {**about, "state": "playing", "position": 0.5}
    assert owner.send("POST", "/api/playback", begun).status_code == 204
    clock.advance(seconds=60)
    [line] = services_of(app).now_playing.all(FIRST_USER)
    assert services_of(app).now_playing.position_ms(line) == 60_500
    clock.advance(seconds=60)
    again = {**about, "is_new": False, "state": "paused", "position": 120.5}
    owner.send("POST", "/api/playback", again)
    assert plays(app) == 1
    owner.send("POST", "/api/playback", {**again, "state": "stopped"})
    assert services_of(app).now_playing.all() == ()
    # The same track from its beginning is another play.
    for _ in range(2):
        owner.send("POST", "/api/playback", begun)
        clock.advance(seconds=120)
    assert plays(app) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"page": ""},
        {"page": "x y"},
        {"page": 5},
        {"state": "idle"},
        {"position": -1},
        {"position": "1"},
        {"position": 1e300},
        {"rate": []},
    ],
)
def test_a_report_without_sense_is_refused(owner: Owner, change: dict[str, object]) -> None:
    report = {"page": "a", "id": 1, "state": "playing", "position": 0, "rate": 1, **change}
    assert owner.send("POST", "/api/playback", report).status_code == 400


@pytest.mark.parametrize("track_id", [99, 2**80, "1", None])
def test_a_report_of_no_track_is_refused(owner: Owner, track_id: object) -> None:
    report = {"page": "a", "id": track_id, "state": "playing"}
    assert owner.send("POST", "/api/playback", report).status_code == 404


def test_an_account_of_listenbrainz_is_connected_told_and_left(
    app: Flask, owner: Owner, clock: Clock
) -> None:
    server, url = ListenBrainzServer(), "/api/listenbrainz"
    nothing = {"is_on": False, "url": "", "waiting": 0, "problem": ""}
    assert owner.client.get(url).json == nothing
    with served(server) as address:
        wrong = owner.send("PUT", url, {"token": "a-wrong-token", "url": address})
        assert wrong.status_code == 400
        assert "does not know this token" in message_of(wrong)
        assert owner.client.get(url).json == nothing
        answer = owner.send("PUT", url, {"token": TOKEN, "url": address})
        assert answer.json == {"name": "listener"}
        report = {"page": "a", "id": 1, "is_new": True, "state": "playing"}
        owner.send("POST", "/api/playback", report)
        clock.advance(seconds=120)
        owner.send("POST", "/api/playback", {**report, "is_new": False, "state": "stopped"})
        wait_until(server.listens)
        assert server.listens() == [("One", int(NOON.timestamp()))]
        wait_until(lambda: owner.client.get(url).json == {**nothing, "is_on": True, "url": address})
        assert owner.send("DELETE", url).status_code == 204
        assert owner.client.get(url).json == nothing
    for body in ({}, {"token": 5}, {"token": TOKEN, "url": 5}, {"token": TOKEN, "url": "ftp://x"}):
        assert owner.send("PUT", url, body).status_code == 400
