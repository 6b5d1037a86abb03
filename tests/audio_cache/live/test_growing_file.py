"""A file that grows, and those who read it meanwhile."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from audio_cache.encoding.rendition import Rendition
from audio_cache.live.growing_file import GrowingFile
from tests.helpers.processes import open_files
from tests.helpers.waiting import LIMIT_S, wait_until


@pytest.fixture
def growing(rendition: Rendition, tmp_path: Path) -> GrowingFile:
    return GrowingFile(rendition, tmp_path / "entry.mp3")


@pytest.fixture
def part(rendition: Rendition, tmp_path: Path) -> Path:
    """Return a file with the header of the rendition and 1,000 bytes of what follows."""
    path = tmp_path / "entry.mp3.part"
    path.write_bytes(rendition.header + bytes(1000))
    return path


def test_nothing_is_there_before_a_file_is(growing: GrowingFile) -> None:
    growing.grow(5000)
    assert (growing.size, growing.has_audio, growing.read_at(0, 100)) == (0, False, b"")


def test_what_is_attached_can_be_read(
    growing: GrowingFile, part: Path, rendition: Rendition
) -> None:
    assert growing.attach(part)
    header = len(rendition.header)
    assert growing.size == header + 1000
    assert growing.has_audio
    assert growing.read_at(0, header) == rendition.header
    assert growing.read_at(header + 990, 10**9) == bytes(10)
    assert growing.read_at(header + 1000, 10**9) == b""
    growing.end()


def test_a_header_alone_is_no_audio(growing: GrowingFile, part: Path, rendition: Rendition) -> None:
    part.write_bytes(rendition.header)
    assert growing.attach(part)
    assert not growing.has_audio
    growing.end()


@pytest.mark.parametrize("content", [b"", b"ID3", b"something else" * 1000])
def test_a_file_of_another_rendition_is_not_attached(
    growing: GrowingFile, tmp_path: Path, content: bytes
) -> None:
    other = tmp_path / "other"
    other.write_bytes(content)
    before = open_files()
    assert not growing.attach(other)
    assert not growing.attach(tmp_path / "missing")
    assert (growing.size, open_files()) == (0, before)


def test_attaching_a_file_again_opens_it_once(growing: GrowingFile, part: Path) -> None:
    before = len(open_files())
    for _ in range(5):
        assert growing.attach(part)
    assert len(open_files()) == before + 1
    growing.end()
    assert len(open_files()) == before


def test_a_renamed_file_is_the_same_file(growing: GrowingFile, part: Path, tmp_path: Path) -> None:
    before = len(open_files())
    growing.attach(part)
    part.rename(tmp_path / "entry.mp3")
    assert growing.attach(tmp_path / "entry.mp3")
    assert len(open_files()) == before + 1
    growing.end()


def test_a_new_file_is_read_from_then_on(
    growing: GrowingFile, part: Path, tmp_path: Path, rendition: Rendition
) -> None:
    growing.attach(part)
    other = tmp_path / "other.part"
    other.write_bytes(rendition.header + b"x" * 2000)
    assert growing.attach(other)
    assert growing.read_at(len(rendition.header), 10**9) == b"x" * 2000
    growing.end()


def test_attaching_again_tells_the_size_of_the_file(growing: GrowingFile, part: Path) -> None:
    growing.attach(part)
    before = growing.size
    with part.open("ab") as file:
        file.write(bytes(77))
    assert growing.size == before
    growing.attach(part)
    assert growing.size == before + 77
    growing.end()


def test_a_file_that_was_cut_shows_no_bytes_that_are_gone(growing: GrowingFile, part: Path) -> None:
    growing.attach(part)
    size = growing.size
    os.truncate(part, size - 500)
    assert growing.read_at(size - 100, size) == b""
    growing.attach(part)
    assert growing.size == size - 500
    growing.end()


def test_who_waits_is_woken_by_growth(growing: GrowingFile, part: Path) -> None:
    growing.attach(part)
    wanted = growing.size + 1
    seen: list[bool] = []
    reader = threading.Thread(
        target=lambda: seen.append(growing.wait_for(lambda: growing.size >= wanted, LIMIT_S))
    )
    reader.start()
    growing.grow(wanted)
    reader.join(LIMIT_S)
    assert seen == [True]
    growing.end()


def test_who_waits_is_woken_by_the_end(growing: GrowingFile) -> None:
    seen: list[bool] = []
    reader = threading.Thread(
        target=lambda: seen.append(growing.wait_for(lambda: growing.size > 10**9, LIMIT_S))
    )
    reader.start()
    growing.end(OSError("full"))
    reader.join(LIMIT_S)
    assert seen == [False]
    assert (growing.is_over, str(growing.error)) == (True, "full")


def test_a_wait_has_an_end_of_its_own(growing: GrowingFile) -> None:
    assert not growing.wait_for(lambda: growing.size > 0, 0.01)
    assert not growing.is_over


def test_files_stay_open_until_the_last_reader_has_left(growing: GrowingFile, part: Path) -> None:
    before = open_files()
    growing.attach(part)
    growing.join()
    growing.join()
    growing.end()
    growing.leave()
    assert growing.readers == 1
    assert growing.read_at(0, 3) == b"ID3"
    growing.leave()
    assert open_files() == before


def test_a_file_that_grows_stays_open_without_readers(growing: GrowingFile, part: Path) -> None:
    growing.attach(part)
    growing.join()
    growing.leave()
    assert growing.read_at(0, 3) == b"ID3"
    growing.end()
    assert (growing.is_over, growing.error) == (True, None)


def test_how_long_nobody_listened(growing: GrowingFile) -> None:
    wait_until(lambda: growing.unheard_s > 0)
    growing.join()
    assert growing.unheard_s == 0
    growing.join()
    growing.leave()
    assert growing.unheard_s == 0
    growing.leave()
    wait_until(lambda: growing.unheard_s > 0)


def test_what_is_there_takes_no_time(growing: GrowingFile, part: Path) -> None:
    growing.attach(part)
    assert growing.seconds_until(growing.size - 1) == 0
    growing.end()


def test_before_it_is_measured_the_encoder_is_taken_for_thirty_times_real_time(
    growing: GrowingFile, rendition: Rendition
) -> None:
    second = rendition.bitrate_bps // 8
    assert growing.seconds_until(30 * second) == pytest.approx(1)


def test_the_estimate_follows_the_measured_speed(growing: GrowingFile, part: Path) -> None:
    growing.attach(part)
    start = growing.size
    wait_until(lambda: growing.seconds_until(start + 10**6) > 10**5)  # nothing grows
    growing.grow(start + 10**6)
    assert growing.seconds_until(start + 2 * 10**6) < 10**3
    growing.end()
