"""Plays of what another node has made, from the object store behind this one's directory."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

from werkzeug.wrappers import Request, Response

from ..encoding.rendition import Rendition
from ..settings import AudioCacheSettings
from ..store.backing import SigningStore
from ..store.cache import AudioCache
from .ranges import OpenRange

# A player that pauses for longer asks us again.
_ADDRESS_LASTS_S: Final = 6 * 3600


def answer_shared(
    cache: AudioCache,
    settings: AudioCacheSettings,
    rendition: Rendition,
    respond: Callable[[OpenRange], Response],
    *,
    may_go: bool,
) -> Response | None:
    """Return the answer with a rendition from the store behind a cache.

    The cache begins to fetch it, unless listeners are sent to the store: there they get it from
    now on, and what scripts ask for (two bytes ahead of the next track, say) is no reason to.

    Args:
        cache: of this node.
        settings: of the cache.
        rendition: what is asked for.
        respond: gives the answer, where it comes through this node, by what opens a range of it.
        may_go: whether the listener may be sent to the store.

    Returns:
        The answer; None where it is not there, or goes away in this moment: it is made here then.
    """
    backing = cache.backing
    if backing is None or not backing.has(rendition):
        return None
    if settings.object_redirect and isinstance(backing.store, SigningStore):
        if may_go:
            return _send_elsewhere(backing.store.sign(rendition.id, _ADDRESS_LASTS_S))
    else:
        backing.fetch_soon(rendition)
    try:
        return respond(functools.partial(backing.open_range, rendition.id))
    except OSError:
        return None


def may_be_sent_elsewhere(request: Request) -> bool:
    """Say whether whoever asks can follow to another host; a page's script cannot.

    An address there is for a GET. `Sec-Fetch-Dest` says who asks: "audio", or "empty" for scripts
    (https://www.w3.org/TR/fetch-metadata/).
    """
    return request.method == "GET" and request.headers.get("Sec-Fetch-Dest") != "empty"


def _send_elsewhere(address: str) -> Response:
    headers = {"Location": address, "Cache-Control": "no-store"}
    return Response(status=307, headers=headers)
