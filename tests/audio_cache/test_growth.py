"""A file that grows, and those who read it meanwhile."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from audio_cache.audio_cache import AudioCache
from audio_cache.growth import Growth
from audio_cache.rendition import Rendition
from tests.audio_cache.server import LIMIT_S, wait_until


@pytest.fixture
def rendition(flac: Path, tmp_path: Path) -> Rendition:
    return AudioCache(tmp_path / "cache").get_rendition(flac, "low")


@pytest.fixture
def growth(rendition: Rendition, tmp_path: Path) -> Growth:
    return Growth(rendition, tmp_path / "entry.mp3")


@pytest.fixture
def part(rendition: Rendition, tmp_path: Path) -> Path:
    """Return a file with the header of the rendition and 1,000 bytes of what follows."""
    path = tmp_path / "entry.mp3.part"
    path.write_bytes(rendition.header + bytes(1000))
    return path


def open_files() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def test_nothing_is_there_before_a_file_is(growth: Growth) -> None:
    growth.grow(5000)
    assert (growth.size, growth.has_audio, growth.read_at(0, 100)) == (0, False, b"")


def test_what_is_attached_can_be_read(growth: Growth, part: Path, rendition: Rendition) -> None:
    assert growth.attach(part)
    header = len(rendition.header)
    assert growth.size == header + 1000
    assert growth.has_audio
    assert growth.read_at(0, header) == rendition.header
    assert growth.read_at(header + 990, 10**9) == bytes(10)
    assert growth.read_at(header + 1000, 10**9) == b""
    growth.end()


def test_a_header_alone_is_no_audio(growth: Growth, part: Path, rendition: Rendition) -> None:
    part.write_bytes(rendition.header)
    assert growth.attach(part)
    assert not growth.has_audio
    growth.end()


@pytest.mark.parametrize("content", [b"", b"ID3", b"something else" * 1000])
def test_a_file_of_another_rendition_is_not_attached(
    growth: Growth, tmp_path: Path, content: bytes
) -> None:
    other = tmp_path / "other"
    other.write_bytes(content)
    before = open_files()
    assert not growth.attach(other)
    assert not growth.attach(tmp_path / "missing")
    assert (growth.size, open_files()) == (0, before)


def test_attaching_a_file_again_opens_it_once(growth: Growth, part: Path) -> None:
    before = len(open_files())
    for _ in range(5):
        assert growth.attach(part)
    assert len(open_files()) == before + 1
    growth.end()
    assert len(open_files()) == before


def test_a_renamed_file_is_the_same_file(growth: Growth, part: Path, tmp_path: Path) -> None:
    before = len(open_files())
    growth.attach(part)
    part.rename(tmp_path / "entry.mp3")
    assert growth.attach(tmp_path / "entry.mp3")
    assert len(open_files()) == before + 1
    growth.end()


def test_a_new_file_is_read_from_then_on(
    growth: Growth, part: Path, tmp_path: Path, rendition: Rendition
) -> None:
    growth.attach(part)
    other = tmp_path / "other.part"
    other.write_bytes(rendition.header + b"x" * 2000)
    assert growth.attach(other)
    assert growth.read_at(len(rendition.header), 10**9) == b"x" * 2000
    growth.end()


def test_the_size_can_be_asked_of_the_file(growth: Growth, part: Path) -> None:
    growth.attach(part)
    before = growth.size
    with part.open("ab") as file:
        file.write(bytes(77))
    assert growth.size == before
    growth.measure_size()
    assert growth.size == before + 77
    growth.end()


def test_a_file_that_was_cut_shows_no_bytes_that_are_gone(growth: Growth, part: Path) -> None:
    growth.attach(part)
    size = growth.size
    os.truncate(part, size - 500)
    assert growth.read_at(size - 100, size) == b""
    growth.measure_size()
    assert growth.size == size - 500
    growth.end()


def test_who_waits_is_woken_by_growth(growth: Growth, part: Path) -> None:
    growth.attach(part)
    wanted = growth.size + 1
    seen: list[bool] = []
    reader = threading.Thread(
        target=lambda: seen.append(growth.wait_for(lambda: growth.size >= wanted, LIMIT_S))
    )
    reader.start()
    growth.grow(wanted)
    reader.join(LIMIT_S)
    assert seen == [True]
    growth.end()


def test_who_waits_is_woken_by_the_end(growth: Growth) -> None:
    seen: list[bool] = []
    reader = threading.Thread(
        target=lambda: seen.append(growth.wait_for(lambda: growth.size > 10**9, LIMIT_S))
    )
    reader.start()
    growth.end(OSError("full"))
    reader.join(LIMIT_S)
    assert seen == [False]
    assert (growth.is_over, growth.is_complete, str(growth.error)) == (True, False, "full")


def test_a_wait_has_an_end_of_its_own(growth: Growth) -> None:
    assert not growth.wait_for(lambda: growth.size > 0, 0.01)
    assert not growth.is_over


def test_files_stay_open_until_the_last_reader_has_left(growth: Growth, part: Path) -> None:
    before = open_files()
    growth.attach(part)
    growth.join()
    growth.join()
    growth.end()
    growth.leave()
    assert growth.readers == 1
    assert growth.read_at(0, 3) == b"ID3"
    growth.leave()
    assert open_files() == before


def test_a_file_that_grows_stays_open_without_readers(growth: Growth, part: Path) -> None:
    growth.attach(part)
    growth.join()
    growth.leave()
    assert growth.read_at(0, 3) == b"ID3"
    growth.end()
    assert growth.is_complete


def test_how_long_nobody_listened(growth: Growth) -> None:
    wait_until(lambda: growth.unheard_s > 0)
    growth.join()
    assert growth.unheard_s == 0
    growth.join()
    growth.leave()
    assert growth.unheard_s == 0
    growth.leave()
    wait_until(lambda: growth.unheard_s > 0)


def test_what_is_there_takes_no_time(growth: Growth, part: Path) -> None:
    growth.attach(part)
    assert growth.seconds_until(growth.size - 1) == 0
    growth.end()


def test_before_it_is_measured_the_encoder_is_taken_for_thirty_times_real_time(
    growth: Growth, rendition: Rendition
) -> None:
    second = rendition.bitrate_bps // 8
    assert growth.seconds_until(30 * second) == pytest.approx(1)


def test_the_estimate_follows_the_measured_speed(growth: Growth, part: Path) -> None:
    growth.attach(part)
    start = growth.size
    wait_until(lambda: growth.seconds_until(start + 10**6) > 10**5)  # nothing grows
    growth.grow(start + 10**6)
    assert growth.seconds_until(start + 2 * 10**6) < 10**3
    growth.end()
