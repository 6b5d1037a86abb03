"""How many connections, or requests behind a proxy, one address may have open at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from .limits import is_of_this_machine, network_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Where a server lets an application leave what is to be done when its answer has ended, however.
AT_END: Final = "mixtape.at_end"
_TELLS_EVERY_S: Final = 60.0
_REFUSAL: Final = b"This address has as many requests open as one may have. Try again soon.\n"


class Crowd:
    """Counts who is here, by address.

    Args:
        most: how many one address may have; 0 for any number.
        is_behind_proxies: whether all connections come from proxies, which are not to be counted.
        logger: is told of who is refused, once a minute.
    """

    def __init__(self, most: int, is_behind_proxies: bool, logger: logging.Logger) -> None:
        self._most = 0 if is_behind_proxies else most
        self._logger = logger
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._told_at = -_TELLS_EVERY_S

    def enter(self, address: str) -> Callable[[], None] | None:
        """Let one more in; return what tells that it has left, None where it may not come in.

        Programs of this machine are not counted: they may be a proxy that nobody declared.
        """
        if not self._most or is_of_this_machine(address):
            return _nothing
        network = network_of(address)
        with self._lock:
            if self._counts[network] >= self._most:
                self._tell(network)
                return None
            self._counts[network] += 1
        has_left = False

        def leave() -> None:
            nonlocal has_left
            with self._lock:
                if not has_left:
                    has_left = True
                    self._counts[network] -= 1
                    if not self._counts[network]:
                        del self._counts[network]

        return leave

    def _tell(self, network: str) -> None:
        now = time.monotonic()
        if now - self._told_at >= _TELLS_EVERY_S:
            self._told_at = now
            self._logger.warning(
                "%s has %d open, as many as CONNECTIONS_PER_ADDRESS allows: more are refused",
                network,
                self._most,
            )


class CrowdBehindProxies:
    """A WSGI application that counts requests by the address that a declared proxy tells.

    It needs a server that says when an answer has ended, which this one does.

    Args:
        application: what answers; around this, `ProxyFix` has to put the address.
        most: how many requests one address may have open; 0 for any number.
        logger: is told of who is refused.
    """

    def __init__(self, application: WSGIApplication, most: int, logger: logging.Logger) -> None:
        self._application = application
        self._crowd = Crowd(most, False, logger)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or refuse with 429."""
        at_end = environ.get(AT_END)
        if at_end is not None:
            leave = self._crowd.enter(environ.get("REMOTE_ADDR", ""))
            if leave is None:
                fields = [("Content-Type", "text/plain"), ("Retry-After", "10")]
                start_response("429 Too Many Requests", fields)
                return [_REFUSAL]
            at_end(leave)
        return self._application(environ, start_response)


def _nothing() -> None:
    """Do nothing."""
