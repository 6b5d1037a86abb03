"""Hosts on one machine: network namespaces that are joined by a bridge, as by a switch."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from typing import Self

from conftest import give_up

_NUMBERS = itertools.count(os.getpid() % 200)


class Network:
    """A bridge of this machine, and hosts at it, from `with` to its end; it takes root."""

    def __init__(self) -> None:
        number = next(_NUMBERS) % 250
        self._bridge = f"acbr{number}"
        self._prefix = f"10.{77 + os.getpid() % 100}.{number}"
        self.address = f"{self._prefix}.1"
        self.hosts: list[Host] = []

    def __enter__(self) -> Self:
        if os.geteuid() or shutil.which("ip") is None:
            give_up("hosts as network namespaces take root, and ip: apt-get install iproute2")
        run("ip", "link", "add", self._bridge, "type", "bridge")
        run("ip", "address", "add", f"{self.address}/24", "dev", self._bridge)
        run("ip", "link", "set", self._bridge, "up")
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.hosts:
            host.remove()
        run("ip", "link", "delete", self._bridge)

    def add(self, name: str) -> Host:
        """Add a host."""
        address = f"{self._prefix}.{10 + len(self.hosts)}"
        host = Host(f"{self._bridge}-{name}", address, self._bridge, len(self.hosts))
        self.hosts.append(host)
        return host


class Host:
    """A network namespace with an address."""

    def __init__(self, name: str, address: str, bridge: str, number: int) -> None:
        self.name = name
        self.address = address
        self._cable = f"{bridge}v{number}"
        run("ip", "netns", "add", name)
        run("ip", "link", "add", self._cable, "type", "veth", "peer", "eth0", "netns", name)
        run("ip", "link", "set", self._cable, "master", bridge, "up")
        self._inside("address", "add", f"{address}/24", "dev", "eth0")
        self._inside("link", "set", "eth0", "up")
        self._inside("link", "set", "lo", "up")

    def command(self, *command: str) -> list[str]:
        """Return what runs a command on this host."""
        return ["ip", "netns", "exec", self.name, *command]

    def cut(self) -> None:
        """Pull its cable."""
        run("ip", "link", "set", self._cable, "down")

    def mend(self) -> None:
        """Put its cable back."""
        run("ip", "link", "set", self._cable, "up")

    def remove(self) -> None:
        """Remove it; what runs there has to be ended before."""
        run("ip", "netns", "delete", self.name)

    def _inside(self, *arguments: str) -> None:
        run("ip", "-n", self.name, *arguments)


def run(*command: str) -> None:
    """Run a command; fail with what it says where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
