"""Every page, examined by axe-core: names, roles, contrast, headings, landmarks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from mixtape.mixtapes.share_links import LinkChange
from tests.browser.axe import load_axe, violations
from tests.browser.listening import details, press_play
from tests.helpers.audio import make_audio
from tests.helpers.chromium import RETURNING
from tests.helpers.host import PAGE, PASSWORD, sign_in
from tests.helpers.looks import new_visitor
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape
from tests.helpers.tracks import make_picture
from tests.helpers.waiting import LIMIT_MS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.needs("chromium"),
    pytest.mark.chromium("the driver cannot change its colours while it runs"),
]

# Colours and layout do not depend on each other, so that two looks show all there is.
LOOKS = [("light", 360), ("dark", 1280)]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    root = tmp_path_factory.mktemp("axe")
    album = root / "music" / "Album"
    album.mkdir(parents=True)
    (album / "cover.jpg").write_bytes(make_picture())
    for number in (1, 2):
        tags = {"title": f"Track {number}", "artist": "Somebody", "album": "Album"}
        make_audio(album / f"{number}.flac", samples=44_100 * 10, tags=tags, seed=number)
    make_audio(album / "lossy.mp3", samples=44_100 * 5, codec="libmp3lame")
    (album / "broken.flac").write_bytes(b"fLaC" + bytes(100))
    return make_scanned_app(root, password=PASSWORD)


@pytest.fixture(scope="module")
def slug(app: Flask) -> str:
    names = ["Album/1.flac", "Album/2.flac", "Album/lossy.mp3", "Album/broken.flac"]
    return share_mixtape(
        app,
        *names,
        title="For the road",
        notes="## Drive\n*safely*, [as they say](https://example.org)",
        sender="Tom",
        recipient="Anna",
        side_b=2,
        track_notes=("Loud!",),
    ).slug


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = new_visitor(browser)
    context.add_init_script(RETURNING)
    context.set_default_timeout(LIMIT_MS)
    yield context.new_page()
    context.close()


def owners_pages(app: Flask, slug: str) -> list[str]:
    """Return the address of every page that its owner can open without having to know a name."""
    client = app.test_client()
    sign_in(client)
    pages = ["/nowhere", "/browse/Album", f"/mixtapes/{slug}", f"/mixtapes/{slug}/edit"]
    pages += ["/search?q=track"]
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.arguments:
            with client.get(rule.rule, headers=PAGE) as answer:
                if answer.status_code == 200 and answer.mimetype == "text/html":
                    pages.append(rule.rule)
    return pages


def examine(page: Page) -> list[str]:
    """Return what axe finds on a page in every look."""
    found = []
    load_axe(page)
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
        found += violations(page)
    return found


def test_a_shared_mixtape_is_clean_before_and_while_it_plays(
    page: Page, site: str, slug: str
) -> None:
    page.goto(f"{site}/mixtapes/{slug}")
    found = examine(page)
    press_play(page)
    expect(details(page)).to_contain_text("% less")
    expect(details(page)).to_contain_text("saved so far")
    found += examine(page)
    for name in ("Queue", "Player settings"):
        page.get_by_role("button", name=name, exact=True).click()
        found += examine(page)
        page.keyboard.press("Escape")
    page.keyboard.press("?")
    found += examine(page)
    assert found == []


def test_the_cassette_of_a_mixtape_is_clean(browser: Browser, site: str, slug: str) -> None:
    context = new_visitor(browser)
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    page.goto(f"{site}/mixtapes/{slug}")
    expect(page.get_by_role("button", name="Press play")).to_be_visible()
    found = examine(page)
    context.close()
    assert found == []


@pytest.mark.parametrize("address", ["/login", "/mixtapes/AAAAAAAAAAAAAAAAAAAAAA"])
def test_what_a_stranger_sees_is_clean(page: Page, site: str, address: str) -> None:
    page.goto(site + address)
    assert examine(page) == []


def test_every_page_of_the_owner_is_clean(page: Page, app: Flask, site: str, slug: str) -> None:
    page.goto(f"{site}/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/")
    addresses = owners_pages(app, slug)
    assert len(addresses) >= 8
    found = []
    for address in addresses:
        page.goto(site + address)
        found += examine(page)
    assert found == []


def test_the_sheet_that_adds_to_a_mixtape_is_clean(browser: Browser, site: str, slug: str) -> None:
    context = new_visitor(browser, has_touch=True)
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    page.goto(f"{site}/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{site}/albums")
    page.locator(".card-item a").filter(has_text="Album").click()
    expect(page.get_by_role("heading", name="Album")).to_be_visible()
    found = examine(page)
    page.get_by_role("button", name="Add “Track 1” to a mixtape").click()
    target = page.get_by_role("dialog").get_by_role("button", name="For the road")
    expect(target).to_be_visible()
    found += examine(page)
    target.click()
    expect(page.get_by_role("dialog")).to_contain_text("Add it again?")
    found += examine(page)
    context.close()
    assert found == []


def test_all_that_a_link_is_given_away_with_is_clean(page: Page, app: Flask, site: str) -> None:
    services = services_of(app)
    mixtape = share_mixtape(app, "Album/1.flac", "Album/2.flac", title="For you")
    slug, first = mixtape.slug, mixtape.link.id
    terms: LinkChange = {"allows_embed": True, "tells_progress": True}
    services.share_links.change(slug, first, terms)
    locked = services.share_links.add(slug, {"name": "for Anna", "password": "moonlight"})
    found = []
    page.goto(f"{site}/mixtapes/{slug}")
    expect(page.get_by_text("sees how far you have come")).to_be_visible()
    found += examine(page)
    page.goto(f"{site}/mixtapes/{locked.slug}")
    found += examine(page)
    page.get_by_label("Password").fill("sunlight")
    page.get_by_role("button", name="Open the mixtape").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found += examine(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(f"{site}/mixtapes/{slug}/embed")
        load_axe(page)
        found += violations(page)
    page.goto(f"{site}/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}/mixtapes/{slug}/edit")
    page.get_by_role("button", name="Share", exact=True).click()
    panel = page.get_by_role("dialog", name="Share “For you”")
    panel.get_by_role("button", name="Settings").first.click()
    panel.get_by_role("button", name="QR code").last.click()
    found += examine(page)
    page.goto(f"{site}/mixtapes/{slug}/links/{locked.id}/card")
    load_axe(page)
    assert found + violations(page) == []


def test_a_page_with_faults_is_not_clean(page: Page, site: str) -> None:
    page.goto(f"{site}/login")
    page.evaluate("() => { document.querySelector('main').innerHTML = '<img src=x><input>'; }")
    load_axe(page)
    found = "\n".join(violations(page))
    assert ": image-alt: <img" in found
    assert ": label: <input" in found
