"""The epoch of sessions: those of an earlier one have ended, whatever cookies are still about."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path
from typing import Final, Protocol

_NAME: Final = "sessions"


class Values(Protocol):
    """Small values that all nodes have; `AudioCacheState.shared` is one."""

    def read(self, name: str) -> str:
        """Return a value; "" where there is none."""

    def write(self, name: str, value: str) -> None:
        """Set a value for all."""


class SessionEpoch:
    """The epoch of a site: in a file, or where all nodes share it.

    Args:
        path: of the file.
        shared: what several nodes share; None where there is one.
    """

    def __init__(self, path: Path, shared: Values | None) -> None:
        self._path = path
        self._shared = shared
        self._kept = ""

    def read(self) -> str:
        """Return the epoch of now; "" where no session was ever ended.

        Where what is shared is lost or away, the last that this node has known.
        """
        shared = self._shared.read(_NAME) if self._shared is not None else ""
        if shared:
            if shared != self._kept:
                self._keep(shared)
            return shared
        if self._shared is None or not self._kept:
            self._kept = self._read_file()
        return self._kept

    def end(self) -> None:
        """Begin another epoch, for all processes and after restarts.

        Raises:
            OSError: it cannot be written.
        """
        epoch = secrets.token_hex(16)
        if self._shared is not None:
            self._shared.write(_NAME, epoch)
        self._keep(epoch)

    def _read_file(self) -> str:
        try:
            return self._path.read_text(encoding="ascii")
        except FileNotFoundError:
            return ""

    def _keep(self, epoch: str) -> None:
        handle, temp = tempfile.mkstemp(prefix=f".{self._path.name}-", dir=self._path.parent)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(epoch)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temp, self._path)
        except OSError:
            Path(temp).unlink(missing_ok=True)
            raise
        self._kept = epoch
