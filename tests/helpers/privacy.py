"""Privacy: what of a server's machine nobody may read in what it sends to listeners."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import mutagen.flac
from werkzeug.test import TestResponse

from tests.helpers.audio import make_noise

FOLDER = "Kx-Folder-7731"
NAME = "kx-name-7731"
USER = "kx-user-7731"
HOST = "kx-host-7731"
COMMENT = "kx-comment-7731"
TITLE = "A title for everybody"
# 13 February 2009, 23:31:30 and a bit: in all notations that software is fond of.
MTIME_NS = 1_234_567_890_123_456_789
_MTIMES = (
    "1234567890",
    "499602d2",
    "499602D2",
    f"{MTIME_NS:x}",
    "13 Feb 2009",
    "13-Feb-09",
    "2009-02-13",
    "20090213",
    "23:31:30",
)


@dataclass(frozen=True)
class Secrets:
    """The secrets of a machine with music below a folder.

    Args:
        root: the folder that music and data are in.
    """

    root: Path

    @property
    def texts(self) -> tuple[str, ...]:
        """Return what must be in no header and no body, in any encoding of text."""
        return (str(self.root), FOLDER, NAME, USER, HOST, *_MTIMES)

    def place(self, suffix: str = ".flac", *, seed: int = 0, seconds: int = 3) -> Path:
        """Write a source with a secret in its path, its date and its comments."""
        folder = self.root / "music" / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{NAME}{seed}{suffix}"
        codec = "flac" if suffix == ".flac" else "pcm_s16le"
        tags = {"title": TITLE, "artist": "Artist", "album": "Album", "comment": COMMENT}
        make_noise(path, samples=seconds * 44_100, codec=codec, seed=seed, tags=tags)
        os.utime(path, ns=(MTIME_NS, MTIME_NS))
        return path

    def assert_untold(self, answer: TestResponse, *, may_hold: str = "") -> None:
        """Hold an answer's headers and body against all secrets.

        Args:
            may_hold: what the listener has said himself, such as the address that he asked for.
        """
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers)
        told = head.encode("utf-8", "surrogateescape") + b"\n\n" + answer.get_data()
        for text in self.texts:
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                if text not in may_hold:
                    assert text.encode(encoding) not in told, (text, answer.request.path, head)
        assert "Last-Modified" not in answer.headers


def damage(path: Path) -> None:
    """Change a byte in the middle of a FLAC, so that it decodes no more; its date stays."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 64] = bytes(64)
    path.write_bytes(content)
    os.utime(path, ns=(MTIME_NS, MTIME_NS))


def has_comment(path: Path) -> bool:
    """Say whether a FLAC holds the private comment, so that a test's silence means something."""
    return COMMENT in str(mutagen.flac.FLAC(path).tags)
