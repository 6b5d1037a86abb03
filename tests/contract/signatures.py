"""Signatures as the contract writes them: names and defaults of what may be given by position."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

REQUIRED = "required"


def signature(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the default by parameter, without `self` and without keyword-only additions."""
    parameters = inspect.signature(function).parameters.values()
    return {
        each.name: REQUIRED if each.default is each.empty else each.default
        for each in parameters
        if each.kind is each.POSITIONAL_OR_KEYWORD and each.name != "self"
    }


def begins_with(function: Callable[..., Any], expected: dict[str, Any]) -> bool:
    """Say whether a function takes these parameters in this order, and needs no others."""
    found = signature(function)
    more = list(found.values())[len(expected) :]
    return list(found.items())[: len(expected)] == list(expected.items()) and REQUIRED not in more
