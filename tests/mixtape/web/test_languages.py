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
