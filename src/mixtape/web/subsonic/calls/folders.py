"""The library by its folders, as people have it on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ....database.tables import Track
from ....files.names import reading_order
from ....files.tags import sort_key
from ....files.walk import folder_of as folder_above
from ....library.catalogue import Folder
from ....library.folders import in_order
from ....library.music_folders import MusicFolder
from ..answers import Payload
from ..call import Call
from ..errors import NOT_FOUND, SubsonicError
from ..fields import album_folder_fields, album_name, artist_name, track_fields
from ..ids import Id, album_id, artist_id, folder_id, read_id
from ..listed import IGNORED_ARTICLES, by_letter, folder_of

_NOTHING: Final = "There is no such folder."


def get_music_folders(call: Call) -> Payload:
    """Return the parts of the library."""
    folders = [{"id": each.id, "name": each.name} for each in call.services.music_folders]
    return {"musicFolders": {"musicFolder": folders}}


def get_indexes(call: Call) -> Payload:
    """Return the folders at the top under their letters, and the tracks beside them.

    They are left out where the library is as it was at `ifModifiedSince`.
    """
    since_ms = call.arguments.number("ifModifiedSince", 0)
    chosen = folder_of(call)
    changed_ms = call.services.changes.last_ms()
    common = {"lastModified": changed_ms, "ignoredArticles": IGNORED_ARTICLES}
    if since_ms and changed_ms <= since_ms:
        return {"indexes": common}
    views = [
        call.services.catalogue.folder(folder.path)
        for folder in ((chosen,) if chosen is not None else call.services.music_folders)
    ]
    folders = sorted(
        (folder for view in views for folder in view.folders), key=lambda one: sort_key(one.name)
    )
    tracks = [track for view in views for track in in_order(view.tracks)]
    return {
        "indexes": {
            **common,
            "index": by_letter(folders, lambda one: sort_key(one.name), _folder_artists),
            "child": _in_folder(track_fields(call, tracks), tracks),
        }
    }


def get_music_directory(call: Call) -> Payload:
    """Return what is in a folder; also in an artist, whose albums are folders, or in an album."""
    wanted = _read(call)
    match wanted.kind:
        case "al":
            directory = _album(call, *wanted.keys)
        case "ar":
            directory = _artist(call, *wanted.keys)
        case _:
            directory = _folder(call, wanted.path)
    return {"directory": directory}


def _read(call: Call) -> Id:
    text = call.arguments.text("id")
    # Some players take a music folder for a directory.
    for folder in call.services.music_folders:
        if text == str(folder.id):
            return Id("fd", path=folder.path)
    return read_id(text, "fd", "al", "ar")


def _folder(call: Call, path: bytes) -> dict[str, Any]:
    found = call.services.catalogue.folder(path)
    top, above = _top(call, path), folder_above(path)
    # What `getIndexes` lists has nothing above it: players that walk up would show all that twice.
    is_listed = not path or top is not None or _top(call, above) is not None
    if not found.folders and not found.tracks and top is None:
        raise SubsonicError(NOT_FOUND, _NOTHING)
    tracks = in_order(found.tracks)
    folders = sorted(found.folders, key=lambda one: reading_order(one.name))
    listed = [
        {"id": folder_id(one.path), "parent": folder_id(path), "isDir": True, "title": one.name}
        for one in folders
    ]
    return {
        "id": folder_id(path),
        "parent": None if is_listed else folder_id(above),
        "name": top.name if top else Folder(path).name,
        "child": [*listed, *_in_folder(track_fields(call, tracks), tracks)],
    }


def _top(call: Call, path: bytes) -> MusicFolder | None:
    return next((one for one in call.services.music_folders if one.path == path), None)


def _artist(call: Call, key: str) -> dict[str, Any]:
    found = call.services.lists.artists.find(key)
    if found is None:
        raise SubsonicError(NOT_FOUND, "There is no such artist.")
    albums = call.services.lists.albums.of_artist(key)
    return {
        "id": artist_id(key),
        "name": artist_name(found.name),
        "child": album_folder_fields(call, albums),
    }


def _album(call: Call, artist_key: str, key: str) -> dict[str, Any]:
    found = call.services.lists.albums.get(artist_key, key)
    if found is None:
        raise SubsonicError(NOT_FOUND, "There is no such album.")
    tracks = call.services.catalogue.album_tracks(artist_key, key)
    return {
        "id": album_id(artist_key, key),
        "parent": artist_id(artist_key),
        "name": album_name(found.title),
        "child": track_fields(call, tracks),
    }


def _folder_artists(folders: Sequence[Folder]) -> list[dict[str, Any]]:
    return [{"id": folder_id(one.path), "name": one.name} for one in folders]


def _in_folder(fields: list[dict[str, Any]], tracks: Sequence[Track]) -> list[dict[str, Any]]:
    """Let tracks have their folder as what is above them."""
    parents = (folder_id(track.folder) for track in tracks)
    return [{**one, "parent": above} for one, above in zip(fields, parents, strict=True)]
