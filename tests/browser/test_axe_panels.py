"""What opens on a page, examined by axe-core: sheets, panels, dialogs, and what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from tests.browser.axe import load_axe, violations
from tests.browser.editing import add
from tests.browser.listening import press_play, visitor
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD
from tests.helpers.mixtapes import make_scanned_app, save_mixtape, services_of, share_mixtape
from tests.helpers.tracks import make_picture

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.needs("chromium"),
    pytest.mark.chromium("the driver cannot change its colours while it runs"),
]

SIZES = [(360, 640), (1440, 900)]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    root = tmp_path_factory.mktemp("panels")
    album = root / "music" / "Album"
    album.mkdir(parents=True)
    (album / "cover.jpg").write_bytes(make_picture())
    for number, title in enumerate(("Dawn", "Noon", "Dusk"), 1):
        tags = {"title": title, "artist": "Somebody", "album": "Album", "track": str(number)}
        make_audio(album / f"{number}.flac", samples=44_100 * 10, tags=tags, seed=number)
    app = make_scanned_app(root, password=PASSWORD)
    yield app
    services_of(app).close()


class Examiner:
    """Looks at parts of a page, and remembers what is wrong with them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []

    def look(self, part: str) -> None:
        """Examine what matches a selector, light and dark, on a phone and at a desk."""
        expect(self.page.locator(part)).to_be_visible()
        load_axe(self.page)
        for width, height in SIZES:
            self.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                expect(self.page.locator("html")).to_have_attribute("data-bs-theme", scheme)
                self.found += violations(self.page, part)


@pytest.fixture
def examiner(browser: Browser, site: str) -> Iterator[Examiner]:
    """Return one on a page of somebody who is not signed in; what it finds fails the test."""
    with visitor(browser, base_url=site) as context:
        examiner = Examiner(context.new_page())
        yield examiner
        assert examiner.found == []


@pytest.fixture
def page(examiner: Examiner) -> Page:
    return examiner.page


@pytest.fixture
def owner(page: Page, session: StorageState) -> Page:
    """Return the page of somebody who is signed in."""
    page.context.add_cookies(session["cookies"])  # type: ignore[arg-type]
    return page


def press(place: Page | Locator, name: str) -> None:
    place.get_by_role("button", name=name, exact=True).click()


def test_the_sheets_of_the_player(page: Page, examiner: Examiner, app: Flask) -> None:
    tape = share_mixtape(app, "Dawn", "Noon", "Dusk", title="For the road")
    page.goto(f"/mixtapes/{tape.slug}")
    press_play(page)
    press(page, "Queue")
    expect(page.locator(".queue-row")).to_have_count(2)
    examiner.look("#queue")
    press(page.locator("#queue"), "Shuffle")
    press(page.locator("#queue"), "Clear")
    examiner.look("#queue")
    page.keyboard.press("Escape")
    press(page, "Player settings")
    page.get_by_label("Sleep timer").select_option("15")
    page.get_by_label("Even loudness").select_option("track")
    page.get_by_text("Technical details").click()
    expect(page.locator("#player-details")).to_contain_text("MP3")
    examiner.look("#player-settings")
    press(page.locator("#player-settings"), "Keyboard shortcuts")
    examiner.look("#keys")
    page.keyboard.press("Escape")
    press(page, "Now playing")
    examiner.look("#now")


def test_what_a_listener_opens_of_a_tape(page: Page, examiner: Examiner, app: Flask) -> None:
    tape = share_mixtape(app, "Dawn", "Noon", title="For the road", recipient="Anna", sender="Tom")
    page.goto(f"/mixtapes/{tape.slug}")
    page.get_by_text("Take it along").click()
    expect(page.locator("[data-size-of=zip] [data-part=size]").first).not_to_be_empty()
    examiner.look(".take-along")
    panel = page.get_by_role("region", name="On this device")
    examiner.look(".offline")
    panel.get_by_label("Quality to keep").select_option("low")
    press(panel, "Keep offline")
    expect(panel).to_contain_text("Kept on this device")
    examiner.look(".offline")
    press(panel, "Remove from this device")
    examiner.look(".offline")
    press(panel, "Keep it")
    press(page, "Show the cassette")
    examiner.look("#opening")
    page.goto("/offline")
    expect(page.get_by_role("link", name="For the road")).to_be_visible()
    examiner.look("main")


def test_the_player_that_other_sites_show(page: Page, examiner: Examiner, app: Flask) -> None:
    tape = share_mixtape(app, "Dawn", "Noon", title="Elsewhere")
    services_of(app).share_links.change(tape.slug, tape.link.id, {"allows_embed": True})
    page.goto(f"/mixtapes/{tape.slug}/embed")
    press(page, "Play")
    expect(page.get_by_role("status")).to_contain_text("Somebody")
    load_axe(page)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            examiner.found += violations(page)


def test_the_sheet_and_the_tray_that_add(owner: Page, examiner: Examiner, app: Flask) -> None:
    save_mixtape(app, "For the train", "Dawn")
    owner.goto("/albums")
    owner.get_by_role("link", name="Album").last.click()
    opener = owner.get_by_role("main").get_by_role("button", name="Add “Dawn” to a mixtape")
    opener.click()
    examiner.look("#add-sheet")
    owner.locator("#add-sheet").get_by_role("button", name="For the train").click()
    expect(owner.locator("#add-sheet")).to_contain_text("Add it again?")
    examiner.look("#add-sheet")
    press(owner.locator("#add-sheet"), "Add again")
    expect(owner.locator("#toasts")).to_contain_text("Added")
    examiner.look("#toasts")
    owner.get_by_role("listitem").filter(has_text="Dusk").hover()
    owner.mouse.down()
    owner.mouse.move(700, 500, steps=4)
    expect(owner.locator("#add-tray li")).not_to_have_count(0)
    examiner.look("#add-tray")


def test_the_panel_of_links(owner: Page, examiner: Examiner, app: Flask) -> None:
    tape = share_mixtape(app, "Dawn", "Noon", title="To share")
    owner.goto(f"/mixtapes/{tape.slug}/edit")
    press(owner, "Share")
    panel = owner.get_by_role("dialog", name="Share “To share”")
    examiner.look("#share-panel")
    press(panel, "QR code")
    press(panel, "Settings")
    examiner.look("#share-panel")
    panel.get_by_label("Other sites may embed a small player").check()
    panel.get_by_label("Last day").fill("2001-01-01")
    press(panel, "Save")
    expect(panel.get_by_role("alert")).to_contain_text("choose a later day")
    examiner.look("#share-panel")
    press(panel, "Another link")
    expect(panel.get_by_role("listitem")).to_have_count(2)
    examiner.look("#share-panel")


def test_what_the_editor_shows(owner: Page, examiner: Examiner, app: Flask) -> None:
    tape = save_mixtape(app, "To edit", "Dawn")
    owner.goto(f"/mixtapes/{tape.slug}/edit")
    owner.get_by_label("To", exact=True).fill("Anna")
    owner.get_by_label("From", exact=True).fill("Tom")
    owner.get_by_label("Date").fill("2026-02-14")
    owner.get_by_label("Notes").fill("# Hello\n*you*, and [there](https://example.org)")
    press(owner, "As listeners see it")
    expect(owner.locator("#notes-shown em")).to_be_visible()
    add(owner, "Noon", "Dusk")
    press(owner, "Make two sides")
    owner.get_by_label("Note on Noon").fill("Ours.")
    owner.get_by_label("Search for tracks to add").fill("d")
    expect(owner.locator(".picker-row").first).to_be_visible()
    examiner.look("main")
    press(owner, "Delete mixtape")
    examiner.look("#confirm")


def test_what_comes_of_a_playlist(owner: Page, examiner: Examiner) -> None:
    owner.goto("/mixtapes")
    content = b"#EXTM3U\n#EXTINF:10,Somebody - Noon\n/old/2.flac\ngone.mp3\n"
    file = {"name": "Old tape.m3u", "mimeType": "audio/x-mpegurl", "buffer": content}
    owner.get_by_label("Import a playlist").set_input_files([file])  # type: ignore[list-item]
    expect(owner.get_by_text("gone.mp3")).to_be_visible()
    examiner.look(".import-playlist")


def test_the_dialogs_of_the_library(owner: Page, examiner: Examiner) -> None:
    owner.goto("/browse")
    press(owner, "Cache the whole library")
    examiner.look("#confirm")
    press(owner.locator("#confirm"), "Cache")
    modal = owner.locator(".acp.modal")
    expect(modal).to_contain_text("3 of 3")
    examiner.look(".acp.modal")


def test_what_the_admin_page_asks(
    owner: Page, examiner: Examiner, app: Flask, tmp_path: Path
) -> None:
    share_mixtape(app, "Dawn", title="Backed up")
    owner.goto("/admin")
    with owner.expect_download() as download:
        owner.get_by_role("link", name="Download backup").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    owner.get_by_label("Backup file").set_input_files(file)
    press(owner, "Look into it")
    preview = owner.get_by_role("form", name="Backup of")
    expect(preview.get_by_role("heading")).to_be_visible()
    preview.locator("summary").click()
    examiner.look("#backup-section")
    press(preview, "Restore")
    expect(owner.locator("[data-part=restore-outcome]")).to_be_visible()
    examiner.look("#backup-section")
    owner.get_by_label("Older than, in days").fill("soon")
    press(owner, "Clear old entries")
    expect(owner.locator("#days-error")).not_to_be_empty()
    examiner.look("[data-job=clear]")
    press(owner, "Purge the cache")
    examiner.look("dialog.confirm[open]")
