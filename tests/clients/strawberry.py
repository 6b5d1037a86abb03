"""Strawberry, a player for desktops, on a screen that nobody sees."""

from __future__ import annotations

import base64
import contextlib
import os
import sqlite3
import subprocess
from pathlib import Path
from typing import Self

from tests.helpers.waiting import LIMIT_S

# The place of its view of Subsonic servers among the views at the side.
_VIEW = 8
_CONFIG = """
[Subsonic]
enabled=true
url={address}
username={name}
password="{password}"
authmethod=1
[MainWindow]
current_tab={view}
"""
_PLAYER = "org.mpris.MediaPlayer2"


class Strawberry:
    """The program with a screen and a bus of its own, from `with` to its end.

    Args:
        root: an empty directory for what it keeps.
        address: of the server that it plays from.
    """

    def __init__(self, root: Path, address: str, name: str, key: str) -> None:
        self.root = root
        self._ending = contextlib.ExitStack()
        folders = {"CONFIG": "config", "DATA": "data", "CACHE": "cache"}
        run = root / "run"
        run.mkdir(mode=0o700)
        self._known = {
            **os.environ,
            "HOME": str(root),
            "XDG_RUNTIME_DIR": str(run),
            **{f"XDG_{kind}_HOME": str(root / folder) for kind, folder in folders.items()},
            "QT_QPA_PLATFORM": "xcb",
        }
        config = root / "config" / "strawberry" / "strawberry.conf"
        config.parent.mkdir(parents=True)
        password = base64.b64encode(key.encode()).decode()
        config.write_text(
            _CONFIG.format(address=address, name=name, password=password, view=_VIEW), "utf-8"
        )
        self.log = root / "strawberry.log"

    def __enter__(self) -> Self:
        with self._ending as ending:
            bus = self._start("dbus-daemon", "--session", "--nofork", "--print-address", told=True)
            self._known["DBUS_SESSION_BUS_ADDRESS"] = bus
            screen = ("-screen", "0", "1280x800x24", "-nolisten", "tcp")
            number = self._start("Xvfb", "-displayfd", "1", *screen, told=True)
            self._known["DISPLAY"] = f":{number}"
            self._start("strawberry")
            self._ending = ending.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def click_into_its_view(self) -> None:
        """Click to where it says “Click here to retrieve music”."""
        self._run("xdotool", "mousemove", "165", "300", "click", "1")

    def songs(self) -> list[tuple[str, ...]]:
        """Return title, artist, album, address, seconds and bytes of what it has found."""
        file = self.root / "data" / "strawberry" / "strawberry" / "strawberry.db"
        wanted = "title, artist, album, url, length / 1000000000, filesize"
        try:
            with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
                return database.execute(f"SELECT {wanted} FROM subsonic_songs").fetchall()
        except sqlite3.OperationalError:
            return []

    def play(self, address: str) -> None:
        """Play what is at an address, or at one of those in `songs`."""
        self._call(f"{_PLAYER}.Player.OpenUri", address)

    def position_s(self, known: str) -> float:
        """Return how far it has played the track with an id; 0 where it plays another."""
        if f"id={known}&" not in self._property("Metadata"):
            return 0.0
        return int(self._property("Position").rstrip(">,)\n").split()[-1]) / 1e6

    def _property(self, name: str) -> str:
        return self._call("org.freedesktop.DBus.Properties.Get", f"{_PLAYER}.Player", name)

    def _call(self, method: str, *values: str) -> str:
        place = ("--dest", f"{_PLAYER}.strawberry", "--object-path", "/org/mpris/MediaPlayer2")
        return self._run("gdbus", "call", "--session", *place, "--method", method, *values)

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            env=self._known,
            capture_output=True,
            text=True,
            check=True,
            timeout=LIMIT_S,
            stdin=subprocess.DEVNULL,
        )
        return done.stdout

    def _start(self, *command: str, told: bool = False) -> str:
        """Start a program that ends with this; return the line that it says first, if wanted."""
        with self.log.open("a") as log:
            process = subprocess.Popen(
                command,
                env=self._known,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if told else log,
                stderr=log,
                text=True,
            )
        self._ending.callback(_end, process)
        return process.stdout.readline().strip() if process.stdout else ""


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(LIMIT_S / 12)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(LIMIT_S)
    if process.stdout is not None:
        process.stdout.close()
