"""Secrets that others know, or guess soon."""

from __future__ import annotations

from typing import Final

from .messages import Message

SHORTEST_PASSWORD: Final = 8
# Of those that guessers try first, what is long enough otherwise.
_COMMON_PASSWORDS: Final = frozenset(
    {"12345678", "123456789", "1234567890", "11111111", "00000000", "abcd1234", "admin123"}
    | {"administrator", "baseball", "changeme", "football", "iloveyou", "letmein1", "mixtape1"}
    | {"password", "password1", "password123", "passw0rd", "princess", "qwerty12", "qwerty123"}
    | {"qwertyuiop", "sunshine", "superman", "trustno1", "welcome1"}
)
# In the files of deploy/, which are copied and then not always changed.
_EXAMPLE: Final = "four words of your own"
_PLACEHOLDER: Final = "replace-me"


def find_weakness(password: str) -> Message | None:
    """Return why a password is guessed soon, after "the password"; None for no known reason."""
    if len(password) < SHORTEST_PASSWORD:
        return Message("has fewer than %(least)s characters", least=SHORTEST_PASSWORD)
    if password == _EXAMPLE:
        return Message("is what the example says")
    if password.lower() in _COMMON_PASSWORDS:
        return Message("is one of the passwords that are tried first")
    if len(set(password)) < 4:
        return Message("has fewer than four different characters")
    return None


def is_placeholder(secret: str) -> bool:
    """Say whether a secret still is what stands in an example for one of your own."""
    return secret.startswith(_PLACEHOLDER)
