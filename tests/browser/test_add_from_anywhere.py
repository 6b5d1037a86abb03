"""Adding to a mixtape from anywhere, as a person with a phone or a mouse does it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.listening import visitor, wait_for_second
from tests.helpers.audio import make_audio
from tests.helpers.looks import allow_copying
from tests.helpers.mixtapes import make_scanned_app, save_mixtape, services_of
from tests.helpers.tracks import make_picture
from tests.helpers.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

PHONE = {"width": 360, "height": 640}
MOST_TAPS = 4


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    root = tmp_path_factory.mktemp("adding")
    for number, title in enumerate(("Dawn", "Noon", "Dusk"), 1):
        tags = {"title": title, "artist": "Somebody", "album": "One Day", "track": str(number)}
        folder = root / "music" / "Somebody"
        folder.mkdir(parents=True, exist_ok=True)
        make_audio(folder / f"{number}.flac", samples=44_100 * 8, tags=tags, seed=number)
    (folder / "cover.jpg").write_bytes(make_picture())
    app = make_scanned_app(root)
    yield app
    services_of(app).close()


@pytest.fixture
def phone(browser: Browser, site: str) -> Iterator[BrowserContext]:
    with visitor(browser, viewport=PHONE, has_touch=True, is_mobile=True) as context:
        allow_copying(context)
        yield context


class Finger:
    """Taps, and counts how often."""

    def __init__(self) -> None:
        self.taps = 0

    def tap(self, place: Locator) -> None:
        box = place.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44, f"{place} is too small: {box}"
        place.tap()
        self.taps += 1


def sheet(page: Page) -> Locator:
    return page.locator("#add-sheet")


def toast(page: Page) -> Locator:
    return page.locator("#toasts")


def tracks_of(app: Flask, title: str) -> list[str]:
    services = services_of(app)
    slug = next(each.slug for each in services.mixtapes.summaries() if each.title == title)
    return [item.title for item in services.mixtapes.get(slug).items]


def open_album(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("link", name="One Day").first.click()
    expect(page.get_by_role("heading", name="One Day")).to_be_visible()


@pytest.mark.chromium("the driver has no fingers")
def test_from_a_song_to_a_shared_tape_with_its_link_copied_takes_few_taps(
    phone: BrowserContext, site: str, app: Flask
) -> None:
    page = phone.new_page()
    open_album(page, site)
    page.get_by_role("button", name="Play Noon").tap()
    wait_for_second(page, 0.2)
    finger = Finger()
    player = page.get_by_role("region", name="Player")
    finger.tap(player.get_by_role("button", name="Add “Noon” to a mixtape"))
    expect(sheet(page)).to_be_visible()
    finger.tap(sheet(page).get_by_role("button", name="Create"))
    expect(toast(page)).to_contain_text("“Noon” is a mixtape now")
    finger.tap(toast(page).get_by_role("button", name="Copy link"))
    expect(toast(page)).to_contain_text("Link copied. Whoever has it can listen.")
    assert finger.taps <= MOST_TAPS
    link = str(page.evaluate("() => navigator.clipboard.readText()"))
    guest = phone.new_page()
    guest.goto(link)
    expect(guest.get_by_role("heading", name="Noon")).to_be_visible()
    assert tracks_of(app, "Noon") == ["Noon"]
    assert page.evaluate("() => document.querySelector('audio').paused") is False


@pytest.mark.chromium("the driver has no fingers")
def test_a_song_is_added_once_asked_about_and_taken_back(
    phone: BrowserContext, site: str, app: Flask
) -> None:
    save_mixtape(app, "For the train", "Dawn")
    page = phone.new_page()
    open_album(page, site)
    opener = page.get_by_role("main").get_by_role("button", name="Add “Noon” to a mixtape")
    opener.tap()
    target = sheet(page).get_by_role("button", name="For the train")
    target.dblclick()
    expect(toast(page)).to_contain_text("Added “Noon” to “For the train”")
    expect(sheet(page)).to_be_hidden()
    expect(opener).to_be_focused()
    assert tracks_of(app, "For the train") == ["Dawn", "Noon"]
    opener.tap()
    sheet(page).get_by_role("button", name="For the train").tap()
    expect(sheet(page)).to_contain_text("“Noon” is already on “For the train”. Add it again?")
    sheet(page).get_by_role("button", name="Not now").tap()
    expect(opener).to_be_focused()
    opener.tap()
    sheet(page).get_by_role("button", name="For the train").tap()
    sheet(page).get_by_role("button", name="Add again").tap()
    expect(sheet(page)).to_be_hidden()
    assert tracks_of(app, "For the train") == ["Dawn", "Noon", "Noon"]
    toast(page).get_by_role("button", name="Undo").tap()
    expect(toast(page)).to_contain_text("Taken back from “For the train”")
    assert tracks_of(app, "For the train") == ["Dawn", "Noon"]


@pytest.mark.chromium("the driver has no fingers")
def test_a_finger_in_the_editor_adds_once_and_sees_it(phone: BrowserContext, site: str) -> None:
    page = phone.new_page()
    page.goto(f"{site}/mixtapes/new")
    expect(page.get_by_text("Type a few letters.", exact=True)).to_be_visible()
    page.get_by_label("Search for tracks to add").fill("noon")
    page.get_by_role("button", name="Add Noon", exact=True).tap()
    expect(toast(page)).to_contain_text("Added “Noon”")
    titles = page.locator("#track-order .track-title")
    expect(titles).to_have_text(["Noon"])
    page.get_by_role("button", name="Add Noon again").tap()
    expect(toast(page)).to_contain_text("“Noon” is on the mixtape already.")
    expect(titles).to_have_text(["Noon"])
    toast(page).get_by_role("button", name="Add again").tap()
    expect(titles).to_have_text(["Noon", "Noon"])


def test_an_album_is_added_by_keys_without_what_is_on_the_tape(
    desktop: BrowserContext, site: str, app: Flask
) -> None:
    save_mixtape(app, "Half a day", "Dawn")
    page = desktop.new_page()
    page.goto(site)
    opener = page.get_by_role("button", name="Add “One Day” to a mixtape").first
    opener.focus()
    page.keyboard.press("Enter")
    expect(sheet(page)).to_be_visible()
    sheet(page).get_by_role("button", name="Half a day").press("Enter")
    expect(sheet(page)).to_contain_text("1 of 3 tracks is already on “Half a day”.")
    expect(sheet(page).get_by_role("button", name="Add the other 2")).to_be_focused()
    page.keyboard.press("Enter")
    expect(toast(page)).to_contain_text("Added 2 tracks to “Half a day”")
    expect(opener).to_be_focused()
    assert tracks_of(app, "Half a day") == ["Dawn", "Noon", "Dusk"]
    page.keyboard.press("Enter")
    expect(sheet(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


@pytest.mark.chromium("the driver drags nothing from one element to another")
def test_things_are_dragged_across_onto_a_tape(
    desktop: BrowserContext, site: str, app: Flask
) -> None:
    save_mixtape(app, "Dragged", "Dawn")
    page = desktop.new_page()
    open_album(page, site)
    row = page.get_by_role("listitem").filter(has_text="Dusk")
    row.hover()
    page.mouse.down()
    page.mouse.move(700, 500, steps=4)
    place = page.locator("#add-tray li").filter(has_text="Dragged")
    expect(place).to_be_visible()
    place.hover()
    place.hover()
    page.mouse.up()
    expect(toast(page)).to_contain_text("Added “Dusk” to “Dragged”")
    expect(page.locator("#add-tray")).to_be_hidden()
    assert tracks_of(app, "Dragged") == ["Dawn", "Dusk"]


def test_what_is_added_while_the_tape_is_edited_in_another_tab_is_on_it_there_too(
    desktop: BrowserContext, site: str, app: Flask
) -> None:
    slug = save_mixtape(app, "Open elsewhere", "Dawn").slug
    editor, library = desktop.new_page(), desktop.new_page()
    editor.goto(f"{site}/mixtapes/{slug}/edit")
    editor.get_by_label("Title").fill("Renamed")
    expect(editor.get_by_text("Draft saved")).to_be_visible()
    open_album(library, site)
    row = library.get_by_role("listitem").filter(has_text="Noon")
    row.get_by_role("button", name="Add “Noon” to a mixtape").click()
    sheet(library).get_by_role("button", name="Open elsewhere").click()
    expect(toast(library)).to_contain_text("Added “Noon”")
    titles = editor.locator("#track-order .track-title")
    expect(titles).to_have_text(["Dawn", "Noon"])
    expect(editor.get_by_label("Title")).to_have_value("Renamed")
    # Where the other tab was not told, its own next change finds out.
    library.evaluate("() => { window.BroadcastChannel = class { postMessage() {} close() {} }; }")
    row = library.get_by_role("listitem").filter(has_text="Dusk")
    row.get_by_role("button", name="Add “Dusk” to a mixtape").click()
    sheet(library).get_by_role("button", name="Open elsewhere").click()
    expect(toast(library)).to_contain_text("Added “Dusk”")
    editor.get_by_label("Notes").fill("With love")
    expect(titles).to_have_text(["Dawn", "Noon", "Dusk"])
    expect(editor.get_by_text("Draft saved")).to_be_visible()
    editor.get_by_role("button", name="Save mixtape").click()
    wait_until(lambda: services_of(app).mixtapes.get(slug).title == "Renamed")
    assert [item.title for item in services_of(app).mixtapes.get(slug).items] == [
        "Dawn",
        "Noon",
        "Dusk",
    ]


@pytest.mark.chromium("the driver has no fingers")
def test_an_album_that_is_put_next_waits_in_the_player_in_its_order(
    phone: BrowserContext, site: str
) -> None:
    page = phone.new_page()
    open_album(page, site)
    for what, message in (("Play next", "Plays next"), ("Add to queue", "In the queue")):
        page.get_by_role("main").get_by_role("button", name="Add all of “One Day”").tap()
        sheet(page).get_by_role("button", name=what).tap()
        expect(toast(page)).to_contain_text(f"{message}: “One Day”")
    player = page.get_by_role("region", name="Player")
    expect(player).to_contain_text("Dawn")
    player.get_by_role("button", name="Queue", exact=True).tap()
    coming = page.locator("#queue .queue-title")
    expect(coming).to_have_text(["Noon", "Dusk", "Dawn", "Noon", "Dusk"])
    page.keyboard.press("Escape")
    player.get_by_role("button", name="Play", exact=True).tap()
    wait_for_second(page, 0.2)
