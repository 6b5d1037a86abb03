"""What the documentation says is what the program does."""

from __future__ import annotations

import re

import pytest

from audio_cache.config import Knob, knobs
from docs.generate import DOCS, PARTS, knob_table, regenerate

CONFIGURATION = (DOCS / "configuration.md").read_text("utf-8")


def rows_of_knobs() -> dict[str, list[str]]:
    """Return the cells after the name, by name, of every row in the table of settings."""
    rows = re.findall(r"^\| `(AUDIO_CACHE_\w+)` \| (.*) \|$", CONFIGURATION, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a setting stands there twice"
    return {name: cells.split(" | ") for name, cells in rows}


def test_every_setting_is_documented_in_its_order_and_nothing_else() -> None:
    assert list(rows_of_knobs()) == [knob.name for knob in knobs()]


@pytest.mark.parametrize("knob", knobs(), ids=lambda knob: knob.name)
def test_the_documentation_of_a_setting_is_true(knob: Knob) -> None:
    takes, default, purpose = rows_of_knobs()[knob.name]
    assert takes == knob.takes
    assert default == (f"`{knob.default}`" if knob.default else "not set")
    assert purpose == knob.help


def test_no_page_mentions_a_setting_that_does_not_exist() -> None:
    known = {knob.name for knob in knobs()} | {"AUDIO_CACHE_ENABLD"}  # the example of a slip
    for page in DOCS.glob("*.md"):
        mentioned = set(re.findall(r"\bAUDIO_CACHE_[A-Z_]*[A-Z]\b", page.read_text("utf-8")))
        assert mentioned <= known, page.name


@pytest.mark.parametrize("name", PARTS)
def test_make_docs_would_change_nothing(name: str) -> None:
    page = (DOCS / name).read_text("utf-8")
    assert regenerate(page, PARTS[name]) == page


def test_a_page_without_a_place_for_its_generated_part_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 places"):
        regenerate("# A page\n", {"knobs": knob_table})
