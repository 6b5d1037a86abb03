"""Liner notes: Markdown that a maker writes, as HTML that is safe on a page of ours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

# The page's title is h1, and the heading above the notes h2.
TOP_HEADING: Final = 3
_LAST_HEADING: Final = 6
_TAGS: Final = frozenset(
    {"p", "br", "em", "strong", "a", "ul", "ol", "li", "blockquote", "code", "pre", "hr"}
    | {f"h{level}" for level in range(TOP_HEADING, _LAST_HEADING + 1)}
)
_RENDERED_AT_ONCE: Final = 64


@lru_cache(_RENDERED_AT_ONCE)
def liner_notes_html(markdown: str) -> str:
    """Return CommonMark as HTML without markup of its own, pictures or scripts.

    Line breaks stay, as in a letter. Headings begin at `TOP_HEADING` and leave out no level.
    Links open beside the page, which goes on playing.
    """
    tokens = _MARKDOWN.parse(markdown)
    _place_headings(tokens)
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    # Nothing that the parser lets through should need it; whoever finds a gap there ends here.
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def _alternative_text(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    """Return what stands for a picture, which would be fetched from elsewhere: its words."""
    return escapeHtml(renderer.renderInlineAsText(tokens[index].children, options, env))


def _place_headings(tokens: Sequence[Token]) -> None:
    written = sorted({token.tag for token in tokens if token.type == "heading_open"})
    level = TOP_HEADING - 1
    for token in tokens:
        if token.type == "heading_open":
            level = min(TOP_HEADING + written.index(token.tag), level + 1, _LAST_HEADING)
            token.tag = f"h{level}"
        elif token.type == "heading_close":
            token.tag = f"h{level}"


_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False, "breaks": True})
_MARKDOWN.add_render_rule("image", _alternative_text)
