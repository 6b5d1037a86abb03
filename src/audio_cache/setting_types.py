"""What the settings take: the types of their values, with the words that describe them."""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from .quality import EFFORTS, QUALITY_LEVELS, Effort, QualityLevel
from .space import Space, parse_seconds, parse_space

OnMiss = Literal["live", "original"]
Watching = Literal["auto", "off"]
EngineName = Literal["threads", "celery"]
_REDIS_SCHEMES = ("redis://", "rediss://")
_RATE = re.compile(r"[0-9]+(/[smh])?")


class Takes(str):
    """What a setting accepts, in the words that errors, CLI help and documentation use."""


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _listed(value: object) -> object:
    """Read `low,medium`, `low medium` and `["low", "medium"]` alike."""
    if isinstance(value, str):
        inner = value[1:-1] if value.startswith("[") and value.endswith("]") else value
        value = [word.strip("\"'") for word in inner.replace(",", " ").split()]
    return [_lowered(item) for item in value] if isinstance(value, list | tuple) else value


def _once(words: tuple[QualityLevel, ...]) -> tuple[QualityLevel, ...]:
    return tuple(dict.fromkeys(words))


def _path(value: object) -> object:
    # Not Path.expanduser, which raises for a user that does not exist.
    return Path(os.path.expanduser(value)) if isinstance(value, str | Path) else value


def _space(value: object) -> object:
    return parse_space(value) if isinstance(value, str | int) else value


def _some_space(value: Space | None) -> Space | None:
    # Who writes 0 may mean "no cap" or "keep nothing"; the one is the default, the other ENABLED.
    if value is not None and not all((*value.sizes_bytes, *value.shares)):
        raise ValueError("no space at all")
    return value


def _fixed_space(value: Space | None) -> Space | None:
    if value is not None and (value.shares or not all(value.sizes_bytes)):
        raise ValueError("no size of a bucket")
    return value


def _length(value: object) -> object:
    return parse_seconds(value) if isinstance(value, str) else value


def _program(value: object) -> object:
    """Look the program up at start; otherwise a wrong path would only show at the first miss."""
    if not isinstance(value, str | Path):
        return value
    found = shutil.which(os.path.expanduser(value))
    if found is None:
        raise ValueError("no such program")
    return Path(found).absolute()


def _watching(value: object) -> object:
    """Read `auto`, `off`, or a number of seconds that leaves the disk some rest."""
    value = _lowered(value)
    if value in get_args(Watching):
        return value
    seconds = float(value) if isinstance(value, str | int | float) else math.nan
    if not 1 <= seconds < math.inf:
        raise ValueError("no such time")
    return seconds


def _sender(value: object) -> object:
    """Read the header that hands a file over, and for nginx the address of the cache directory."""
    if not isinstance(value, str):
        return value
    header, _, address = value.strip().partition(" ")
    known = {"x-accel-redirect": "X-Accel-Redirect", "x-sendfile": "X-Sendfile"}.get(header.lower())
    address = address.strip()
    needs_address = known == "X-Accel-Redirect"
    is_address = address.startswith("/") and address.endswith("/") and address.isascii()
    if known is None or needs_address != is_address or (address and not needs_address):
        raise ValueError("no such header")
    return known, address


def _redis(value: object) -> object:
    if isinstance(value, str) and not value.startswith(_REDIS_SCHEMES):
        raise ValueError("no address of a Redis")
    return value


def _bucket(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"s3://[^/]+(/.*)?", value):
        raise ValueError("no address of a bucket")
    return value


def _rate(value: object) -> object:
    if value is not None and not (isinstance(value, str) and _RATE.fullmatch(value)):
        raise ValueError("no rate")
    return value


def _either(words: Iterable[str]) -> str:
    *most, last = (f"`{word}`" for word in words)
    return f"{', '.join(most)} or {last}"


Switch = Annotated[bool, Takes("`true` or `false`")]
Count = Annotated[int, Field(ge=1), Takes("a whole number, 1 or more")]
Number = Annotated[int, Field(ge=0), Takes("a whole number, 0 or more")]
Niceness = Annotated[int, Field(ge=0, le=19), Takes("a whole number from 0 to 19")]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False), Takes("seconds, 0 or more")]
SpaceLeft = Annotated[
    Space,
    NoDecode,
    BeforeValidator(_space),
    Takes("bytes, `2GB`, a share of the disk such as `5%`, or the lesser of both: `1GB,5%`"),
]
SpaceTaken = Annotated[
    Space | None,
    NoDecode,
    BeforeValidator(_space),
    AfterValidator(_some_space),
    Takes("bytes, `200GB`, or a share of the disk such as `10%`; more than 0"),
]
Length = Annotated[
    float,
    BeforeValidator(_length),
    Field(ge=0, allow_inf_nan=False),
    Takes("seconds, or words such as `90min` or `3h`"),
]
Quality = Annotated[QualityLevel, BeforeValidator(_lowered), Takes(_either(QUALITY_LEVELS))]
Qualities = Annotated[
    tuple[QualityLevel, ...],
    NoDecode,  # else pydantic-settings would take nothing but JSON
    BeforeValidator(_listed),
    AfterValidator(_once),
    Takes(f"a list, such as `low,medium`, of {_either(QUALITY_LEVELS)}"),
]
TagNames = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(_listed),
    Takes("a list of names of tags, such as `title,artist,album`"),
]
Miss = Annotated[OnMiss, BeforeValidator(_lowered), Takes(_either(get_args(OnMiss)))]
Watch = Annotated[
    Watching | float, BeforeValidator(_watching), Takes("`auto`, `off` or seconds, 1 or more")
]
Sender = Annotated[
    tuple[str, str] | None,
    NoDecode,
    BeforeValidator(_sender),
    Takes("`X-Accel-Redirect /an-address/` or `X-Sendfile`"),
]
EffortLevel = Annotated[Effort, BeforeValidator(_lowered), Takes(_either(EFFORTS))]
Directory = Annotated[Path, BeforeValidator(_path), Takes("the path of a directory")]
Program = Annotated[
    Path | None, BeforeValidator(_program), Takes("the path of a program that exists")
]
Redis = Annotated[
    str | None, BeforeValidator(_redis), Takes("an address such as `redis://host:6379/0`")
]
Engine = Annotated[EngineName, BeforeValidator(_lowered), Takes(_either(get_args(EngineName)))]
Rate = Annotated[
    str | None, BeforeValidator(_rate), Takes("tracks a second, minute or hour, such as `30/m`")
]
TaskLimit = Annotated[float, Field(ge=60, allow_inf_nan=False), Takes("seconds, 60 or more")]
Bucket = Annotated[
    str | None, BeforeValidator(_bucket), Takes("an address such as `s3://bucket/prefix`")
]
BucketSize = Annotated[
    Space | None,
    NoDecode,
    BeforeValidator(_space),
    AfterValidator(_fixed_space),
    Takes("bytes, or words such as `2TB`; more than 0"),
]
