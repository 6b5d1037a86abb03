"""What a player gets of a track, agreed on before it plays: the extension `transcoding`."""

from __future__ import annotations

from typing import Final

from flask import request
from pydantic import ValidationError
from werkzeug.wrappers import Response

from audio_cache import QUALITY_SETTINGS

from ....database.tables import Track
from ..answers import Payload
from ..call import Call
from ..decision import ClientInfo, decide, stream_fields
from ..errors import FAILED, NOT_FOUND, SubsonicError
from .media import find_track, send_from

_SONG: Final = "song"


def get_transcode_decision(call: Call) -> Payload:
    """Say whether a track is played as it is, and what can be made of it."""
    decision = decide(_find(call), _client_info())
    return {
        "transcodeDecision": {
            "canDirectPlay": decision.can_direct_play,
            "canTranscode": decision.quality is not None,
            "transcodeReason": list(decision.reasons),
            "errorReason": decision.error or None,
            # Nothing is kept of a decision: it says all that there is to know of the stream.
            "transcodeParams": decision.quality,
            "sourceStream": stream_fields(decision.source),
            "transcodeStream": stream_fields(decision.made),
        }
    }


def get_transcode_stream(call: Call) -> Response:
    """Send what was decided on, from a second on."""
    quality = call.arguments.text("transcodeParams")
    if quality not in QUALITY_SETTINGS:
        raise SubsonicError(
            FAILED, "Give the transcodeParams of an answer of getTranscodeDecision."
        )
    return send_from(call, _find(call), quality, call.arguments.decimal("offset", 0))


def _find(call: Call) -> Track:
    kind = call.arguments.text("mediaType")
    if kind != _SONG:
        raise SubsonicError(NOT_FOUND, f"Nothing here is a “{kind[:40]}”: give mediaType=song.")
    return find_track(call, "mediaId")


def _client_info() -> ClientInfo:
    try:
        return ClientInfo.model_validate_json(request.get_data())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise SubsonicError(
            FAILED, f"The body has to be a ClientInfo as JSON: {where}: {first['msg'][:200]}."
        ) from error
