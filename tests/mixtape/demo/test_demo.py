from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from audio_cache import Source, read_source
from mixtape.files.pictures import read_picture
from mixtape.settings import DEMO_LIBRARY
from tests.helpers.audio import decode

SIDE_A = "Side A – First Light"
SIDE_B = "Side B – Small Hours"
# Album, file, seconds, and how it is stored.
TRACKS = {
    "First Light": (SIDE_A, "01 First Light.flac", 14.4, ("flac", 16, 44_100)),
    "Paper Boats": (SIDE_A, "02 Paper Boats.wav", 9.0, ("pcm", 16, 44_100)),
    "Rewind": (SIDE_A, "03 Rewind.aiff", 9.6, ("pcm", 16, 44_100)),
    "Small Hours": (SIDE_B, "01 Small Hours.flac", 12.0, ("flac", 24, 96_000)),
    "Night Bus": (SIDE_B, "02 Night Bus.m4a", 13.2, ("alac", 16, 44_100)),
}
COVERS = {DEMO_LIBRARY / SIDE_A / "cover.jpg", DEMO_LIBRARY / SIDE_B / "cover.png"}


def path_of(title: str) -> Path:
    album, name, _, _ = TRACKS[title]
    return DEMO_LIBRARY / album / name


def source_of(title: str) -> Source:
    return read_source(path_of(title))


def test_the_demo_holds_two_albums_with_covers_and_nothing_else() -> None:
    assert sorted(os.listdir(DEMO_LIBRARY)) == [SIDE_A, SIDE_B]
    found = {path for path in DEMO_LIBRARY.rglob("*") if path.is_file()}
    assert found == COVERS | set(map(path_of, TRACKS))
    for cover in COVERS:
        with Image.open(cover) as image:
            assert image.size == (800, 800)


def test_the_demo_is_small_enough_to_come_with_the_package() -> None:
    assert sum(path.stat().st_size for path in DEMO_LIBRARY.rglob("*")) < 4_300_000


@pytest.mark.parametrize("title", TRACKS)
def test_the_demo_shows_every_common_lossless_format(title: str) -> None:
    source = source_of(title)
    assert source.lossless
    assert (source.codec, source.bits, source.rate_hz) == TRACKS[title][3]


@pytest.mark.parametrize("title", TRACKS)
def test_every_demo_track_is_tagged_and_as_long_as_its_piece(title: str) -> None:
    album, name, duration_s, _ = TRACKS[title]
    source = source_of(title)
    tags = dict(source.tags)
    assert tags["title"] == title
    assert (tags["artist"], tags["album"]) == ("The Demo Tapes", album)
    assert tags["tracknumber"] == str(int(name[:2]))
    assert source.duration_s == pytest.approx(duration_s, abs=0.001)


def test_one_flac_has_its_cover_inside() -> None:
    pictures = {title: read_picture(path_of(title)) for title in TRACKS}
    cover = (DEMO_LIBRARY / SIDE_A / "cover.jpg").read_bytes()
    assert {title for title, picture in pictures.items() if picture} == {"First Light"}
    assert pictures["First Light"] == cover


@pytest.mark.parametrize("title", TRACKS)
def test_the_pieces_are_audible_and_never_clipped(title: str) -> None:
    samples = memoryview(decode(path_of(title))).cast("h")
    loudest = max(max(samples), -min(samples))
    assert 0.2 * 32768 < loudest < 0.95 * 32768
    assert abs(samples[-1]) < 400, "it ends abruptly"
