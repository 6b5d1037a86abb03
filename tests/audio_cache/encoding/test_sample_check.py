"""The check of samples that several ffmpegs decode: in any order, to the MD5 of all of them."""

from __future__ import annotations

import errno
import itertools
import tempfile

import pytest

from audio_cache.encoding import sample_check
from audio_cache.encoding.ffmpeg import find_ffmpeg
from audio_cache.encoding.ffmpeg_options import AudioCheck
from audio_cache.encoding.mp3 import GROUP_FRAMES
from audio_cache.encoding.rendition import Rendition, make_rendition
from audio_cache.encoding.sample_check import SampleCheck, check_apart
from audio_cache.encoding.together import encode_together
from audio_cache.errors import DamagedSourceError
from audio_cache.sources.source import read_source
from tests.helpers.audio import make_noise

# By name: sample rate, bits and channels.
FORMS = {
    "of a CD": (44_100, 16, 2),
    "in high resolution": (96_000, 24, 2),
    "of one channel": (48_000, 16, 1),
    "below 44.1 kHz": (22_050, 24, 2),
}


@pytest.fixture(scope="module", params=FORMS)
def track(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rendition:
    rate, bits, channels = FORMS[request.param]
    path = tmp_path_factory.mktemp("checked") / "noise.flac"
    make_noise(path, samples=7 * rate + 123, rate=rate, bits=bits, channels=channels)
    return make_rendition(read_source(path), "low", find_ffmpeg())


def begin(track: Rendition) -> tuple[AudioCheck, SampleCheck]:
    check = AudioCheck.of(track.source)
    assert check is not None
    return check, SampleCheck(check)


def encode(track: Rendition, samples: SampleCheck, first: int, stop: int) -> bytes:
    chunks = encode_together([track], first, stop, stretch=samples.stretch(first, stop))
    return b"".join(data for _, data in chunks)


def test_stretches_in_any_order_are_all_of_the_audio(track: Rendition) -> None:
    places = [*range(0, track.frames, GROUP_FRAMES), track.frames]
    stretches = list(itertools.pairwise(places))
    assert len(stretches) > 4
    for order in (stretches[::-1], stretches[1::2] + stretches[::2]):
        check, samples = begin(track)
        for first, stop in order:
            assert not samples.is_complete
            assert encode(track, samples, first, stop) == b"".join(track.encode(first, stop))
        assert samples.is_complete
        assert samples.waiting_bytes == 0
        samples.finish()
        assert check.is_passed_apart


def test_what_comes_before_the_stretches_is_decoded_by_itself(
    track: Rendition, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What waits does so on the disk.
    monkeypatch.setattr(sample_check, "IN_MEMORY_BYTES", 1)
    check, samples = begin(track)
    encode(track, samples, 2 * GROUP_FRAMES, 3 * GROUP_FRAMES)
    encode(track, samples, 3 * GROUP_FRAMES, track.frames)
    source = track.source
    own = (source.samples or 0) - 2 * 32 * source.rate_hz // 25
    assert samples.waiting_bytes == own * source.channels * source.bits // 8
    samples.decode(find_ffmpeg(), lambda run: None, 2 * GROUP_FRAMES)
    samples.finish()
    assert check.is_passed_apart


def test_all_of_a_source_is_checked_at_once(track: Rendition) -> None:
    check, _ = begin(track)
    check_apart(check, find_ffmpeg(), lambda run: None)
    assert check.is_passed_apart


def test_a_sample_too_many_is_found(track: Rendition) -> None:
    check, samples = begin(track)
    encode(track, samples, GROUP_FRAMES, track.frames)
    samples.update(0, b"\0\0")
    samples.decode(find_ffmpeg(), lambda run: None, GROUP_FRAMES)
    with pytest.raises(DamagedSourceError, match="does not have the MD5"):
        samples.finish()
    assert not check.is_passed_apart


class Full:
    """A file on a disk that is full."""

    def __init__(self, *arguments: object, **options: object) -> None:
        self.is_closed = False

    def write(self, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_without_room_for_what_waits_the_check_is_left_to_others(
    track: Rendition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", Full)
    check, samples = begin(track)
    data = encode(track, samples, GROUP_FRAMES, track.frames)
    assert data == b"".join(track.encode(GROUP_FRAMES, track.frames))
    assert samples.is_complete
    samples.finish()
    assert not check.is_passed_apart


def test_what_comes_after_the_end_is_not_kept(track: Rendition) -> None:
    _, samples = begin(track)
    samples.update(GROUP_FRAMES, b"samples")
    samples.close()
    samples.update(2 * GROUP_FRAMES, b"samples")
    samples.end(2 * GROUP_FRAMES, track.frames)
    assert samples.waiting_bytes == 0
