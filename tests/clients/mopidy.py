"""A Mopidy that plays from a Subsonic server, to nobody."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from tests.helpers.waiting import LIMIT_S, wait_until

_CONFIG = """
[core]
cache_dir = {root}/cache
config_dir = {root}/config
data_dir = {root}/data
[logging]
verbosity = 1
color = false
[audio]
output = fakesink sync=true
[http]
hostname = 127.0.0.1
port = {port}
[file]
enabled = false
[m3u]
enabled = false
[stream]
protocols = http
[subidy]
url = {address}
username = {name}
password = {key}
"""


class Mopidy:
    """The program, from `with` to its end.

    Args:
        root: an empty directory for what it keeps.
        program: its path.
        packages: where its extension is.
        address: of the server that it plays from.
    """

    def __init__(
        self, root: Path, program: str, packages: Path, address: str, name: str, key: str
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}/mopidy/rpc"
        config = root / "mopidy.conf"
        config.write_text(
            _CONFIG.format(root=root, port=port, address=address, name=name, key=key), "utf-8"
        )
        self.log = root / "mopidy.log"
        known = {**os.environ, "PYTHONPATH": str(packages), "HOME": str(root)}
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [program, "--config", str(config)],
                env=known,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        wait_until(self._answers, f"Mopidy: {self.log.read_text()[-2000:]}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(LIMIT_S)

    def ask(self, method: str, **arguments: object) -> Any:
        """Return what one of the methods of Mopidy's core gives."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": f"core.{method}", "params": arguments}
        request = urllib.request.Request(
            self._url, json.dumps(asked).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
            found = json.load(answer)
        assert "error" not in found, found
        return found["result"]

    def browse(self, uri: str | None) -> dict[str, str]:
        """Return the addresses of what is in a folder, by its names."""
        return {each["name"]: each["uri"] for each in self.ask("library.browse", uri=uri)}

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()
        try:
            self.ask("get_uri_schemes")
        except (urllib.error.URLError, ConnectionError):
            return False
        return True
