"""The folders that hold the music, and where in them the path of a track leads."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ..errors import ConfigError
from .reader import FileVersion, open_inside, stat_opened, version_of

# What a folder is called that has no name of its own, as "/" has none, or a hidden one.
_NAMELESS: Final = "music"


class MusicRoots:
    """One folder with music, or several that make one library.

    Paths of tracks are relative to the one. Of several, each is a folder at the top of the library
    under a name, that of the folder on disk where no other is called the same. Which names they
    have follows from all their paths and not from their order.

    Args:
        roots: the folders, which need not be there yet.

    Raises:
        ConfigError: there is none, or one is inside another.

    Attributes:
        places: the absolute paths by their names; the name of a single one is empty.
    """

    def __init__(self, *roots: str | os.PathLike[str]) -> None:
        places = [os.path.abspath(root) for root in roots]
        if not places:
            raise ConfigError("a library takes one folder at least")
        _refuse_nested(places)
        names = [""] if len(places) == 1 else name_roots(places)
        self.places: Mapping[str, str] = dict(zip(names, places, strict=True))
        # What was found out in a second: where the folders are, and which files lie inside.
        self._found: tuple[int, dict[str, str], dict[str, tuple[Path, FileVersion]]] = (-1, {}, {})

    @classmethod
    def of(cls, given: Roots) -> MusicRoots:
        """Return the folders that a path, or several of them, name."""
        if isinstance(given, MusicRoots):
            return given
        return cls(given) if isinstance(given, str | os.PathLike) else cls(*given)

    def __str__(self) -> str:
        """Return the folders as a setting names them."""
        return os.pathsep.join(self.places.values())

    @property
    def is_single(self) -> bool:
        """Say whether paths are relative to one folder, and begin with no name of it."""
        return "" in self.places

    def is_one(self, path: str | bytes) -> bool:
        """Say whether a path is that of one of several of these folders."""
        return bool(path) and os.fsdecode(path) in self.places

    @property
    def real(self) -> Mapping[str, str]:
        """Return where the folders are, by name, with no link left on the way there."""
        # Looked up once a second: with each play it would be an eighth of what a hit takes.
        return self._this_second()[1]

    def find(self, path: str | bytes) -> Path | None:
        """Return where the path of a track leads, to a file or to none; None in no folder of these.

        Whether it stays inside is for `opened` to see.
        """
        relative = os.fsdecode(path)
        if self.is_single:
            return Path(os.path.join(self.places[""], relative))
        name, _, rest = relative.partition("/")
        place = self.places.get(name)
        return None if place is None else Path(f"{place}/{rest}")

    def get(self, path: str | bytes) -> Path:
        """Return where the path of a track leads.

        Raises:
            FileNotFoundError: in no folder of these.
        """
        found = self.find(path)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "In no music folder", os.fsdecode(path))
        return found

    @contextlib.contextmanager
    def opened(self, path: str | bytes) -> Iterator[tuple[Path, int]]:
        """Open the file of a track, and give its place and a descriptor.

        Raises:
            OSError: there is none, it lies outside of all the folders, or is no regular file.
        """
        place = self.get(path)
        with open_inside(tuple(self.real.values()), place) as descriptor:
            yield place, descriptor

    def look_up(self, path: str) -> tuple[Path, os.stat_result]:
        """Return the place of a track's file, and what the file system says of it.

        Raises:
            OSError: as `opened`.
        """
        # Whether the file there lies inside is looked up once a second: with each part of a track
        # that somebody plays, it would be two fifths of what such an answer asks of the kernel.
        seen = self._this_second()[2]
        if path in seen:
            place, version = seen[path]
            with contextlib.suppress(OSError):
                status = os.stat(place)
                if version_of(status) == version:
                    return place, status
        with self.opened(path) as (place, descriptor):
            status = stat_opened(os.fspath(place), descriptor)
            version = version_of(os.fstat(descriptor))
        # What is said of a track in a CUE sheet is of more than its file, and asked for each time.
        if version == version_of(status):
            seen[path] = place, version
        return place, status

    def _this_second(self) -> tuple[int, dict[str, str], dict[str, tuple[Path, FileVersion]]]:
        second = int(time.monotonic())
        if self._found[0] != second:
            real = {name: os.path.realpath(place) for name, place in self.places.items()}
            self._found = second, real, {}
        return self._found

    def path_of(self, place: str | os.PathLike[str]) -> str | None:
        """Return the path of what is at a place; None where that is in no folder of these."""
        return _below(self.places, os.path.abspath(place))

    def path_of_real(self, place: str | os.PathLike[str]) -> str | None:
        """Return the path of what is at a place once all links are followed; None if outside.

        A folder itself is not inside.

        Raises:
            OSError: there is nothing at the place.
        """
        real = os.path.realpath(place, strict=True)
        return None if real in self.real.values() else _below(self.real, real)


Roots = MusicRoots | str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def split_roots(text: str) -> list[str]:
    """Return the folders that a setting names: several as in PATH, or one whose name has a colon.

    Raises:
        ConfigError: of several one is named by a relative path.
    """
    whole = os.path.expanduser(text)
    parts = [os.path.expanduser(part) for part in text.split(os.pathsep) if part]
    if not parts or os.path.isdir(whole):
        return [whole]
    for part in parts:
        if len(parts) > 1 and not os.path.isabs(part):
            raise ConfigError(
                f"there is no such folder, and of several folders, with {os.pathsep!r} between "
                f"them, each takes its whole path, which {part!r} is not"
            )
    return parts


def name_roots(places: Sequence[str]) -> list[str]:
    """Return the names of several folders, given by their absolute paths. A pure function.

    Those that are called the same are told apart by the nearest folder above them that differs,
    or by numbers in the order of their paths.
    """
    alike: dict[str, list[str]] = {}
    for place in sorted(places):
        alike.setdefault(name_root(place), []).append(place)
    names: dict[str, str] = {}
    for name, group in alike.items():
        for place, mark in zip(group, _marks(group), strict=True):
            unique, number = f"{name} ({mark})" if mark else name, 2
            while unique in names.values() or (mark and unique in alike):
                unique, number = f"{name} ({mark} {number})", number + 1
            names[place] = unique
    return [names[place] for place in places]


def name_root(place: str) -> str:
    """Return what a folder is called where no other is called the same."""
    # A hidden name would hide all that is in it.
    return os.path.basename(place).lstrip(".") or _NAMELESS


def _marks(places: Sequence[str]) -> list[str]:
    """Return what tells apart folders of the same name; nothing for one alone."""
    if len(places) == 1:
        return [""]
    above = [os.path.dirname(place).split("/")[:0:-1] for place in places]
    for depth in range(max(map(len, above))):
        marks = [parts[depth] if depth < len(parts) else "" for parts in above]
        if len(set(marks)) == len(marks):
            return marks
    return [str(number) for number in range(1, len(places) + 1)]


def _below(roots: Mapping[str, str], place: str) -> str | None:
    for name, root in roots.items():
        if place == root:
            return name
        above = os.path.join(root, "")
        if place.startswith(above):
            rest = place[len(above) :]
            return f"{name}/{rest}" if name else rest
    return None


def _refuse_nested(places: Sequence[str]) -> None:
    real: dict[str, str] = {}
    for place in places:
        found = os.path.realpath(place)
        for other, there in real.items():
            if there == found:
                raise ConfigError(f"{place} and {other} are the same folder: name it once")
            for inner, outer, is_inside in (
                (place, other, found.startswith(os.path.join(there, ""))),
                (other, place, there.startswith(os.path.join(found, ""))),
            ):
                if is_inside:
                    raise ConfigError(
                        f"{inner} lies inside {outer}, and its music would be there twice: name "
                        f"{outer} alone"
                    )
        real[place] = found
