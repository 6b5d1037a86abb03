"""Whose albums are where no tag says so: that of a folder is one album, however many play on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..database.tables import Track
from ..files.names import disc_of
from ..files.tags import VARIOUS_ARTISTS, lead_artist, sort_key
from ..files.walk import folder_of


@dataclass(frozen=True, slots=True)
class AlbumTrack:
    """A track, as far as it tells whose album it is on."""

    id: int
    folder: bytes
    album_key: str
    artist: str
    album_artist: str
    tagged_album_artist: str


def album_artists(tracks: Sequence[AlbumTrack]) -> dict[int, str]:
    """Return whose album each track of a folder is on, by id. A pure function.

    Where all that name an album name the same one, it is one album: of whom any of its tags says;
    of the one artist who leads on all tracks; else of various artists. A folder of several albums
    is one that music was put into as it came, and there each track speaks for itself.
    """
    albums = {track.album_key for track in tracks if track.album_key}
    found = {}
    shared = _album_artist(tracks) if len(albums) == 1 else None
    for track in tracks:
        own = track.tagged_album_artist or lead_artist(track.artist)
        is_open = track.album_key and not track.tagged_album_artist
        found[track.id] = shared if shared is not None and is_open else own
    return found


def file_albums(session: Session, folders: Iterable[bytes]) -> None:
    """File the tracks of some folders under the artists of their albums, within a unit of work.

    The discs of an album that have folders of their own are looked at together.
    """
    plain, parents = set(), set()
    for folder in folders:
        parent = folder_of(folder)
        if parent and disc_of(folder) is not None:
            parents.add(parent)
        else:
            plain.add(folder)
    groups: defaultdict[bytes, list[AlbumTrack]] = defaultdict(list)
    for track in _read(session, Track.folder.in_(sorted(plain))):
        groups[track.folder].append(track)
    for parent in sorted(parents):
        discs = [
            track
            for track in _read(session, Track.is_below(parent))
            if folder_of(track.folder) == parent and disc_of(track.folder) is not None
        ]
        if len({track.album_key for track in discs if track.album_key}) == 1:
            groups[parent + b"/"] = discs
        else:
            for track in discs:
                groups[track.folder].append(track)
    changed = []
    for tracks in groups.values():
        found = album_artists(tracks)
        changed += [
            {"id": track.id, "album_artist": name, "album_artist_key": sort_key(name)}
            for track in tracks
            if (name := found[track.id]) != track.album_artist
        ]
    if changed:
        session.execute(update(Track), changed)


def _album_artist(tracks: Sequence[AlbumTrack]) -> str | None:
    """Return whose album some tracks are that name one; None where their tags disagree."""
    on_album = [track for track in tracks if track.album_key]
    tagged = {sort_key(name): name for track in on_album if (name := track.tagged_album_artist)}
    if tagged:
        return tagged.popitem()[1] if len(tagged) == 1 else None
    leads = {sort_key(name): name for track in on_album if (name := lead_artist(track.artist))}
    if not leads:
        return ""
    # "Ann & Ben" and "Ann, Ben and Cid" play with Ann where she has a track of her own.
    shortest = min(leads, key=len)
    if all(_begins_with(name, shortest) for name in leads):
        return leads[shortest]
    return VARIOUS_ARTISTS


def _begins_with(name: str, first: str) -> bool:
    return name.startswith(first) and not name[len(first) : len(first) + 1].isalnum()


def _read(session: Session, which: object) -> list[AlbumTrack]:
    columns = (getattr(Track, name) for name in AlbumTrack.__slots__)
    query = select(*columns).where(which, Track.missing_since.is_(None))  # type: ignore[arg-type]
    return [AlbumTrack(*row) for row in session.execute(query.order_by(Track.path))]
