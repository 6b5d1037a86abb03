"""The import of a playlist: a draft of a mixtape with the tracks of it that are in the library."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, jsonify, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from ...errors import PlaylistError
from ...files.tags import clean_text
from ...messages import Message
from ...mixtapes.values import MAX_TITLE, MixtapeState
from ...services import current_services
from ...takeaway.matching import Matching
from ...takeaway.playlist_file import MAX_PLAYLIST_BYTES, read_playlist
from ..visitors import own_tapes

blueprint = Blueprint("playlist_import", __name__)


@blueprint.post("/api/playlists")
def import_playlist() -> tuple[Response, int]:
    """Begin a draft of the playlist that is the request's body; say what was not found."""
    if (request.content_length or 0) > MAX_PLAYLIST_BYTES:
        raise PlaylistError(
            Message("the playlist is larger than %(most)s MB", most=MAX_PLAYLIST_BYTES // 1_000_000)
        )
    playlist = read_playlist(request.get_data(cache=False))
    found, missing = Matching(current_services().database).find_all(playlist.tracks)
    if not found:
        raise PlaylistError(Message("none of its tracks is in your library"))
    named = clean_text(request.args.get("name", "").rpartition(".")[0])
    title = (playlist.title or named or gettext("Imported playlist"))[:MAX_TITLE]
    drafts = own_tapes().drafts
    draft = drafts.begin()
    state = asdict(MixtapeState(title, track_ids=tuple(found)))
    drafts.save(draft.key, state, revision=draft.revision)
    answer = {
        "url": url_for("editor.draft", key=draft.key),
        "title": title,
        "found": len(found),
        "missing": [each.name for each in missing],
    }
    return jsonify(answer), 201
