"""Hosts on one machine: network namespaces that are joined by a bridge, as by a switch."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from typing import Self

from conftest import give_up

_NUMBERS = itertools.count(os.getpid() % 200)
_BRIDGE, _UPLINK = "bridge", "uplink"


class Network:
    """A switch, and hosts at it, from `with` to its end; it takes root.

    The switch is a namespace as well, with one cable to this machine. So hosts come and go, and
    cables are pulled, where no browser of other tests sees it: Chromium gives up whatever it loads
    when the network of its machine changes.
    """

    def __init__(self) -> None:
        number = next(_NUMBERS) % 250
        self._cable = f"acbr{number}"
        self._switch = f"{self._cable}-switch"
        self._prefix = f"10.{77 + os.getpid() % 100}.{number}"
        self.address = f"{self._prefix}.1"
        self.hosts: list[Host] = []

    def __enter__(self) -> Self:
        if os.geteuid() or shutil.which("ip") is None:
            give_up("hosts as network namespaces take root, and ip: apt-get install iproute2")
        run("ip", "netns", "add", self._switch)
        run_inside(self._switch, "link", "add", _BRIDGE, "type", "bridge")
        run_inside(self._switch, "link", "set", _BRIDGE, "up")
        run(
            "ip", "link", "add", self._cable, "type", "veth", "peer", _UPLINK, "netns", self._switch
        )
        run_inside(self._switch, "link", "set", _UPLINK, "master", _BRIDGE, "up")
        run("ip", "address", "add", f"{self.address}/24", "dev", self._cable)
        run("ip", "link", "set", self._cable, "up")
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.hosts:
            host.remove()
        run("ip", "link", "delete", self._cable)
        run("ip", "netns", "delete", self._switch)

    def add(self, name: str) -> Host:
        """Add a host."""
        number = len(self.hosts)
        address = f"{self._prefix}.{10 + number}"
        host = Host(f"{self._cable}-{name}", address, self._switch, f"host{number}")
        self.hosts.append(host)
        return host


class Host:
    """A network namespace with an address.

    Args:
        name: of the namespace.
        address: its own.
        switch: the namespace that its cable leads to.
        cable: the name that the cable has there.
    """

    def __init__(self, name: str, address: str, switch: str, cable: str) -> None:
        self.name = name
        self.address = address
        self._switch = switch
        self._cable = cable
        run("ip", "netns", "add", name)
        run_inside(switch, "link", "add", cable, "type", "veth", "peer", "eth0", "netns", name)
        run_inside(switch, "link", "set", cable, "master", _BRIDGE, "up")
        run_inside(name, "address", "add", f"{address}/24", "dev", "eth0")
        run_inside(name, "link", "set", "eth0", "up")
        run_inside(name, "link", "set", "lo", "up")

    def command(self, *command: str) -> list[str]:
        """Return what runs a command on this host."""
        return ["ip", "netns", "exec", self.name, *command]

    def cut(self) -> None:
        """Pull its cable."""
        run_inside(self._switch, "link", "set", self._cable, "down")

    def mend(self) -> None:
        """Put its cable back."""
        run_inside(self._switch, "link", "set", self._cable, "up")

    def remove(self) -> None:
        """Remove it; what runs there has to be ended before."""
        run("ip", "netns", "delete", self.name)


def run_inside(namespace: str, *arguments: str) -> None:
    """Run `ip` in a namespace; fail as `run` does."""
    run("ip", "-n", namespace, *arguments)


def run(*command: str) -> None:
    """Run a command; fail with what it says where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
