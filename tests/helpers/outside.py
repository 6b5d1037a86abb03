"""Settings of whoever runs this, kept out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mixtape.settings import Settings


@contextmanager
def no_settings_from_outside() -> Iterator[None]:
    """Take the settings of both packages out of the environment for a while."""
    before = dict(os.environ)
    for name in before:
        if name.lower() in Settings.model_fields or name.startswith("AUDIO_CACHE_"):
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(before)
