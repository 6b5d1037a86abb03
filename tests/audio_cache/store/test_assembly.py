"""Several qualities at once, and several threads at one track: the bytes stay the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from audio_cache.encoding import together
from audio_cache.encoding.cancellation import Cancellation
from audio_cache.encoding.ffmpeg import FFmpegRun, running_count
from audio_cache.encoding.mp3 import GROUP_FRAMES
from audio_cache.encoding.sample_check import SampleCheck
from audio_cache.errors import DamagedSourceError, EncodeError, EncodeInterruptedError
from audio_cache.quality import QualityLevel
from audio_cache.sources.source import read_source
from audio_cache.store import assembly
from audio_cache.store.assembly import Assembly
from audio_cache.store.cache import AudioCache
from audio_cache.store.partial import Partial
from tests.helpers.audio import make_noise, make_silence
from tests.helpers.renditions import files_of, growing_of
from tests.helpers.waiting import wait_until

ALL: tuple[QualityLevel, ...] = ("high", "medium", "low")


@pytest.fixture(scope="module")
def noise(shared_audio: Path) -> Path:
    return make_noise(shared_audio / "noise.flac", samples=24 * 44_100)


@pytest.fixture(scope="module")
def expected(noise: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[QualityLevel, bytes]:
    """Return the files of the noise as single encodes make them."""
    cache = AudioCache(tmp_path_factory.mktemp("single"))
    return {quality: cache.transcode_file(noise, quality).read_bytes() for quality in ALL}


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[FFmpegRun]:
    """Return the list of the ffmpegs that are started from now on."""
    started: list[FFmpegRun] = []

    class Counted(FFmpegRun):
        def __init__(self, *arguments: object, **options: object) -> None:
            started.append(self)
            super().__init__(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(together, "FFmpegRun", Counted)
    return started


@pytest.mark.parametrize("hands", [1, 2, 3, 4, 16])
@pytest.mark.parametrize("frames", [3_000, 20_000, 137_814])
def test_threads_finish_together_and_begin_seldom(hands: int, frames: int) -> None:
    """Threads that are as fast as each other; beginning takes each as long as 120 frames."""
    longest, least, begins = 7_056, 392, 120
    free_at = [0.0] * hands
    pieces, left = 0, frames
    while left > 0:
        now = min(free_at)
        begun = sum(max(0, int(at - now) - begins) for at in free_at)
        size = assembly.piece_size(left, begun, hands, longest)
        left -= size
        free_at[free_at.index(now)] = now + begins + size
        pieces += 1
    assert max(free_at) - min(free_at) <= 2 * least + begins
    assert pieces <= frames / longest + 5 * hands


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pieces short, so that a track of seconds has many."""
    monkeypatch.setattr(assembly, "_LEAD_FRAMES", GROUP_FRAMES)
    monkeypatch.setattr(assembly, "_LEAST_FRAMES", GROUP_FRAMES)
    monkeypatch.setattr(assembly, "_WORTH_HELP", GROUP_FRAMES)
    monkeypatch.setattr(assembly, "_LONGEST_PIECE", 2 * GROUP_FRAMES)


@contextmanager
def two_helpers(shared: Assembly) -> Iterator[None]:
    """Help from two threads, which are there before the front has begun."""
    assert shared.wants_help()
    threads = [threading.Thread(target=shared.help) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()


def files(cache: AudioCache) -> list[str]:
    return [path.name for path in files_of(cache.cache_dir)]


def made(cache: AudioCache, source: Path) -> dict[QualityLevel, bytes]:
    return {quality: cache.get_cache_path(source, quality).read_bytes() for quality in ALL}


def test_qualities_that_are_made_together_equal_those_made_alone_and_take_one_decode(
    cache: AudioCache, noise: Path, expected: dict[QualityLevel, bytes], runs: list[FFmpegRun]
) -> None:
    assert cache.store_together(noise, ALL) == list(ALL)
    assert made(cache, noise) == expected
    assert len(runs) == 1


@pytest.mark.parametrize(
    "name",
    ["mono-24.flac", "surround.flac", "stereo-24.wav", "float.wav", "alac-24.m4a", "stereo.dsf"],
)
def test_qualities_of_any_format_equal_those_made_alone(
    cache: AudioCache, data: Path, tmp_path: Path, name: str
) -> None:
    cache.store_together(data / name, ALL)
    alone = AudioCache(tmp_path / "alone")
    for quality, content in made(cache, data / name).items():
        assert content == alone.transcode_file(data / name, quality).read_bytes(), quality


@pytest.mark.usefixtures("short_pieces")
def test_what_several_threads_encode_equals_what_one_does(
    cache: AudioCache, noise: Path, expected: dict[QualityLevel, bytes], runs: list[FFmpegRun]
) -> None:
    cache.store_together(noise, ALL, share=two_helpers)
    assert made(cache, noise) == expected
    assert len(runs) > 4
    assert files(cache) == sorted(cache.get_cache_path(noise, each).name for each in ALL)


@pytest.mark.usefixtures("short_pieces")
def test_who_was_at_the_front_counts_once_among_those_who_help(
    cache: AudioCache, noise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    size = assembly.piece_size

    def counted(left: int, begun: int, hands: int, longest: int) -> int:
        counts.append(hands)
        return size(left, begun, hands, longest)

    monkeypatch.setattr(assembly, "piece_size", counted)
    cache.store_together(noise, ALL, share=two_helpers)
    assert len(counts) > 4
    assert max(counts) <= 3


@pytest.mark.usefixtures("short_pieces")
def test_with_no_memory_for_samples_pieces_wait_for_each_other(
    cache: AudioCache,
    noise: Path,
    expected: dict[QualityLevel, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assembly, "IN_MEMORY_BYTES", 0)
    cache.store_together(noise, ALL, share=two_helpers)
    assert made(cache, noise) == expected
    assert cache.facts.is_checked(str(noise), read_source(noise).version)


@pytest.mark.usefixtures("short_pieces")
def test_a_shared_source_is_checked_by_what_its_pieces_decode(
    cache: AudioCache, noise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []

    class Watched(SampleCheck):
        def decode(self, *arguments: object, **options: object) -> None:
            decoded.append(arguments[2])  # type: ignore[arg-type]
            super().decode(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(assembly, "SampleCheck", Watched)
    cache.store_together(noise, ["low"], share=two_helpers)
    # Only the start, which the first thread stopped encoding somewhere behind.
    [front] = decoded
    assert front <= 3 * GROUP_FRAMES
    assert cache.facts.is_checked(str(noise), read_source(noise).version)


@pytest.mark.usefixtures("short_pieces")
def test_a_shared_source_that_is_not_the_audio_that_it_states_leaves_nothing(
    cache: AudioCache, noise: Path, tmp_path: Path
) -> None:
    content = bytearray(noise.read_bytes())
    content[26] ^= 1  # in the MD5
    false = tmp_path / "false.flac"
    false.write_bytes(content)
    with pytest.raises(DamagedSourceError, match="does not have the MD5"):
        cache.store_together(false, ["low"], share=two_helpers)
    assert files(cache) == []


def test_a_source_that_cannot_be_cut_is_encoded_by_one_thread(
    cache: AudioCache, data: Path, runs: list[FFmpegRun]
) -> None:
    @contextmanager
    def refused(shared: Assembly) -> Iterator[None]:
        assert not shared.wants_help()
        shared.help()
        yield

    cache.store_together(data / "stereo.flac", ["low"], share=refused)
    assert len(runs) == 1


def test_a_quality_that_is_valid_is_left_alone(cache: AudioCache, noise: Path) -> None:
    before = cache.transcode_file(noise, "medium").stat()
    assert cache.store_together(noise, ALL) == ["high", "low"]
    assert cache.get_cache_path(noise, "medium").stat().st_ino == before.st_ino
    assert cache.store_together(noise, [*ALL, "original"]) == []


def test_overwriting_makes_a_valid_one_again(cache: AudioCache, noise: Path) -> None:
    before = cache.transcode_file(noise, "low").stat()
    assert cache.store_together(noise, ["low"], overwrite=True) == ["low"]
    assert cache.get_cache_path(noise, "low").stat().st_ino != before.st_ino


@pytest.mark.usefixtures("short_pieces")
@pytest.mark.parametrize("share", [None, two_helpers])
def test_partials_of_different_lengths_are_gone_on_with(
    cache: AudioCache, noise: Path, expected: dict[QualityLevel, bytes], share: object
) -> None:
    kept = {"high": 0.9, "medium": 0.3, "low": 1.0}
    for quality, part in kept.items():
        content = expected[quality]  # type: ignore[index]
        path = growing_of(cache, noise, quality)  # type: ignore[arg-type]
        path.write_bytes(content[: int(len(content) * part)])
    options = {"share": share} if share else {}
    cache.store_together(noise, ALL, **options)  # type: ignore[arg-type]
    assert made(cache, noise) == expected


@pytest.mark.usefixtures("short_pieces")
@pytest.mark.parametrize("share", [None, two_helpers])
def test_a_truncated_source_leaves_nothing(
    cache: AudioCache, noise: Path, tmp_path: Path, share: object
) -> None:
    broken = tmp_path / "broken.flac"
    broken.write_bytes(noise.read_bytes()[: noise.stat().st_size * 2 // 3])
    options = {"share": share} if share else {}
    with pytest.raises(EncodeError, match="broken"):
        cache.store_together(broken, ALL, **options)  # type: ignore[arg-type]
    assert files(cache) == []
    assert running_count() == 0


@pytest.mark.slow
@pytest.mark.usefixtures("short_pieces")
def test_an_interruption_ends_all_threads_and_keeps_what_they_made(
    cache: AudioCache, tmp_path: Path
) -> None:
    silence = make_silence(tmp_path / "silence.flac", 90)
    cancellation = Cancellation()

    def interrupt(size: int, length: int) -> None:
        if size > length // 20:
            cancellation.set()

    with pytest.raises(EncodeInterruptedError):
        cache.store_together(
            silence, ALL, cancellation=cancellation, share=two_helpers, on_growth=interrupt
        )
    assert running_count() == 0
    kept = {each: growing_of(cache, silence, each).read_bytes() for each in ALL}
    assert len(files(cache)) == 3
    cache.store_together(silence, ALL)
    for quality, content in made(cache, silence).items():
        assert content.startswith(kept[quality])
        assert len(kept[quality]) > len(content) // 25


def test_nothing_is_begun_after_an_interruption(cache: AudioCache, noise: Path) -> None:
    cancellation = Cancellation()
    cancellation.set()
    with pytest.raises(EncodeInterruptedError):
        cache.store_together(noise, ALL, cancellation=cancellation)
    assert files(cache) == []


def test_a_quality_that_others_make_is_waited_for_while_the_rest_is_made(
    cache: AudioCache, noise: Path, expected: dict[QualityLevel, bytes]
) -> None:
    entry = cache.get_cache_path(noise, "low")
    theirs = Partial.lock(entry, cache.get_rendition(noise, "low"), wait=False)
    assert theirs is not None
    answers: list[list[QualityLevel]] = []
    thread = threading.Thread(target=lambda: answers.append(cache.store_together(noise, ALL)))
    with theirs:
        thread.start()
        wait_until(cache.get_cache_path(noise, "high").exists)
        assert not answers
        cache.make(theirs)
    thread.join()
    assert answers == [["high", "medium"]]
    assert made(cache, noise) == expected


def test_waiting_for_others_can_be_interrupted(cache: AudioCache, noise: Path) -> None:
    entry = cache.get_cache_path(noise, "low")
    theirs = Partial.lock(entry, cache.get_rendition(noise, "low"), wait=False)
    assert theirs is not None
    cancellation = Cancellation()
    errors: list[Exception] = []

    def store() -> None:
        try:
            cache.store_together(noise, ["low"], cancellation=cancellation)
        except EncodeInterruptedError as error:
            errors.append(error)

    thread = threading.Thread(target=store)
    with theirs:
        thread.start()
        cancellation.set()
        thread.join()
    assert len(errors) == 1
