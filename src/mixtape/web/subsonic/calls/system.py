"""What players ask first: whether the server is there, who they are, what it can do."""

from __future__ import annotations

from typing import Any, Final

from ....accounts.users import SavedUser
from ..answers import Payload
from ..call import Call
from ..errors import NOT_ALLOWED, NOT_FOUND, SubsonicError

# Each is here only as long as all of it holds. transcodeOffset is served and not told of: players
# that know it give up ranges, which are exact here.
EXTENSIONS: Final = {
    "apiKeyAuthentication": [1],
    "formPost": [1],
    "indexBasedQueue": [1],
    "playbackReport": [1],
    "songLyrics": [1],
    "topSongsByArtistId": [1],
    "transcoding": [1],
}


def get_extensions(_call: object) -> Payload:
    """Return what is served beyond the Subsonic API."""
    return {
        "openSubsonicExtensions": [
            {"name": name, "versions": versions} for name, versions in EXTENSIONS.items()
        ]
    }


def ping(_call: Call) -> Payload:
    """Say that the server is there."""
    return {}


def get_license(_call: Call) -> Payload:
    """Say that nothing has to be paid for."""
    return {"license": {"valid": True}}


def token_info(call: Call) -> Payload:
    """Say whose the key is."""
    return {"tokenInfo": {"username": call.user.name}}


def get_user(call: Call) -> Payload:
    """Return the caller, or another user to an admin."""
    name = call.arguments.text("username")
    users = call.services.users
    found = users.find(name)
    is_own = found is not None and found.id == call.user.id
    if not is_own and not call.user.is_admin:
        raise SubsonicError(NOT_ALLOWED, "Only admins see other users.")
    if found is None:
        raise SubsonicError(NOT_FOUND, f"There is no user “{name[:60]}”.")
    return {"user": _fields(call, found)}


def get_users(call: Call) -> Payload:
    """Return all users to an admin."""
    call.require_admin()
    return {"users": {"user": [_fields(call, user) for user in call.services.users.all()]}}


def get_scan_status(call: Call) -> Payload:
    """Say whether the library is being scanned, and how much it holds."""
    scanner = call.services.scanner
    return {
        "scanStatus": {
            "scanning": scanner.progress.running,
            "count": scanner.progress.seen
            if scanner.progress.running
            else call.services.counts().tracks,
        }
    }


def start_scan(call: Call) -> Payload:
    """Scan the library now."""
    call.require_admin()
    call.services.scanner.start()
    return get_scan_status(call)


def _fields(call: Call, user: SavedUser) -> dict[str, Any]:
    return {
        "username": user.name,
        "scrobblingEnabled": True,
        "adminRole": user.is_admin,
        "settingsRole": True,
        "downloadRole": True,
        "uploadRole": False,
        "playlistRole": True,
        "coverArtRole": True,
        "commentRole": False,
        "podcastRole": False,
        "streamRole": True,
        "jukeboxRole": False,
        "shareRole": False,
        "videoConversionRole": False,
        "folder": [folder.id for folder in call.services.music_folders],
    }
