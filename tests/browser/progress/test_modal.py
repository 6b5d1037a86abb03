"""The progress modal in a real browser, on a real server."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.progress.site import (
    TASK,
    Site,
    close_modal,
    expect_rows,
    expect_text,
    open_modal,
    open_tab,
    start_run,
)

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

FOCUSED = """(() => {
  const element = document.activeElement;
  if (element === document.body || !document.hasFocus()) return "body";
  const name = element.getAttribute("aria-label") || element.innerText;
  return element.closest(".acp") ? name : `outside: ${name}`;
})()"""


def test_a_run_is_shown_from_its_first_track_to_its_summary(site: Site, page: Page) -> None:
    run = start_run(site)
    open_modal(page)
    expect_text(page, "title", "Caching summer-vibes")
    run(1, 3)
    run.track_started("One")
    expect_rows(page, "One|caching…")
    run.track_cached("One", bytes_saved=34_000_000)
    run.track_skipped("Two")
    run.track_started("Three")
    expect_rows(page, "Three|caching…", "Two|skipped|already cached", "One|cached")
    bar = page.get_by_role("progressbar", name="Caching summer-vibes")
    expect(bar).to_have_attribute("aria-valuenow", "2")
    expect(bar).to_have_attribute("aria-valuemax", "3")
    expect(bar).to_have_attribute("aria-valuetext", "2 of 3 tracks")
    expect_text(page, "percent", "66 %")
    run.track_cached("Three", bytes_saved=28_000_000)
    run.run_finished("completed")
    expect_text(page, "headline", "Finished")
    expect_text(page, "summary", "2 cached, 1 skipped (already cached).")
    expect(page.locator(".acp [data-part=facts]")).to_contain_text("62 MB saved")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    end = {"status": "completed", "step": "completed", "cached": 2, "skipped": 1, "failed": 0}
    assert page.evaluate("window.ended") == [{"taskId": TASK, **end}]
    close_modal(page)
    expect(page.locator(".acp, .acp-pill")).to_have_count(0)


def test_a_failed_track_is_told_with_its_reason_and_the_run_goes_on(site: Site, page: Page) -> None:
    run = start_run(site)
    open_modal(page)
    run.track_failed("<b>Broken</b>", "the file ends at 1:12 of 3:05")
    expect_rows(page, "<b>Broken</b>|failed|the file ends at 1:12 of 3:05")
    expect(page.locator(".acp [data-part=outcome]")).to_be_hidden()
    run.track_cached("Two")
    run.track_skipped("Three", "an MP3 already")
    run.run_finished("completed")
    expect_text(page, "headline", "Finished, but 1 track failed")
    expect_text(page, "summary", "1 cached, 1 skipped (an MP3 already), 1 failed.")
    only_skipped = page.get_by_role("button", name="1 skipped")
    only_skipped.click()
    expect_rows(page, "Three|skipped|an MP3 already")
    expect(only_skipped).to_have_attribute("aria-pressed", "true")
    only_skipped.click()
    expect(page.locator(".acp-row")).to_have_count(3)


def test_a_run_in_which_nothing_worked_says_so(site: Site, page: Page) -> None:
    run = start_run(site, 1)
    open_modal(page)
    run.track_failed("One", "no space left on the disk")
    run.run_finished("failed")
    expect_text(page, "headline", "Nothing could be cached")


def test_cancelling_asks_the_server_and_waits_for_the_runs_end(site: Site, page: Page) -> None:
    run = start_run(site)
    open_modal(page)
    run.track_cached("One")
    run.track_started("Two")
    expect_rows(page, "Two|caching…", "One|cached")
    page.locator(".acp [data-part=cancel]").focus()
    page.keyboard.press("Enter")
    expect_text(page, "cancel", "Cancelling…")
    page.keyboard.press("Enter")
    run.run_finished("failed", "Cancelled", step="cancelled")
    expect_text(page, "headline", "Cancelled")
    expect_text(page, "summary", "1 cached. Tracks that were finished stay cached.")
    expect_rows(page, "Two|not finished", "One|cached")
    expect(page.locator(".acp [data-part=close]")).to_be_focused()
    assert site.cancelled == [TASK]


def test_a_cancellation_that_the_server_refuses_is_told_and_can_be_repeated(
    site: Site, page: Page
) -> None:
    start_run(site)
    site.cancel_status = 403
    open_modal(page)
    page.get_by_role("button", name="Cancel").click()
    expect_text(page, "hint", "Not cancelled: the server answered 403.")
    site.cancel_status = 202
    with page.expect_response(re.compile("/cancel/")):
        page.get_by_role("button", name="Cancel").click()
    expect_text(page, "cancel", "Cancelling…")
    assert site.cancelled == [TASK, TASK]


def test_a_closed_modal_leaves_the_run_alone_and_catches_up_when_it_is_opened_again(
    site: Site, page: Page
) -> None:
    run = start_run(site, 4)
    open_modal(page)
    run.track_cached("One")
    expect_text(page, "position", "1 of 4 tracks")
    close_modal(page)
    pill = page.get_by_role("button", name="Caching summer-vibes")
    expect(pill).to_contain_text("1 of 4 tracks")
    expect(page.get_by_role("button", name="Cache this folder")).to_be_focused()
    run.track_cached("Two")
    run.track_failed("Three", "broken")
    expect(pill).to_contain_text("3 of 4 tracks")
    pill.click()
    expect_rows(page, "Three|failed|broken", "Two|cached", "One|cached")
    expect(pill).to_be_hidden()


def test_a_run_that_ends_behind_a_closed_modal_waits_to_be_looked_at(
    site: Site, page: Page
) -> None:
    run = start_run(site, 1)
    open_modal(page)
    close_modal(page)
    run.track_cached("One")
    run.run_finished("completed")
    pill = page.get_by_role("button", name="Caching summer-vibes")
    expect(pill).to_contain_text("Finished")
    expect(page.locator(".acp-corner [role=status]")).to_have_text("Finished. 1 cached.")
    pill.click()
    expect_text(page, "summary", "1 cached.")
    close_modal(page)
    expect(pill).to_have_count(0)


def test_a_finished_run_can_be_dismissed_without_a_look(site: Site, page: Page) -> None:
    run = start_run(site, 1)
    page.evaluate(f"openTask('{TASK}', {{ show: false }})")
    dismiss = page.get_by_role("button", name="Dismiss")
    expect(page.locator(".acp-pill")).to_be_visible()
    expect(dismiss).to_have_count(0)
    run.run_finished("completed")
    dismiss.click()
    expect(page.locator(".acp, .acp-pill")).to_have_count(0)


def test_who_comes_late_sees_everything(site: Site, page: Page) -> None:
    run = start_run(site, 300)
    for number in range(300):
        run.track_cached(f"Track {number}")
    open_modal(page)
    expect_text(page, "position", "300 of 300 tracks")
    expect(page.locator(".acp-row").first).to_contain_text("Track 299")
    expect(page.locator(".acp-more")).to_have_text("and 100 more")
    expect(page.locator(".acp-line")).to_have_count(300)


def test_two_tabs_see_the_same_run_and_its_cancellation(site: Site, pages: list[Page]) -> None:
    pages.append(open_tab(pages[0].context.new_page(), site, []))
    run = start_run(site)
    run.track_cached("One")
    for page in pages:
        open_modal(page)
    run.track_failed("Two", "broken")
    for page in pages:
        expect_rows(page, "Two|failed|broken", "One|cached")
    pages[0].get_by_role("button", name="Cancel").click()
    expect_text(pages[0], "cancel", "Cancelling…")
    run.run_finished("failed", step="cancelled")
    for page in pages:
        expect_text(page, "headline", "Cancelled")


def test_opening_another_task_puts_the_first_into_the_corner(site: Site, page: Page) -> None:
    start_run(site)
    site.tracker.create_task("winter")
    open_modal(page)
    page.evaluate("openTask('winter')")
    expect(page.get_by_role("dialog", name="Caching winter")).to_be_visible()
    expect(page.locator(".acp-pill:visible")).to_have_text(re.compile("Caching summer-vibes"))
    expect(page.locator(".modal-backdrop")).to_have_count(1)


def test_a_host_can_open_it_by_an_event(site: Site, page: Page) -> None:
    start_run(site).track_cached("One")
    page.evaluate(
        """document.dispatchEvent(new CustomEvent("audio-cache:open-progress", {
             detail: { taskId: "summer-vibes", url: "/progress/summer-vibes" } }))"""
    )
    expect_rows(page, "One|cached")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_events_that_say_nothing_of_tracks_fill_the_bar_and_the_log(site: Site, page: Page) -> None:
    site.tracker.create_task(TASK)
    site.tracker.emit(TASK, "caching", "in_progress", "Caching track 1 of 2", 1, 2)
    open_modal(page)
    expect_text(page, "position", "1 of 2 tracks")
    expect(page.locator(".acp-line")).to_contain_text("Caching track 1 of 2")
    expect(page.locator(".acp [data-part=tracks]")).to_be_hidden()
    site.tracker.emit(TASK, "completed", "completed", "All is cached", 2, 2)
    expect_text(page, "summary", "All is cached")
    expect_text(page, "percent", "100 %")


def test_it_works_with_the_keyboard_alone(site: Site, page: Page) -> None:
    run = start_run(site)
    run.track_cached("One")
    opener = page.get_by_role("button", name="Cache this folder")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Caching summer-vibes")).to_be_focused()
    expect_rows(page, "One|cached")
    reached = set()
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(FOCUSED))
    # Between the last and the first, the focus is on the browser's own buttons: the body.
    assert reached == {"Close", "1 cached", "Tracks", "Log", "Cancel", "body"}
    while page.evaluate(FOCUSED) == "body":
        page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator(".acp.show")).to_have_count(0)
    expect(opener).to_be_focused()


def test_a_screen_reader_is_told_how_it_stands_and_how_it_ended(site: Site, page: Page) -> None:
    run = start_run(site, 2)
    run.track_failed("One", "broken")
    open_modal(page)
    spoken = page.locator(".acp [role=status]")
    expect(spoken).to_have_text("1 of 2 tracks, 1 failed")
    for number in range(20):
        run(1, 2)
        run.track_started(f"try {number}")
    expect(page.locator(".acp-line")).to_have_count(41)
    expect(spoken).to_have_text("1 of 2 tracks, 1 failed")
    run.track_cached("Two")
    run.run_finished("completed")
    expect(spoken).to_have_text("Finished, but 1 track failed. 1 cached, 1 failed.")
