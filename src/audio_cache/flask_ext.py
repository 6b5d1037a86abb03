"""The Flask extension: `FlaskAudioCache(app)` gives an application /play and progress streams."""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from flask import Blueprint, Flask, Request, current_app, request, send_from_directory, url_for
from flask import Response as FlaskResponse
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, Forbidden, NotFound, ServiceUnavailable
from werkzeug.local import LocalProxy
from werkzeug.routing import BaseConverter
from werkzeug.wrappers import Response

from .batch.background import Runs
from .encoding.ffmpeg import end_all
from .encoding.together import prepare
from .engines import make_cache, make_runs, make_shared, make_tracker
from .errors import AudioCacheError, ConfigError, LiveUnavailableError, QualityError
from .live.encodes import Live
from .progress.sse import get_last_event_id, progress_response
from .progress.tracker import ProgressTracker
from .quality import QualityLevel, parse_quality, quality_in
from .serving.addresses import Grant, Signer, read_key
from .serving.permanent import PermanentPlayback, StoredPlays, know
from .serving.playback import Playback
from .serving.ranges import connection_of as connection_of
from .serving.traffic import Traffic
from .settings import AudioCacheSettings
from .sources.music_roots import MusicRoots, Roots
from .sources.source import is_audio_name
from .store.cache import AudioCache

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .backends.redis_shared import RedisShared

_EXTENSION = "audio_cache"
_NOT_NOW: Final = "This track cannot be played now."
_ODD_PARTS: Final = frozenset({"", ".", ".."})


@dataclass(frozen=True)
class AudioCacheState:
    """The extension's state for one application, in `app.extensions["audio_cache"]`."""

    settings: AudioCacheSettings
    roots: MusicRoots
    cache: AudioCache
    live: Live
    playback: Playback
    permanent: PermanentPlayback
    tracker: ProgressTracker
    shared: RedisShared | None

    @functools.cached_property
    def own_signer(self) -> Signer:
        """Return the signer of an application that has no SECRET_KEY."""
        return Signer.of_secret(read_key(self.cache.cache_dir))

    def make_runs(self) -> Runs:
        """Return the background runs of the host, on the engine that the settings name."""
        return make_runs(self.settings, self.cache, self.tracker, self.roots)

    def warm_up(self) -> None:
        """Get ffmpeg ready for the first listener; FFmpegNotFoundError where there is none."""
        prepare(self.cache.ffmpeg, self.settings.default_quality)

    def shut_down(self) -> None:
        """End the encoders of this process; what they made so far will be resumed.

        This happens automatically when the interpreter exits. A server whose threads may then be
        waiting for slow clients (gunicorn's gthread) should call it in a hook like `worker_exit`.
        """
        self.live.stop()
        end_all()
        self.permanent.open_files.close()
        self.playback.open_files.close()
        self.cache.plays.write()
        self.cache.close()
        if self.shared is not None:
            self.shared.close()


class FlaskAudioCache:
    """Add the audio cache to a Flask application.

    Reads MUSIC_ROOT (a folder, or a list of them), DATA_ROOT (default: ./collection-data) and
    AUDIO_CACHE_* from `app.config`; environment variables named AUDIO_CACHE_* win. Routes:
    `GET /play/<path>?quality=`, `GET /r/<id>.mp3` and `GET /editor/progress/<slug>`.

    Args:
        app: the application; None to call `init_app` later.
        authorize: called before every answer of the extension; it may abort, or return a response.
            Not for `/r/`, whose signature says who may listen.

    Raises:
        ConfigError: a setting is missing or bad; the message says which, and how to fix it.
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
        blueprint = Blueprint(_EXTENSION, __name__, template_folder="templates")
        static = static_view(os.path.join(blueprint.root_path, "static"))
        if self._authorize is not None:
            blueprint.before_request(_unless_signed(self._authorize))
        blueprint.add_url_rule("/audio-cache/static/<path:filename>", "static", static)
        blueprint.add_url_rule("/play/<file_path:file_path>", "play", play)
        blueprint.add_url_rule("/r/<object_id>.mp3", "rendition", rendition)
        blueprint.add_url_rule("/editor/progress/<slug>", "progress", progress)
        blueprint.add_url_rule("/r/<object_id>/grant", "grant", grant)
        app.register_blueprint(blueprint)
        app.wsgi_app = _stored_first(app)  # type: ignore[method-assign, assignment]


def _stored_first(app: Flask) -> WSGIApplication:
    """Return what answers plays of what is stored before the application is asked."""
    state: AudioCacheState = app.extensions[_EXTENSION]
    application = app.wsgi_app
    stored = StoredPlays(state.permanent, functools.partial(_signer_of, app))

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        is_permanent = environ["PATH_INFO"].startswith("/r/")
        body = stored.answer(environ, start_response) if is_permanent else None
        return application(environ, start_response) if body is None else body

    return answer


def static_view(folder: str) -> Callable[[str], Response]:
    """Return a view that sends a package's files, without the date of its installation.

    Their tags are made of their bytes; Flask's own are made of that date and of the path.
    """

    def static(filename: str) -> Response:
        age_s = current_app.get_send_file_max_age(filename)
        options: dict[str, Any] = {"conditional": False, "etag": False, "max_age": age_s}
        response: Response = send_from_directory(folder, filename, **options)
        path = os.path.join(folder, filename)
        status = os.stat(path)
        response.set_etag(_content_tag(path, status.st_size, status.st_mtime_ns))
        del response.headers["Last-Modified"]
        return response.make_conditional(request)

    return static


@functools.lru_cache(maxsize=256)
def _content_tag(path: str, _size_bytes: int, _mtime_ns: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]


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
    cache = make_cache(settings, settings.cache_dir(data_root), app.logger)
    live = Live(
        cache,
        max_encoders=settings.max_live,
        wait_s=settings.live_wait_s,
        finish_abandoned=settings.finish_abandoned,
        retry_after_s=settings.retry_after_failure_s,
    )
    shared = make_shared(settings, app.logger)
    traffic = shared.traffic if shared else Traffic()
    if shared:
        cache.plays.tell = shared.worth.note_plays
    playback = Playback(cache, settings, live, _Complete, traffic)
    state = AudioCacheState(
        settings=settings,
        roots=MusicRoots.of(music_root),
        cache=cache,
        live=live,
        playback=playback,
        permanent=PermanentPlayback(cache, settings, live, traffic, _Complete),
        tracker=make_tracker(settings, app.logger),
        shared=shared,
    )
    atexit.register(state.shut_down)
    playback.prepare()
    return state


def get_state() -> AudioCacheState:
    """Return the extension's state of the current application."""
    return cast(AudioCacheState, current_app.extensions[_EXTENSION])


def play(file_path: str) -> Response:
    """Answer `GET /play/<path>?quality=`: 400 for an unknown quality, 404 for a missing track."""
    return send_library_track(_raw_path(file_path), requested_quality())


def rendition(object_id: str) -> Response:
    """Answer `GET /r/<id>.mp3?e=<expiry>&s=<signature>`: 403 unless the signature is good."""
    grant = _require_grant(object_id)
    asked = cast("LocalProxy[Request]", request)._get_current_object()
    try:
        return get_state().permanent.answer(asked, object_id, is_shared=grant.is_shared)
    except LiveUnavailableError as error:
        current_app.logger.warning("cannot play %s: %s", object_id, error)
        raise ServiceUnavailable(_NOT_NOW, retry_after=5) from error
    except (AudioCacheError, OSError) as error:
        current_app.logger.warning("cannot play %s: %s", object_id, error)
        raise NotFound("There is no such track.") from error


def grant(object_id: str) -> FlaskResponse:
    """Answer `GET /r/<id>/grant?e=<expiry>&s=<signature>`: 204 for a good signature, else 403.

    For a web server in front that sends what is stored by itself; see `PermanentPlayback.grant`.
    """
    granted = _require_grant(object_id)
    left_s = int(request.args["e"]) - int(time.time())
    headers = get_state().permanent.grant(object_id, granted, left_s)
    return FlaskResponse(status=204, headers=headers)


def _require_grant(object_id: str) -> Grant:
    expires_at, signature = request.args.get("e", ""), request.args.get("s", "")
    if found := _signer_of(current_app).find_grant(object_id, expires_at, signature):
        return found
    raise Forbidden("This address does not lead to any music, or not any more.")


def sign_rendition(
    path: Path, quality: QualityLevel, expires_at_s: int, *, shared: bool = False
) -> str:
    """Return the permanent address of a lossless track at a quality; it need not be cached.

    The first time for a file that is no FLAC reads all of it.

    Args:
        path: the track's, absolute.
        quality: an encoded quality.
        expires_at_s: when the address ends, in seconds since the epoch.
        shared: let proxies keep the audio for a year, whoever asks them for this address.

    Raises:
        QualityError: the quality is "original", or the track is played as it is.
        OSError: there is no such track, or it cannot be read.
        EncodeError: it holds no audio.
    """
    cache = get_state().cache
    if quality == "original" or not cache.should_transcode(path):
        raise QualityError(
            f"{os.fspath(path)!r} has no rendition at {quality!r}: play the original"
        )
    object_id = know(cache, path, parse_quality(quality)).id
    signature = _signer_of(current_app).sign(object_id, expires_at_s, shared=shared)
    where = f"{_EXTENSION}.rendition"
    return url_for(where, object_id=object_id, e=expires_at_s, s=signature)


def _signer_of(app: Flask) -> Signer:
    # Looked up with each use: hosts set their SECRET_KEY before or after they add extensions.
    state: AudioCacheState = app.extensions[_EXTENSION]
    return _signer_by(app.secret_key) if app.secret_key else state.own_signer


_signer_by = functools.lru_cache(maxsize=8)(Signer.of_secret)


def _unless_signed(
    authorize: Callable[[], Response | None],
) -> Callable[[], Response | None]:
    signed = {f"{_EXTENSION}.{name}" for name in ("rendition", "grant")}
    return lambda: None if request.endpoint in signed else authorize()


def progress(slug: str) -> Response:
    """Answer `GET /editor/progress/<slug>` with the stream of a task's events."""
    return progress_response(get_state().tracker, slug, get_last_event_id(request))


def send_library_track(relative: str, quality: QualityLevel) -> Response:
    """Return the response to a play of a path below MUSIC_ROOT.

    The file that was found there is the one that is sent or encoded, whatever its name comes to
    stand for in the meantime.

    Raises:
        NotFound: as `find_track`, or the file can't be read.
    """
    return _answer(*_locate(get_state().roots, relative), quality)


def send_track(path: Path, quality: QualityLevel) -> Response:
    """Return the response to a play of an absolute path, as `flask.send_file` does for a file.

    Raises:
        NotFound: there is no such file, or it can't be read.
    """
    return _answer(path, None, quality)


def _answer(path: Path, source: os.stat_result | None, quality: QualityLevel) -> Response:
    # The request itself: each use of Flask's proxy for it costs a look-up.
    asked = cast("LocalProxy[Request]", request)._get_current_object()
    try:
        return get_state().playback.answer(asked, path, quality, source)
    except OSError as error:
        current_app.logger.warning("cannot play %r: %s", str(path), error)
        raise NotFound("There is no such track.") from error
    except LiveUnavailableError as error:
        raise ServiceUnavailable(_NOT_NOW, retry_after=5) from error


def requested_quality() -> QualityLevel:
    """Return the quality that the current request asks for, or the configured default.

    Raises:
        BadRequest: there is no such quality; the description lists those that exist.
    """
    try:
        asked = quality_in(request.environ.get("QUERY_STRING", ""))
    except QualityError as error:
        raise BadRequest(str(error)) from error
    return asked or get_state().settings.default_quality


def find_track(music_root: Roots, relative: str) -> Path:
    """Return the absolute path of a file under the music root, or under one of several.

    Raises:
        NotFound: the path leads out of the root, by dots or a link, or not to an audio file.
    """
    return _locate(MusicRoots.of(music_root), relative)[0]


def _locate(roots: MusicRoots, relative: str) -> tuple[Path, os.stat_result]:
    # Other files of a music folder (notes, databases, documents) are not for listeners.
    parts = relative.split("/")
    is_plain = "\0" not in relative and _ODD_PARTS.isdisjoint(parts)
    # What is in folders such as .git or .Trash was put away, and no listing shows it.
    is_plain = is_plain and not any(part.startswith(".") for part in parts[:-1])
    if is_plain and is_audio_name(relative):
        with contextlib.suppress(OSError):
            return roots.look_up(relative)
    raise NotFound("There is no such track.")


def _raw_path(file_path: str) -> str:
    """Return the path of the request byte for byte; Werkzeug loses whatever isn't UTF-8."""
    if file_path.isascii():
        return file_path
    raw = request.environ.get("PATH_INFO", "").encode("latin-1")
    shown = raw.decode("utf-8", "replace")
    prefix = shown[: len(shown) - len(file_path)].encode()
    return os.fsdecode(raw[len(prefix) :])


class _Complete(FlaskResponse):
    """A response whose headers are final; Werkzeug would copy them to look for corrections."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        return self.headers


class _FilePathConverter(BaseConverter):
    """A path of any characters; Flask's own `path` stops at a newline, which a name may have."""

    part_isolating = False
    regex = r"(?s:[^/].*)"
    weight = 200
