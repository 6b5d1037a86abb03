"""A server that speaks S3, as a process, with what it holds in memory."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Self

from tests.helpers.nginx import free_port
from tests.helpers.waiting import LIMIT_S, wait_until


class S3Server:
    """moto's server, from `with` to its end."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.port = free_port()
        self.host = host
        self.url = f"http://{host}:{self.port}"
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", self.host, "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        wait_until(self._answers, "the S3 server")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(LIMIT_S)

    def new_bucket(self) -> str:
        """Make a bucket, and return its address with a prefix."""
        name = f"bucket-{next(self._numbers)}"
        request = urllib.request.Request(f"{self.url}/{name}", method="PUT")
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
            assert answer.status == 200
        return f"s3://{name}/renditions"

    def pause(self) -> None:
        """Let it answer nobody."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=LIMIT_S):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
