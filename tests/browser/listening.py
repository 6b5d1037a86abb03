"""A shared mixtape, the server that streams it, and a listener's browser, for the browser tests."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

import mixtape
from tests.mixtape.host import PASSWORD

GENEROUS_MS = 60_000
LIMIT_S = 60
SOURCE = Path(mixtape.__file__).parents[1]


class ServerProcess:
    """`mixtape serve` as a process, which can be killed and started again on the same port."""

    def __init__(self, music: Path, data: Path) -> None:
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "MUSIC_ROOT": str(music),
            "DATA_ROOT": str(data),
            "PASSWORD": PASSWORD,
            "PORT": str(self.port),
        }
        self.start()

    def start(self) -> None:
        """Start, and wait until it listens."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mixtape", "serve"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], LIMIT_S)
        assert ready, "the server said nothing"
        assert "Mixtape is playing at" in self._process.stdout.readline()

    def stop(self) -> None:
        """End it as an update or a reboot does."""
        self._process.terminate()
        assert self._process.stdout is not None
        with self._process.stdout:
            self._process.wait(LIMIT_S)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def visitor(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """Give a fresh browser; an error of a script or a breach of the page's policy fails the test.

    Args:
        browser: that it is a context of.
        options: further ones of `Browser.new_context`.
    """
    context = browser.new_context(reduced_motion="reduce", **options)
    context.set_default_timeout(GENEROUS_MS)
    expect.set_options(timeout=GENEROUS_MS)
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on(
        "console",
        lambda message: "Security Policy" in message.text and problems.append(message.text),
    )
    yield context
    context.close()
    assert problems == []


@contextmanager
def listener(
    browser: Browser, address: str, *, may_complain: bool = False
) -> Iterator[BrowserContext]:
    """Give a browser without a login that minds errors and requests to elsewhere.

    Args:
        browser: that it is a context of.
        address: of the only server that may be asked.
        may_complain: whether the console may tell of requests that failed.
    """
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(GENEROUS_MS)
    expect.set_options(timeout=GENEROUS_MS)
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("request", lambda r: r.url.startswith(address) or problems.append(r.url))

    def mind(kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not (may_complain and "Failed to load" in text):
            problems.append(text)

    context.on("console", lambda message: mind(message.type, message.text))
    yield context
    context.close()
    assert problems == []


def player(page: Page) -> Locator:
    return page.get_by_role("region", name="Player")


def status(page: Page) -> Locator:
    return player(page).get_by_role("status")


def audio(page: Page, property_name: str) -> object:
    """Return a property of the element that is heard."""
    return page.evaluate("(name) => document.querySelector('audio')[name]", property_name)


def position(page: Page) -> float:
    return float(str(audio(page, "currentTime")))


def wait_for_second(page: Page, second: float) -> None:
    """Wait until the music plays and has come at least so far."""
    page.wait_for_function(
        "(second) => { const a = document.querySelector('audio');"
        " return !a.paused && !a.error && a.readyState > 2 && a.currentTime >= second; }",
        arg=second,
    )


def seek(page: Page, second: float) -> None:
    page.evaluate("(second) => { document.querySelector('audio').currentTime = second; }", second)


def press_play(page: Page) -> None:
    page.get_by_role("main").get_by_role("button", name="Play", exact=True).click()
    wait_for_second(page, 0.2)
