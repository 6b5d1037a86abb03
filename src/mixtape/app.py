"""The web application: settings in, Flask app out."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from audio_cache.flask_ext import FlaskAudioCache, static_view

from . import services
from .admin.monitor import Monitor
from .secret_key import read_secret_key
from .settings import DEMO_LIBRARY, Settings, load_settings, prepare_data_root
from .web import auth, compression, figures, languages, limits, module_preload, prefix, security
from .web import errors as web_errors
from .web.crowd import CrowdBehindProxies
from .web.subsonic import blueprint as subsonic
from .web.views import (
    additions,
    admin,
    artwork,
    as_json,
    backups,
    caching,
    catalogue,
    devices,
    drafts,
    editor,
    embed,
    favourites,
    health,
    installing,
    json_api,
    library,
    library_links,
    link_preview,
    listenbrainz,
    listening,
    metrics,
    own_marks,
    people,
    player,
    playlist_import,
    selections,
    share_links,
    sharing,
    take_along,
)


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application.

    Args:
        settings: what to run with; read from the environment if not given.

    Raises:
        SettingsError: a setting cannot be used; the message names it, its value and the remedy.
    """
    settings = settings or load_settings()
    data_root = prepare_data_root(settings)
    music_roots = [str(path) for path in settings.music_roots or (DEMO_LIBRARY,)]
    app = Flask("mixtape", root_path=str(Path(__file__).parent))
    app.config.update(
        MUSIC_ROOT=music_roots[0] if len(music_roots) == 1 else music_roots,
        DATA_ROOT=str(data_root),
        DATABASE_URL=settings.database_url and settings.database_url.get_secret_value(),
        IS_DEMO=not settings.music_roots,
        SECRET_KEY=read_secret_key(settings),
        PUBLIC_URL=settings.public_url,
        EMBED_SITES=settings.embed_sites,
        CONNECTIONS_PER_ADDRESS=settings.connections_per_address,
        TRUSTED_PROXIES=settings.trusted_proxies,
        DOWNLOADS=settings.downloads,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    FlaskAudioCache(app)  # brings the converter "file_path", which takes names of any characters
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        counted = CrowdBehindProxies(app.wsgi_app, settings.connections_per_address, app.logger)
        fixed = ProxyFix(counted, x_for=hops, x_proto=hops, x_host=hops)
        app.wsgi_app = fixed  # type: ignore[method-assign]
    prefix.init_app(app, settings.public_url)
    languages.init_app(app, settings.language)
    figures.init_app(app)
    web_errors.init_app(app)
    security.init_app(app, settings)
    limits.init_app(app)
    auth.init_app(app, settings)
    app.view_functions["static"] = static_view(str(app.static_folder))
    library.init_app(app)
    compression.init_app(app)
    module_preload.init_app(app)
    services.init_app(app)
    player.init_app(app)
    json_api.init_app(app)
    devices.init_app(app)
    subsonic.init_app(app)
    as_json.init_app(app)
    views = (
        *(additions, artwork, backups, caching, catalogue, drafts, editor, health, installing),
        *(listening, people, playlist_import, selections, sharing, take_along),
    )
    for view in views:
        app.register_blueprint(view.blueprint)
    for view in (embed, favourites, library_links, link_preview):
        app.register_blueprint(view.blueprint)
    for view in (listenbrainz, own_marks, share_links):
        app.register_blueprint(view.blueprint)
    monitor = Monitor(app.extensions["audio_cache"])
    admin.init_app(app, monitor)
    metrics.init_app(app, monitor, settings)
    return app
