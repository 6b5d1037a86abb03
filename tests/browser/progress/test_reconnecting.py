"""Streams that break off, servers that restart, and runs that follow each other."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.progress.site import (
    TASK,
    Site,
    close_modal,
    expect_notice,
    expect_rows,
    expect_text,
    open_modal,
    start_run,
)
from tests.helpers.waiting import LIMIT_MS

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]


def test_a_stream_that_ends_in_mid_run_is_taken_up_again_without_a_gap(
    site: Site, page: Page
) -> None:
    site.timeout_s = 0.1
    run = start_run(site, 6)
    open_modal(page)
    with page.expect_request(re.compile("/progress/"), timeout=LIMIT_MS):
        run.track_cached("Track 0")
        run.track_cached("Track 1")
    site.timeout_s = 300
    for number in range(2, 6):
        run.track_cached(f"Track {number}")
    expect_rows(page, *(f"Track {number}|cached" for number in range(5, -1, -1)))
    expect(page.locator(".acp-line")).to_have_count(6)


def test_while_a_proxy_answers_for_the_server_the_modal_keeps_trying_and_misses_nothing(
    site: Site, page: Page
) -> None:
    site.timeout_s = 0.1
    run = start_run(site, 2)
    open_modal(page)
    run.track_cached("One")
    expect_rows(page, "One|cached")
    site.progress_status = 503
    notice = expect_notice(page, "Reconnecting…")
    run.track_cached("Two")
    site.progress_status, site.timeout_s = 200, 300
    expect_rows(page, "Two|cached", "One|cached")
    expect(page.locator(".acp-line")).to_have_count(2)
    expect(notice).to_be_hidden()


def test_who_is_signed_out_in_mid_run_is_told_to_sign_in(site: Site, page: Page) -> None:
    site.progress_status = 401
    start_run(site)
    open_modal(page)
    expect_notice(page, "Sign in again")


def test_after_a_restart_the_run_is_followed_where_the_server_takes_it_up(
    site: Site, page: Page
) -> None:
    run = start_run(site)
    open_modal(page)
    run.track_cached("One")
    expect_rows(page, "One|cached")
    site.stop()
    notice = expect_notice(page, "Reconnecting…")
    site.restart()
    run = start_run(site)
    run.track_skipped("One")
    run.track_cached("Two")
    expect_rows(page, "Two|cached", "One|skipped|already cached")
    expect(notice).to_be_hidden()
    run.run_finished("completed")
    expect_text(page, "summary", "1 cached, 1 skipped (already cached).")


def test_after_a_restart_that_forgot_the_run_the_modal_says_so(site: Site, page: Page) -> None:
    run = start_run(site)
    open_modal(page)
    run.track_cached("One")
    expect_rows(page, "One|cached")
    site.stop()
    site.restart()
    expect_notice(page, "no longer knows this run")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    close_modal(page)
    expect(page.locator(".acp, .acp-pill")).to_have_count(0)


def test_a_run_that_was_never_known_is_said_to_be_unknown_at_once(page: Page) -> None:
    open_modal(page)
    expect_notice(page, "no longer knows this run")


def test_a_new_run_of_the_task_takes_the_place_of_the_old_one(site: Site, page: Page) -> None:
    old = start_run(site)
    open_modal(page)
    old.track_cached("Old")
    expect_rows(page, "Old|cached")
    new = start_run(site, 5)
    old.run_finished("completed")
    new.track_cached("New")
    expect_rows(page, "New|cached")
    expect_text(page, "position", "1 of 5 tracks")
    expect(page.locator(".acp [data-part=outcome]")).to_be_hidden()


def test_a_finished_task_that_is_opened_again_shows_its_new_run(site: Site, page: Page) -> None:
    start_run(site).run_finished("completed")
    open_modal(page)
    expect_text(page, "headline", "Finished")
    start_run(site).track_cached("New")
    page.evaluate(f"openTask('{TASK}')")
    expect_rows(page, "New|cached")
    expect(page.locator(".acp")).to_have_count(1)
    expect(page.locator(".acp.show")).to_be_visible()
