"""A server that speaks as ListenBrainz does, and fails as a test wants it to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TOKEN = "a-token-of-ListenBrainz"


class ListenBrainzServer:
    """The application of such a server, with one account.

    What it was told is in `told`, by the kind of listen; `refusals` are the answers to the next
    requests that tell something, each a status with headers.
    """

    def __init__(self) -> None:
        self.token = TOKEN
        self.told: list[tuple[str, list[dict[str, Any]]]] = []
        self.refusals: list[tuple[str, dict[str, str]]] = []
        self.tries = 0
        # A listen of this name is one that it never takes.
        self.poison = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        content = environ["wsgi.input"].read(size)
        status, headers, answer = self._answer(environ, content)
        headers = {"Content-Type": "application/json", **headers}
        start_response(status, list(headers.items()))
        return [json.dumps(answer).encode()]

    def listens(self) -> list[tuple[str, int]]:
        """Return what was listened to: the name of each track, and when."""
        return [
            (one["track_metadata"]["track_name"], one["listened_at"])
            for kind, listens in self.told
            for one in listens
            if kind != "playing_now"
        ]

    def _answer(
        self, environ: WSGIEnvironment, content: bytes
    ) -> tuple[str, dict[str, str], dict[str, Any]]:
        is_known = environ.get("HTTP_AUTHORIZATION") == f"Token {self.token}"
        if environ["PATH_INFO"] == "/1/validate-token":
            name = {"user_name": "listener"} if is_known else {}
            return "200 OK", {}, {"code": 200, "valid": is_known, **name}
        assert environ["PATH_INFO"] == "/1/submit-listens"
        assert environ["REQUEST_METHOD"] == "POST"
        self.tries += 1
        if not is_known:
            return "401 Unauthorized", {}, {"code": 401, "error": "Invalid token"}
        if self.refusals:
            status, headers = self.refusals.pop(0)
            return status, headers, {}
        told = json.loads(content)
        names = [one["track_metadata"]["track_name"] for one in told["payload"]]
        if self.poison in names:
            return "400 Bad Request", {}, {"code": 400, "error": "Invalid listen"}
        assert (told["listen_type"] == "single") <= (len(names) == 1)
        self.told.append((told["listen_type"], told["payload"]))
        return "200 OK", {}, {"status": "ok"}
