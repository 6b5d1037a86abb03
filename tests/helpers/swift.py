"""OpenStack Swift behind its S3 API: one of each of its servers, on one disk."""

from __future__ import annotations

import itertools
import subprocess
import urllib.request
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Final, Self

import obstore
from obstore.store import S3Store

from tests.helpers.nginx import free_port
from tests.helpers.waiting import LIMIT_S, wait_until

KINDS: Final = ("account", "container", "object")
# The S3 API needs the last two for uploads in parts.
_PIPELINE: Final = "catch_errors gatekeeper cache s3api tempauth bulk slo proxy-server"
_FILTERS: Final = ("catch_errors", "gatekeeper", "bulk", "slo")
_ACCOUNT: Final = "test"
_USER: Final = "tester"
_SECRET: Final = "testing"
_REGION: Final = "us-east-1"


class Swift:
    """A Swift of its own, from `with` to its end.

    Args:
        root: a directory for its files, on a file system that has extended attributes.
        programs: where swift-proxy-server and the others are.
    """

    def __init__(self, root: Path, programs: Path) -> None:
        self._root = root
        self._programs = programs
        self._ports = {kind: free_port() for kind in ("proxy", *KINDS)}
        self._numbers = itertools.count(1)
        self.url = f"http://127.0.0.1:{self._ports['proxy']}"
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": f"{_ACCOUNT}:{_USER}",
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_REGION": _REGION,
        }

    def __enter__(self) -> Self:
        (self._root / "devices" / "disk").mkdir(parents=True)
        for kind in KINDS:
            self._make_ring(kind)
        with ExitStack() as stack:
            for kind in (*KINDS, "proxy"):
                stack.callback(_end, self._start(kind))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def new_bucket(self) -> str:
        """Make a bucket, and return its address with a prefix."""
        name = f"bucket-{next(self._numbers)}"
        store = S3Store(
            name,
            endpoint=self.url,
            access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            secret_access_key=_SECRET,
            region=_REGION,
            client_options={"allow_http": True},
        )
        address = obstore.sign(store, "PUT", "", timedelta(seconds=LIMIT_S))
        request = urllib.request.Request(address, method="PUT")
        # The proxy answers before the others do.
        wait_until(lambda: _succeeds(request), "a bucket of Swift")
        return f"s3://{name}/renditions"

    def _make_ring(self, kind: str) -> None:
        """Say where things are: all in one place, once."""
        ring = f"{kind}.builder"
        for arguments in (
            ("create", "4", "1", "1"),
            ("add", f"r1z1-127.0.0.1:{self._ports[kind]}/disk", "1"),
            ("rebalance",),
        ):
            command = [self._programs / "swift-ring-builder", ring, *arguments]
            subprocess.run(command, cwd=self._root, check=True, capture_output=True)

    def _start(self, kind: str) -> subprocess.Popen[bytes]:
        lines = [
            "[DEFAULT]",
            "bind_ip = 127.0.0.1",
            f"bind_port = {self._ports[kind]}",
            f"swift_dir = {self._root}",
            f"devices = {self._root / 'devices'}",
            "mount_check = false",
            "user =",
            "workers = 0",
        ]
        if kind == "proxy":
            lines += [
                "[pipeline:main]",
                f"pipeline = {_PIPELINE}",
                "[app:proxy-server]",
                "use = egg:swift#proxy",
                "account_autocreate = true",
                "[filter:tempauth]",
                "use = egg:swift#tempauth",
                f"user_{_ACCOUNT}_{_USER} = {_SECRET} .admin",
                "[filter:s3api]",
                "use = egg:swift#s3api",
                f"location = {_REGION}",
            ]
            # It wants to know of a memcached, and does without one that is not there.
            lines += [
                "[filter:cache]",
                "use = egg:swift#memcache",
                "memcache_servers = 127.0.0.1:9",
            ]
            for name in _FILTERS:
                lines += [f"[filter:{name}]", f"use = egg:swift#{name}"]
        else:
            lines += ["[pipeline:main]", f"pipeline = {kind}-server"]
            lines += [f"[app:{kind}-server]", f"use = egg:swift#{kind}"]
        settings = self._root / f"{kind}.conf"
        settings.write_text("\n".join(lines))
        return subprocess.Popen(
            [self._programs / f"swift-{kind}-server", settings],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            cwd=self._root,
        )


def _succeeds(request: urllib.request.Request) -> bool:
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_S):
            return True
    except OSError:
        return False


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait(LIMIT_S)
