"""Mixtapes that are kept on a device: with the network off, and after all that can happen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from mixtape.mixtapes.values import MixtapeState, SavedMixtape
from tests.browser.flaky_site import FlakySite
from tests.browser.listening import audio, details, player, press_play, seek, wait_for_second
from tests.browser.listening import visitor as fresh_browser
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape, track_id
from tests.helpers.tracks import make_picture
from tests.helpers.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

SECONDS = 15
# In the middle of the second track at low quality.
BREAK_BYTES = 400_000
TITLES = ("First", "Second", "Third", "Fourth")
# What a service worker answers to some ranges, against the bytes of the whole.
SLICES = """async (url) => {
  const whole = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const ask = async (range, condition) => {
    const answer = await fetch(url, { headers: { Range: range, 'If-Range': condition } });
    return [answer, new Uint8Array(await answer.arrayBuffer())];
  };
  const tag = (await fetch(url, { method: 'HEAD' })).headers.get('ETag');
  const { length } = whole;
  const last = length - 1;
  const wrong = [];
  for (const [range, start, end] of [
    ['0-', 0, last], ['0-0', 0, 0], ['-1', last, last], ['1000-70000', 1000, 70000],
    [`${last}-`, last, last], ['-99999999', 0, last], ['5000-99999999', 5000, last],
  ]) {
    const [answer, part] = await ask(`bytes=${range}`, tag);
    const isSame = part.length === end - start + 1
      && part.every((byte, at) => byte === whole[start + at])
      && answer.headers.get('Content-Range') === `bytes ${start}-${end}/${length}`;
    if (!isSame || answer.status !== 206) wrong.push(range);
  }
  for (const [range, condition] of [
    ['bytes=0-9', '"another"'], ['bytes=0-1,4-5', tag], ['lines=1-2', tag], ['bytes=9-3', tag],
  ]) {
    const [answer, part] = await ask(range, condition);
    if (answer.status !== 200 || part.length !== length) wrong.push([range, condition]);
  }
  const [beyond] = await ask(`bytes=${length}-`, tag);
  const said = beyond.headers.get('Content-Range');
  if (beyond.status !== 416 || said !== `bytes */${length}`) wrong.push('beyond');
  return wrong;
}"""
KEPT = """async () => {
  const { src } = document.querySelector('script[src$="mixtape.js"]');
  const shelf = await import(new URL('offline/shelf.js', src));
  const [tapes, tracks] = [await shelf.listTapes(), await shelf.listTracks()];
  const pages = (await caches.keys()).filter((name) => name.startsWith('mixtape-tape'));
  const bytes = tracks.reduce((sum, { have }) => sum + have, 0);
  return [tapes.length, tracks.length, bytes, pages.length];
}"""
STORED = """async () => {
  const caught = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    caught.push(...(await cache.keys()).map(({ url }) => new URL(url).pathname));
  }
  return caught;
}"""


def make_app(root: Path, **given: str) -> Flask:
    album = root / "music" / "Album"
    album.mkdir(parents=True)
    (album / "cover.jpg").write_bytes(make_picture())
    for seed, title in enumerate(TITLES, 1):
        tags = {"title": title, "artist": "Somebody", "album": "Album"}
        make_audio(album / f"{title}.flac", samples=44_100 * SECONDS, tags=tags, seed=seed)
    return make_scanned_app(root, password=PASSWORD, **given)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return make_app(tmp_path_factory.mktemp("offline"))


@pytest.fixture
def site(app: Flask) -> Iterator[FlakySite]:
    site = FlakySite(app)
    yield site
    site.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with fresh_browser(browser) as context:
        yield context


@pytest.fixture
def tape(app: Flask) -> SavedMixtape:
    return share_mixtape(app, "First", "Second", "Third", title="For the road")


def panel(page: Page) -> Locator:
    return page.get_by_role("region", name="On this device")


def press(page: Page, name: str) -> None:
    panel(page).get_by_role("button", name=name, exact=True).click()


def open_tape(context: BrowserContext, site: FlakySite, tape: SavedMixtape) -> Page:
    page = context.new_page()
    page.goto(f"{site.address}/mixtapes/{tape.slug}")
    return page


def keep(page: Page, quality: str = "low") -> None:
    panel(page).get_by_label("Quality to keep").select_option(quality)
    press(page, "Keep offline")
    expect(panel(page)).to_contain_text("Kept on this device")


def break_off(page: Page, site: FlakySite) -> None:
    """Let the site go away once all that it has sent is known to the page: none of it is lost."""
    meter = panel(page).get_by_role("progressbar")
    expect(meter).to_have_js_property("value", BREAK_BYTES)
    site.stop()
    expect(panel(page)).to_contain_text("The connection was lost; trying again")


def kept(page: Page) -> list[int]:
    """Return how many mixtapes, tracks, bytes and pages are kept."""
    found: list[int] = page.evaluate(KEPT)
    return found


def change_tape(app: Flask, tape: SavedMixtape, *names: str) -> None:
    mixtapes = services_of(app).mixtapes
    ids = tuple(track_id(app, name) for name in names)
    state = MixtapeState(tape.title, track_ids=ids)
    mixtapes.save(tape.slug, state, revision=mixtapes.get(tape.slug).revision)


@pytest.mark.chromium("the driver cannot take its network away")
@pytest.mark.parametrize("prefix", ["", "/music"])
def test_in_airplane_mode_a_kept_mixtape_opens_plays_seeks_and_goes_on(
    context: BrowserContext, tmp_path: Path, prefix: str
) -> None:
    app = make_app(tmp_path, **({"public_url": f"http://127.0.0.1{prefix}"} if prefix else {}))
    tape = share_mixtape(app, "First", "Second", title="For the road")
    site = FlakySite(app)
    try:
        page = context.new_page()
        page.goto(f"{site.address}{prefix}/mixtapes/{tape.slug}")
        keep(page, "medium")
        expect(panel(page)).to_contain_text(re.compile(r"Kept on this device: \d+\.\d kB, Medium"))
        assert kept(page)[2] == site.sent_bytes
    finally:
        site.stop()
    context.set_offline(True)
    page.reload()
    expect(page.get_by_role("heading", name="For the road")).to_be_visible()
    expect(panel(page)).to_contain_text("The site cannot be reached now: this is your copy.")
    # That of the large view has no address before it is opened.
    wanted = "img.hasAttribute('src') && !img.hidden"
    shown = f"() => [...document.images].filter((img) => {wanted} && !img.naturalWidth).length"
    assert page.evaluate(shown) == 0
    press_play(page)
    assert audio(page, "duration") == pytest.approx(SECONDS, abs=0.05)
    expect(details(page)).to_contain_text("MP3 192 kbit/s · kept")
    assert page.evaluate(SLICES, audio(page, "currentSrc")) == []
    seek(page, SECONDS - 2)
    expect(player(page)).to_contain_text("Second")
    wait_for_second(page, 1)
    assert sum(kept(page)[:2]) == 3
    # Another address of the site is none of what is kept: the way to what is.
    page.goto(f"{site.address}{prefix}/albums")
    expect(page.get_by_role("heading", name="On this device")).to_be_visible()
    page.get_by_role("link", name="For the road").click()
    expect(panel(page)).to_contain_text("this is your copy")


@pytest.mark.chromium("the driver reaches this by Chromium's own protocol")
def test_browsers_find_nothing_that_keeps_a_mixtape_from_being_an_app(
    context: BrowserContext, site: FlakySite, tape: SavedMixtape
) -> None:
    page = open_tape(context, site, tape)
    keep(page)
    page.reload()
    session = context.new_cdp_session(page)
    found = session.send("Page.getAppManifest")
    assert found["errors"] == []
    manifest = json.loads(found["data"])
    assert page.url == site.address + manifest["start_url"]
    assert page.evaluate("() => Boolean(navigator.serviceWorker.controller)")
    problems = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # A browser of a test has no profile to install anything in.
    assert [each["errorId"] for each in problems] in ([], ["in-incognito"])


def test_what_broke_off_goes_on_where_it_was(
    context: BrowserContext, site: FlakySite, tape: SavedMixtape
) -> None:
    page = open_tape(context, site, tape)
    site.stalls_after_bytes = BREAK_BYTES
    panel(page).get_by_label("Quality to keep").select_option("low")
    press(page, "Keep offline")
    break_off(page, site)
    page.close()
    assert site.sent_bytes == BREAK_BYTES
    site.start()
    # Nobody has stopped it: the next visit goes on by itself.
    page = open_tape(context, site, tape)
    expect(panel(page)).to_contain_text("Kept on this device")
    assert site.sent_bytes == kept(page)[2]
    assert any(re.fullmatch(r"bytes=[1-9]\d*-", asked) for asked in site.ranges)


def test_it_can_be_stopped_continued_and_removed(
    context: BrowserContext, site: FlakySite, tape: SavedMixtape
) -> None:
    page = open_tape(context, site, tape)
    site.stalls_after_bytes = BREAK_BYTES
    press(page, "Keep offline")
    break_off(page, site)
    press(page, "Stop")
    expect(panel(page)).to_contain_text(re.compile(r"Stopped: 400\.0 kB of \d+\.\d (kB|MB)"))
    site.start()
    page.reload()
    expect(panel(page)).to_contain_text("Stopped: ")
    press(page, "Continue")
    expect(panel(page)).to_contain_text("Kept on this device")
    assert site.sent_bytes == kept(page)[2]
    press(page, "Remove from this device")
    press(page, "Keep it")
    expect(panel(page)).to_contain_text("Kept on this device")
    press(page, "Remove from this device")
    press(page, "Remove")
    expect(panel(page).get_by_role("button", name="Keep offline")).to_be_focused()
    assert kept(page) == [0, 0, 0, 0]


def test_what_does_not_fit_is_said_before_anything_is_fetched(
    context: BrowserContext, site: FlakySite, tape: SavedMixtape
) -> None:
    estimate = "async () => ({ quota: 3_000_000, usage: 50_000 })"
    # An empty tab, which is no secure context, has no storage.
    context.add_init_script(f"if (navigator.storage) navigator.storage.estimate = {estimate}")
    page = open_tape(context, site, tape)
    panel(page).get_by_label("Quality to keep").select_option("original")
    press(page, "Keep offline")
    text = r"It takes \d\.\d MB, and this browser has room for 3\.0 MB\. Choose a lower quality"
    expect(panel(page)).to_contain_text(re.compile(text))
    assert site.sent_bytes == 0
    keep(page, "low")


@pytest.mark.chromium("the driver reaches this by Chromium's own protocol")
def test_a_full_disk_ends_it_and_leaves_nothing_behind(
    context: BrowserContext, site: FlakySite, tape: SavedMixtape
) -> None:
    page = open_tape(context, site, tape)
    quota = {"origin": site.address, "quotaSize": 4_000_000}
    context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)
    panel(page).get_by_label("Quality to keep").select_option("original")
    press(page, "Keep offline")
    expect(panel(page)).to_contain_text("There is no room here")
    assert kept(page) == [0, 0, 0, 0]
    keep(page, "low")


def test_a_mixtape_that_has_changed_is_brought_up_to_date(
    context: BrowserContext, site: FlakySite, app: Flask, tape: SavedMixtape
) -> None:
    page = open_tape(context, site, tape)
    keep(page)
    whole = site.sent_bytes
    change_tape(app, tape, "Fourth", "Third", "First")
    site.forget()
    page.reload()
    expect(page.get_by_role("listitem").first).to_contain_text("Fourth")
    wait_until(lambda: site.sent_bytes > whole / 4)
    wait_until(lambda: kept(page) == [1, 3, whole, 1])
    # Only what is new has come, and what is gone from it went.
    assert site.sent_bytes == pytest.approx(whole / 3, rel=0.01)
    site.stop()
    page.reload()
    press_play(page)
    expect(player(page)).to_contain_text("Fourth")
    assert kept(page)[:2] == [1, 3]


# As Firefox has now and then: a registration without a worker, though one answers for the page.
NO_WORKER = """
Object.defineProperty(ServiceWorkerRegistration.prototype, "active", {get: () => null});
"""


@pytest.mark.parametrize("registration", ["", NO_WORKER], ids=["a worker", "no worker in sight"])
def test_online_the_newest_page_is_shown_and_offline_the_copy_follows(
    context: BrowserContext, site: FlakySite, tape: SavedMixtape, registration: str
) -> None:
    page = open_tape(context, site, tape)
    keep(page)
    page.add_init_script(registration)
    site.say("For the road</h1>", "Another version</h1>")
    page.reload()
    expect(page.get_by_role("heading", name="Another version")).to_be_visible()
    text = "async () => (await caches.match(location.pathname))?.text()"
    wait_until(lambda: "Another version" in (page.evaluate(text) or ""))
    site.stop()
    page.reload()
    expect(page.get_by_role("heading", name="Another version")).to_be_visible()


def test_a_copy_outlives_the_link_and_says_so(
    context: BrowserContext, site: FlakySite, app: Flask, tape: SavedMixtape
) -> None:
    page = open_tape(context, site, tape)
    keep(page)
    services_of(app).mixtapes.unshare(tape.slug)
    page.reload()
    expect(panel(page)).to_contain_text("no longer shared at this link, but your copy still plays")
    press_play(page)
    services_of(app).mixtapes.share(tape.slug)
    page.reload()
    expect(panel(page)).not_to_contain_text("no longer shared")


@pytest.mark.chromium("what a service worker could not get is an error of the page")
def test_a_better_quality_still_comes_from_the_server(
    context: BrowserContext, site: FlakySite, tape: SavedMixtape
) -> None:
    page = open_tape(context, site, tape)
    keep(page)
    press_play(page)
    expect(details(page)).to_contain_text("· kept")
    player(page).get_by_label("Quality", exact=True).select_option("high")
    expect(details(page)).to_contain_text("MP3 256 kbit/s ·")
    context.set_offline(True)
    expect(details(page)).to_contain_text("MP3 128 kbit/s · kept")


def test_signing_out_lets_go_of_what_the_owner_kept_and_of_nothing_else(
    context: BrowserContext, site: FlakySite, app: Flask, tape: SavedMixtape
) -> None:
    keep(open_tape(context, site, tape))
    page = context.new_page()
    page.goto(f"{site.address}/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site.address}/")
    mine = services_of(app).mixtapes.create(
        MixtapeState("Mine", track_ids=(track_id(app, "First"),))
    )
    page.goto(f"{site.address}/mixtapes/{mine.slug}")
    keep(page)
    others = re.compile("/static/|/covers/|/icons/|/manifest")
    pages = {path for path in page.evaluate(STORED) if not others.search(path)}
    assert pages == {f"/mixtapes/{mine.slug}", f"/mixtapes/{tape.slug}", "/offline"}
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    wait_until(lambda: len(page.evaluate("() => caches.keys()")) == 2)
    site.stop()
    page.goto(f"{site.address}/mixtapes/{tape.slug}")
    expect(page.get_by_role("heading", name="For the road")).to_be_visible()
    assert kept(page)[0] == 1


def test_where_nothing_can_be_kept_nothing_is_offered(
    context: BrowserContext, site: FlakySite, tape: SavedMixtape
) -> None:
    context.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page = open_tape(context, site, tape)
    press_play(page)
    expect(page.get_by_role("button", name="Keep offline")).to_be_hidden()
