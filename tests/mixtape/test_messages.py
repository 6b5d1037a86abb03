"""Messages: texts for people that wait for a language."""

from __future__ import annotations

from mixtape.errors import InvalidMixtapeError
from mixtape.messages import Message

GERMAN = {
    "the title is longer than %(most)s characters": "der Titel ist länger als %(most)s Zeichen",
    "“%(title)s” is no title: %(reason)s": "„%(title)s“ geht nicht: %(reason)s",
}
TOO_LONG = Message("the title is longer than %(most)s characters", most=12_000)


def in_german(message: Message) -> str:
    return message.put(GERMAN.__getitem__, lambda number: f"{number:,}".replace(",", "."))


def test_a_message_is_english_as_a_text_and_any_language_where_one_is_known() -> None:
    assert str(TOO_LONG) == "the title is longer than 12,000 characters"
    assert in_german(TOO_LONG) == "der Titel ist länger als 12.000 Zeichen"


def test_a_refusal_within_a_message_is_put_into_the_language_too() -> None:
    error = InvalidMixtapeError(TOO_LONG)
    message = Message("“%(title)s” is no title: %(reason)s", title="50 %(s)", reason=error)
    assert str(error) == str(TOO_LONG)
    assert in_german(message) == ("„50 %(s)“ geht nicht: der Titel ist länger als 12.000 Zeichen")


def test_what_has_no_values_may_hold_any_character() -> None:
    assert str(Message("100 % of it")) == "100 % of it"


def test_a_message_that_came_from_elsewhere_is_the_same() -> None:
    assert Message.known(TOO_LONG.english, dict(TOO_LONG.values)) == TOO_LONG
