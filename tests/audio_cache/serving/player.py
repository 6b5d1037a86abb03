"""A player without a server: plays of one cache, and what the answers say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Request

from audio_cache.live.encodes import Live
from audio_cache.quality import QualityLevel
from audio_cache.serving.playback import Playback
from audio_cache.settings import AudioCacheSettings
from audio_cache.store.cache import AudioCache
from audio_cache.store.room import Limits
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.waiting import wait_until

HIT = "audio-cache; hit"
LIVE = "audio-cache; fwd=miss; detail=live"
ORIGINAL = "audio-cache; fwd=miss"
BYPASS = "audio-cache; fwd=bypass"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    body: bytes

    @property
    def cache_status(self) -> str:
        return self.headers["Cache-Status"]


class Player:
    """Plays of one cache, asked without a server."""

    def __init__(self, root: Path, **given: Any) -> None:
        self.ffmpeg = StubFFmpeg(root)
        self.settings = AudioCacheSettings(**{"on_miss": "live", **given})
        self.cache = AudioCache(
            root / "cache",
            ffmpeg=self.ffmpeg.path,
            tags=self.settings.tags,
            limits=Limits.of(self.settings),
        )
        self.live = Live(self.cache, finish_abandoned=self.settings.finish_abandoned)
        self.playback = Playback(self.cache, self.settings, self.live)

    def play(
        self, path: Path, quality: QualityLevel = "low", *, method: str = "GET", **headers: str
    ) -> Answer:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        request = Request(EnvironBuilder(method=method, headers=given).get_environ())
        response = self.playback.answer(request, path, quality)
        body, status, sent = run_wsgi_app(response, request.environ)
        try:
            content = b"".join(body)
        finally:
            if hasattr(body, "close"):
                body.close()
        return Answer(int(status.split()[0]), sent, content)

    def entry(self, path: Path) -> Path:
        return self.cache.get_cache_path(path, "low")

    def rest(self) -> None:
        wait_until(lambda: self.live.busy_encoders == 0)
