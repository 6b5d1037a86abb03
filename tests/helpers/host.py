"""The host application with a small library, for the tests of its pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from mixtape.app import create_app
from mixtape.settings import Settings, prepare_data_root
from tests.helpers.databases import lay_tables

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PASSWORD = "correct horse"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class _Templates(BytecodeCache):
    """What templates were compiled to, for all applications of this process."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


class _Rule(Rule):
    """A route whose addresses are built by what Werkzeug compiled for it in an earlier application.

    Compiling takes two thirds of the time in which an application is made.
    """

    _builders: ClassVar[dict[object, Callable[..., tuple[str, str]]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (self.rule, str(self.defaults), tuple(self._trace), append_unknown)
        if key not in self._builders:
            self._builders[key] = super()._compile_builder(append_unknown)
        return self._builders[key]


_TEMPLATES = _Templates()


def make_settings(root: Path, **given: Any) -> Settings:
    """Return settings with `root`/music and `root`/data; whatever else is given wins."""
    music = root / "music"
    music.mkdir(exist_ok=True)
    return Settings(**{"music_root": music, "data_root": root / "data", **given})


def make_app(root: Path, **given: Any) -> Flask:
    """Return the application with `root`/music and `root`/data.

    What is the same in each application, such as tables, is made for the first one.
    """
    settings = make_settings(root, **given)
    if settings.database_url is None:
        lay_tables(prepare_data_root(settings))
    with mock.patch.object(Flask, "url_rule_class", _Rule):
        app = create_app(settings)
    app.jinja_env.bytecode_cache = _TEMPLATES
    return app


def sign_in(client: FlaskClient, password: str = PASSWORD, **form: str) -> TestResponse:
    """Send the login form as a browser does, with the token of the page."""
    token = csrf_token(client.get("/login", headers=PAGE))
    return client.post(
        "/login", data={"password": password, "csrf_token": token, **form}, headers=PAGE
    )


def page_of(client: FlaskClient, address: str = "/") -> str:
    """Return the text of a page, which is there."""
    answer = client.get(address, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return answer.text


def csrf_token(page: TestResponse) -> str:
    """Return the token of the first form on a page."""
    found = _TOKEN.search(page.text)
    assert found is not None, page.text
    return found[1]
