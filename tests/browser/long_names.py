"""A library and a mixtape of names as long as names get, and whether pages are wide enough."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from playwright.sync_api import BrowserContext, expect

from tests.browser.editing import sign_in
from tests.helpers.audio import make_noise
from tests.helpers.host import PASSWORD
from tests.helpers.mixtapes import make_scanned_app, share_mixtape

WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"
LONG = f"{WORD}, und noch ein paar Wörter, die niemand auf einem Telefon erwartet ({WORD})"
SIZES = [(360, 640), (1440, 900)]


def make_app(root: Path) -> tuple[Flask, str]:
    """Return an application, and the slug of its mixtape."""
    tags = {"title": LONG, "artist": f"{WORD} feat. {WORD}", "album": LONG, "genre": WORD}
    album = root / "music" / WORD
    album.mkdir(parents=True)
    for number in range(1, 4):
        make_noise(album / f"{WORD}-{number}.flac", samples=44_100, tags=tags, seed=number)
    app = make_scanned_app(root, password=PASSWORD)
    names = [f"{WORD}/{WORD}-{number}.flac" for number in range(1, 4)]
    gift = {"sender": WORD[:60], "recipient": WORD[:60], "notes": f"# {WORD}\n\n{LONG}"}
    tape = share_mixtape(app, *names, title=LONG[:120], side_b=2, track_notes=(LONG,), **gift)
    return app, tape.slug


def find_wide_pages(context: BrowserContext, slug: str) -> list[str]:
    """Return the pages that one has to scroll sideways, for somebody who is signed in."""
    page = context.new_page()
    sign_in(page)
    page.wait_for_load_state()
    # German has the longer words on its buttons, too.
    context.set_extra_http_headers({"Accept-Language": "de"})
    page.goto("/albums")
    expect(page.get_by_role("heading", name="Alben")).to_be_visible()
    album = page.locator(".card-item a").first.get_attribute("href") or ""
    found = []
    own = ["/albums", "/artists", "/mixtapes", "/browse/", f"/browse/{WORD}", f"/search?q={WORD}"]
    tape = f"/mixtapes/{slug}"
    for address in (*own, album, tape, f"{tape}/edit"):
        page.goto(address)
        expect(page.locator("h1").first).to_be_attached()
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            found += [f"{address} at {width} px"] if is_wide else []
    page.goto(tape)
    page.locator("[data-show-opening]").click()
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        cassette = page.locator("#opening")
        if cassette.evaluate("(opening) => opening.scrollWidth > opening.clientWidth"):
            found.append(f"the cassette at {width} px")
    return found
