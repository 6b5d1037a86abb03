"""What the documentation says of the host: its settings, addresses, metrics, files to deploy."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Flask

from mixtape.admin.prometheus import METRICS
from mixtape.settings import describe_settings
from mixtape.web.access import ADMIN_ENDPOINTS, OPEN_ENDPOINTS
from tests.helpers.host import make_app
from tests.helpers.outside import no_settings_from_outside

DEPLOY: Final = Path(__file__).parents[1] / "deploy"
# Open endpoints that look for themselves at who asks; the other open ones answer everybody.
_LOOKING: Final = {
    "player.page": "whoever has the link",
    "player.stream": "whoever has the link",
    "player.cover": "whoever has the link",
    "player.unlock": "whoever has the link",
    "player.heard": "whoever has the link",
    "embed.page": "whoever has the link",
    "link_preview.oembed": "whoever has the link",
    "take_along.archive": "whoever has the link",
    "take_along.single": "whoever has the link",
    "take_along.sizes": "whoever has the link",
    "take_along.m3u8": "whoever has the link",
    "take_along.xspf": "whoever has the link",
    "take_along.feed": "whoever has the link",
    "installing.manifest": "whoever has the link",
    "installing.icon": "whoever has the link",
    "audio_cache.rendition": "whoever has the link",
    "audio_cache.grant": "whoever has the link",
    "subsonic.call": "devices, by their key",
    "library_links.playlist": "whoever has the link",
    "library_links.stream": "whoever has the link",
    "metrics.metrics": "admins, METRICS_TOKEN",
}
# What the views of libraries, and private ones, do not say themselves.
_WORDS: Final = {
    "auth.login": "Show the form to sign in.",
    "auth.sign_in": "Sign in with the password; five attempts a minute are allowed.",
    "auth.logout": "Sign out.",
    "static": "Send a script, style or picture of the pages.",
    "audio_cache.static": "Send a script or style of the progress modal.",
}
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Route:
    """One address of the application: what it takes, for whom, and what it does."""

    method: str
    rule: str
    who: str
    what: str

    @property
    def shown(self) -> str:
        """Return it as the documentation names it: `GET /mixtapes/<slug>`."""
        return f"{self.method} {re.sub(r'<[a-z_]+:', '<', self.rule)}"


@contextmanager
def empty_host() -> Iterator[Flask]:
    """Give the application with an empty library, deaf to the settings of whoever runs this."""
    with no_settings_from_outside(), tempfile.TemporaryDirectory() as folder:
        app = make_app(Path(folder))
        try:
            yield app
        finally:
            app.extensions["mixtape"].close()


def read_routes(app: Flask) -> Iterator[Route]:
    """Yield every route of an application, in the order of their addresses."""
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
    for rule in rules:
        who = _LOOKING.get(rule.endpoint)
        who = who or _role_of(rule.endpoint)
        said = (app.view_functions[rule.endpoint].__doc__ or "").strip().partition("\n")[0]
        what = _WORDS.get(rule.endpoint, said)
        for method in _METHODS:
            if method in (rule.methods or ()):
                yield Route(method, rule.rule, who, what)


def _role_of(endpoint: str) -> str:
    if endpoint in OPEN_ENDPOINTS:
        return "everybody"
    return "admins" if endpoint in ADMIN_ENDPOINTS else "users"


def route_table() -> str:
    """Return all addresses of the application as a Markdown table."""
    with empty_host() as app:
        routes = list(read_routes(app))
    rows = [f"| `{route.shown}` | {route.who} | {route.what} |" for route in routes]
    return "\n".join(["| address | for | what it does |", "|---|---|---|", *rows])


def setting_table() -> str:
    """Return the settings of the host as a Markdown table."""
    rows = [
        f"| `{name}` | {f'`{default}`' if default else 'not set'} | {meaning} |"
        for name, default, meaning in describe_settings()
    ]
    return "\n".join(["| name | default | what it takes |", "|---|---|---|", *rows])


def metric_table() -> str:
    """Return the metrics as a Markdown table."""
    rows = [
        f"| `{row.name}` | {'counter' if row.is_counter else 'gauge'} | "
        f"{f'`{row.label}`' if row.label else ''} | {row.help} |"
        for row in METRICS
    ]
    return "\n".join(["| name | kind | label | what it counts |", "|---|---|---|---|", *rows])


def deploy_file(name: str, language: str) -> str:
    """Return a file of deploy/ as a Markdown block."""
    return f"```{language}\n{(DEPLOY / name).read_text('utf-8').rstrip()}\n```"
