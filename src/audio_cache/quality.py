"""The quality levels: one table from which everything else that knows of qualities follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypedDict, cast, get_args
from urllib.parse import parse_qsl

from .errors import QualityError


class QualitySetting(TypedDict):
    """The bitrate as ffmpeg writes it (`192k` is 192,000 bit/s), and the format.

    The format is both what the encoder is asked for and the suffix of the files.
    """

    bitrate: str
    format: str


# An entry here is all that a new quality takes. Lists, menus and the player's "Auto" keep the
# order, so the best comes first. The cast spares a new entry a second one in the type below.
QUALITY_SETTINGS: Final = cast(
    "dict[QualityLevel, QualitySetting]",
    {
        "high": QualitySetting(bitrate="256k", format="mp3"),
        "medium": QualitySetting(bitrate="192k", format="mp3"),
        "low": QualitySetting(bitrate="128k", format="mp3"),
    },
)

if TYPE_CHECKING:
    QualityLevel = Literal["high", "medium", "low", "original"]
else:
    QualityLevel = Literal[(*QUALITY_SETTINGS, "original")]

QUALITY_LEVELS: Final[tuple[QualityLevel, ...]] = (*QUALITY_SETTINGS, "original")
BEST_QUALITY: Final[QualityLevel] = QUALITY_LEVELS[0]
DEFAULT_QUALITY: Final[QualityLevel] = "medium"


Effort = Literal["default", "fast"]
DEFAULT_EFFORT: Final[Effort] = "default"
EFFORTS: Final[tuple[Effort, ...]] = get_args(Effort)
# LAME's -q. With 7 it shapes no noise, and takes half of the time. By itself it takes 3, which
# searches longer than 5, and nobody hears that (`sound_quality`).
_SHAPED: Final = 5
_PLAIN: Final = 7
# From here on bits are so many that shaping noise mends nothing (docs/decisions.md).
_AMPLE_BPS: Final = 256_000


def compression_level(effort: Effort, setting: QualitySetting) -> int:
    """Return how little LAME searches for a quality: its `-q`, from 0, all it can, to 9."""
    return _PLAIN if effort == "fast" or _bps(setting) >= _AMPLE_BPS else _SHAPED


def parse_quality(text: str) -> QualityLevel:
    """Return the quality level that a text names, whatever its case.

    Raises:
        QualityError: the text names none; the message lists those that exist.
    """
    name = text.strip().lower()
    for level in QUALITY_LEVELS:
        if name == level:
            return level
    raise QualityError(f"unknown quality {text!r}: choose one of {', '.join(QUALITY_LEVELS)}")


# As nearly all are.
_PLAIN_QUERIES: Final = {f"quality={level}": level for level in QUALITY_LEVELS}


def quality_in(query: str) -> QualityLevel | None:
    """Return the quality level that the query of a URL asks for; None where it asks for none.

    Raises:
        QualityError: as `parse_quality`.
    """
    if query in _PLAIN_QUERIES:
        return _PLAIN_QUERIES[query]
    fields = parse_qsl(query, keep_blank_values=True, errors="replace")
    text = next((value for name, value in fields if name == "quality"), None)
    return None if text is None else parse_quality(text)


def bitrate_bps(quality: QualityLevel) -> int:
    """Return the bitrate of an encoded quality in bit/s.

    Raises:
        QualityError: "original" is not encoded and has no bitrate.
    """
    if quality not in QUALITY_SETTINGS:
        raise QualityError(f"quality {quality!r} has no bitrate: it is not encoded")
    return _bps(QUALITY_SETTINGS[quality])


def _bps(setting: QualitySetting) -> int:
    return int(setting["bitrate"].removesuffix("k")) * 1000
