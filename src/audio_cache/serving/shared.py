"""Plays of what another node has made, from the object store behind this one's directory."""

from __future__ import annotations

import functools
from typing import Final

from werkzeug.wrappers import Response

from ..encoding.rendition import Rendition
from ..settings import AudioCacheSettings
from ..store.backing import SigningStore
from ..store.cache import AudioCache
from .ranges import OpenRange

# A player that pauses for longer asks us again.
_ADDRESS_LASTS_S: Final = 6 * 3600


def find_shared(
    cache: AudioCache,
    settings: AudioCacheSettings,
    rendition: Rendition,
    *,
    is_redirected: bool,
) -> OpenRange | str | None:
    """Return how to read a rendition from the store behind a cache, which begins to fetch it.

    Args:
        cache: of this node.
        settings: of the cache.
        rendition: what is asked for.
        is_redirected: whether whoever asks may be sent elsewhere; the address there is for a GET.

    Returns:
        What opens a range of it, or, where listeners are sent to the store, its address there; None
        where it is not there.
    """
    backing = cache.backing
    if backing is None or not rendition.source.audio or not backing.has(rendition):
        return None
    if is_redirected and settings.object_redirect and isinstance(backing.store, SigningStore):
        return backing.store.sign(rendition.id, _ADDRESS_LASTS_S)
    backing.fetch_soon(rendition)
    return functools.partial(backing.open_range, rendition.id)


def send_elsewhere(address: str) -> Response:
    """Return the answer that sends a listener to an address; it is good for some hours."""
    headers = {"Location": address, "Cache-Control": "no-store"}
    return Response(status=307, headers=headers)
