"""What people are told, kept as it is until the language of whoever reads it is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# Gives a text in another language by its English.
Translate = Callable[[str], str]
# Writes a number as people of a language do.
WriteNumber = Callable[[float], str]


@dataclass(frozen=True, init=False, slots=True)
class Message:
    """A text for people, in English, with the values in it.

    Args:
        english: written out where it is made, so that it is found for the translations, with
            `%(name)s` for each value.
        values: by name. Numbers are written as the language has them, and messages and refusals
            among them are put into it, too.
    """

    english: str
    values: Mapping[str, Any]

    def __init__(self, english: str, /, **values: Any) -> None:
        object.__setattr__(self, "english", english)
        object.__setattr__(self, "values", values)

    @classmethod
    def known(cls, english: str, values: Mapping[str, Any] | None = None) -> Message:
        """Return a message that was made elsewhere, such as by another process."""
        return cls(english, **(values or {}))

    def put(self, translate: Translate, write_number: WriteNumber) -> str:
        """Return it as a text in a language."""
        text = translate(self.english)
        if not self.values:
            return text
        return text % {
            name: _put(value, translate, write_number) for name, value in self.values.items()
        }

    def __str__(self) -> str:
        """Return it in English, as the log has it."""
        return self.put(str, _in_english)


def _put(value: Any, translate: Translate, write_number: WriteNumber) -> str:
    value = getattr(value, _MESSAGE, value)
    if isinstance(value, Message):
        return value.put(translate, write_number)
    return write_number(value) if isinstance(value, int | float) else str(value)


# The attribute by which errors carry theirs.
_MESSAGE: Final = "message"


def _in_english(number: float) -> str:
    return f"{number:,}"
