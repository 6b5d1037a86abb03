"""The key that signs session cookies: the owner's, or one that is made once and kept."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from .settings import Settings, SettingsError, prepare_data_root

SECRET_KEY_FILE = "secret_key"


def read_secret_key(settings: Settings) -> str:
    """Return SECRET_KEY, or the one that DATA_ROOT keeps, made on first use for the owner alone."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = prepare_data_root(settings) / SECRET_KEY_FILE
    if not path.exists():
        _write_secret_key(path)
    key = path.read_text(encoding="ascii").strip()
    if len(key) < 16:
        raise SettingsError(f"{path} holds no usable key. Delete it, and a new one is made.")
    return key


def _write_secret_key(path: Path) -> None:
    # mkstemp gives mode 0600; link, unlike replace, fails where another process was first, so
    # that two processes starting together end up with the same key.
    handle, temp = tempfile.mkstemp(prefix=".secret_key-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
        os.link(temp, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        os.replace(temp, path)
    finally:
        Path(temp).unlink(missing_ok=True)
