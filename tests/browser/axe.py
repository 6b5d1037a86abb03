"""What axe-core finds on a page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async ([tags, part]) => {
  const runOnly = { type: 'tag', values: tags };
  const { violations } = await axe.run(part || document, { runOnly });
  return violations.flatMap(
    ({ id, nodes }) => nodes.map((node) => [id, node.html, node.failureSummary]));
}"""


def load_axe(page: Page) -> None:
    """Give a page what examines it; another page needs it again."""
    page.evaluate(AXE)


def violations(page: Page, part: str = "") -> list[str]:
    """Return what is wrong with a page as it is shown now, or with what matches a selector."""
    found = page.evaluate(RUN, [RULES, part])
    look = f"{part or page.url} at {page.viewport_size}"
    return [f"{look}: {rule}: {html}: {why}" for rule, html, why in found]
