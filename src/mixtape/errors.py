"""Refusals of the library and the mixtapes, each with a message for people."""

from __future__ import annotations

from .messages import Message


class MixtapeError(Exception):
    """The base of every error that the model raises on its own account."""


class RefusalError(MixtapeError):
    """The base of those that people are told of, each in their language.

    Args:
        message: what is wrong and what to do; as a text it is English, for the log.
    """

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


class DatabaseError(MixtapeError, RuntimeError):
    """The database cannot be used as it is."""


class DatabaseBusyError(RefusalError, DatabaseError):
    """Others used the database for longer than anybody should wait.

    Args:
        waited_s: how long that is.
    """

    def __init__(self, waited_s: float) -> None:
        super().__init__(
            Message("the database was busy for %(seconds)s s: try again", seconds=waited_s)
        )


class NotFoundError(RefusalError, LookupError):
    """A track, mixtape, draft or picture that was asked for does not exist."""


class LinkError(NotFoundError):
    """A link leads to no mixtape, or to one that is closed: it was changed, revoked or guessed."""


class ConflictError(RefusalError, RuntimeError):
    """Somebody saved in between: what is stored is not what the caller started from.

    Args:
        what: the thing that was to be saved, such as "this mixtape".
        expected: the revision that the caller started from.
        current: the revision that is stored now.
    """

    def __init__(self, what: Message, *, expected: int, current: int) -> None:
        super().__init__(
            Message(
                "%(what)s was changed elsewhere (revision %(current)s, yours started from "
                "%(expected)s): load it again and repeat the change",
                what=what,
                current=current,
                expected=expected,
            )
        )
        self.expected = expected
        self.current = current


class InvalidMixtapeError(RefusalError, ValueError):
    """A mixtape cannot be saved as it is; the message names the field and what it takes."""


class InvalidAccountError(RefusalError, ValueError):
    """A user or a device cannot be stored as it is; the message says what it takes."""


class BackupError(RefusalError, ValueError):
    """A file is no backup of mixtape, or is damaged; the message says which, and what to do."""


class PictureError(RefusalError, ValueError):
    """A picture is of a kind or size that is not accepted, or does not decode."""


class AudioFileError(MixtapeError, ValueError):
    """A file in the library cannot be read as audio.

    Args:
        is_passing: it may be readable the next time as it is: a disk failed, say.
    """

    def __init__(self, message: str, *, is_passing: bool = False) -> None:
        super().__init__(message)
        self.is_passing = is_passing


class TakeawayError(RefusalError, ValueError):
    """A mixtape cannot be taken along in this form; the message says why."""


class PlaylistError(RefusalError, ValueError):
    """A file is no playlist that can be read, or is too large."""


class ScanError(RefusalError, RuntimeError):
    """The library cannot be scanned at the moment, or not all of it."""
