"""The page of a mixtape in the colour of its cover, and what else makes it one's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.browser.editing import add, sign_in
from tests.browser.listening import expect_width, listener, visitor
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape
from tests.helpers.tracks import make_picture

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

COLOURS = ("blue", "grey", "red")
NO_TINT = {"content_type": "text/javascript", "body": "export function attachTint() {}"}
HUE = "() => document.documentElement.style.getPropertyValue('--mt-hue')"
# What is written on what, wherever the page has its colour.
PAIRS = [
    ["--mt-accent", "--bs-body-bg"],
    ["--mt-accent", "--mt-accent-soft"],
    ["--mt-accent", "--mt-hover"],
    ["--mt-accent", "--mt-surface"],
    ["--mt-on-accent", "--mt-accent"],
    ["--mt-on-accent", "--mt-accent-strong"],
    ["--mt-quiet", "--mt-accent-soft"],
]
# WCAG's contrast of each pair, in the hue in which it is least.
LEAST_CONTRAST = """(pairs) => {
  const page = document.documentElement;
  const style = getComputedStyle(page);
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const light = (name) => {
    pen.fillStyle = style.getPropertyValue(name);
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...pen.getImageData(0, 0, 1, 1).data].map((v) => linear(v / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  page.dataset.tinted = "";
  const least = Object.fromEntries(pairs.map((pair) => [pair.join(" on "), 21]));
  for (let hue = 0; hue < 360; hue += 5) {
    page.style.setProperty("--mt-hue", hue);
    for (const pair of pairs) {
      const [low, high] = pair.map(light).sort((one, other) => one - other);
      const name = pair.join(" on ");
      least[name] = Math.min(least[name], (high + 0.05) / (low + 0.05));
    }
  }
  return least;
}"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Return the application, with a track each on albums of three colours."""
    root = tmp_path_factory.mktemp("tint")
    for number, colour in enumerate(COLOURS, 1):
        album = root / "music" / colour
        album.mkdir(parents=True)
        (album / "cover.jpg").write_bytes(make_picture(colour=colour))
        tags = {"title": f"In {colour}", "artist": "Somebody", "album": colour}
        make_audio(album / f"{number}.flac", samples=44_100 * 20, tags=tags, seed=number)
    app = make_scanned_app(root, password=PASSWORD)
    yield app
    services_of(app).close()


def open_tape(page: Page, site: str, app: Flask, *titles: str) -> None:
    mixtape = share_mixtape(app, *titles, title="A present", track_notes=("Ours.",))
    page.goto(f"{site}/mixtapes/{mixtape.slug}")


def test_the_page_has_the_hue_of_its_cover_and_has_it_at_once_the_next_time(
    browser: Browser, site: str, app: Flask
) -> None:
    with listener(browser, site) as context:
        page = context.new_page()
        open_tape(page, site, app, "In blue")
        page.wait_for_function("() => 'tinted' in document.documentElement.dataset")
        # As CSS has it, blue is at 264 degrees.
        assert 255 < float(page.evaluate(HUE)) < 275
        page.route("**/mixtape/tint.js", lambda route: route.fulfill(**NO_TINT))
        page.reload(wait_until="domcontentloaded")
        assert 255 < float(page.evaluate(HUE)) < 275


def test_a_cover_without_colours_leaves_the_sites_own(
    browser: Browser, site: str, app: Flask
) -> None:
    with listener(browser, site) as context:
        page = context.new_page()
        open_tape(page, site, app, "In grey")
        # It is remembered that there is none, which is when the page has looked.
        page.wait_for_function("() => Object.keys(localStorage).some((key) => /hue/.test(key))")
        assert page.evaluate(HUE) == ""
        expect(page.locator("html[data-tinted]")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_legible_in_any_hue(browser: Browser, site: str, app: Flask, scheme: str) -> None:
    with listener(browser, site, color_scheme=scheme) as context:
        page = context.new_page()
        open_tape(page, site, app, "In red")
        page.wait_for_function("() => 'tinted' in document.documentElement.dataset")
        least = page.evaluate(LEAST_CONTRAST, PAIRS)
        assert len(least) == len(PAIRS)
        assert {pair: ratio for pair, ratio in least.items() if ratio < 4.5} == {}


def test_the_editor_shows_the_cover_that_the_tracks_make(
    browser: Browser, site: str, app: Flask
) -> None:
    with visitor(browser, base_url=site) as context:
        page = context.new_page()
        sign_in(page)
        page.goto("/mixtapes/new")
        pictures = page.locator(".cover-made img")
        expect(pictures).to_have_count(0)
        add(page, "In blue", "In red")
        expect(pictures).to_have_count(2)
        page.get_by_role("button", name="Remove In blue").click()
        expect(pictures).to_have_count(1)


def test_the_owners_pages_are_no_wider_than_a_phone_in_german_either(
    browser: Browser, site: str, app: Flask
) -> None:
    with visitor(browser, base_url=site, locale="de-DE") as context:
        page = context.new_page()
        page.goto("/login")
        page.get_by_label("Passwort").fill(PASSWORD)
        page.keyboard.press("Enter")
        for name in ("Mixtapes", "Alben", "Interpreten", "Ordner"):
            page.get_by_role("link", name=name, exact=True).first.click()
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect_width(page, 360)
