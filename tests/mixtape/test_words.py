"""Whatever people read goes through gettext, and every message is in every language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import mixtape
from docs.script_words import path_of, script_words
from mixtape.app import create_app  # noqa: F401 - defines all kinds of refusals
from mixtape.errors import RefusalError
from mixtape.web.languages import LANGUAGES

ROOT: Final = Path(mixtape.__file__).parent
TEMPLATES: Final = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS: Final = sorted((ROOT / "static" / "js").rglob("*.js"))
MODULES: Final = sorted(path for path in ROOT.rglob("*.py") if "Error(" in path.read_text())
TAG: Final = r"</?[a-zA-Z](?:\{\{.*?\}\}|\{%.*?%\}|\"[^\"]*\"|'[^']*'|[^>\"'])*>"
# What a template consists of besides text.
MARKUP: Final = re.compile(
    r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<script\b.*?</script>|<!.*?>|"
    r"<(code|kbd|b translate=\"no\")\b[^>]*>.*?</\1>|" + TAG,
    re.DOTALL,
)
SPOKEN: Final = re.compile(r'\s(?:aria-label|title|placeholder|alt|data-label)="([^"]*)"')
WORD: Final = re.compile(r"[^\W\d_]{2,}")
# The name of the product is the same in all languages, and so are entities.
NAMES: Final = re.compile(r"\b(?:mixtape|kB|MB|GB|min|MP3|kbit)\b|&\w+;")
LITERAL: Final = re.compile(r"\"((?:\\.|[^\"\\\n])*)\"|`((?:\\.|[^`\\])*)`")
COMMENT: Final = re.compile(r"/\*[^*]*(?:\*(?!/)[^*]*)*\*/|^\s*//[^\n]*|\s// [^\n]*", re.MULTILINE)
# What is handed to these is translated, or read by programs and programmers.
HANDED: Final = re.compile(
    r"\b(?:translate|plural|querySelector|querySelectorAll|closest|matches|Error|import)\("
    r"(?:[^()\"`]|\"[^\"]*\"|`[^`]*`|\((?:[^()]|\([^()]*\))*\))*\)"
)
# What is put on the page where a word alone is language.
SHOWN: Final = re.compile(r"(textContent|title|label|message|otherwise|aria-label\")[\s:=,?]*$")
SENTENCE: Final = re.compile(r"^(?:[A-Z…“]|\$\{)[^<>;=]*[\w}’”],? [\w$“(]")


def left_in_template(text: str) -> Iterator[str]:
    """Yield what a template shows that is not translated."""
    for found in re.finditer(TAG, text, re.DOTALL):
        for spoken in SPOKEN.findall(re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", found[0])):
            if WORD.search(NAMES.sub("", spoken)):
                yield spoken
    text = re.sub(r"{% block body_class %}.*?{% endblock %}", "", text)
    for piece in MARKUP.sub("\n", text).split("\n"):
        if WORD.search(NAMES.sub("", piece)):
            yield piece.strip()


def left_in_script(text: str) -> Iterator[str]:
    """Yield the literals of a script that are shown and not translated."""
    code = HANDED.sub("", COMMENT.sub("", text))
    for found in LITERAL.finditer(code):
        literal = found[1] if found[1] is not None else found[2]
        words = re.sub(r"\$\{[^}]*\}", "", literal)
        if not WORD.search(NAMES.sub("", words)):
            continue
        is_shown = SHOWN.search(code[max(0, found.start() - 60) : found.start()])
        if SENTENCE.match(literal) or (is_shown and literal[:1].isupper()):
            yield literal


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_says_nothing_that_is_not_translated(path: Path) -> None:
    assert list(left_in_template(path.read_text())) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_script_says_nothing_that_is_not_translated(path: Path) -> None:
    assert list(left_in_script(path.read_text())) == []


def test_the_two_tests_before_find_what_they_look_for() -> None:
    template = '<p title="Good day">{{ _("Hello") }}, world <code>ls -l</code></p>'
    assert list(left_in_template(template)) == ["Good day", ", world"]
    script = 'a.textContent = "Hello"; say(translate("Hi there")); say("Good day, all"); // No one'
    assert list(left_in_script(script)) == ["Hello", "Good day, all"]


def refusals(kind: type[RefusalError] = RefusalError) -> Iterator[str]:
    """Yield the names of all kinds of refusals."""
    for each in kind.__subclasses__():
        yield each.__name__
        yield from refusals(each)


def left_in_module(text: str) -> Iterator[str]:
    """Yield what a module tells people that is not found for the translations, as it stands."""
    for call in ast.walk(ast.parse(text)):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        name, told = ast.unparse(call.func), call.args[0]
        is_written_out = isinstance(told, ast.Constant) and isinstance(told.value, str)
        is_text = is_written_out or isinstance(told, ast.JoinedStr)
        if is_text if name in set(refusals()) else name == "Message" and not is_written_out:
            yield ast.unparse(told)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_refusal_can_be_translated(path: Path) -> None:
    assert list(left_in_module(path.read_text())) == [], "write it as Message, with its values"


def test_the_test_before_finds_what_it_looks_for() -> None:
    module = """
raise PictureError(Message("so " "far %(at)s", at=f"{x}"))
raise BusyError("busy")
raise NotFoundError(f"no {x}")
raise BackupError(Message(f"track {x}"))
said = Message(WORDS)
"""
    assert set(left_in_module(module)) == {"'busy'", "f'no {x}'", "f'track {x}'", "WORDS"}


def written() -> Catalog:
    """Return all messages of the source."""
    catalogue = Catalog()
    methods = [
        ("**.py", "python"),
        ("templates/**.html", "jinja2"),
        ("static/js/**.js", "javascript"),
    ]
    for *_, message, _, context in extract_from_dir(
        ROOT,
        methods,
        {
            "templates/**.html": {"trimmed": "true"},
            "static/js/**.js": {"parse_template_string": "true"},
        },
        {
            **dict.fromkeys(("_", "gettext", "lazy_gettext", "Message", "translate")),
            "ngettext": (1, 2),
            "plural": (1, 2),
        },
    ):
        catalogue.add(message, context=context)
    return catalogue


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_message_has_a_translation_that_takes_the_same_values(language: str) -> None:
    with (ROOT / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    missing = [each.id for each in written() if each.id and each.id not in catalogue]
    assert missing == [], "run `make words`, and translate what it adds"
    for message in catalogue:
        if not message.id:
            continue
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings), message.id
        assert not message.fuzzy, message.id
        source = message.id if isinstance(message.id, tuple) else (message.id,)
        for each in strings:
            assert placeholders(each) <= placeholders(" ".join(source)), message.id
        assert placeholders(" ".join(source)) <= placeholders(" ".join(strings)), message.id


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_scripts_are_given_the_translations_as_they_are_now(language: str) -> None:
    assert path_of(language).read_text() == script_words(language), "run `make words`"


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]", text))
