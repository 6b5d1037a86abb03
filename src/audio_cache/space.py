"""Amounts that people write: of disk space in bytes, words or shares, and of time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?([kmgt]?)(i?)b?")
_SHARE: Final = re.compile(r"(\d+(?:\.\d+)?) ?%")
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?) ?(s|min|h|d|)")
_SECONDS: Final = {"": 1.0, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


@dataclass(frozen=True, slots=True)
class Space:
    """An amount of disk space: the least of some amounts of bytes and shares of the disk.

    Args:
        text: as it was written.
        sizes_bytes: amounts of bytes.
        shares: parts of the whole disk, from 0 to 1.
    """

    text: str
    sizes_bytes: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()

    def of(self, disk_bytes: int) -> int:
        """Return the bytes that this is on a disk of a size."""
        return min(*self.sizes_bytes, *(int(share * disk_bytes) for share in self.shares), 1 << 62)

    def __str__(self) -> str:
        return self.text


def parse_space(text: str | int) -> Space:
    """Return an amount such as `200GB`, `10%`, or `1GB,5%`, which is the lesser of the two.

    Units are decimal, as those of disks are; `GiB` and its like are binary.

    Raises:
        ValueError: it is none.
    """
    sizes, shares = [], []
    for word in str(text).split(","):
        word = word.strip().lower()
        if share := _SHARE.fullmatch(word):
            shares.append(float(share[1]) / 100)
        elif size := _SIZE.fullmatch(word):
            sizes.append(int(float(size[1]) * (1024 if size[3] else 1000) ** _POWERS[size[2]]))
        else:
            raise ValueError(f"{word!r} is no amount of disk space")
    if any(share > 1 for share in shares):
        raise ValueError("a disk has no more than 100%")
    return Space(str(text).strip(), tuple(sizes), tuple(shares))


def parse_seconds(text: str | float) -> float:
    """Return the seconds that a text such as `90`, `90min` or `3h` stands for.

    Raises:
        ValueError: it is no time.
    """
    found = _TIME.fullmatch(str(text).strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is no length of time")
    return float(found[1]) * _SECONDS[found[2]]
