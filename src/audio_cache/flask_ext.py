"""The Flask extension: `FlaskAudioCache(app)` gives an application /play and progress streams."""

from __future__ import annotations

import atexit
import contextlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import parse_qsl

from flask import Blueprint, Flask, Request, current_app, request
from flask import Response as FlaskResponse
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.local import LocalProxy
from werkzeug.routing import BaseConverter
from werkzeug.wrappers import Response

from .encoding.ffmpeg import end_all
from .errors import ConfigError, QualityError
from .live.encodes import Live
from .progress.sse import get_last_event_id, progress_response
from .progress.tracker import ProgressTracker, get_progress_tracker
from .quality import QualityLevel, parse_quality
from .serving.playback import Playback
from .settings import AudioCacheSettings
from .sources.source import is_audio_name
from .store.cache import AudioCache
from .store.room import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_EXTENSION = "audio_cache"
_ODD_PARTS: Final = frozenset({"", ".", ".."})


@dataclass(frozen=True)
class AudioCacheState:
    """What the extension keeps for one application, in `app.extensions["audio_cache"]`."""

    settings: AudioCacheSettings
    music_root: Path
    cache: AudioCache
    live: Live
    playback: Playback
    tracker: ProgressTracker

    def shut_down(self) -> None:
        """End the encoders of this process; what they made so far is resumed the next time.

        This happens by itself when the interpreter ends. A server whose threads may wait for slow
        clients then (gunicorn's gthread) does better to call it from a hook such as `worker_exit`.
        """
        self.live.stop()
        end_all()
        self.cache.plays.write()


class FlaskAudioCache:
    """Add the audio cache to a Flask application.

    Reads MUSIC_ROOT, DATA_ROOT (default: ./collection-data) and AUDIO_CACHE_* from `app.config`;
    environment variables named AUDIO_CACHE_* win. Routes: `GET /play/<path>?quality=` and
    `GET /editor/progress/<slug>`.

    Args:
        app: the application; None to call `init_app` later.
        authorize: called before every answer of the extension; it may abort, or return a response.

    Raises:
        ConfigError: a setting is missing or bad; the message names it, its value and the cure.
    """

    def __init__(
        self, app: Flask | None = None, authorize: Callable[[], Response | None] | None = None
    ) -> None:
        self._authorize = authorize
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Set up an application, as the constructor does when it is given one."""
        app.extensions[_EXTENSION] = make_state(app)
        app.url_map.converters.setdefault("file_path", _FilePathConverter)
        blueprint = Blueprint(
            _EXTENSION,
            __name__,
            static_folder="static",
            static_url_path="/audio-cache/static",
            template_folder="templates",
        )
        if self._authorize is not None:
            blueprint.before_request(self._authorize)
        blueprint.add_url_rule("/play/<file_path:file_path>", "play", play)
        blueprint.add_url_rule("/editor/progress/<slug>", "progress", progress)
        app.register_blueprint(blueprint)


def make_state(app: Flask) -> AudioCacheState:
    """Return the state of the extension from an application's configuration.

    Raises:
        ConfigError: as `FlaskAudioCache`.
    """
    settings = AudioCacheSettings.from_mapping(app.config)
    music_root = app.config.get("MUSIC_ROOT")
    if not music_root:
        raise ConfigError(
            "MUSIC_ROOT is not set: set app.config['MUSIC_ROOT'] to your music folder"
        )
    data_root = Path(app.config.get("DATA_ROOT") or "collection-data")
    cache = AudioCache(
        settings.cache_dir(data_root),
        app.logger,
        ffmpeg=settings.ffmpeg,
        encode_timeout_s=settings.encode_timeout_s,
        nice=settings.nice,
        tags=settings.tags,
        limits=Limits.of(settings),
    )
    live = Live(
        cache,
        max_encoders=settings.max_live,
        wait_s=settings.live_wait_s,
        finish_abandoned=settings.finish_abandoned,
        retry_after_s=settings.retry_after_failure_s,
    )
    state = AudioCacheState(
        settings=settings,
        music_root=Path(os.path.abspath(music_root)),
        cache=cache,
        live=live,
        playback=Playback(cache, settings, live, _Complete),
        tracker=get_progress_tracker(app.logger),
    )
    atexit.register(state.shut_down)
    return state


def get_state() -> AudioCacheState:
    """Return the extension's state of the current application."""
    return cast(AudioCacheState, current_app.extensions[_EXTENSION])


def play(file_path: str) -> Response:
    """Answer `GET /play/<path>?quality=`: 400 for an unknown quality, 404 for what is not there."""
    quality = requested_quality()
    return _answer(*_locate(get_state().music_root, _raw_path(file_path)), quality)


def progress(slug: str) -> Response:
    """Answer `GET /editor/progress/<slug>` with the stream of a task's events."""
    return progress_response(get_state().tracker, slug, get_last_event_id(request))


def send_track(path: Path, quality: QualityLevel) -> Response:
    """Return the answer to a play of an absolute path, as `flask.send_file` does for a file.

    Raises:
        NotFound: there is no such file, or it cannot be read.
    """
    return _answer(path, None, quality)


def _answer(path: Path, source: os.stat_result | None, quality: QualityLevel) -> Response:
    # The request itself: each use of Flask's stand-in for it takes a look-up.
    asked = cast("LocalProxy[Request]", request)._get_current_object()
    try:
        return get_state().playback.answer(asked, path, quality, source)
    except OSError as error:
        current_app.logger.warning("cannot play %r: %s", str(path), error)
        raise NotFound("There is no such track.") from error


def requested_quality() -> QualityLevel:
    """Return the quality that the current request asks for, or the configured default.

    Raises:
        BadRequest: the text names none; the description lists the valid ones.
    """
    text = _named_quality(request.environ.get("QUERY_STRING", ""))
    if text is None:
        return get_state().settings.default_quality
    try:
        return parse_quality(text)
    except QualityError as error:
        raise BadRequest(str(error)) from error


def _named_quality(query: str) -> str | None:
    """Return the first `quality` of a query."""
    fields = parse_qsl(query, keep_blank_values=True, errors="replace")
    return next((value for name, value in fields if name == "quality"), None)


def find_track(music_root: Path, relative: str) -> Path:
    """Return the absolute path of a file under the music root.

    Raises:
        NotFound: the path leads out of the root, by dots or by a link, or to no audio file.
    """
    return _locate(music_root, relative)[0]


def _locate(music_root: Path, relative: str) -> tuple[Path, os.stat_result]:
    # Other files of a music folder (notes, databases, documents) are not for listeners.
    is_plain = "\0" not in relative and _ODD_PARTS.isdisjoint(relative.split("/"))
    path = os.path.join(music_root, relative)
    with contextlib.suppress(OSError):
        if is_plain and is_audio_name(relative) and lies_inside(music_root, path):
            found = os.stat(path)
            if stat.S_ISREG(found.st_mode):
                return Path(path), found
    raise NotFound("There is no such track.")


def lies_inside(root: str | os.PathLike[str], path: str | os.PathLike[str]) -> bool:
    """Say whether a path is that of something below a folder when all links are followed.

    Raises:
        OSError: there is no such file, or it may not be looked at.
    """
    real = os.path.realpath(path, strict=True)
    return real.startswith(os.path.join(os.path.realpath(root), ""))


def _raw_path(file_path: str) -> str:
    """Return the path of the request byte for byte; Werkzeug's text loses what is no UTF-8."""
    if file_path.isascii():
        return file_path
    raw = request.environ.get("PATH_INFO", "").encode("latin-1")
    shown = raw.decode("utf-8", "replace")
    prefix = shown[: len(shown) - len(file_path)].encode()
    return os.fsdecode(raw[len(prefix) :])


class _Complete(FlaskResponse):
    """An answer whose headers are final; Werkzeug would copy them to look for what to mend."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        return self.headers


class _FilePathConverter(BaseConverter):
    """A path of any characters; Flask's own `path` ends at a newline, which a name may hold."""

    part_isolating = False
    regex = r"(?s:[^/].*)"
    weight = 200
