"""What the players find: four albums, and a server that plays them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from tests.helpers.recorder import Recorder
from tests.helpers.subsonic import NAME, token

LONG_S = 60
SHORT_S = 12
# (folder, album artist, album, genre, year, titles, seconds of each); of the last there is an MP3.
ALBUMS = (
    ("Ada/Nightfall", "Ada", "Nightfall", "Jazz", "2004", ("Dusk", "Dark", "Deep"), SHORT_S),
    ("Ada/Daybreak", "Ada", "Daybreak", "Jazz", "2009", ("Dew", "Blue Sky"), SHORT_S),
    ("Bo/Long Way", "Bö & Co", "Long Way", "Folk", "2015", ("Far", "Cold", "Colder"), LONG_S),
    ("Cy/Lossy", "Cy", "Lossy", "Pop", "1999", ("Thin",), SHORT_S),
)
TITLES = [title for *_, titles, _ in ALBUMS for title in titles]


@dataclass(frozen=True)
class Site:
    """A server as it runs, behind a recorder, and what a player has to know of it.

    Args:
        root: of the library.
        key: of a device of the user.
        link_key: of a link to the library.
        ids: of the tracks by their titles, as players know them.
    """

    root: Path
    recorder: Recorder
    key: str
    link_key: str
    ids: Mapping[str, str]
    name: str = NAME

    @property
    def address(self) -> str:
        """Return where players find it."""
        return self.recorder.address

    def url_of(self, call: str, **values: object) -> str:
        """Return the address of a call, as a player writes it that asks for JSON."""
        known = {"u": self.name, **token(self.key), "v": "1.16.1", "c": "test", "f": "json"}
        return f"{self.address}/rest/{call}.view?{urlencode({**known, **values})}"

    def file_of(self, title: str) -> Path:
        """Return the file of a track."""
        return next((self.root / "music").rglob(f"* {title}.*"))
