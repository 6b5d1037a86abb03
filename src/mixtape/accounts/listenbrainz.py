"""What ListenBrainz is told, by its API: https://listenbrainz.readthedocs.io/en/latest/users/api/."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message as Headers
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import urlsplit

from ..database.tables import Track
from ..errors import InvalidAccountError
from ..messages import Message

OFFICIAL: Final = "https://api.listenbrainz.org"
# Nobody waits for an answer but a thread, and whoever connects an account.
_ANSWERS_WITHIN_S: Final = 10.0
_MOST_ANSWER_BYTES: Final = 100_000
# A listen may have 10,240 bytes, of which a character takes four at most.
_MOST_CHARACTERS: Final = 500
_MAX_URL: Final = 300
_TOKEN_LENGTH: Final = range(8, 201)
# Before there was anything that ListenBrainz could be told by: it refuses older listens.
EARLIEST: Final = datetime(2002, 10, 1, tzinfo=UTC)

Metadata = dict[str, Any]


class ListenBrainzError(Exception):
    """ListenBrainz did not take what it was told.

    Args:
        status: of its answer; 0 where none came.
        wait_s: how long it wants to be left alone; 0 where it does not say.
    """

    def __init__(self, message: str, status: int = 0, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.wait_s = wait_s

    @property
    def is_about_token(self) -> bool:
        """Say whether the token is wrong, so that nothing else will be taken either."""
        return self.status in {401, 403}

    @property
    def is_about_content(self) -> bool:
        """Say whether it will never take what it was told."""
        return self.status in {400, 413, 422}


@dataclass(frozen=True, slots=True)
class ListenBrainz:
    """An account of ListenBrainz, or of a server that speaks as it does.

    Args:
        token: of the account.
        url: of the server; "" for listenbrainz.org.
    """

    token: str
    url: str = ""

    def find_name(self) -> str | None:
        """Return the name of the account; None where there is none with this token.

        Raises:
            ListenBrainzError: there was no answer that says so.
        """
        try:
            answer = self._ask("/1/validate-token")
        except ListenBrainzError as error:
            if error.is_about_token or error.is_about_content:
                return None
            raise
        return str(answer.get("user_name", "")) if answer.get("valid") is True else None

    def tell_listens(self, listens: Sequence[tuple[datetime, Metadata]]) -> None:
        """Tell of plays: when each began, and of what.

        Raises:
            ListenBrainzError: they were not taken.
        """
        payload = [
            {"listened_at": int(begun_at.timestamp()), "track_metadata": track}
            for begun_at, track in listens
        ]
        kind = "single" if len(payload) == 1 else "import"
        self._ask("/1/submit-listens", {"listen_type": kind, "payload": payload})

    def tell_playing_now(self, track: Metadata) -> None:
        """Tell what is being played.

        Raises:
            ListenBrainzError: it was not taken.
        """
        payload = [{"track_metadata": track}]
        self._ask("/1/submit-listens", {"listen_type": "playing_now", "payload": payload})

    def _ask(self, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {
            "Authorization": f"Token {self.token}",
            "Content-Type": "application/json",
            "User-Agent": f"mixtape/{version('audio-cache')}",
        }
        request = urllib.request.Request((self.url or OFFICIAL) + path, data, headers)
        try:
            with _OPENER.open(request, timeout=_ANSWERS_WITHIN_S) as answer:
                found = json.loads(answer.read(_MOST_ANSWER_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                raise ListenBrainzError(
                    f"{self.url or OFFICIAL} answers {error.code} {error.reason}",
                    error.code,
                    _wait_s(error.headers),
                ) from error
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            raise ListenBrainzError(f"{self.url or OFFICIAL} does not answer: {error}") from error
        return found if isinstance(found, dict) else {}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect as it is: the token is for one server, and urllib would send it along."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_NoRedirects)


def metadata_of(track: Track, client: str) -> Metadata | None:
    """Return what ListenBrainz is told of a track; None where it takes none such.

    Args:
        client: the player.
    """
    artist = track.artist or track.album_artist
    if not artist or not track.title:
        return None
    about: Metadata = {
        "submission_client": "mixtape",
        "submission_client_version": version("audio-cache"),
    }
    if client:
        about["media_player"] = client[:_MOST_CHARACTERS]
    if track.duration_s:
        about["duration_ms"] = round(track.duration_s * 1000)
    if track.track_no:
        about["tracknumber"] = track.track_no
    found: Metadata = {"artist_name": artist, "track_name": track.title}
    if track.album:
        found["release_name"] = track.album
    cut = {name: text[:_MOST_CHARACTERS] for name, text in found.items()}
    return {**cut, "additional_info": about}


def checked_token(token: str) -> str:
    """Return a token as it can be sent.

    Raises:
        InvalidAccountError: it can be none.
    """
    token = token.strip()
    is_plain = token.isascii() and token.isprintable() and " " not in token
    if not is_plain or len(token) not in _TOKEN_LENGTH:
        raise InvalidAccountError(
            Message(
                "this is no token of ListenBrainz: copy it from https://listenbrainz.org/settings/"
            )
        )
    return token


def checked_url(url: str) -> str:
    """Return the address of a server as it can be asked; "" for listenbrainz.org.

    Raises:
        InvalidAccountError: it is none.
    """
    url = url.strip().rstrip("/")
    if url in {"", OFFICIAL}:
        return ""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_address = is_address and not ("@" in parts.netloc or parts.query or parts.fragment)
        is_address = is_address and (parts.port is None or parts.port > 0)
    except ValueError:
        is_address = False
    if not (is_address and url.isascii() and url.isprintable() and " " not in url):
        raise InvalidAccountError(
            Message(
                "%(url)s is no address of a server, such as https://listens.example.org",
                url=repr(url[:60]),
            )
        )
    if len(url) > _MAX_URL:
        raise InvalidAccountError(
            Message("the address is longer than %(most)s characters", most=_MAX_URL)
        )
    return url


def _wait_s(headers: Headers) -> float:
    for name in ("X-RateLimit-Reset-In", "Retry-After"):
        text = (headers.get(name) or "").strip()
        if text.isascii() and text.isdecimal() and len(text) < 7:
            return float(text)
    return 0.0
