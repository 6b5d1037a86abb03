"""Fixtures for the tests of the host application."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from mixtape.cli import main
from mixtape.database.units_of_work import Database
from tests.helpers.databases import open_database
from tests.helpers.host import PASSWORD, make_app
from tests.helpers.mixtapes import Owner
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.tracks import Clock
from tests.helpers.waiting import LIMIT_S

Command = Callable[..., Result]


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Return the library that the clients show."""
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


@pytest.fixture
def client(tmp_path: Path, music: Path) -> FlaskClient:
    """Return a browser for the application without a password."""
    return make_app(tmp_path).test_client()


@pytest.fixture
def locked(tmp_path: Path, music: Path) -> FlaskClient:
    """Return a browser for the application with a password, not signed in."""
    return make_app(tmp_path, password=PASSWORD).test_client()


@pytest.fixture
def owner(app: Flask) -> Owner:
    """Return whoever owns the application of a module's `app`."""
    return Owner(app.test_client())


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Return the address of a database on PostgreSQL, with tables that hold nothing."""
    with postgres_server.new_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Return what DATABASE_URL is for each kind of database; nothing is in it."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def database(tmp_path: Path, database_url: str | None) -> Iterator[Database]:
    """Return a database of each kind, with nothing in it."""
    database = open_database(tmp_path / "data", database_url)
    yield database
    database.close()


@pytest.fixture
def command(tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return what runs `mixtape …` on the library and its data, with standard input."""
    monkeypatch.setenv("MUSIC_ROOT", str(music))
    monkeypatch.setenv("DATA_ROOT", str(tmp_path / "data"))
    for name in ("DATABASE_URL", "PASSWORD", "PASSWORD_FILE", "HOST", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*arguments: str, said: str = "") -> Result:
        return CliRunner().invoke(main, arguments, input=said)

    return invoke


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return both ends of a connection: the server's and the listener's."""
    here, there = socket.socketpair()
    there.settimeout(LIMIT_S)
    with here, there:
        yield here, there
