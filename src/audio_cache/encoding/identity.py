"""What a rendition was made from: the identity that stands in its private frame."""

from __future__ import annotations

import functools
import json
import operator
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ..quality import QUALITY_SETTINGS

LAYOUT_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """The source and the encoder of one rendition.

    `path` is percent-encoded, since names are bytes and need not be text. `frames` is the number
    of audio frames, from which the file's exact size follows; `samples` is per channel at 44.1 kHz.
    """

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
        """Return the path of the source as it was when the rendition was made."""
        return Path(os.fsdecode(unquote_to_bytes(self.path)))

    def same_audio(self, other: Identity) -> bool:
        """Say whether the audio frames of both are surely the same bytes, whatever path and tags.

        Only FLAC's own checksum covers every sample; the other fingerprints look at some blocks.
        """
        proven = self.fingerprint.startswith("flac-md5:")
        return proven and (
            self.layout,
            self.quality,
            self.frames,
            self.samples,
            self.fingerprint,
            self.encoder,
        ) == (
            other.layout,
            other.quality,
            other.frames,
            other.samples,
            other.fingerprint,
            other.encoder,
        )

    def payload(self) -> bytes:
        """Return the identity as it stands in the private frame: JSON in ASCII."""
        return json.dumps(asdict(self), separators=(",", ":")).encode("ascii")


def quote_path(path: Path) -> str:
    """Return a path percent-encoded, any byte that a file system takes among it."""
    return quote_from_bytes(os.fsencode(path))


_values_of: Final = operator.attrgetter(*(field.name for field in fields(Identity)))
_KINDS: Final = tuple({"int": int, "str": str}[str(field.type)] for field in fields(Identity))


@functools.lru_cache(maxsize=4096)
def parse_identity(payload: bytes) -> Identity | None:
    """Return the identity that a payload holds; None where it is none of this layout version."""
    try:
        identity = Identity(**json.loads(payload))
    except (ValueError, TypeError, RecursionError):
        return None
    if identity.layout != LAYOUT_VERSION:
        return None
    whole = tuple(map(type, _values_of(identity))) == _KINDS
    known = whole and identity.quality in QUALITY_SETTINGS and identity.frames > 0
    return identity if known else None
