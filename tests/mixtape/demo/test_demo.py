from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from audio_cache.sources.source import read_source
from mixtape.demo import library as demo
from mixtape.demo.library import DemoError, ensure_demo_library
from mixtape.demo.pieces import ARTIST, DEMO_TRACKS, SIDE_A, SIDE_B
from mixtape.demo.synth import midi_hz
from mixtape.files.pictures import read_picture
from tests.helpers.audio import decode

slow = pytest.mark.slow


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the demo library, which two servers started at the same time have made."""
    data_root = tmp_path_factory.mktemp("data")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(ensure_demo_library, [data_root] * 2)
    assert first == second
    return first


def files(library: Path) -> dict[str, Path]:
    return {track.title: library / track.album / track.file_name for track in DEMO_TRACKS}


@slow
def test_the_demo_holds_two_albums_with_covers_and_nothing_else(library: Path) -> None:
    assert sorted(os.listdir(library)) == [SIDE_A, SIDE_B]
    found = {path for path in library.rglob("*") if path.is_file()}
    covers = {library / SIDE_A / "cover.jpg", library / SIDE_B / "cover.png"}
    assert found == covers | set(files(library).values())
    for cover in covers:
        with Image.open(cover) as image:
            assert image.size == (800, 800)
    assert [path.name for path in library.parent.iterdir() if path.is_dir()] == ["demo-library"]


@slow
def test_the_demo_shows_every_common_lossless_format(library: Path) -> None:
    kinds = set()
    for path in files(library).values():
        source = read_source(path)
        assert source.lossless
        kinds.add((path.suffix, source.codec, source.bits, source.rate_hz))
    assert kinds == {
        (".flac", "flac", 16, 44_100),
        (".flac", "flac", 24, 96_000),
        (".wav", "pcm", 16, 44_100),
        (".aiff", "pcm", 16, 44_100),
        (".m4a", "alac", 16, 44_100),
    }


@slow
def test_every_demo_track_is_tagged_and_as_long_as_its_piece(library: Path) -> None:
    for track in DEMO_TRACKS:
        source = read_source(library / track.album / track.file_name)
        tags = dict(source.tags)
        assert tags["title"] == track.title
        assert (tags["artist"], tags["album"]) == (ARTIST, track.album)
        assert tags["tracknumber"] == str(track.number)
        assert 20 <= source.duration_s <= 60
        assert source.duration_s == pytest.approx(track.compose().duration_s, abs=0.001)


@slow
def test_one_flac_has_its_cover_inside(library: Path) -> None:
    pictures = {title: read_picture(path) for title, path in files(library).items()}
    cover = (library / SIDE_A / "cover.jpg").read_bytes()
    assert {title for title, picture in pictures.items() if picture} == {"First Light"}
    assert pictures["First Light"] == cover


@slow
def test_the_pieces_are_audible_and_never_clipped(library: Path) -> None:
    for path in files(library).values():
        samples = memoryview(decode(path)).cast("h")
        loudest = max(max(samples), -min(samples))
        assert 0.2 * 32768 < loudest < 0.95 * 32768, path.name
        assert abs(samples[-1]) < 400, f"{path.name} ends abruptly"


@slow
def test_a_demo_library_that_is_there_is_left_alone(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "_build", lambda *_: pytest.fail("built again"))
    assert ensure_demo_library(library.parent) == library


def test_a_failed_build_leaves_nothing_behind_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "filter_graph", lambda *_: "no such filter")
    with pytest.raises(DemoError, match=r"could not be made: .*Filter not found"):
        ensure_demo_library(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_what_a_killed_build_left_is_swept_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".demo-library-x1y2" / SIDE_A).mkdir(parents=True)
    monkeypatch.setattr(demo, "_build", lambda _root, library: library.mkdir())
    ensure_demo_library(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["demo-library"]


def test_notes_are_tuned_in_equal_temperament() -> None:
    assert midi_hz(69) == 440
    assert midi_hz(81) == 880
    assert midi_hz(60) == pytest.approx(261.6256, abs=1e-4)
