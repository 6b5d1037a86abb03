"""What is being sent to a device ends when a command, or another server, has removed it."""

from __future__ import annotations

import socket
import wave
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from werkzeug.wrappers import Response

from mixtape.mixtapes.open_answers import answers_to
from mixtape.mixtapes.removed_devices import RemovedDevices
from mixtape.services import Services
from tests.helpers.host import make_app
from tests.helpers.mixtape_serve import MixtapeServe
from tests.helpers.mixtapes import scan, services_of
from tests.helpers.waiting import LIMIT_S, wait_until

# As the kernel's table of connections has it.
ESTABLISHED = "01"
LENGTH_S = 240  # 42 MB: many times what sockets of both sides hold


@pytest.fixture
def app(tmp_path: Path, music: Path) -> Flask:
    return make_app(tmp_path)


@pytest.fixture
def services(app: Flask) -> Services:
    return services_of(app)


def send_to(services: Services, key: str, here: socket.socket) -> None:
    response = Response(iter([b"one", b"two"]))
    services.open_answers.add(key, {"gunicorn.socket": here}, response)


def add(services: Services) -> int:
    return services.devices.add(1, "Phone", is_recoverable=False)[0].id


def test_only_devices_that_were_removed_fall_silent(
    services: Services, ends: tuple[socket.socket, socket.socket]
) -> None:
    (here, there), (kept, listener) = ends, socket.socketpair()
    with kept, listener:
        gone, left = add(services), add(services)
        send_to(services, answers_to(gone), here)
        send_to(services, answers_to(left), kept)
        # The slug of a link is no device's, whatever it looks like.
        send_to(services, str(gone), kept)
        services.removed_devices.look()
        here.sendall(b"heard")
        assert there.recv(100) == b"heard"
        services.devices.remove(1, gone)
        services.removed_devices.look()
        assert there.recv(100) == b""
        kept.sendall(b"heard")
        assert listener.recv(100) == b"heard"


def test_nothing_is_asked_while_nothing_is_sent_to_devices(
    services: Services,
    ends: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[set[int]] = []

    def that_are_there(ids: set[int]) -> set[int]:
        asked.append(ids)
        return ids

    monkeypatch.setattr(services.devices, "that_are_there", that_are_there)
    services.removed_devices.look()
    send_to(services, "a-slug", ends[0])
    services.removed_devices.look()
    assert asked == []
    send_to(services, answers_to(7), ends[0])
    send_to(services, answers_to(7), ends[0])
    services.removed_devices.look()
    assert asked == [{7}]


def test_a_look_that_fails_is_not_the_last(
    services: Services,
    ends: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, there = ends
    failures = iter([ValueError("broken")])
    find = services.devices.that_are_there

    def that_are_there(ids: set[int]) -> set[int]:
        for failure in failures:
            raise failure
        return find(ids)

    monkeypatch.setattr(services.devices, "that_are_there", that_are_there)
    device_id = add(services)
    send_to(services, answers_to(device_id), here)
    services.devices.remove(1, device_id)
    looking = RemovedDevices(services.devices, services.open_answers, every_s=0.01)
    looking.start()
    assert there.recv(100) == b""
    looking.close()


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("devices", "remove"), ("users", "remove-devices")])
def test_a_command_ends_what_a_running_server_sends(
    tmp_path: Path,
    music: Path,
    app: Flask,
    services: Services,
    command: Callable[..., Result],
    arguments: tuple[str, ...],
) -> None:
    with wave.open(str(music / "long.wav"), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
        file.writeframes(bytes(4 * 44100 * LENGTH_S))
    size = (music / "long.wav").stat().st_size
    scan(app)
    device, key = services.devices.add(1, "Phone", is_recoverable=False)
    services.close()
    with MixtapeServe(music, tmp_path / "data") as server:
        host, port = server.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=LIMIT_S) as player:
            address = f"/rest/stream?id=tr-1&apiKey={key}"
            player.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            received = len(player.recv(4096))
            assert is_sending(int(port), player)
            which = str(device.id) if arguments[0] == "devices" else "admin"
            removed = command(*arguments, which)
            assert removed.exit_code == 0, removed.output
            # It waits for the player to read what the sockets hold.
            wait_until(lambda: not is_sending(int(port), player), "the connection to be ended")
            try:
                while piece := player.recv(1 << 16):
                    received += len(piece)
            except ConnectionResetError:
                pass
            assert 4096 <= received < size
        assert "Traceback" not in server.stop()


def is_sending(port: int, player: socket.socket) -> bool:
    """Say whether a server on this machine has its side of a connection open."""
    between = port, player.getsockname()[1]
    for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        _, here, there, state = line.split()[:4]
        if between == tuple(int(each.rpartition(":")[2], 16) for each in (here, there)):
            return state == ESTABLISHED
    return False
