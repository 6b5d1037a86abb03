"""Tags of a track that a CUE sheet cuts out of a file: the sheet's, and what the file says."""

from __future__ import annotations

from typing import Final

from .cue_sheet import CueSheet, CueTrack
from .source import normalise

# Of the tags of the file, these are about something else than one of its tracks.
_OF_WHOLE: Final = frozenset(
    {"title", "tracknumber", "tracktotal", "isrc", "lyrics", "comment", "musicbrainz_trackid"}
    | {"musicbrainz_releasetrackid", "acoustid_id", "acoustid_fingerprint"}
    | {"replaygain_track_gain", "replaygain_track_peak"}
)
# Some programs write what is of single tracks beside the sheet: CUE_TRACK01_ARTIST.
_OF_ONE_TRACK: Final = "cue_track"
# By our names: the words of the track that give a tag, and those of the sheet.
_TAGS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "title": (("TITLE",), ()),
    "artist": (("PERFORMER",), ("PERFORMER",)),
    "composer": (("SONGWRITER", "COMPOSER"), ("SONGWRITER", "COMPOSER")),
    "isrc": (("ISRC",), ()),
    "album": ((), ("TITLE",)),
    "albumartist": ((), ("PERFORMER",)),
    "genre": (("GENRE",), ("GENRE",)),
    "date": (("DATE",), ("DATE",)),
    "discnumber": ((), ("DISCNUMBER",)),
    "disctotal": ((), ("TOTALDISCS",)),
    "replaygain_album_gain": ((), ("REPLAYGAIN_ALBUM_GAIN",)),
    "replaygain_album_peak": ((), ("REPLAYGAIN_ALBUM_PEAK",)),
    "replaygain_track_gain": (("REPLAYGAIN_TRACK_GAIN",), ()),
    "replaygain_track_peak": (("REPLAYGAIN_TRACK_PEAK",), ()),
}


def sheet_tags(sheet: CueSheet, track: CueTrack, total: int) -> tuple[tuple[str, str], ...]:
    """Return what a sheet says of a track, under our names.

    Args:
        total: how many tracks the sheet has.
    """
    found = {
        "title": f"Track {track.number:02}",
        "tracknumber": str(track.number),
        "tracktotal": str(total),
    }
    for name, (of_track, of_sheet) in _TAGS.items():
        texts = [track.words.get(word, "") for word in of_track]
        texts += [sheet.words.get(word, "") for word in of_sheet]
        text = next(filter(None, texts), "")
        if text:
            found[name] = text
    return tuple(normalise(sorted(found.items())))


def merge_tags(
    whole: tuple[tuple[str, str], ...], own: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Return the tags of a track: the sheet's, and what the file says of the album."""
    replaced = _OF_WHOLE | {name for name, _ in own}
    kept = [tag for tag in whole if tag[0] not in replaced and not tag[0].startswith(_OF_ONE_TRACK)]
    return tuple(sorted((*own, *kept)))
