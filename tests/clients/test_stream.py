"""What a player gets of a track that nobody has played before."""

from __future__ import annotations

import random
import subprocess
import urllib.request
from pathlib import Path

import pytest

from conftest import find_program
from tests.clients.site import ALBUMS, LONG_S, Site
from tests.helpers.renditions import undisturbed
from tests.helpers.waiting import LIMIT_S, together

PLACES = 50
COLD = "Colder"
# As a link lists them: by artist and album.
SHELVED = sorted(ALBUMS, key=lambda album: album[1:3])


def fetch(url: str, start: int, stop: int) -> tuple[int, str, bytes]:
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-{stop - 1}"})
    with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
        return answer.status, answer.headers["ETag"], answer.read()


@pytest.mark.slow
def test_fifty_ranges_of_a_cold_track_are_those_of_the_finished_file(
    site: Site, tmp_path: Path
) -> None:
    url = site.url_of("stream", id=site.ids[COLD], maxBitRate=128)
    finished = undisturbed(site.file_of(COLD), tmp_path, "low")
    places = random.Random(5)
    spans = []
    for _ in range(PLACES):
        start = places.randrange(len(finished))
        spans.append((start, min(len(finished), start + places.randrange(1, 60_000))))
    answers = together(*(lambda span=span: fetch(url, *span) for span in spans))
    assert {status for status, _, _ in answers} == {206}
    assert len({tag for _, tag, _ in answers}) == 1
    wrong = [
        span
        for span, (_, _, part) in zip(spans, answers, strict=True)
        if part != finished[slice(*span)]
    ]
    assert wrong == []
    with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:
        assert int(answer.headers["Content-Length"]) == len(finished)
        assert answer.read() == finished


def lengths_by_mpv(url: str) -> list[float]:
    """Return how long each track at an address, or of a playlist there, lasts as mpv finds."""
    program = find_program("mpv")
    assert program is not None
    quiet = ("--no-config", "--no-video", "--ao=null", "--ao-null-untimed", "--length=1")
    said = subprocess.run(
        [program, *quiet, "--term-playing-msg=it lasts ${=duration} s", url],
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_S,
        stdin=subprocess.DEVNULL,
    )
    lines = [line for line in said.stdout.splitlines() if line.startswith("it lasts ")]
    return [float(line.split()[2]) for line in lines]


@pytest.mark.slow
@pytest.mark.needs("mpv")
def test_mpv_knows_how_long_a_cold_track_is(site: Site) -> None:
    [found_s] = lengths_by_mpv(site.url_of("stream", id=site.ids["Far"], maxBitRate=128))
    assert abs(found_s - LONG_S) <= 0.05


@pytest.mark.slow
@pytest.mark.needs("mpv")
def test_mpv_plays_the_whole_library_by_a_link(site: Site) -> None:
    found = lengths_by_mpv(f"{site.address}/library/{site.link_key}.m3u8?quality=medium")
    wanted = [float(seconds) for *_, titles, seconds in SHELVED for _ in titles]
    assert found == pytest.approx(wanted, abs=0.05)
