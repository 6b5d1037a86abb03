"""One listener's way through a growing file, at the moments when it changes under him."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from audio_cache.encoding.rendition import Rendition
from audio_cache.errors import EncodeError, EncodeInterruptedError
from audio_cache.live.growing_file import FollowedBytes, Follower, GrowingFile
from audio_cache.live.seeks import Seeks
from audio_cache.store.cache import AudioCache


@pytest.fixture
def whole(flac: Path, tmp_path: Path) -> Path:
    return AudioCache(tmp_path / "cache").transcode_file(flac, "low")


class Scripted(GrowingFile):
    """A growing file to which something happens just when a wait's time is up."""

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
    return Seeks(lambda: False, lambda: None, 2)


def follow(growing: GrowingFile, *, is_gone: bool = False) -> FollowedBytes:
    growing.join()
    length = growing.rendition.length
    return Follower(growing, no_seeks(), 0, length, is_gone=lambda: is_gone).begin()


def begun(rendition: Rendition, whole: Path, tmp_path: Path) -> tuple[Scripted, Path]:
    """Return a growing file of which there are 20,000 bytes."""
    part = tmp_path / "part"
    part.write_bytes(whole.read_bytes()[:20_000])
    growing = Scripted(rendition, tmp_path / "entry")
    assert growing.attach(part)
    return growing, part


def test_a_file_that_is_complete_just_when_the_wait_is_over_is_read_to_its_end(
    rendition: Rendition, whole: Path, tmp_path: Path
) -> None:
    growing, part = begun(rendition, whole, tmp_path)

    def complete() -> None:
        part.write_bytes(whole.read_bytes())
        growing.attach(part)
        growing.end()

    answer = follow(growing)
    growing.happens = complete
    assert b"".join(answer) == whole.read_bytes()
    answer.close()


def test_a_failure_is_told_when_all_that_there_is_has_been_sent(
    rendition: Rendition, whole: Path, tmp_path: Path
) -> None:
    growing, _ = begun(rendition, whole, tmp_path)
    answer = follow(growing)
    growing.end(EncodeError("it ends too soon"))
    pieces = []
    with pytest.raises(EncodeError, match="too soon"):
        pieces.extend(answer)
    assert b"".join(pieces) == whole.read_bytes()[:20_000]
    answer.close()


def test_a_complete_file_that_is_too_short_is_a_defect_and_never_padded(
    rendition: Rendition, whole: Path, tmp_path: Path
) -> None:
    growing, _ = begun(rendition, whole, tmp_path)
    answer = follow(growing)
    growing.end()
    with pytest.raises(RuntimeError, match="shorter than its rendition"):
        list(answer)
    answer.close()


def test_a_file_that_was_cut_by_who_took_it_over_is_waited_for(
    rendition: Rendition, whole: Path, tmp_path: Path
) -> None:
    growing, part = begun(rendition, whole, tmp_path)
    answer = follow(growing)
    read = next(answer) + next(answer)
    assert len(read) == 20_000

    def cut() -> None:
        part.write_bytes(whole.read_bytes()[:10_000])
        growing.attach(part)
        growing.happens = complete

    def complete() -> None:
        part.write_bytes(whole.read_bytes())
        growing.attach(part)
        growing.end()

    growing.happens = cut
    assert read + b"".join(answer) == whole.read_bytes()
    answer.close()


def test_a_listener_who_is_gone_is_looked_for_when_there_is_nothing_to_send(
    rendition: Rendition, whole: Path, tmp_path: Path
) -> None:
    growing, _ = begun(rendition, whole, tmp_path)
    answer = follow(growing, is_gone=True)
    growing.happens = lambda: None
    pieces = []
    with pytest.raises(BrokenPipeError):
        pieces.extend(answer)
    assert len(b"".join(pieces)) == 20_000
    answer.close()
    growing.end()


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
