"""The epoch of sessions: those of an earlier one have ended, whatever cookies are still about."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path


def read_epoch(path: Path) -> str:
    """Return the epoch of now; "" where no session was ever ended."""
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return ""


def end_sessions(path: Path) -> None:
    """Begin another epoch, for this process and after restarts.

    Raises:
        OSError: it cannot be written.
    """
    handle, temp = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(16))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temp, path)
    except OSError:
        Path(temp).unlink(missing_ok=True)
        raise
