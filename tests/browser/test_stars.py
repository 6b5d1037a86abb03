"""Stars on tracks, and plays that are counted, as somebody meets them in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Locator, Page, expect

from mixtape.accounts.marks import Subject
from mixtape.database.tables import FIRST_USER
from tests.helpers.audio import make_audio
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape
from tests.helpers.tracks import place
from tests.helpers.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    root = tmp_path_factory.mktemp("stars")
    source = make_audio(root / "source.flac", samples=44_100 * 4)
    for number in (1, 2):
        tags = {"title": f"Song {number}", "artist": "Ada", "album": "Dusk"}
        place(source, root / "music" / "Album" / f"{number}.flac", **tags)
    app = make_scanned_app(root)
    yield app
    services_of(app).close()


@pytest.fixture
def page(desktop: BrowserContext, site: str) -> Page:
    page = desktop.new_page()
    page.goto(f"{site}/browse/Album")
    return page


def test_a_star_is_given_in_the_row_seen_in_the_player_and_there_after_a_reload(
    app: Flask, page: Page
) -> None:
    row = page.locator("[data-track]", has_text="Song 1")
    star = row.get_by_role("button", name="Favourite: “Song 1”")
    expect(star).to_have_attribute("aria-pressed", "false")
    row.hover()
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    row.locator("[data-play]").click()
    in_player = page.locator(".player").get_by_role("button", name="Favourite: “Song 1”")
    expect(in_player).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(star).to_have_attribute("aria-pressed", "true")
    # No page is loaded for it, and the rows of the next one know of the star.
    page.get_by_role("link", name="Albums").click()
    page.get_by_role("link", name="Favourites").click()
    expect(page.get_by_role("heading", name="Favourites")).to_be_visible()
    expect(star).to_have_attribute("aria-pressed", "true")
    assert services_of(app).marks.starred(FIRST_USER, "track") == [b"Album/1.flac"]
    in_player.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    wait_until(lambda: services_of(app).marks.starred(FIRST_USER, "track") == [])


def test_the_sheet_gives_a_star_too_and_one_that_fails_is_taken_back(
    app: Flask, page: Page
) -> None:
    row = page.locator("[data-track]", has_text="Song 2")
    row.hover()
    row.locator("[data-add]").click()
    page.get_by_role("dialog").get_by_role("button", name="Favourite").click()
    expect(page.locator("#toasts")).to_contain_text("“Song 2” is a favourite now")
    wait_until(lambda: services_of(app).marks.starred(FIRST_USER, "track") == [b"Album/2.flac"])
    star = row.locator("[data-star]")
    expect(star).to_have_attribute("aria-pressed", "true")
    page.route("**/star", lambda route: route.abort())
    star.click()
    expect(page.locator("#toasts")).to_contain_text("cannot be reached")
    expect(star).to_have_attribute("aria-pressed", "true")


def test_what_is_heard_is_shown_and_counted_once(app: Flask, page: Page) -> None:
    services = services_of(app)

    def plays() -> int:
        said = services.marks.of_tracks(FIRST_USER, [b"Album/2.flac"])
        return said[b"Album/2.flac"].plays

    services.marks.rate(FIRST_USER, Subject.track(b"Album/2.flac"), 5)
    before = plays()
    page.locator("[data-track]", has_text="Song 2").locator("[data-play]").click()
    wait_until(lambda: services.now_playing.all(FIRST_USER))
    [playing] = services.now_playing.all(FIRST_USER)
    assert playing.player.name == "mixtape"
    # It is the last of the list: what comes then is its end.
    wait_until(lambda: plays() == before + 1)
    wait_until(lambda: services.now_playing.all(FIRST_USER) == ())
    assert plays() == before + 1


def lit(group: Locator) -> list[int]:
    """Return which stars of a rating are seen to be given."""
    found: list[int] = group.evaluate(
        "(group) => [...group.querySelectorAll('label')]"
        ".filter((label) => getComputedStyle(label).getPropertyValue('--star-fill') !== '')"
        ".map((label) => Number(label.querySelector('input').value))"
    )
    return found


def test_a_track_is_rated_by_pointer_and_by_keys_and_that_is_undone(app: Flask, page: Page) -> None:
    def rating() -> int | None:
        said = services_of(app).marks.of_tracks(FIRST_USER, [b"Album/1.flac"])
        return said[b"Album/1.flac"].rating if said else None

    row = page.locator("[data-track]", has_text="Song 1")
    row.hover()
    row.locator("[data-add]").click()
    group = page.get_by_role("dialog").get_by_role("group", name="Your rating")
    expect(group.get_by_role("radio", name="None")).to_be_checked()
    group.get_by_role("radio", name="4 stars").check()
    expect(group.get_by_role("status")).to_have_text("Rated with 4 stars")
    assert rating() == 4
    assert lit(group) == [1, 2, 3, 4]
    page.keyboard.press("ArrowLeft")
    expect(group.get_by_role("radio", name="3 stars")).to_be_checked()
    wait_until(lambda: rating() == 3)
    assert lit(group) == [1, 2, 3]
    undo = group.get_by_role("button", name="Undo")
    undo.click()
    expect(group.get_by_role("radio", name="4 stars")).to_be_focused()
    wait_until(lambda: rating() == 4)
    # What is not kept does not look as if it were.
    page.route("**/rating", lambda route: route.abort())
    group.get_by_role("radio", name="1 star", exact=True).click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("cannot be reached")
    expect(group.get_by_role("radio", name="4 stars")).to_be_checked()
    assert lit(group) == [1, 2, 3, 4]
    page.unroute("**/rating")
    page.reload()
    row.hover()
    row.locator("[data-add]").click()
    expect(group.get_by_role("radio", name="4 stars")).to_be_checked()
    group.get_by_role("radio", name="None").check()
    expect(group.get_by_role("status")).to_have_text("Rating taken back")
    assert lit(group) == []
    assert rating() is None


def test_an_album_and_an_artist_have_a_star_and_a_rating_on_their_pages_and_in_the_sheet(
    app: Flask, page: Page, site: str
) -> None:
    marks = services_of(app).marks

    def said(kind: str) -> list[tuple[bool, int | None]]:
        found = marks.all_of_kind(FIRST_USER, kind).values()
        return [(one.starred_at is not None, one.rating) for one in found]

    main = page.get_by_role("main")
    for kind, name in (("album", "Dusk"), ("artist", "Ada")):
        page.goto(f"{site}/{kind}s")
        main.get_by_role("link", name=name).first.click()
        star = main.get_by_role("button", name=f"Favourite: “{name}”")
        expect(star).to_have_attribute("aria-pressed", "false")
        star.click()
        expect(star).to_have_attribute("aria-pressed", "true")
        group = main.get_by_role("group", name="Your rating")
        group.get_by_role("radio", name="4 stars").check()
        expect(group.get_by_role("status")).to_have_text("Rated with 4 stars")
        assert lit(group) == [1, 2, 3, 4]
        assert said(kind) == [(True, 4)]
        # The sheet shows the same, and what is chosen there shows on the page.
        main.get_by_role("button", name=f"Add all of “{name}” to a mixtape").click()
        sheet = page.get_by_role("dialog")
        expect(sheet.get_by_role("radio", name="4 stars")).to_be_checked()
        sheet.get_by_role("radio", name="2 stars").check()
        expect(group.get_by_role("radio", name="2 stars", include_hidden=True)).to_be_checked()
        sheet.get_by_role("button", name="Favourite").click()
        expect(page.locator("#toasts")).to_contain_text(f"“{name}” is no favourite any more")
        expect(star).to_have_attribute("aria-pressed", "false")
        star.click()
        page.reload()
        expect(star).to_have_attribute("aria-pressed", "true")
        expect(group.get_by_role("radio", name="2 stars")).to_be_checked()
        page.route("**/rating", lambda route: route.abort())
        group.get_by_role("radio", name="5 stars").click()
        expect(page.locator("#toasts")).to_contain_text("cannot be reached")
        expect(group.get_by_role("radio", name="2 stars")).to_be_checked()
        page.unroute("**/rating")
        group.get_by_role("radio", name="5 stars").check()
        wait_until(lambda kind=kind: said(kind) == [(True, 5)])  # type: ignore[misc]
        page.goto(f"{site}/favourites")
        expect(main.get_by_role("link", name=name).first).to_be_visible()
    # On the card of an album, as anywhere.
    main.locator("[data-marks]").hover()
    main.get_by_role("button", name="Add “Dusk” to a mixtape").click()
    expect(page.get_by_role("dialog").get_by_role("radio", name="5 stars")).to_be_checked()


def test_the_page_of_ones_own_mixtape_counts_plays_by_the_same_rule(
    app: Flask, desktop: BrowserContext, site: str
) -> None:
    mixtape = share_mixtape(app, "Album/1.flac")
    page = desktop.new_page()
    page.goto(f"{site}/mixtapes/{mixtape.slug}")
    page.locator("[data-track] [data-play]").click()

    def plays() -> int:
        said = services_of(app).marks.of_tracks(FIRST_USER, [b"Album/1.flac"])
        return said[b"Album/1.flac"].plays if said else 0

    wait_until(lambda: plays() == 1)
    page.close()
