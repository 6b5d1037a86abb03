"""CUE sheets: text that says where in a file of a whole album each of its tracks begins.

The commands are those of appendix A of the CDRWIN user's guide. The tags that its REM lines hold
are as Exact Audio Copy and foobar2000 write them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from ..errors import CueSheetError

FRAMES_PER_S: Final = 75
MAX_SHEET_BYTES: Final = 1 << 20
# A CD has 99; sheets of long mixes and audiobooks have more.
MAX_TRACKS: Final = 999
_MAX_MINUTES_DIGITS: Final = 4
_LINE_ENDS: Final = re.compile(r"\r\n|\n|\r")
_PLACE: Final = re.compile(rf"([0-9]{{1,{_MAX_MINUTES_DIGITS}}}):([0-9]{{1,2}}):([0-9]{{1,2}})")
_NUMBER: Final = re.compile(r"[0-9]{1,3}")
_MAX_TEXT: Final = 1_000
_WORDS: Final = frozenset({"TITLE", "PERFORMER", "SONGWRITER", "ISRC"})
_REMARKS: Final = frozenset(
    {"GENRE", "DATE", "DISCNUMBER", "TOTALDISCS", "COMPOSER"}
    | {f"REPLAYGAIN_{of}_{what}" for of in ("ALBUM", "TRACK") for what in ("GAIN", "PEAK")}
)
_START: Final = 1
_PREGAP: Final = 0
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Bytes of 0x80 to 0x9F that Windows-1252 has for dashes, quotes and dots. The others there are rare
# in its texts, and in every second kana or kanji of Shift JIS.
_WESTERN: Final = frozenset(b"\x80\x85\x91\x92\x93\x94\x95\x96\x97\x99")


@dataclass(slots=True)
class CueTrack:
    """A track of a sheet.

    Attributes:
        number: as the sheet counts.
        is_audio: whether it is music, and not data of a computer.
        words: texts by the commands, or the names in REM lines, that they stand behind.
        start: CD frames (1/75 s) from the file's beginning to INDEX 01; None where not stated. Only
            what counts samples may name a part of one.
        pregap: to INDEX 00; None where not stated, or where that is in the file before.
    """

    number: int
    is_audio: bool = True
    words: dict[str, str] = field(default_factory=dict)
    start: int | Fraction | None = None
    pregap: int | None = None


@dataclass(slots=True)
class CueFile:
    """A file that a sheet names, and the tracks that begin in it."""

    name: str
    kind: str
    tracks: list[CueTrack] = field(default_factory=list)


@dataclass(slots=True)
class CueSheet:
    """All that a sheet says that matters to us; `words` as for `CueTrack`."""

    words: dict[str, str] = field(default_factory=dict)
    files: list[CueFile] = field(default_factory=list)

    @property
    def track_count(self) -> int:
        """Return how many tracks of music there are."""
        return sum(track.is_audio for file in self.files for track in file.tracks)


def parse_cue_sheet(content: bytes) -> CueSheet:
    """Return what a sheet says.

    Raises:
        CueSheetError: it is no sheet, or says something that cannot be.
    """
    if len(content) > MAX_SHEET_BYTES:
        raise CueSheetError(f"it has more than {MAX_SHEET_BYTES:,} bytes, which no CUE sheet has")
    reading = _Reading()
    for number, line in enumerate(_LINE_ENDS.split(decode_sheet(content)), 1):
        try:
            reading.take(line.strip())
        except CueSheetError as error:
            raise CueSheetError(f"line {number}: {error}") from None
    return reading.finish()


def require_sense(sheet: CueSheet) -> None:
    """Make sure that a sheet names tracks, each behind the one before.

    Raises:
        CueSheetError: it does not.
    """
    if not sheet.track_count:
        raise CueSheetError("it names no track, so it is no CUE sheet of music")
    for file in sheet.files:
        for before, track in zip(file.tracks, file.tracks[1:], strict=False):
            if (track.start or 0) <= (before.start or 0):
                raise CueSheetError(
                    f"track {track.number} does not begin after track {before.number}"
                )


def decode_sheet(content: bytes) -> str:
    """Return the text of a sheet, which says nothing of its encoding but by a byte order mark."""
    for mark, coding in _MARKS:
        if content.startswith(mark):
            return content.decode(coding, "replace")
    if content[:2].count(0) == 1:
        # Commands are ASCII, so that the first character shows which half is which.
        return content.decode("utf-16-be" if content[:1] == b"\0" else "utf-16-le", "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp932" if _is_shift_jis(content) else "cp1252", "replace")


def _is_shift_jis(content: bytes) -> bool:
    try:
        content.decode("cp932")
    except UnicodeDecodeError:
        return False
    high = [byte for byte in content if byte >= 0x80]
    rare = sum(byte < 0xA0 and byte not in _WESTERN for byte in high)
    return 4 * rare >= len(high)


class _Reading:
    """A sheet as far as it has been read, line by line."""

    def __init__(self) -> None:
        self._sheet = CueSheet()
        self._files: dict[str, CueFile] = {}
        self._file_now: CueFile | None = None
        self._track: CueTrack | None = None
        self._is_placed = False
        self._numbers: set[int] = set()
        self._commands: dict[str, Callable[[str], None]] = {
            "FILE": self._file,
            "TRACK": self._begin_track,
            "INDEX": self._index,
            "REM": self._remark,
        }

    def take(self, line: str) -> None:
        """Take a line; what it commands may be nothing that matters here."""
        command, rest = _split(line)
        command = command.upper()
        if command in _WORDS:
            self._words.setdefault(command, _text(rest))
        elif command in self._commands:
            self._commands[command](rest)

    def finish(self) -> CueSheet:
        """Return all of it.

        Raises:
            CueSheetError: a track has no beginning, or there is none.
        """
        self._require_start()
        self._place()
        self._sheet.files = list(self._files.values())
        require_sense(self._sheet)
        return self._sheet

    @property
    def _words(self) -> dict[str, str]:
        return self._sheet.words if self._track is None else self._track.words

    def _file(self, rest: str) -> None:
        name, kind = _name_and_kind(rest)
        if not name:
            raise CueSheetError("FILE needs a name")
        if len(self._files) >= MAX_TRACKS:
            raise CueSheetError(f"a sheet names at most {MAX_TRACKS} files")
        # A track whose gap is in one file and whose music in the next stands before the latter.
        if self._track is not None and self._track.start is not None:
            self._place()
        # Some sheets name it anew for each of its tracks.
        self._file_now = self._files.setdefault(name, CueFile(name, kind.upper()))
        if self._track is not None:
            self._track.pregap = None

    def _begin_track(self, rest: str) -> None:
        self._require_start()
        self._place()
        number, kind = _split(rest)
        if not _NUMBER.fullmatch(number):
            raise CueSheetError(f"TRACK needs a number of up to three digits, not {number[:20]!r}")
        if self._file_now is None:
            raise CueSheetError("TRACK stands before any FILE")
        if int(number) in self._numbers:
            raise CueSheetError(f"there are two tracks {int(number)}")
        self._numbers.add(int(number))
        self._track = CueTrack(int(number), is_audio=kind.upper() in ("", "AUDIO"))
        self._is_placed = False

    def _index(self, rest: str) -> None:
        number, place = _split(rest)
        if self._track is None:
            raise CueSheetError("INDEX stands before any TRACK")
        if not _NUMBER.fullmatch(number):
            raise CueSheetError(f"INDEX needs a number, not {number[:20]!r}")
        frames = _frames(place)
        if int(number) == _START:
            self._track.start = frames
            self._place()
        elif int(number) == _PREGAP:
            self._track.pregap = frames

    def _remark(self, rest: str) -> None:
        name, text = _split(rest)
        if name.upper() in _REMARKS:
            self._words.setdefault(name.upper(), _text(text))

    def _place(self) -> None:
        """Count the track at hand among those of the file that it begins in."""
        if self._track is not None and self._file_now is not None and not self._is_placed:
            self._file_now.tracks.append(self._track)
            self._is_placed = True

    def _require_start(self) -> None:
        if self._track is not None and self._track.start is None:
            raise CueSheetError(f"track {self._track.number} has no INDEX 01")


def _frames(place: str) -> int:
    found = _PLACE.fullmatch(place)
    minutes, seconds, frames = (int(part) for part in found.groups()) if found else (0, 60, 0)
    if seconds >= 60 or frames >= FRAMES_PER_S:
        raise CueSheetError(f"INDEX needs a place as mm:ss:ff with ff up to 74, not {place[:20]!r}")
    return (minutes * 60 + seconds) * FRAMES_PER_S + frames


def _split(line: str) -> tuple[str, str]:
    """Return the first word of a line, and the rest."""
    word, *rest = line.split(maxsplit=1) or [""]
    return word, rest[0].strip() if rest else ""


def _name_and_kind(rest: str) -> tuple[str, str]:
    """Return the name of a file, in quotes or not, and the word behind it that says its kind."""
    # No pattern: one that may begin the word anywhere takes hours for a mebibyte of spaces.
    name, *last = rest.rsplit(maxsplit=1) or [""]
    is_kind = bool(last) and last[0].isascii() and last[0].isalnum()
    name, kind = (name, last[0]) if is_kind else (rest, "WAVE")
    return (name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name), kind


def _text(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return text.replace("\0", " ").strip()[:_MAX_TEXT]
