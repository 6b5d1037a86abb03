from __future__ import annotations

from html.parser import HTMLParser

import pytest

from mixtape.mixtapes.liner_notes import liner_notes_html


class Markup(HTMLParser):
    """The tags, attributes and links of a piece of HTML, as a browser finds them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]


def test_markdown_becomes_html() -> None:
    html = liner_notes_html("Dear *Anna*,\nthis is **for you**:\n\n1. one\n2. two\n\n> quoted")
    assert "<p>Dear <em>Anna</em>,<br>\nthis is <strong>for you</strong>:</p>" in html
    assert "<ol>\n<li>one</li>\n<li>two</li>\n</ol>" in html
    assert "<blockquote>\n<p>quoted</p>\n</blockquote>" in html


def test_headings_begin_below_those_of_the_page_and_leave_out_no_level() -> None:
    html = liner_notes_html("## First\n# Top\n#### Deep\n### Less deep\nUnderlined\n==")
    headings = ["<h3>First</h3>", "<h3>Top</h3>", "<h4>Deep</h4>", "<h5>Less deep</h5>"]
    assert html.splitlines()[:3] == headings[:3]
    assert "<h3>Underlined</h3>" in html
    assert "<h1" not in html
    assert "<h2" not in html


def test_links_open_beside_the_page_and_vouch_for_nothing() -> None:
    html = liner_notes_html('[song](https://a.example/?b=1&c=2 "Its page")')
    assert html.strip() == (
        '<p><a href="https://a.example/?b=1&amp;c=2" title="Its page" target="_blank" '
        'rel="noopener nofollow">song</a></p>'
    )


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt&colon;alert(1))",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
        "[a](vbscript:x)",
        '[a](https://a.example "\\" onclick=\\"alert(1)")',
        '![a" onerror="alert(1)](https://a.example/track.gif)',
        '<https://a.example/"onmouseover=alert(1)>',
        "<style>*{display:none}</style>",
        "<!-- --><svg onload=alert(1)>",
        "`</code><script>`",
        "[a]\n\n[a]: javascript:alert(1)",
    ],
)
def test_no_markup_of_a_stranger_gets_through(attack: str) -> None:
    found = Markup()
    found.feed(liner_notes_html(attack))
    assert found.tags <= {"p", "a", "code", "br"}
    assert found.attributes <= {"href", "title", "target", "rel"}
    assert all(link.startswith("https://a.example") for link in found.links)


def test_a_picture_is_its_words() -> None:
    assert liner_notes_html("![The *two* of us](https://a.example/us.jpg)") == (
        "<p>The two of us</p>\n"
    )


def test_text_without_markup_keeps_its_lines() -> None:
    assert liner_notes_html("one\ntwo\n\nthree") == "<p>one<br>\ntwo</p>\n<p>three</p>\n"
