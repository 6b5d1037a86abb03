"""The names of tags: what each format calls a tag, and what we call it.

Our names are those of Vorbis comments in lower case, as MusicBrainz Picard writes them
(https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

# A cue sheet or a fingerprint may be long; a picture in disguise may not.
MAX_TEXT_CHARACTERS: Final = 65_536

# Other spellings of our names, seen in Vorbis comments, APEv2 items and freeform MP4 and ID3 texts.
_ALIASES: Final = {
    "album artist": "albumartist",
    "album_artist": "albumartist",
    "albumartist sort": "albumartistsort",
    "catalog #": "catalognumber",
    "catalog": "catalognumber",
    "description": "comment",
    "disc": "discnumber",
    "disc number": "discnumber",
    "disk": "discnumber",
    "mixartist": "remixer",
    "organization": "label",
    "publisher": "label",
    "totaldiscs": "disctotal",
    "totaltracks": "tracktotal",
    "track": "tracknumber",
    "track number": "tracknumber",
    "track total": "tracktotal",
    "unsynced lyrics": "lyrics",
    "unsyncedlyrics": "lyrics",
    "year": "date",
}
_MUSICBRAINZ: Final = {
    "musicbrainz_albumstatus": "releasestatus",
    "musicbrainz_albumtype": "releasetype",
    "musicbrainz_albumreleasecountry": "releasecountry",
}
# Pictures; and what describes the original's coding, which would be wrong of any other file.
_DROPPED: Final = frozenset(
    {
        "coverart",
        "coverartmime",
        "cuesheet",
        "encoder",
        "encoder_options",
        "encodersettings",
        "encoding",
        "itunnorm",
        "itunpgap",
        "itunsmpb",
        "metadata_block_picture",
        "waveformatextensible_channel_mask",
    }
)
_TOTALS: Final = {"tracknumber": "tracktotal", "discnumber": "disctotal"}

ID3_FRAMES: Final = {
    "TALB": "album",
    "TBPM": "bpm",
    "TCMP": "compilation",
    "TCOM": "composer",
    "TCON": "genre",
    "TCOP": "copyright",
    "TDOR": "originaldate",
    "TDRC": "date",
    "TENC": "encodedby",
    "TEXT": "lyricist",
    "TIT1": "grouping",
    "TIT2": "title",
    "TIT3": "subtitle",
    "TKEY": "key",
    "TLAN": "language",
    "TMED": "media",
    "TMOO": "mood",
    "TOPE": "originalartist",
    "TPE1": "artist",
    "TPE2": "albumartist",
    "TPE3": "conductor",
    "TPE4": "remixer",
    "TPOS": "discnumber",
    "TPUB": "label",
    "TRCK": "tracknumber",
    "TSO2": "albumartistsort",
    "TSOA": "albumsort",
    "TSOC": "composersort",
    "TSOP": "artistsort",
    "TSOT": "titlesort",
    "TSRC": "isrc",
    "TSST": "discsubtitle",
}
MP4_ATOMS: Final = {
    b"\xa9ART": "artist",
    b"\xa9alb": "album",
    b"\xa9cmt": "comment",
    b"\xa9day": "date",
    b"\xa9gen": "genre",
    b"\xa9grp": "grouping",
    b"\xa9lyr": "lyrics",
    b"\xa9nam": "title",
    b"\xa9wrt": "composer",
    b"aART": "albumartist",
    b"cpil": "compilation",
    b"cprt": "copyright",
    b"disk": "discnumber",
    b"soaa": "albumartistsort",
    b"soal": "albumsort",
    b"soar": "artistsort",
    b"soco": "composersort",
    b"sonm": "titlesort",
    b"tmpo": "bpm",
    b"trkn": "tracknumber",
}
RIFF_INFO: Final = {
    b"IART": "artist",
    b"ICMT": "comment",
    b"ICOP": "copyright",
    b"ICRD": "date",
    b"IGNR": "genre",
    b"ILNG": "language",
    b"IMUS": "composer",
    b"INAM": "title",
    b"IPRD": "album",
    b"IPRT": "tracknumber",
    b"ITRK": "tracknumber",
    b"IWRI": "lyricist",
}


def rename(name: str) -> str:
    """Return our name for what a tag is called in a file; "" where it is to be dropped."""
    name = name.strip().lower()
    if name.startswith(("musicbrainz ", "acoustid ")):
        service, _, field = name.partition(" ")
        name = f"{service}_{field.replace(' ', '')}"
    name = _ALIASES.get(name) or _MUSICBRAINZ.get(name) or name
    return "" if name in _DROPPED else name


def normalise(found: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return tags under our names, totals taken out of "3/12", nothing empty, nothing twice."""
    pairs = [(name, rename(name), _clean(text)) for name, text in found]
    plain = {name.lower() for name, _, text in pairs if text}
    tags: dict[tuple[str, str], None] = {}
    for name, ours, text in pairs:
        # YEAR beside DATE says less, and DESCRIPTION beside COMMENT says the same.
        if ours and (ours == name.lower() or ours not in plain):
            for pair in _split_total(ours, text):
                tags.setdefault(pair)
    return list(tags)


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").strip(" \0\t\r\n")
    return text if len(text) <= MAX_TEXT_CHARACTERS else ""


def _split_total(name: str, text: str) -> Iterator[tuple[str, str]]:
    if name not in _TOTALS:
        number, total = text, ""
    else:
        number, total = (part.strip() for part in text.partition("/")[::2])
        number = "" if number == "0" else number
    if number:
        yield name, number
    if total.isdigit() and int(total):
        yield _TOTALS[name], total
