"""What a player asks for: the values of an address and of a form, read one way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar, overload

from flask import Request
from werkzeug.datastructures import MultiDict

from ...accounts.bookmarks import MAX_QUEUED
from .errors import FAILED, MISSING_PARAMETER, SubsonicError

# A queue is the longest list that a player sends.
_MOST_TEXTS = MAX_QUEUED
# Beyond any count, length in milliseconds and moment of this and the next millennium.
_LARGEST = 2**53
T = TypeVar("T")


class Arguments:
    """The values of one request. Those of a form count before those of the address.

    Every method raises `SubsonicError` for a value that is missing (10) or of another kind.
    """

    def __init__(self, values: MultiDict[str, str]) -> None:
        self._values = values

    @classmethod
    def of(cls, request: Request) -> Arguments:
        """Read a request."""
        values: MultiDict[str, str] = MultiDict(request.form)
        for name in request.args:
            if name not in values:
                values.setlist(name, request.args.getlist(name))
        return cls(values)

    def __contains__(self, name: str) -> bool:
        """Say whether there is such a value."""
        return name in self._values

    @overload
    def text(self, name: str) -> str: ...
    @overload
    def text(self, name: str, default: T) -> str | T: ...
    def text(self, name: str, default: object = ...) -> object:
        """Return a text, or the default where it is not given."""
        if name in self._values:
            return self._values[name]
        if default is ...:
            raise SubsonicError(
                MISSING_PARAMETER, f"The parameter “{name}” is missing: it has to be given."
            )
        return default

    def texts(self, name: str) -> list[str]:
        """Return a text for each time that it is given."""
        texts = self._values.getlist(name)
        if len(texts) > _MOST_TEXTS:
            raise SubsonicError(FAILED, f"Give “{name}” {_MOST_TEXTS:,} times at most.")
        return texts

    def number(
        self, name: str, default: int | None = None, *, least: int = 0, most: int = _LARGEST
    ) -> int:
        """Return a whole number; one that is larger than `most` counts as that."""
        if default is not None and self._values.get(name, "") == "":
            return default
        return _number(name, self.text(name), least, most)

    def numbers(self, name: str, *, least: int = 0) -> list[int]:
        """Return a whole number for each time that it is given."""
        return [_number(name, text, least, _LARGEST) for text in self.texts(name)]

    def decimal(self, name: str, default: float) -> float:
        """Return a number from 0."""
        text = self.text(name, str(default))
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not 0 <= number <= _LARGEST:
            raise SubsonicError(FAILED, f"“{name}={text[:40]}” has to be a number from 0.")
        return number

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a truth value."""
        text = self.text(name, "true" if default else "false").lower()
        if text not in {"true", "false", "1", "0"}:
            raise SubsonicError(FAILED, f"“{name}={text[:40]}” has to be true or false.")
        return text in {"true", "1"}

    def choice(self, name: str, choices: Mapping[str, T], default: str | None = None) -> T:
        """Return what one of several words stands for."""
        word = self.text(name) if default is None else self.text(name, default)
        if word not in choices:
            known = ", ".join(choices)
            raise SubsonicError(FAILED, f"“{name}={word[:40]}” has to be one of {known}.")
        return choices[word]

    def moments(self, name: str) -> Sequence[datetime]:
        """Return a moment for each time that it is given, in milliseconds since 1970."""
        return [self._moment(name, number) for number in self.numbers(name)]

    @staticmethod
    def _moment(name: str, milliseconds: int) -> datetime:
        try:
            return datetime.fromtimestamp(milliseconds / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            raise SubsonicError(
                FAILED, f"“{name}={milliseconds}” has to be milliseconds since 1970."
            ) from None


def _number(name: str, text: str, least: int, most: int) -> int:
    digits = text.strip().removeprefix("-")
    # int() takes far more than a client should: underlines, digits of any script, endless ones.
    if digits.isascii() and digits.isdecimal() and len(digits) <= 18:
        number = int(text)
        if number >= least:
            return min(number, most)
    raise SubsonicError(FAILED, f"“{name}={text[:40]}” has to be a whole number from {least}.")
