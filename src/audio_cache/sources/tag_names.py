"""The names of tags, in each format and here.

Our names are those of Vorbis comments in lower case, as MusicBrainz Picard writes them
(https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html).
"""

from __future__ import annotations

from typing import Final

# A cue sheet or a fingerprint may be long; a picture in disguise may not.
MAX_TEXT_CHARACTERS: Final = 65_536

# Other spellings of our names, seen in Vorbis comments, APEv2 items and freeform MP4 and ID3 texts.
ALIASES: Final = {
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
MUSICBRAINZ: Final = {
    "musicbrainz_albumstatus": "releasestatus",
    "musicbrainz_albumtype": "releasetype",
    "musicbrainz_albumreleasecountry": "releasecountry",
}
# A CUE sheet of the file, as a tag or, in FLAC, as a block of its own.
CUESHEET: Final = "cuesheet"
# Pictures; and what describes the original's coding, which would be wrong of any other file.
DROPPED: Final = frozenset(
    {
        "coverart",
        "coverartmime",
        CUESHEET,
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
TOTALS: Final = {"tracknumber": "tracktotal", "discnumber": "disctotal"}

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
