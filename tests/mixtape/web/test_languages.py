"""The language of the pages."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask.testing import FlaskClient

import mixtape
from mixtape.web.languages import LANGUAGES
from tests.helpers.host import make_app
from tests.helpers.mixtapes import Owner, message_of
from tests.helpers.tracks import make_picture

FOLDER = Path(mixtape.__file__).parent / "translations"


@pytest.mark.parametrize(
    ("asked", "language", "word"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de", "Alben"),
        ("fr,en;q=0.5", "en", "Albums"),
        ("fr", "en", "Albums"),
        ("", "en", "Albums"),
    ],
)
def test_a_reader_gets_the_language_that_the_browser_asks_for(
    client: FlaskClient, asked: str, language: str, word: str
) -> None:
    answer = client.get("/albums", headers={"Accept-Language": asked})
    assert re.search(r'<html lang="(\w+)"', answer.text)[1] == language  # type: ignore[index]
    assert f">{word}</a>" in answer.text
    assert "Accept-Language" in answer.vary


@pytest.mark.parametrize(
    ("state", "english", "german"),
    [
        (
            {"title": "t" * 201},
            "The title is longer than 200 characters.",
            "Der Titel ist länger als 200 Zeichen.",
        ),
        (
            {"title": "T", "notes": "n" * 10_001},
            "The notes are longer than 10,000 characters.",
            "Der Begleittext ist länger als 10.000 Zeichen.",
        ),
        ({"title": ""}, "The mixtape needs a title.", "Das Mixtape braucht einen Titel."),
    ],
)
def test_a_reader_is_refused_in_the_language_of_the_page(
    client: FlaskClient, state: dict[str, str], english: str, german: str
) -> None:
    owner = Owner(client)
    draft = owner.send("POST", "/api/drafts", {"slug": None}).json
    assert draft is not None
    for language, said in (("en", english), ("de", german)):
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
        answer = owner.send("POST", f"/api/drafts/{draft['key']}/save", {"state": state})
        assert (answer.status_code, message_of(answer)) == (400, said)


def test_what_a_picture_is_refused_for_comes_out_of_its_sandbox_in_any_language(
    client: FlaskClient,
) -> None:
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    owner = Owner(client)
    small = message_of(owner.send_file("/api/covers", make_picture(63, 64)))
    assert small == "Das Bild hat 63 × 64 Pixel: wähle eines mit mindestens 64 × 64."
    other = message_of(owner.send_file("/api/covers", b"no picture"))
    assert other == "Das ist kein Bild im Format JPEG, PNG oder WebP: wähle ein anderes."


def test_a_site_may_have_one_language(tmp_path: Path, music: Path) -> None:
    client = make_app(tmp_path, language="de").test_client()
    answer = client.get("/albums", headers={"Accept-Language": "en"})
    assert '<html lang="de"' in answer.text
    assert "Accept-Language" not in answer.vary


def test_what_scripts_say_is_a_file_that_pages_in_english_do_not_load(
    client: FlaskClient,
) -> None:
    german = client.get("/albums", headers={"Accept-Language": "de"}).text
    [address] = re.findall(r'<script defer src="(/static/words/[^"]+)"', german)
    assert german.index(address) < german.index('type="module"')
    with client.get(address) as answer:
        assert answer.mimetype == "text/javascript"
        assert '"Plays":"Wiedergaben"' in answer.text
    assert "/static/words/" not in client.get("/albums").text


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_what_is_compiled_is_what_was_translated(language: str) -> None:
    folder = FOLDER / language / "LC_MESSAGES"
    with (folder / "messages.po").open("rb") as file:
        written = told(read_po(file, locale=language))
    compiled = read_mo(io.BytesIO((folder / "messages.mo").read_bytes()))
    assert told(compiled) == written


def told(catalogue: Catalog) -> dict[str, list[str]]:
    """Return the translations by the English, of which the plural comes last."""
    return {
        str(each.id if isinstance(each.id, str) else each.id[0]): list(
            [each.string] if isinstance(each.string, str) else each.string
        )
        for each in catalogue
        if each.id
    }
