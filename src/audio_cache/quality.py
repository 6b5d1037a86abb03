"""The quality levels: one table from which everything else that knows of qualities follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypedDict, cast

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
# What an encoder's identity ends in, and its options: LAME's -q, from 0, the best, to 9. What it
# does by itself is 3, which takes longer than 5 and is heard by nobody (`sound_quality`).
EFFORTS: Final[dict[Effort, tuple[str, tuple[str, ...]]]] = {
    "default": ("-q5", ("-compression_level", "5")),
    "fast": ("-q7", ("-compression_level", "7")),
}


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


def bitrate_bps(quality: QualityLevel) -> int:
    """Return the bitrate of an encoded quality in bit/s.

    Raises:
        QualityError: "original" is not encoded and has no bitrate.
    """
    if quality not in QUALITY_SETTINGS:
        raise QualityError(f"quality {quality!r} has no bitrate: it is not encoded")
    return int(QUALITY_SETTINGS[quality]["bitrate"].removesuffix("k")) * 1000
