"""Entries of layout 1, whose private frame said where they were made; they are taken over."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

from ..quality import QUALITY_SETTINGS


@dataclass(frozen=True, slots=True)
class LegacyOrigin:
    """What an entry of layout 1 says it was made from; `path` is percent-encoded."""

    layout: int
    quality: str
    frames: int
    samples: int
    size_bytes: int
    mtime_ns: int
    fingerprint: str
    encoder: str
    path: str

    @property
    def source_path(self) -> Path:
        """Return the path of the source as it was when the entry was made."""
        return Path(os.fsdecode(unquote_to_bytes(self.path)))

    def is_of(self, source: os.stat_result, audio: str) -> bool:
        """Say whether it was surely made from a source as that is now.

        By FLAC's own MD5 where there is one; else by the rule that these entries were made under,
        that size and time are the same.
        """
        if self.fingerprint.startswith("flac-md5:") and audio.startswith("flac-md5:"):
            return self.fingerprint.split("-")[1] == audio.split("-")[1]
        return (source.st_size, source.st_mtime_ns) == (self.size_bytes, self.mtime_ns)


_KINDS: Final = {"int": int, "str": str}
_TYPES: Final = {field.name: _KINDS[str(field.type)] for field in fields(LegacyOrigin)}


def parse_legacy(payload: bytes) -> LegacyOrigin | None:
    """Return what the private frame of a layout 1 entry holds; None if it is not of one."""
    try:
        values = json.loads(payload)
        if {name: type(value) for name, value in values.items()} != _TYPES:
            return None
        origin = LegacyOrigin(**values)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    is_known = origin.layout == 1 and origin.quality in QUALITY_SETTINGS and origin.frames > 0
    return origin if is_known else None
