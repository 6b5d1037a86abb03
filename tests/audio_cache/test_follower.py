"""One listener's way through a growing file, at the moments when it changes under him."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from audio_cache.audio_cache import AudioCache
from audio_cache.errors import EncodeError, EncodeInterruptedError
from audio_cache.follower import FollowedBytes, Follower
from audio_cache.growth import Growth
from audio_cache.rendition import Rendition
from audio_cache.seeks import Seeks


@pytest.fixture
def whole(flac: Path, tmp_path: Path) -> Path:
    return AudioCache(tmp_path / "cache").transcode_file(flac, "low")


@pytest.fixture
def rendition(flac: Path, tmp_path: Path) -> Rendition:
    return AudioCache(tmp_path / "cache").get_rendition(flac, "low")


class Scripted(Growth):
    """A growth to which something happens just when a wait's time is up."""

    happens: Callable[[], None] | None = None

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        if self.happens is None:
            return super().wait_for(condition, timeout_s)
        if condition():
            return True
        happens, self.happens = self.happens, None
        happens()
        return False


def no_seeks() -> Seeks:
    return Seeks(lambda: False, lambda: None)


def follow(growth: Growth, *, is_gone: bool = False) -> FollowedBytes:
    growth.join()
    length = growth.rendition.length
    return Follower(growth, no_seeks(), 0, length, is_gone=lambda: is_gone).begin()


def begun(rendition: Rendition, whole: Path, tmp_path: Path) -> tuple[Scripted, Path]:
    """Return a growth of which there are 20,000 bytes."""
    part = tmp_path / "part"
    part.write_bytes(whole.read_bytes()[:20_000])
    growth = Scripted(rendition, tmp_path / "entry")
    assert growth.attach(part)
    return growth, part


def test_a_file_that_is_complete_just_when_the_wait_is_over_is_read_to_its_end(
    rendition: Rendition, whole: Path, tmp_path: Path
) -> None:
    growth, part = begun(rendition, whole, tmp_path)

    def complete() -> None:
        part.write_bytes(whole.read_bytes())
        growth.measure_size()
        growth.end()

    answer = follow(growth)
    growth.happens = complete
    assert b"".join(answer) == whole.read_bytes()
    answer.close()


def test_a_failure_is_told_when_all_that_there_is_has_been_sent(
    rendition: Rendition, whole: Path, tmp_path: Path
) -> None:
    growth, _ = begun(rendition, whole, tmp_path)
    answer = follow(growth)
    growth.end(EncodeError("it ends too soon"))
    pieces = []
    with pytest.raises(EncodeError, match="too soon"):
        pieces.extend(answer)
    assert b"".join(pieces) == whole.read_bytes()[:20_000]
    answer.close()


def test_a_complete_file_that_is_too_short_is_a_defect_and_never_padded(
    rendition: Rendition, whole: Path, tmp_path: Path
) -> None:
    growth, _ = begun(rendition, whole, tmp_path)
    answer = follow(growth)
    growth.end()
    with pytest.raises(RuntimeError, match="shorter than its rendition"):
        list(answer)
    answer.close()


def test_a_file_that_was_cut_by_who_took_it_over_is_waited_for(
    rendition: Rendition, whole: Path, tmp_path: Path
) -> None:
    growth, part = begun(rendition, whole, tmp_path)
    answer = follow(growth)
    read = next(answer) + next(answer)
    assert len(read) == 20_000

    def cut() -> None:
        part.write_bytes(whole.read_bytes()[:10_000])
        growth.measure_size()
        growth.happens = complete

    def complete() -> None:
        part.write_bytes(whole.read_bytes())
        growth.measure_size()
        growth.end()

    growth.happens = cut
    assert read + b"".join(answer) == whole.read_bytes()
    answer.close()


def test_a_listener_who_is_gone_is_looked_for_when_there_is_nothing_to_send(
    rendition: Rendition, whole: Path, tmp_path: Path
) -> None:
    growth, _ = begun(rendition, whole, tmp_path)
    answer = follow(growth, is_gone=True)
    growth.happens = lambda: None
    pieces = []
    with pytest.raises(BrokenPipeError):
        pieces.extend(answer)
    assert len(b"".join(pieces)) == 20_000
    answer.close()
    growth.end()


def test_what_was_held_is_released_once_even_where_the_end_fails() -> None:
    released: list[str] = []

    def rest() -> Generator[bytes]:
        try:
            yield b"more"
        finally:
            raise OSError("the end fails")

    answer = FollowedBytes(b"first", rest(), lambda: released.append("once"))
    assert [next(answer), next(answer)] == [b"first", b"more"]
    with pytest.raises(OSError, match="the end fails"):
        answer.close()
    answer.close()
    assert released == ["once"]
    assert list(answer) == []


def test_an_encode_that_was_ended_on_purpose_looks_like_a_broken_pipe() -> None:
    def rest() -> Generator[bytes]:
        yield b"more"
        raise EncodeInterruptedError("the server is shutting down")

    answer = FollowedBytes(b"", rest(), lambda: None)
    assert next(answer) == b"more"
    with pytest.raises(BrokenPipeError, match="shutting down"):
        next(answer)
