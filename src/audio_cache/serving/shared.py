"""Plays of what another node has made, from the object store behind this one's directory."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

from werkzeug.wrappers import Response

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
    is_get: bool,
) -> Response | None:
    """Return the answer with a rendition from the store behind a cache, which begins to fetch it.

    Args:
        cache: of this node.
        settings: of the cache.
        rendition: what is asked for.
        respond: gives the answer, where it comes through this node, by what opens a range of it.
        is_get: whether the listener may be sent to the store; an address there is for a GET.

    Returns:
        The answer; None where it is not there, or goes away in this moment: it is made here then.
    """
    backing = cache.backing
    if backing is None or not backing.has(rendition):
        return None
    if is_get and settings.object_redirect and isinstance(backing.store, SigningStore):
        return _send_elsewhere(backing.store.sign(rendition.id, _ADDRESS_LASTS_S))
    backing.fetch_soon(rendition)
    try:
        return respond(functools.partial(backing.open_range, rendition.id))
    except OSError:
        return None


def _send_elsewhere(address: str) -> Response:
    headers = {"Location": address, "Cache-Control": "no-store"}
    return Response(status=307, headers=headers)
