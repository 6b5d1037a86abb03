"""A backup is taken on the owner's page, looked into, and put back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.browser.listening import visitor
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape
from tests.helpers.web import served

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]


@pytest.fixture
def app(tmp_path: Path, music: Path, mp3: Path) -> Flask:
    (music / "a.mp3").write_bytes(mp3.read_bytes())
    return make_scanned_app(tmp_path)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


@pytest.fixture
def page(browser: Browser, app: Flask) -> Iterator[Page]:
    with visitor(browser) as context, served(app) as address:
        page = context.new_page()
        page.goto(f"{address}/admin")
        yield page
        page.close()


@pytest.mark.chromium("the window has no focus behind the choice of a file")
def test_a_backup_is_taken_looked_into_and_put_back(page: Page, app: Flask, tmp_path: Path) -> None:
    services = services_of(app)
    kept, gone = (share_mixtape(app, "a.mp3", title=title) for title in ("Kept", "Gone"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download backup").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    services.mixtapes.delete(gone.slug)
    state = replace(kept.state, title="Changed")
    services.mixtapes.save(kept.slug, state, revision=kept.revision)

    (tmp_path / "photo.zip").write_bytes(b"GIF89a")
    page.get_by_label("Backup file").set_input_files(tmp_path / "photo.zip")
    page.get_by_role("button", name="Look into it").click()
    expect(page.get_by_role("alert")).to_contain_text("no backup of mixtape")

    page.get_by_label("Backup file").set_input_files(file)
    page.get_by_role("button", name="Look into it").click()
    preview = page.get_by_role("form", name="Backup of")
    expect(preview.get_by_role("heading")).to_be_focused()
    expect(preview).to_contain_text("1 mixtape is new here.")
    expect(preview).to_contain_text("1 is here already and was changed since.")
    preview.get_by_text("2 mixtapes").click()
    expect(preview.get_by_role("listitem").filter(has_text="Gone")).to_contain_text("1 track · new")
    preview.get_by_label("Make them as they are in the backup").check()
    preview.get_by_role("button", name="Restore").click()
    outcome = page.get_by_role("status").filter(has_text="1 mixtape was added. 1 was replaced.")
    expect(outcome).to_contain_text("before-restore-")
    expect(preview).to_be_hidden()
    assert services.mixtapes.get(kept.slug).title == "Kept"
    assert services.mixtapes.get_shared(gone.slug).title == "Gone"
