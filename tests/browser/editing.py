"""The editor, as its tests use it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.helpers.host import PASSWORD


def sign_in(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.wait_for_load_state()


def add(page: Page, *titles: str) -> None:
    for title in titles:
        page.get_by_label("Search for tracks to add").fill(title)
        page.get_by_role("button", name=f"Add {title}", exact=True).click()


def expect_tape(page: Page, *titles: str) -> None:
    expect(page.locator("#track-order .track-title")).to_have_text(list(titles))


def expect_draft_saved(page: Page) -> None:
    expect(page.locator(".draft-state")).to_have_text("Draft saved")
