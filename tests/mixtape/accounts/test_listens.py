from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from mixtape.accounts.listenbrainz import (
    ListenBrainz,
    ListenBrainzError,
    checked_url,
    metadata_of,
)
from mixtape.accounts.listens import Listens
from mixtape.accounts.sealing import Sealer
from mixtape.database.account_tables import Listen, User
from mixtape.database.tables import FIRST_USER, Track
from mixtape.database.units_of_work import Database
from mixtape.errors import InvalidAccountError
from tests.helpers.listenbrainz_server import TOKEN, ListenBrainzServer
from tests.helpers.tracks import NOON, Clock
from tests.helpers.waiting import wait_until
from tests.helpers.web import WebServer, served

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SEALER = Sealer("a key of the site")
MakeListens = Callable[[], Listens]


@pytest.fixture
def server() -> ListenBrainzServer:
    return ListenBrainzServer()


@pytest.fixture
def address(server: ListenBrainzServer) -> Iterator[str]:
    with served(server) as address:
        yield address


@pytest.fixture
def make_listens(database: Database, clock: Clock) -> Iterator[MakeListens]:
    """Return what makes the service of a process, as one that was started again has another."""
    made = []

    def make() -> Listens:
        made.append(Listens(database, SEALER, clock, first_pause_s=0.01))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def listens(make_listens: MakeListens, address: str) -> Listens:
    """Return the service with the first user's account connected."""
    listens = make_listens()
    assert listens.connect(FIRST_USER, TOKEN, address) == "listener"
    return listens


def track(title: str, artist: str = "Singer", **columns: object) -> Track:
    return Track(path=title.encode(), title=title, artist=artist, **columns)


def heard(*titles: str) -> list[tuple[Track, datetime]]:
    return [(track(title), NOON - timedelta(minutes=at)) for at, title in enumerate(titles)]


def wait_until_sent(listens: Listens) -> None:
    wait_until(lambda: listens.connection(FIRST_USER).waiting == 0)


def test_plays_are_sent_one_alone_and_several_together(
    listens: Listens, server: ListenBrainzServer
) -> None:
    song = track("One", album="Album", album_artist="Singer", track_no=3, duration_s=61.5)
    listens.add(FIRST_USER, [(song, NOON)], "App")
    wait_until_sent(listens)
    [(kind, [told])] = server.told
    assert (kind, told["listened_at"]) == ("single", int(NOON.timestamp()))
    about = told["track_metadata"]
    names = {name: about[name] for name in ("artist_name", "track_name", "release_name")}
    assert names == {"artist_name": "Singer", "track_name": "One", "release_name": "Album"}
    assert about["additional_info"]["duration_ms"] == 61_500
    assert about["additional_info"]["media_player"] == "App"
    listens.add(FIRST_USER, heard("Two", "Three"), "App")
    wait_until_sent(listens)
    assert server.told[1][0] == "import"
    assert [name for name, _ in server.listens()] == ["One", "Two", "Three"]


def test_what_plays_now_is_told_once_and_not_kept(
    listens: Listens, server: ListenBrainzServer
) -> None:
    listens.tell_playing_now(FIRST_USER, track("One"), "App")
    wait_until(lambda: server.told)
    [(kind, [told])] = server.told
    assert kind == "playing_now"
    assert "listened_at" not in told
    assert listens.connection(FIRST_USER).waiting == 0


def test_nothing_is_kept_or_sent_of_who_has_no_account(
    make_listens: MakeListens, database: Database
) -> None:
    listens = make_listens()
    listens.add(FIRST_USER, heard("One"), "App")
    listens.tell_playing_now(FIRST_USER, track("One"), "App")
    with database.read() as session:
        assert session.scalars(select(Listen)).all() == []
    assert listens.connection(FIRST_USER).is_on is False


def test_what_listenbrainz_takes_none_of_is_not_sent(
    listens: Listens, server: ListenBrainzServer
) -> None:
    early = datetime(1999, 1, 1, tzinfo=NOON.tzinfo)
    listens.add(FIRST_USER, [(track("One", artist=""), NOON), (track("Two"), early)], "App")
    assert listens.connection(FIRST_USER).waiting == 0
    long = metadata_of(track("é" * 9_000), "")
    assert long is not None
    assert len(str(long).encode()) < 10_240


@pytest.mark.parametrize(
    "refusal",
    [
        ("429 Too Many Requests", {"X-RateLimit-Reset-In": "0"}),
        ("503 Service Unavailable", {"Retry-After": "0"}),
        ("500 Internal Server Error", {}),
        ("302 Found", {"Location": "http://192.0.2.1/"}),
    ],
)
def test_what_is_refused_for_now_is_sent_later(
    listens: Listens, server: ListenBrainzServer, refusal: tuple[str, dict[str, str]]
) -> None:
    server.refusals = [refusal] * 3
    listens.add(FIRST_USER, heard("One", "Two"), "App")
    wait_until_sent(listens)
    assert server.tries == 4
    assert [name for name, _ in server.listens()] == ["One", "Two"]
    wait_until(lambda: listens.connection(FIRST_USER).problem == "")


def test_listenbrainz_is_left_alone_for_as_long_as_it_wants(
    listens: Listens, server: ListenBrainzServer
) -> None:
    server.refusals = [("429 Too Many Requests", {"X-RateLimit-Reset-In": "3000"})]
    listens.add(FIRST_USER, heard("One"), "App")
    wait_until(lambda: listens.connection(FIRST_USER).problem)
    listens.add(FIRST_USER, heard("Two"), "App")
    assert listens.connection(FIRST_USER).waiting == 2
    assert server.tries == 1
    assert "429" in listens.connection(FIRST_USER).problem


def test_plays_outlive_an_outage_and_a_restart(
    make_listens: MakeListens, database: Database, server: ListenBrainzServer
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    listens = make_listens()
    web = WebServer(server, port)
    listens.connect(FIRST_USER, TOKEN, address)
    web.stop()
    listens.add(FIRST_USER, heard("One"), "App")
    wait_until(lambda: listens.connection(FIRST_USER).problem)
    assert listens.connection(FIRST_USER).waiting == 1
    listens.close()
    web = WebServer(server, port)
    try:
        again = make_listens()
        again.start()
        wait_until_sent(again)
    finally:
        web.stop()
    assert [name for name, _ in server.listens()] == ["One"]


def test_what_another_process_was_sending_when_it_ended_is_sent_after_a_while(
    make_listens: MakeListens,
    listens: Listens,
    database: Database,
    server: ListenBrainzServer,
    clock: Clock,
) -> None:
    listens.close()
    listens.add(FIRST_USER, heard("One"), "App")
    assert listens._claim(FIRST_USER) != []
    again = make_listens()
    assert again._claim(FIRST_USER) == []
    clock.advance(minutes=3)
    again.start()
    wait_until_sent(again)
    assert [name for name, _ in server.listens()] == ["One"]


def test_a_play_that_is_never_taken_does_not_keep_the_others(
    listens: Listens, server: ListenBrainzServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.poison = "Bad"
    listens.add(FIRST_USER, heard("One", "Bad", "Two"), "App")
    wait_until_sent(listens)
    assert [name for name, _ in server.listens()] == ["One", "Two"]
    assert "does not take a play" in caplog.text


def test_a_token_that_is_no_longer_good_stops_it_until_there_is_another(
    listens: Listens, server: ListenBrainzServer, address: str
) -> None:
    server.token = "another-token"
    listens.add(FIRST_USER, heard("One"), "App")
    wait_until(lambda: listens.connection(FIRST_USER).problem)
    listens.add(FIRST_USER, heard("Two"), "App")
    assert server.tries == 1
    with pytest.raises(InvalidAccountError, match="does not know this token"):
        listens.connect(FIRST_USER, TOKEN, address)
    listens.connect(FIRST_USER, "another-token", address)
    wait_until_sent(listens)
    assert {name for name, _ in server.listens()} == {"One", "Two"}


def test_a_disconnected_account_leaves_nothing(
    listens: Listens, server: ListenBrainzServer, database: Database
) -> None:
    with database.read() as session:
        sealed = session.get_one(User, FIRST_USER).sealed_listenbrainz_token
    assert sealed is not None
    assert TOKEN.encode() not in sealed
    server.refusals = [("503 Service Unavailable", {"Retry-After": "3000"})]
    listens.add(FIRST_USER, heard("One"), "App")
    wait_until(lambda: listens.connection(FIRST_USER).problem)
    listens.disconnect(FIRST_USER)
    found = listens.connection(FIRST_USER)
    assert (found.is_on, found.waiting, found.problem, found.url) == (False, 0, "", "")


def test_another_secret_key_is_a_problem_that_is_told(
    database: Database, listens: Listens, server: ListenBrainzServer
) -> None:
    listens.close()
    listens.add(FIRST_USER, heard("One"), "App")
    moved = Listens(database, Sealer("another key of the site"))
    try:
        moved.start()
        wait_until(lambda: "no longer be read" in moved.connection(FIRST_USER).problem)
    finally:
        moved.close()
    assert server.tries == 0


def test_an_account_that_cannot_be_asked_is_not_connected(make_listens: MakeListens) -> None:
    with pytest.raises(InvalidAccountError, match="does not answer"):
        make_listens().connect(FIRST_USER, TOKEN, "http://127.0.0.1:1")
    for token in ("", "short", "two words of it", "né" * 8, "x" * 300, "line\nbreak-in-it"):
        with pytest.raises(InvalidAccountError, match="no token"):
            make_listens().connect(FIRST_USER, token)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org",
        "file:///etc/passwd",
        "http://",
        "x",
        "http://a:b@c",
        "http://:b@c",
        "http://x:y",
    ],
)
def test_an_address_is_one_of_the_web(url: str) -> None:
    with pytest.raises(InvalidAccountError, match="no address of a server"):
        checked_url(url)
    assert checked_url("https://api.listenbrainz.org/") == ""
    assert checked_url(" https://listens.example.org/ ") == "https://listens.example.org"


def test_an_answer_that_is_none_is_a_failure_of_that_server() -> None:
    def answer(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"[" * 50_000]

    with served(answer) as address, pytest.raises(ListenBrainzError, match="does not answer"):
        ListenBrainz(TOKEN, address).find_name()
