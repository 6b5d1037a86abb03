"""People and devices: added, told their secrets once, changed and removed, on their pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from mixtape.mixtapes.values import MixtapeState
from tests.browser.listening import visitor
from tests.browser.test_axe import examine
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD
from tests.helpers.looks import allow_copying
from tests.helpers.mixtapes import make_scanned_app, services_of
from tests.helpers.people import ANNS_PASSWORD, add_user
from tests.helpers.subsonic import Player, Refused

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.needs("chromium")]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    root = tmp_path_factory.mktemp("accounts")
    (root / "music").mkdir()
    make_audio(root / "music" / "1.flac", samples=44_100, tags={"title": "Aurora", "album": "A"})
    app = make_scanned_app(root, password=PASSWORD)
    yield app
    services_of(app).close()


@pytest.fixture
def nobody_else(app: Flask) -> Iterator[None]:
    """Leave the first user alone in the end, as each test finds them."""
    yield
    users = services_of(app).users
    for user in users.all()[1:]:
        users.remove(user.id, None)


@pytest.fixture
def owner(
    browser: Browser, site: str, session: StorageState, nobody_else: None
) -> Iterator[BrowserContext]:
    """Return the browser of the first user, who is signed in."""
    with visitor(browser, base_url=site, storage_state=session) as context:
        allow_copying(context)
        yield context


def sign_in_as(page: Page, name: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.chromium("the driver cannot change its colours while it runs")
def test_a_device_is_added_and_its_key_copied_into_an_app_until_it_is_removed(
    app: Flask, owner: BrowserContext, site: str
) -> None:
    page = owner.new_page()
    page.goto("/albums")
    page.get_by_role("link", name="Devices").click()
    page.get_by_label("Name, such as “Phone”").fill("Tablet")
    found = examine(page)
    page.get_by_role("button", name="Make a key").click()
    box = page.get_by_role("region", name="The key of “Tablet”")
    expect(box.get_by_role("heading")).to_be_focused()
    expect(box.get_by_text(site, exact=True)).to_be_visible()
    expect(box.get_by_text("admin", exact=True)).to_be_visible()
    found += examine(page)
    box.get_by_role("button", name="Copy: Key").click()
    expect(box.get_by_text("Copied")).to_be_visible()
    player = Player(app, page.evaluate("navigator.clipboard.readText()"))
    player.ask("ping")
    box.get_by_role("button", name="I have put it in").click()
    expect(box).to_be_hidden()
    # Told once: it is nowhere on the page any more, nor after a reload.
    key = page.evaluate("navigator.clipboard.readText()")
    assert key not in page.content()
    page.reload()
    assert key not in page.content()
    expect(page.get_by_text("last used")).to_be_visible()
    page.get_by_role("button", name="Remove Tablet").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("None yet.")).to_be_visible()
    with pytest.raises(Refused):
        player.ask("ping")
    assert found == []


def test_somebody_is_added_signs_in_and_chooses_another_password(
    browser: Browser, app: Flask, owner: BrowserContext, site: str
) -> None:
    page = owner.new_page()
    page.goto("/people")
    form = page.get_by_role("form", name="Add somebody")
    form.get_by_label("Name").fill("Ann")
    form.get_by_role("button", name="Add").click()
    box = page.get_by_role("region", name="The password of “Ann”")
    box.get_by_role("button", name="Copy: Password").click()
    expect(box.get_by_text("Copied")).to_be_visible()
    made = page.evaluate("navigator.clipboard.readText()")
    expect(page.get_by_role("heading", name="Ann Listener")).to_be_visible()
    with visitor(browser, base_url=site) as context:
        hers = context.new_page()
        sign_in_as(hers, "ann", made)
        expect(hers.get_by_role("heading", name="Albums")).to_be_visible()
        expect(hers.get_by_role("link", name="Admin")).to_be_hidden()
        expect(hers.get_by_role("link", name="People")).to_be_hidden()
        hers.get_by_role("link", name="Devices").click()
        form = hers.locator('[data-part="password"]')
        form.get_by_label("Present password").fill("a wrong one")
        form.get_by_label("New password").fill("another one entirely")
        form.get_by_role("button", name="Change the password").click()
        expect(form.get_by_role("alert")).to_have_text("That is not your present password.")
        form.get_by_label("Present password").fill(made)
        form.get_by_role("button", name="Change the password").click()
        expect(hers.locator("#toasts")).to_contain_text("Your password is changed.")
        hers.goto("/mixtapes")
        expect(hers.get_by_role("heading", name="No mixtapes yet")).to_be_visible()
    assert services_of(app).users.find_by_password("Ann", "another one entirely") is not None


@pytest.mark.chromium("the driver cannot change its colours while it runs")
def test_somebody_is_renamed_given_a_role_and_a_password_and_removed_with_the_tapes(
    app: Flask, owner: BrowserContext
) -> None:
    services = services_of(app)
    ann = add_user(app)
    services.tapes_of(ann.id).mixtapes.create(MixtapeState("A gift"))
    page = owner.new_page()
    page.goto("/people")
    page.get_by_role("button", name="Rename Ann").click()
    dialog = page.get_by_role("dialog")
    found = examine(page)
    dialog.get_by_label("Name").fill("admin")
    dialog.get_by_role("button", name="Rename").click()
    expect(dialog.get_by_role("alert")).to_contain_text("already")
    dialog.get_by_label("Name").fill("Anna")
    dialog.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("button", name="Rename Anna")).to_be_focused()

    page.get_by_role("button", name="Role of Anna").click()
    expect(dialog.get_by_role("radio", name="Listener")).to_be_checked()
    dialog.get_by_role("radio", name="Administrator").check()
    found += examine(page)
    dialog.get_by_role("button", name="Change the role").click()
    expect(page.get_by_role("heading", name="Anna Administrator")).to_be_visible()

    page.get_by_role("button", name="New password for Anna").click()
    dialog.get_by_label("New password").fill("another one entirely")
    found += examine(page)
    dialog.get_by_role("button", name="Set password").click()
    expect(dialog).to_be_hidden()
    assert services.users.find_by_password("anna", "another one entirely") is not None
    assert services.users.find_by_password("anna", ANNS_PASSWORD) is None

    page.get_by_role("button", name="Remove Anna").click()
    expect(dialog).to_contain_text("They have 1 mixtape or draft.")
    found += examine(page)
    dialog.get_by_role("button", name="Cancel").click()
    assert services.users.find("Anna") is not None
    page.get_by_role("button", name="Remove Anna").click()
    expect(dialog.get_by_role("radio", name="They become yours")).to_be_checked()
    dialog.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("button", name="Remove Anna")).to_be_hidden()
    expect(page.get_by_role("heading", name="People")).to_be_focused()
    page.goto("/mixtapes")
    expect(page.get_by_role("heading", name="A gift")).to_be_visible()
    assert found == []


@pytest.mark.chromium("the driver cannot change its colours while it runs")
def test_the_form_that_asks_for_a_name_is_clean_and_keeps_what_was_typed(
    browser: Browser, app: Flask, site: str, nobody_else: None
) -> None:
    add_user(app)
    with visitor(browser, base_url=site) as context:
        page = context.new_page()
        page.goto("/login")
        expect(page.get_by_label("Name")).to_be_focused()
        found = examine(page)
        page.get_by_label("Name").fill("Ann")
        page.get_by_label("Password").fill("a wrong one")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("not the name with its password")
        expect(page.get_by_label("Name")).to_have_value("Ann")
        expect(page.get_by_label("Password")).to_be_focused()
        found += examine(page)
        assert found == []


def test_a_password_never_ends_up_in_an_address_where_scripts_do_not_run(
    browser: Browser, app: Flask, site: str, nobody_else: None
) -> None:
    add_user(app)
    with visitor(browser, base_url=site, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in_as(page, "ann", ANNS_PASSWORD)
        page.get_by_role("link", name="Devices").click()
        page.get_by_label("Present password").fill(ANNS_PASSWORD)
        page.get_by_label("New password").fill("another one entirely")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Change the password")).to_be_disabled()
        assert page.url == f"{site}/devices"
