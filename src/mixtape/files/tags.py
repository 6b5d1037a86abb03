"""Tags as a library shows and sorts them. No I/O."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

from audio_cache import normalise_tags, rename_tag

from .loudness import NAMES as LOUDNESS_NAMES
from .loudness import read_loudness

VARIOUS_ARTISTS: Final = "Various Artists"
MAX_TEXT: Final = 500
_MAX_NUMBER: Final = 9999
# Under the names that audio_cache gives tags; where the first is missing, the next stands in.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "title": ("title",),
    "artist": ("artist", "artists", "performer"),
    "album": ("album",),
    "album_artist": ("albumartist", "band"),
    "track": ("tracknumber",),
    "disc": ("discnumber",),
    "date": ("date", "originaldate", "originalyear"),
    "genre": ("genre",),
    "compilation": ("compilation",),
    "disc_subtitle": ("discsubtitle",),
}
_SHOWN: Final = frozenset([*(name for names in _NAMES.values() for name in names), *LOUDNESS_NAMES])
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_YEAR: Final = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])")
# "A feat. B", "A (ft. B)": whoever comes behind is a guest.
_GUESTS: Final = re.compile(r"\s+[(\[]?(?:feat\.?|ft\.?|featuring)\s.*", re.IGNORECASE)
_ACCENTS: Final = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True, slots=True)
class TrackTags:
    """The tags that a library shows; an empty text or None where the file says nothing.

    Args:
        album_artist: whom the album is filed under as far as the file alone tells.
        tagged_album_artist: the same; empty where only the artist stands in for it.
        track_gain_db, track_peak, album_gain_db, album_peak: see `loudness.Loudness`.
    """

    title: str = ""
    artist: str = ""
    album: str = ""
    album_artist: str = ""
    tagged_album_artist: str = ""
    track_no: int | None = None
    disc_no: int | None = None
    disc_subtitle: str = ""
    year: int | None = None
    genre: str = ""
    track_gain_db: float | None = None
    track_peak: float | None = None
    album_gain_db: float | None = None
    album_peak: float | None = None


def is_shown(name: str) -> bool:
    """Say whether a library shows the tag of this name, by whichever name a file calls it."""
    return rename_tag(name) in _SHOWN


def read_track_tags(pairs: Iterable[tuple[str, str]]) -> TrackTags:
    """Return what (name, value) pairs say, whichever names the format uses.

    Several artists or genres are joined with commas. The album artist is who leads the artists
    where nothing else is said, and "Various Artists" where the file says that it is of a
    compilation.
    """
    values: dict[str, list[str]] = {}
    for name, value in normalise_tags(pairs):
        text = clean_text(value) if name in _SHOWN else ""
        if text and text not in values.setdefault(name, []):
            values[name].append(text)
    found = {field: _first_of(values, names) for field, names in _NAMES.items()}
    artist = _joined(found["artist"])
    is_compilation = "".join(found["compilation"][:1]).lower() in {"1", "true", "yes"}
    tagged = _joined(found["album_artist"]) or (VARIOUS_ARTISTS if is_compilation else "")
    return TrackTags(
        title=_joined(found["title"][:1]),
        artist=artist,
        album=_joined(found["album"][:1]),
        album_artist=tagged or lead_artist(artist),
        tagged_album_artist=tagged,
        track_no=_number(found["track"]),
        disc_no=_number(found["disc"]),
        disc_subtitle=_joined(found["disc_subtitle"][:1]),
        year=_year(found["date"]),
        genre=_joined(found["genre"]),
        **asdict(read_loudness(values)),
    )


def lead_artist(artist: str) -> str:
    """Return who leads the artists of a track: "Ann" of "Ann feat. Ben"."""
    return _GUESTS.sub("", artist) or artist


def without_surrogates(text: str) -> str:
    """Return a text that can be encoded: half an emoji, or a byte of no text, is a "?"."""
    return text.encode("utf-8", "replace").decode()


def clean_text(text: str) -> str:
    """Return a text that any database and page can hold: one line, no controls, not endless."""
    # Lone surrogates come from broken UTF-16 tags, and no database takes them.
    whole = without_surrogates(text[: 4 * MAX_TEXT])
    shown = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in whole)
    return " ".join(shown.split())[:MAX_TEXT]


def clean_lines(text: str) -> str:
    """Return a text of several lines that any database and page can hold."""
    lines = without_surrogates(text).splitlines()
    shown = ("".join(c for c in line if unicodedata.category(c) != "Cc") for line in lines)
    return "\n".join(line.rstrip() for line in shown).strip("\n")


def split_genres(text: str) -> list[str]:
    """Return the genres that a tag names, each once; `read_track_tags` joins them with commas."""
    names = {name.casefold(): name for part in text.split(",") if (name := part.strip())}
    return list(names.values())


def sort_key(name: str) -> str:
    """Return a name folded for grouping and sorting: no case, accents or leading "The".

    Only the accents of U+0300 to U+036F go. The marks of other scripts tell letters apart, such as
    Japanese KA from GA. No name here is longer than MAX_TEXT, and of one that somebody sends no
    more counts: marks over one letter are put in order in the square of their number.
    """
    name = name[:MAX_TEXT]
    folded = _ACCENTS.sub("", unicodedata.normalize("NFKD", name)).casefold()
    key = " ".join(unicodedata.normalize("NFC", folded).split())
    return key.removeprefix("the ") or name.casefold()


def _first_of(values: dict[str, list[str]], names: tuple[str, ...]) -> list[str]:
    return next((values[name] for name in names if values.get(name)), [])


def _joined(texts: list[str]) -> str:
    return ", ".join(texts)[:MAX_TEXT]


def _number(texts: list[str]) -> int | None:
    # "3", "03", "3/12" and "A3" all mean three.
    match = _DIGITS.search(texts[0]) if texts else None
    number = int(match[0]) if match else 0
    return number if 0 < number <= _MAX_NUMBER else None


def _year(texts: list[str]) -> int | None:
    match = _YEAR.search(texts[0]) if texts else None
    return int(match[0]) or None if match else None
