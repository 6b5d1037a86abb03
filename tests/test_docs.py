"""What the documentation says is what the program does."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from audio_cache.cli.commands import main as audio_cache_command
from audio_cache.settings import Knob, knobs
from docs.generate import DOCS, PARTS, knob_table, regenerate
from docs.host import empty_host, read_routes
from mixtape.admin.prometheus import METRICS
from mixtape.cli import main as mixtape_command
from mixtape.settings import Settings
from mixtape.web.views.health import CHECKS

ROOT = DOCS.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
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


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def test_every_setting_of_the_host_is_documented_and_nothing_else() -> None:
    part = page("configuration.md").partition("<!-- host-settings -->")[2]
    rows = re.findall(r"^\| `([A-Z_]+)` \| .+ \| .+ \|$", part, re.MULTILINE)
    assert rows == [name.upper() for name in Settings.model_fields]


def test_every_address_is_documented_with_its_purpose() -> None:
    with empty_host() as app:
        routes = list(read_routes(app))
    assert len(routes) > 20
    documented = page("http.md")
    for route in routes:
        assert route.what.endswith("."), route
        assert f"| `{route.shown}` | {route.who} | {route.what} |" in documented


def test_the_documentation_can_be_made_with_any_settings_around(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "none")
    monkeypatch.setenv("AUDIO_CACHE_ENABLED", "perhaps")
    with empty_host() as app:
        assert "PASSWORD" not in app.config
    assert os.environ["PORT"] == "none"


def test_every_metric_is_documented() -> None:
    documented = page("http.md")
    for row in METRICS:
        assert f"| `{row.name}` |" in documented


def test_every_check_of_health_is_a_part_of_the_documentation() -> None:
    for name in CHECKS:
        assert name in page("install.md").partition("## Watching it")[2].partition("##")[0]


def test_every_command_is_documented() -> None:
    for name in audio_cache_command.commands:
        assert f"### `audio-cache {name}`" in page("cli.md")
    for name in mixtape_command.commands:
        assert f"mixtape {name}" in page("install.md")


def test_no_page_shows_a_command_that_does_not_exist() -> None:
    known = {
        "audio-cache": set(audio_cache_command.commands),
        "bin/mixtape": set(mixtape_command.commands),
    }
    for path in PAGES:
        shown = re.findall(r"\b(audio-cache|bin/mixtape) ([a-z]+)\b", code_of(path))
        for program, command in shown:
            assert command in known[program], f"{path.name}: {program} {command}"


def code_of(path: Path) -> str:
    """Return what a page shows as code, in blocks and in lines."""
    text = path.read_text("utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)])


def test_every_link_leads_somewhere() -> None:
    for path in PAGES:
        text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if link.startswith("https://"):
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            assert target.exists(), f"{path.name}: {link}"
            if anchor:
                assert anchor in anchors_of(target), f"{path.name}: {link}"


def anchors_of(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in words}


def folders_of(package: str) -> set[str]:
    """Return the folders of a package as the page on its architecture names them."""
    source = ROOT / "src" / package
    rooms = {path.parent for path in source.rglob("*.py")} | {
        source / "static",
        source / "templates",
    }
    return {f"{room.relative_to(source)}/" for room in rooms - {source}}


@pytest.mark.parametrize("package", ["audio_cache", "mixtape"])
def test_every_folder_of_a_package_has_its_row_on_the_page_of_the_architecture(
    package: str,
) -> None:
    part = (
        page("architecture.md").partition(f"## The folders of {package}")[2].partition("\n## ")[0]
    )
    first_cells = re.findall(r"^\| (`.+?`) \| .+\. \|$", part, re.MULTILINE)
    named = re.findall(r"`([^`]+)`", " ".join(first_cells))
    assert sorted(named) == sorted(folders_of(package))


def test_every_module_on_the_page_of_the_architecture_exists() -> None:
    named = set(re.findall(r"`([\w/-]+\.(?:py|js))`", page("architecture.md")))
    assert len(named) > 30
    places = (ROOT, ROOT / "src/audio_cache", ROOT / "src/mixtape")
    assert [name for name in named if not any((place / name).is_file() for place in places)] == []


def test_every_module_in_the_picture_of_the_architecture_exists() -> None:
    picture = (DOCS / "images" / "architecture.svg").read_text("utf-8")
    texts = re.findall(r'class="module"[^>]*>([^<]+)<', picture)
    named = {name for text in texts for name in re.findall(r"[\w/]+", text)}
    assert len(named) > 20
    known = {str(path.with_suffix("")) for path in (ROOT / "src").rglob("*.py")}
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in known)] == []
