"""The folder of a CUE sheet, where the files that it names have to lie."""

from __future__ import annotations

import os
import unicodedata
from typing import Final

from .suffixes import LOSSLESS_SUFFIXES

_SUFFIXES: Final = sorted(LOSSLESS_SUFFIXES)
# No file has a longer name. Marks over one letter are put in order in the square of their number.
_LONGEST_NAME: Final = 255


class SheetFolder:
    """The files beside a sheet, listed once where that has to be."""

    def __init__(self, sheet: str) -> None:
        self._path, self._sheet = os.path.split(sheet)
        self._listed: dict[str, str] | None = None

    def find(self, named: str, *, is_only: bool) -> str | None:
        """Return the file that the sheet names, if need be by another case or suffix.

        A rip is often compressed, or renamed together with its sheet, which is left as it was.

        Args:
            named: as the sheet has it.
            is_only: whether the sheet names no other.
        """
        last = named.replace("\\", "/").rpartition("/")[2][:_LONGEST_NAME]
        if not last or last.startswith(".") or "\0" in last:
            return None
        path = os.path.join(self._path, last)
        if os.path.isfile(path):
            return path
        stems = [os.path.splitext(last)[0]]
        if is_only:
            stem = os.path.splitext(self._sheet)[0]
            stems += [stem, os.path.splitext(stem)[0]]
        if self._listed is None:
            self._listed = {_key(name): name for name in os.listdir(self._path)}
        for name in (last, *(stem + suffix for stem in stems for suffix in _SUFFIXES)):
            found = os.path.join(self._path, self._listed.get(_key(name), ""))
            if os.path.isfile(found):
                return found
        return None


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
