"""What is made of a damaged source: never anything in the place of something else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from audio_cache.encoding import mp3
from audio_cache.encoding.ffmpeg import find_ffmpeg
from audio_cache.encoding.rendition import Rendition
from audio_cache.encoding.survey import Damage, survey
from audio_cache.errors import DamagedSourceError
from audio_cache.sources.source import read_source
from tests.helpers.audio import decode, make_noise
from tests.helpers.damage import DAMAGES, FRAME_SAMPLES, damaged, destroy, frame_starts
from tests.helpers.renditions import rendition_of, split_frames, whole_file

pytestmark = pytest.mark.slow
SECONDS = 30
SAMPLES = SECONDS * 44_100


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_noise(tmp_path_factory.mktemp("sound") / "sound.flac", samples=SAMPLES)


@pytest.fixture(scope="module")
def whole(sound: Path) -> bytes:
    return whole_file(rendition_of(sound))


@pytest.fixture(params=DAMAGES)
def broken(request: pytest.FixtureRequest, sound: Path, tmp_path: Path) -> Rendition:
    return rendition_of(damaged(sound, tmp_path / "broken.flac", request.param))


def read(rendition: Rendition, start: int, stop: int) -> tuple[bytes, bool]:
    """Return what can be read of some bytes, and whether that was all."""
    made = b""
    try:
        for data in rendition.read(start, stop):
            made += data
    except DamagedSourceError:
        return made, False
    return made, True


def places(rendition: Rendition) -> list[int]:
    """Return bytes to begin at: each second, and none at the start of a group."""
    size = rendition.length - len(rendition.header)
    return [len(rendition.header) + size * n // SECONDS + 777 * (n % 5) for n in range(SECONDS - 1)]


def test_a_seek_gives_the_right_bytes_or_an_error(
    broken: Rendition, whole: bytes, request: pytest.FixtureRequest
) -> None:
    complete = []
    for start in places(broken):
        made, is_all = read(broken, start, start + 60_000)
        assert made == whole[start : start + len(made)]
        complete.append(is_all)
    assert True in complete
    # ffmpeg itself leaves out what comes twice.
    is_mended = request.node.callspec.params["broken"] == "frames repeated"
    assert is_mended or False in complete


def test_an_encode_from_the_start_ends_where_the_damage_is(broken: Rendition, whole: bytes) -> None:
    made, is_all = read(broken, 0, broken.length)
    assert not is_all
    assert made == whole[: len(made)]


def test_a_best_effort_is_as_long_and_wrong_nowhere_but_at_the_damage(
    broken: Rendition, whole: bytes
) -> None:
    made = whole_file(replace(broken, is_best_effort=True))
    assert len(made) == broken.length
    head = len(broken.header)
    assert made[:head] == whole[:head]
    frames, right = (split_frames(each[head:], broken.bitrate_bps) for each in (made, whole))
    wrong = [n for n, pair in enumerate(zip(frames, right, strict=True)) if pair[0] != pair[1]]
    damage = survey(broken.source, broken.ffmpeg)
    assert damage is not None
    assert damage.at_s is not None
    first = int(damage.at_s * mp3.SAMPLE_RATE_HZ) // mp3.FRAME_SAMPLES
    lost = int(damage.lost_s * mp3.SAMPLE_RATE_HZ) // mp3.FRAME_SAMPLES
    # The encoder hears a break a little before it comes, and for a while after.
    assert not wrong or (wrong[0] >= first - 3 and wrong[-1] <= first + lost + 20)


def test_any_range_of_a_best_effort_is_a_slice_of_it(broken: Rendition) -> None:
    best = replace(broken, is_best_effort=True)
    whole = whole_file(best)
    for start in places(best)[::3]:
        assert b"".join(best.read(start, start + 40_000)) == whole[start : start + 40_000]
    assert b"".join(best.read(best.length - 5, best.length)) == whole[-5:]


def test_a_best_effort_has_silence_for_what_is_missing(sound: Path, tmp_path: Path) -> None:
    broken = rendition_of(damaged(sound, tmp_path / "broken.flac", "cut"))
    made = tmp_path / "made.mp3"
    made.write_bytes(whole_file(replace(broken, is_best_effort=True)))
    heard = decode(made)
    assert len(heard) == SAMPLES * 4
    assert any(heard[: len(heard) // 3])
    assert not any(heard[-len(heard) // 3 :])


def test_silence_fills_up_what_no_decoder_gets_to(tmp_path: Path) -> None:
    source = make_noise(tmp_path / "x.tta", samples=SAMPLES, codec="tta")
    content = source.read_bytes()
    source.write_bytes(content[: len(content) // 2] + content[len(content) // 2 + 200 :])
    broken = rendition_of(source)
    best = replace(broken, is_best_effort=True)
    made = whole_file(best)
    assert len(made) == best.length
    start = best.length * 3 // 4
    assert b"".join(best.read(start, start + 9000)) == made[start : start + 9000]
    target = tmp_path / "made.mp3"
    target.write_bytes(made)
    heard = decode(target)
    assert len(heard) == SAMPLES * 4
    assert not any(heard[-len(heard) // 3 :])


@pytest.mark.parametrize("bitrate", [128_000, 192_000, 320_000])
def test_silence_stands_in_whole_frames_where_the_encoder_would_have_put_them(
    bitrate: int,
) -> None:
    size = mp3.frames_size(bitrate, 100)
    frames = mp3.silence(bitrate, 0, size)
    assert len(frames) == size
    assert mp3.intact_frames(bitrate, frames) == 100
    for start, stop in ((0, 1), (1, 2), (417, 5000), (size - 3, size), (700, 700)):
        assert mp3.silence(bitrate, start, stop) == frames[start:stop]


def found_in(path: Path) -> Damage | None:
    return survey(read_source(path), find_ffmpeg())


def test_a_survey_finds_nothing_in_a_sound_source(sound: Path) -> None:
    assert found_in(sound) is None


@pytest.mark.parametrize(
    ("kind", "at_frame", "lost_frames"),
    [("frames left out", 0, 25), ("frames repeated", -25, 0)],
)
def test_a_survey_says_where_and_how_much(
    sound: Path, tmp_path: Path, kind: str, at_frame: int, lost_frames: int
) -> None:
    frames = len(frame_starts(sound.read_bytes()))
    damage = found_in(damaged(sound, tmp_path / "broken.flac", kind))
    frame_s = FRAME_SAMPLES / 44_100
    assert damage == Damage(
        at_s=pytest.approx((frames // 2 + at_frame) * frame_s),
        until_s=SECONDS,
        lost_s=pytest.approx(lost_frames * frame_s),
        heard_s=pytest.approx(SECONDS - lost_frames * frame_s),
    )


def test_a_survey_says_after_what_nothing_is_heard(sound: Path, tmp_path: Path) -> None:
    damage = found_in(damaged(sound, tmp_path / "broken.flac", "cut"))
    assert damage is not None
    assert damage.at_s == damage.until_s == damage.heard_s
    assert damage.lost_s == pytest.approx(SECONDS - damage.heard_s)
    assert 14 < damage.until_s < 16


def test_a_survey_of_what_decodes_to_other_audio_names_no_second(
    sound: Path, tmp_path: Path
) -> None:
    content = bytearray(sound.read_bytes())
    content[26] ^= 1  # in the MD5
    (tmp_path / "broken.flac").write_bytes(content)
    assert found_in(tmp_path / "broken.flac") == Damage(None, SECONDS, 0.0, SECONDS)


def test_of_a_source_that_is_destroyed_nothing_is_heard(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.flac").write_bytes(destroy(sound.read_bytes()))
    assert found_in(tmp_path / "broken.flac") == Damage(0.0, 0.0, SECONDS, 0.0)
