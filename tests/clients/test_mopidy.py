"""Mopidy with its extension Subidy: GStreamer plays, as in many players for desktops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import find_program
from tests.clients.mopidy import Mopidy
from tests.clients.site import LONG_S, Site
from tests.helpers.waiting import wait_until

pytestmark = [pytest.mark.clients, pytest.mark.needs("mopidy")]


@pytest.fixture(scope="module")
def mopidy(
    site: Site, packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mopidy]:
    program = find_program("mopidy")
    assert program is not None
    root = tmp_path_factory.mktemp("mopidy")
    with Mopidy(root, program, packages, site.address, site.name, site.key) as mopidy:
        yield mopidy


def test_it_finds_the_whole_library(mopidy: Mopidy, site: Site) -> None:
    roots = mopidy.browse(mopidy.browse(None)["Subsonic"])
    assert set(mopidy.browse(roots["Artists"])) == {"Ada", "Bö & Co", "Cy"}
    albums = mopidy.browse(roots["Albums"])
    assert len(albums) == 4
    [night] = [uri for name, uri in albums.items() if "Nightfall" in name]
    assert list(mopidy.browse(night).values()) == [
        f"subidy:song:{site.ids[title]}" for title in ("Dusk", "Dark", "Deep")
    ]
    assert "Ada" in mopidy.browse(roots["Directories"])
    found = mopidy.ask("library.search", query={"any": ["colder"]})
    assert [track["name"] for each in found for track in each.get("tracks", ())] == ["Colder"]


def test_mixtapes_are_its_playlists(mopidy: Mopidy, site: Site) -> None:
    [tape] = mopidy.ask("playlists.as_list")
    assert tape["name"] == "Evening"
    items = mopidy.ask("playlists.get_items", uri=tape["uri"])
    assert [item["uri"] for item in items] == [
        f"subidy:song:{site.ids[t]}" for t in ("Dusk", "Far")
    ]


@pytest.mark.parametrize(
    ("title", "asked"), [("Cold", {}), ("Colder", {"maxBitRate": 128}), ("Far", {"format": "mp3"})]
)
def test_it_plays_a_cold_track_and_seeks_in_it(
    mopidy: Mopidy, site: Site, title: str, asked: dict[str, object]
) -> None:
    known = site.ids[title]
    uri = site.url_of("stream", id=known, **asked) if asked else f"subidy:song:{known}"
    mopidy.ask("tracklist.clear")
    [added] = mopidy.ask("tracklist.add", uris=[uri])
    # GStreamer found out itself how long what is made of it is.
    assert abs(added["track"]["length"] - LONG_S * 1000) <= 50
    mopidy.ask("playback.play", tlid=added["tlid"])
    wait_until(lambda: mopidy.ask("playback.get_time_position") > 300, "the beginning to play")
    for second in (45, 10, 35):
        assert mopidy.ask("playback.seek", time_position=second * 1000)
        wait_until(
            lambda second=second: (
                0 < mopidy.ask("playback.get_time_position") - second * 1000 < 10_000
            ),
            f"{second} s to play",
        )
    assert mopidy.ask("playback.get_state") == "playing"
    mopidy.ask("playback.stop")
    played = [each for each in site.recorder.of("stream") if each.value("id") == known]
    assert {each.status for each in played} <= {200, 206}
    assert any(each.sought for each in played)
