"""The way of a mixtape to somebody else: saved, copied, opened with a password, embedded, ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import update

from mixtape.database.tables import ShareLink
from tests.browser.editing import sign_in
from tests.browser.listening import audio, listener, press_play, status, visitor, wait_for_second
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD
from tests.helpers.looks import allow_copying
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape
from tests.helpers.tracks import make_picture
from tests.helpers.waiting import wait_until
from tests.helpers.web import served

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

SIZES = [(360, 640), (1440, 900)]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Return the application, behind its password, with an album of two tracks."""
    root = tmp_path_factory.mktemp("sharing")
    album = root / "music" / "Album"
    album.mkdir(parents=True)
    (album / "cover.jpg").write_bytes(make_picture())
    for number, title in enumerate(("Aurora", "Borealis"), 1):
        tags = {"title": title, "artist": "Somebody", "album": "Album", "track": str(number)}
        make_audio(album / f"{number}.flac", samples=44_100 * 20, tags=tags, seed=number)
    app = make_scanned_app(root, password=PASSWORD)
    yield app
    services_of(app).close()


@pytest.fixture
def owner(browser: Browser, site: str) -> Iterator[BrowserContext]:
    """Return the browser of the owner, who is signed in."""
    with visitor(browser, base_url=site) as context:
        allow_copying(context)
        page = context.new_page()
        sign_in(page)
        yield context


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("size", SIZES)
def test_a_save_ends_at_a_link_that_a_guest_opens_with_its_password(
    browser: Browser, site: str, owner: BrowserContext, size: tuple[int, int]
) -> None:
    page = owner.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto("/mixtapes/new")
    page.get_by_label("Title").fill("Night train")
    page.get_by_label("Search for tracks to add").fill("Aurora")
    page.get_by_role("button", name="Add Aurora", exact=True).click()
    page.get_by_role("button", name="Save mixtape").click()
    panel = page.get_by_role("dialog", name="Share “Night train”")
    expect(panel.get_by_text("1 track is ready at Medium")).to_be_visible()
    # The link is one press away from here, and no modal stands before it.
    panel.get_by_role("button", name="Copy", exact=True).click()
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    link = str(page.evaluate("navigator.clipboard.readText()"))
    assert re.fullmatch(re.escape(site) + "/mixtapes/[A-Za-z0-9_-]{22}", link)
    panel.get_by_role("button", name="QR code").click()
    expect(panel.get_by_role("img", name="QR code of the link")).to_be_visible()
    panel.get_by_role("button", name="Settings").click()
    panel.get_by_label("Name, for you alone").fill("for Anna")
    panel.get_by_label("Password", exact=True).fill("moonlight")
    panel.get_by_label("Show me how far its listener comes").check()
    panel.get_by_role("button", name="Save", exact=True).click()
    expect(panel.get_by_role("heading", name="for Anna")).to_be_visible()
    expect(panel.get_by_text("with a password", exact=True)).to_be_visible()
    assert fits(page)

    with listener(browser, site, may_complain=True) as context:
        guest = context.new_page()
        guest.set_viewport_size({"width": size[0], "height": size[1]})
        guest.goto(link)
        assert "Night train" not in guest.content()
        guest.get_by_label("Password").fill("sunlight")
        guest.get_by_role("button", name="Open the mixtape").click()
        expect(guest.get_by_role("alert")).to_contain_text("That is not the password")
        guest.get_by_label("Password").fill("moonlight")
        guest.get_by_role("button", name="Open the mixtape").click()
        expect(guest.get_by_role("heading", name="Night train")).to_be_visible()
        expect(guest.get_by_text("sees how far you have come")).to_be_visible()
        assert fits(guest)
        press_play(guest)
        wait_for_second(guest, 1)
        with guest.expect_response(re.compile("/heard$")) as told:
            guest.locator("#player").get_by_role("button", name="Pause", exact=True).click()
        assert told.value.status == 204
        # Auto asks for what the save has made.
        assert "quality=medium" in str(audio(guest, "currentSrc"))

    page.reload()
    page.get_by_role("button", name="Share", exact=True).first.click()
    expect(panel.get_by_text("Came to track 1 of 1, “Aurora”, at 0:0")).to_be_visible()


def test_a_link_that_is_switched_off_is_switched_on_by_whoever_copies_it(
    site: str, app: Flask, owner: BrowserContext
) -> None:
    mixtape = share_mixtape(app, "Aurora", title="Not yet")
    services = services_of(app)
    services.mixtapes.unshare(mixtape.slug)
    page = owner.new_page()
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(f"/mixtapes/{mixtape.slug}/edit")
    page.get_by_role("button", name="Share", exact=True).first.click()
    panel = page.get_by_role("dialog", name="Share “Not yet”")
    expect(panel.get_by_text("switched off")).to_be_visible()
    # Nobody gets a code or a card of an address that leads nowhere.
    for name in ("QR code", "Card to print"):
        expect(panel.get_by_text(name, exact=True)).to_be_hidden()
    panel.get_by_role("button", name="Switch on and copy").click()
    expect(panel.get_by_text("switched off")).to_be_hidden()
    expect(panel.get_by_role("button", name="QR code")).to_be_visible()
    assert fits(page)
    assert page.evaluate("navigator.clipboard.readText()") == f"{site}/mixtapes/{mixtape.slug}"
    assert services.share_links.get(mixtape.slug, mixtape.link.id).is_open
    # What it said for a moment gives way to what the button does now.
    expect(panel.get_by_role("button", name="Copy", exact=True)).to_be_visible()


def test_a_link_that_ends_while_it_is_heard_says_so(
    browser: Browser, site: str, app: Flask
) -> None:
    mixtape = share_mixtape(app, "Aurora", "Borealis", title="For a day")
    with listener(browser, site, may_complain=True) as context:
        guest = context.new_page()
        guest.goto(f"{site}/mixtapes/{mixtape.slug}")
        press_play(guest)
        past = datetime.now(UTC) - timedelta(seconds=1)
        with services_of(app).database.write() as session:
            session.execute(update(ShareLink).filter_by(slug=mixtape.slug).values(expires_at=past))
        guest.get_by_role("button", name="Play Borealis").click()
        expect(status(guest)).to_contain_text("no longer shared at this link")
        guest.reload()
        expect(guest.get_by_text("There is no mixtape at this address")).to_be_visible()


@pytest.mark.chromium("the driver's clicks do not reach a frame of another site")
def test_the_small_player_plays_in_a_frame_of_another_site_without_a_cookie(
    browser: Browser, site: str, app: Flask
) -> None:
    mixtape = share_mixtape(app, "Aurora", "Borealis", title="For all")
    services = services_of(app)
    services.share_links.change(mixtape.slug, mixtape.link.id, {"allows_embed": True})
    code = f'<iframe src="{site}/mixtapes/{mixtape.slug}/embed" width="480" height="320"></iframe>'
    blog = Flask("blog")
    blog.add_url_rule("/", "home", lambda: f"<h1>A blog</h1>{code}")
    with served(blog) as other, visitor(browser) as context:
        page = context.new_page()
        # Another name and port, so that cookies of the site would be those of a third party.
        page.goto(other.replace("127.0.0.1", "localhost"))
        player = page.frame_locator("iframe")
        expect(player.get_by_role("heading", name="For all")).to_be_visible()
        player.get_by_role("button", name="Play", exact=True).click()
        expect(player.get_by_role("button", name="Pause")).to_be_visible()
        expect(player.get_by_role("status")).to_have_text("Aurora – Somebody")
        expect(player.get_by_text("0:01", exact=True)).to_be_visible()
        player.get_by_role("button", name="Play Borealis").click()
        expect(player.get_by_role("status")).to_have_text("Borealis – Somebody")
        assert context.cookies() == []


def test_what_is_pressed_in_the_small_player_before_its_scripts_are_there_is_done_then(
    context: BrowserContext, site: str, app: Flask
) -> None:
    mixtape = share_mixtape(app, "Aurora", "Borealis", title="At once")
    services_of(app).share_links.change(mixtape.slug, mixtape.link.id, {"allows_embed": True})
    late: list[Route] = []
    page = context.new_page()
    page.route("**/js/embed.js", lambda route: late.append(route))
    page.goto(f"{site}/mixtapes/{mixtape.slug}/embed", wait_until="commit")
    page.get_by_role("button", name="Play Borealis").click()
    wait_until(lambda: page.evaluate("() => document.earlyPress !== null") and late)
    late[0].continue_()
    expect(page.get_by_role("status")).to_have_text("Borealis – Somebody")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
