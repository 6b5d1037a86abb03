from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from mixtape import cli
from mixtape.server.run import bind_listener, connections_of, server_options
from mixtape.settings import Settings, SettingsError
from tests.helpers.host import make_settings
from tests.helpers.mixtape_serve import SOURCE, MixtapeServe
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.waiting import LIMIT_S


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MixtapeServe]:
    (tmp_path / "music").mkdir()
    with MixtapeServe(tmp_path / "music", tmp_path / "data") as server:
        yield server


def get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=LIMIT_S) as answer:
        content: bytes = answer.read()
        return content


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_says_where_it_plays_answers_and_ends_cleanly(
    server: MixtapeServe, number: signal.Signals
) -> None:
    address = server.address
    assert get(f"{address}/healthz") == b'{"status":"ok"}\n'
    assert b"Your library" in get(f"{address}/")
    server.process.send_signal(number)
    output = server.finish()
    assert server.process.returncode == 0
    assert "Traceback" not in output


@pytest.mark.slow
def test_several_processes_start_on_an_empty_postgresql(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    (tmp_path / "music").mkdir()
    with (
        postgres_server.new_database(is_empty=True) as url,
        MixtapeServe(
            tmp_path / "music", tmp_path / "data", WORKERS="3", DATABASE_URL=url
        ) as server,
    ):
        assert get(f"{server.address}/healthz") == b'{"status":"ok"}\n'
        output = server.stop()
    assert "Traceback" not in output
    assert not (tmp_path / "data" / "mixtape.db").exists()


def test_a_database_that_cannot_be_reached_stops_the_start_with_words(tmp_path: Path) -> None:
    url = f"postgresql://me:s3cret@/mixtape?host={tmp_path}"
    environment = {"DATABASE_URL": url, "DATA_ROOT": str(tmp_path / "data")}
    result = CliRunner().invoke(cli.main, ["serve"], env=environment)
    assert result.exit_code == 1
    assert "Error: DATABASE_URL=postgresql://me:(hidden)@/mixtape?host=" in result.output
    assert "s3cret" not in result.output


@pytest.mark.slow
def test_an_open_page_does_not_keep_the_server_from_ending(server: MixtapeServe) -> None:
    address = server.address
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=LIMIT_S) as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle.recv(1000).startswith(b"HTTP/1.1 200")
        server.stop()
    assert server.process.returncode == 0


def test_a_port_that_is_taken_is_told_with_the_cure(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError) as caught:
            bind_listener(make_settings(tmp_path, port=port))
    assert f"PORT={port} cannot be used: another program listens there" in str(caught.value)
    assert f"PORT={port + 1} mixtape serve" in str(caught.value)


def test_an_address_of_another_machine_is_told(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, host="192.0.2.1", password="correct horse")
    with pytest.raises(SettingsError, match="this machine has no such address"):
        bind_listener(settings)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PORT": "abc"}, "PORT=abc cannot be used"),
        ({"HOST": "0.0.0.0"}, "needs a PASSWORD"),
        ({"MUSIC_ROOT": "/no/such/folder"}, "MUSIC_ROOT=/no/such/folder cannot be used"),
        ({"AUDIO_CACHE_MAX_WORKERS": "none"}, "AUDIO_CACHE_MAX_WORKERS"),
    ],
)
def test_a_bad_setting_stops_the_start_with_one_clear_message(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], words: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(cli.main, ["serve"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert words in result.output


def test_one_process_has_threads_for_every_listener_and_connections_to_spare(
    tmp_path: Path,
) -> None:
    options = server_options(make_settings(tmp_path), 7)
    assert (options["threads"], options["timeout"]) == (600, 0)
    assert options["worker_connections"] > options["threads"]
    assert options["control_socket_disable"] is True
    assert options["bind"] == ["fd://7"]


def test_the_limit_of_open_files_is_raised_for_the_threads() -> None:
    code = (
        "import resource as r; from mixtape.server.run import raise_file_limit as f;"
        "hard = r.getrlimit(r.RLIMIT_NOFILE)[1];"
        "r.setrlimit(r.RLIMIT_NOFILE, (200, hard)); f(100); print(r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    output = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 2 * connections_of(100) + 2 * 100 + 256
    assert int(output) == (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard))


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(cli.main, ["--version"])
    assert result.output == f"mixtape, version {metadata.version('audio-cache')}\n"


def test_the_help_of_serve_lists_every_setting() -> None:
    output = CliRunner().invoke(cli.main, ["serve", "--help"]).output
    for name in Settings.model_fields:
        assert name.upper() in output
