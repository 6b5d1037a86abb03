"""Answers of the API: one tree of values, written as JSON, JSONP or XML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final
from xml.etree import ElementTree

from flask import Response

# Of the Subsonic API that players may count on; OpenSubsonic has its own list of extensions.
API_VERSION: Final = "1.16.1"
SERVER: Final = "mixtape"
SERVER_VERSION: Final = version("audio-cache")
NAMESPACE: Final = "http://subsonic.org/restapi"
# The key of what stands between the tags of an element in XML.
TEXT: Final = "value"
_CALLBACK: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$.]{0,99}")
# What XML 1.0 cannot hold, in whatever way it is written (section 2.2).
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_SCALARS: Final = frozenset({str, int, float, bool})

Payload = dict[str, Any]


class Plain(tuple[Any, ...]):
    """A list in which nothing is left out or written otherwise, so that nobody has to look."""

    __slots__ = ()


def answer(payload: Payload, kind: str, callback: str = "") -> Response:
    """Return the answer with some values.

    Args:
        payload: texts, numbers, truth values, moments, lists and mappings of these; None is left
            out.
        kind: "json", "jsonp" or "xml"; anything else is answered as XML, which is the default of
            the API.
        callback: the function that a JSONP answer calls.
    """
    whole = {
        "status": "ok",
        "version": API_VERSION,
        "type": SERVER,
        "serverVersion": SERVER_VERSION,
        "openSubsonic": True,
        **payload,
    }
    if kind in {"json", "jsonp"}:
        text = json.dumps(
            {"subsonic-response": _plain(whole)}, ensure_ascii=False, separators=(",", ":")
        )
        if kind == "jsonp" and _CALLBACK.fullmatch(callback):
            return Response(_encodable(f"{callback}({text});"), mimetype="text/javascript")
        return Response(_encodable(text), mimetype="application/json")
    root = _element("subsonic-response", {"xmlns": NAMESPACE, **whole})
    content = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return Response(content, mimetype="text/xml")


def refusal(code: int, message: str, help_url: str, kind: str, callback: str = "") -> Response:
    """Return the answer that says why there is none."""
    error = {"code": code, "message": message, "helpUrl": help_url or None}
    return answer({"status": "failed", "error": error}, kind, callback)


def moment_text(moment: datetime) -> str:
    """Return a moment as the API writes it: ISO 8601 in UTC, to the millisecond."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        # Most values are these, and a page of 500 tracks has 20,000 of them.
        return {
            name: one if type(one) in _SCALARS else _plain(one)
            for name, one in value.items()
            if one is not None
        }
    if type(value) is Plain:
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return moment_text(value) if isinstance(value, datetime) else value


def _element(name: str, values: Mapping[str, Any]) -> ElementTree.Element:
    element = ElementTree.Element(name)
    for key, value in values.items():
        if key == TEXT:
            element.text = _text(value)
        elif isinstance(value, dict):
            element.append(_element(key, value))
        elif isinstance(value, list | tuple):
            element.extend(_elements(key, value))
        elif value is not None:
            element.set(key, _text(value))
    return element


def _elements(name: str, values: list[Any] | tuple[Any, ...]) -> Iterator[ElementTree.Element]:
    for value in values:
        yield _element(name, value if isinstance(value, dict) else {TEXT: value})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return moment_text(value)
    return _NOT_XML.sub("\ufffd", str(value))


def _encodable(text: str) -> bytes:
    # File names that are no text hold lone surrogates, which no encoding of JSON has.
    return text.encode("utf-8", "replace")
