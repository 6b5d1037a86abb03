"""Renditions of every format, rate and layout against what ffmpeg makes of them."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from mutagen.id3 import ID3
from mutagen.mp3 import MP3

from audio_cache.encoding import mp3
from audio_cache.encoding.ffmpeg import FFmpeg, find_ffmpeg
from audio_cache.encoding.rendition import Rendition, audio_key, make_rendition
from audio_cache.encoding.settling import EARLY_FRAMES
from audio_cache.encoding.together import encode_together
from audio_cache.errors import QualityError
from audio_cache.quality import QUALITY_SETTINGS, QualityLevel
from audio_cache.sources.source import hash_audio, read_source
from tests.data import handmade
from tests.helpers.audio import DATA, make_audio, make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.renditions import decode_stereo, find_lag, rendition_of, split_frames, whole_file

QUALITIES: tuple[QualityLevel, ...] = ("high", "medium", "low")
# suffix, encoder, bits, rate, channels; all a little more than three groups of frames long.
CASES = [
    (".wav", "pcm_s16le", 16, 8_000, 6),
    (".wav", "pcm_u8", 8, 11_025, 1),
    (".wav", "pcm_s16le", 16, 12_000, 2),
    (".flac", "flac", 16, 22_050, 1),
    (".aiff", "pcm_s16be", 16, 24_000, 2),
    (".tta", "tta", 16, 32_000, 2),
    (".flac", "flac", 16, 37_800, 2),
    (".wav", "pcm_s16le", 16, 44_056, 2),
    (".flac", "flac", 16, 44_100, 1),
    (".flac", "flac", 16, 44_100, 6),
    (".m4a", "alac", 16, 44_100, 2),
    (".aiff", "pcm_s24be", 24, 48_000, 6),
    (".flac", "flac", 24, 48_000, 2),
    (".wav", "pcm_f32le", 32, 64_000, 1),
    (".wv", "wavpack", 24, 88_200, 2),
    (".m4a", "alac", 24, 96_000, 6),
    (".flac", "flac", 24, 176_400, 2),
    (".flac", "flac", 24, 192_000, 1),
    (".wav", "pcm_s24le", 24, 352_800, 2),
    (".dsf", "dsd", 1, 352_800, 2),
    (".dff", "dsd", 1, 352_800, 1),
    (".dsf", "dsd", 1, 705_600, 1),
    (".ape", "ape", 16, 44_100, 1),
]
WHOLE = sorted(
    path.name
    for path in DATA.iterdir()
    if path.suffix in {".aifc", ".aiff", ".ape", ".dff", ".dsf", ".flac", ".m4a", ".mp4", ".tta"}
    or path.suffix in {".wav", ".wv"}
    if read_source(path).lossless
    if path.stem not in {"empty", "nothing", "text", "truncated"}
)


@dataclass
class Made:
    """A rendition and its whole file, made once for the tests of a case."""

    rendition: Rendition

    @cached_property
    def content(self) -> bytes:
        return whole_file(self.rendition)

    def frames(self, first: int, stop: int | None = None) -> bytes:
        stop = self.rendition.frames if stop is None else stop
        return self.content[self.rendition.offset_of(first) : self.rendition.offset_of(stop)]


def make_dsd(path: Path, rate: int, channels: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write DSD that is noise: as good as any, and made at once."""
    bits = int(rate * 8 * 4.6) // 8 * 8
    monkeypatch.setattr(
        handmade, "dsd_bits", lambda bits, rate, seed=0: random.Random(seed).randbytes(bits // 8)
    )
    write = handmade.dsf if path.suffix == ".dsf" else handmade.dff
    path.write_bytes(write(bits, rate=rate * 8, channels=channels))
    return path


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "{0}-{2}-{3}-{4}".format(*case))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    suffix, codec, bits, rate, channels = request.param
    path = tmp_path_factory.mktemp("rendition") / f"noise{suffix}"
    if codec == "dsd":
        with pytest.MonkeyPatch.context() as monkeypatch:
            make_dsd(path, rate, channels, monkeypatch)
    elif codec == "ape":
        path = DATA / "long.ape"
    else:
        samples = rate * 46 // 10 + 13
        make_noise(path, samples=samples, rate=rate, channels=channels, codec=codec, bits=bits)
    return Made(rendition_of(path, QUALITIES[CASES.index(request.param) % 3]))


def test_the_length_is_known_before_a_frame_is_encoded(made: Made) -> None:
    rendition = made.rendition
    predicted = rendition.length
    assert len(made.content) == predicted
    frames = split_frames(made.frames(0), rendition.bitrate_bps)
    assert len(frames) == rendition.frames
    assert [frame[:3] for frame in frames] == [
        mp3.frame_prefix(rendition.bitrate_bps, number) for number in range(len(frames))
    ]


@pytest.mark.parametrize(("first", "stop"), [(98, None), (131, 140)], ids=str)
def test_frames_of_a_fresh_process_are_those_of_the_whole(
    made: Made, first: int, stop: int | None
) -> None:
    assert b"".join(made.rendition.encode(first, stop)) == made.frames(first, stop)


def test_it_decodes_to_exactly_the_samples_of_the_source_at_no_lag(
    made: Made, tmp_path: Path
) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(made.content)
    decoded, source = decode_stereo(path), decode_stereo(made.rendition.source.path)
    assert len(decoded) == made.rendition.samples
    assert abs(len(source) - len(decoded)) <= 1
    assert find_lag(decoded, source) == 0


def test_only_what_starts_at_no_source_sample_is_decoded_from_its_beginning(made: Made) -> None:
    assert made.rendition.is_seekable == (made.rendition.source.rate_hz != 44_056)


@pytest.mark.parametrize("name", WHOLE)
def test_short_files_of_all_makes_decode_to_exactly_their_samples(
    name: str, tmp_path: Path
) -> None:
    rendition = rendition_of(DATA / name, "medium")
    path = tmp_path / "x.mp3"
    path.write_bytes(whole_file(rendition))
    assert path.stat().st_size == rendition.length
    assert len(decode_stereo(path)) == rendition.samples
    decoder = read_source(DATA / name).decoder
    if not decoder:
        assert abs(rendition.samples - len(decode_stereo(DATA / name))) <= 1


@pytest.mark.parametrize("samples", [1, 2, 575, 576, 577, 1151, 1152, 1153, 5000])
@pytest.mark.parametrize("rate", [44_100, 8_000, 192_000])
def test_any_number_of_samples_is_kept_to_the_last(tmp_path: Path, samples: int, rate: int) -> None:
    source = make_noise(tmp_path / "x.wav", samples=samples, rate=rate, codec="pcm_s16le")
    rendition = rendition_of(source)
    path = tmp_path / "x.mp3"
    path.write_bytes(whole_file(rendition))
    assert path.stat().st_size == rendition.length
    assert len(decode_stereo(path)) == mp3.output_samples(samples, rate) == rendition.samples


def test_24_bits_in_32_are_not_taken_for_32(tmp_path: Path) -> None:
    """The extensible header of this WAV makes ffmpeg itself choose the wrong decoder."""
    path = tmp_path / "x.mp3"
    path.write_bytes(whole_file(rendition_of(DATA / "24-in-32.wav", "high")))
    made = decode_stereo(path)[200:700, 0]
    # The source is a straight line at 48 kHz, from -1000 by two, in steps of 1/2048.
    expected = (np.arange(200, 700) * 48_000 / 44_100 * 2 - 1000) / 2048
    assert np.abs(made - expected).max() < 0.02


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    tags = {
        "title": "Ein Stück",
        "artist": "Ähnliche Töne",
        "album_artist": "Viele",
        "track": "3/12",
        "date": "2024",
        "REPLAYGAIN_TRACK_GAIN": "-6.54 dB",
        "REPLAYGAIN_TRACK_PEAK": "0.988553",
        "MUSICBRAINZ_TRACKID": "0b3f",
    }
    return make_audio(tmp_path / "tagged.flac", samples=50_000, tags=tags)


def test_the_tags_of_the_source_are_in_the_file_replaygain_among_them(
    tagged: Path, tmp_path: Path
) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(whole_file(rendition_of(tagged)))
    tags = ID3(path, translate=False)
    assert tags.version == (2, 3, 0)
    found = {key: str(frame) for key, frame in tags.items() if not key.startswith("PRIV")}
    assert found == {
        "TIT2": "Ein Stück",
        "TPE1": "Ähnliche Töne",
        "TPE2": "Viele",
        "TRCK": "3/12",
        "TYER": "2024",
        "TXXX:replaygain_track_gain": "-6.54 dB",
        "TXXX:replaygain_track_peak": "0.988553",
        "TXXX:MUSICBRAINZ_TRACKID": "0b3f",
    }
    info = MP3(path).info
    assert (round(info.bitrate, -3), info.sample_rate, info.channels) == (128_000, 44_100, 2)
    assert info.length == pytest.approx(50_000 / 44_100, abs=1e-4)


def test_the_header_does_not_depend_on_who_makes_it(tagged: Path) -> None:
    first, second = rendition_of(tagged), rendition_of(tagged)
    assert first.header == second.header
    assert first.etag == second.etag


CHANGES: dict[str, Callable[[Rendition], Rendition]] = {
    "quality": lambda old: replace(old, quality="high"),
    "encoder": lambda old: replace(old, ffmpeg=FFmpeg(old.ffmpeg.path, "other")),
    "tags": lambda old: replace(old, tags=(("title", "B"),)),
    "audio": lambda old: replace(old, source=replace(old.source, audio="flac-md5:0")),
    "length": lambda old: replace(old, samples=old.samples + 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_entity_tag_changes_with_all_that_makes_the_file(tagged: Path, change: str) -> None:
    rendition = rendition_of(tagged)
    changed = CHANGES[change](rendition)
    assert changed.etag == changed.id != rendition.id == rendition.etag
    assert changed.id.startswith(audio_key(rendition.source.audio)) is (change != "audio")


def test_neither_place_nor_time_of_a_source_is_in_its_rendition(tagged: Path) -> None:
    rendition = rendition_of(tagged)
    moved = replace(
        rendition.source, path=Path("/elsewhere.flac"), mtime_ns=1, version=(1, 2, 3, 4, 5)
    )
    other = replace(rendition, source=moved)
    assert (other.header, other.id, other.length) == (
        rendition.header,
        rendition.id,
        rendition.length,
    )
    assert str(tagged.parent).encode() not in whole_file(rendition)
    # While it grows, two versions of a source are never taken for each other.
    assert other.token != rendition.token


def test_until_all_of_a_source_was_read_its_token_is_the_entity_tag(tmp_path: Path) -> None:
    path = make_noise(tmp_path / "x.wav", samples=5_000, codec="pcm_s16le")
    rendition = rendition_of(path)
    assert rendition.source.audio == ""
    assert rendition.etag == rendition.token
    known = replace(rendition, source=replace(rendition.source, audio=hash_audio(rendition.source)))
    assert known.etag == known.id != known.token == rendition.token


def test_several_qualities_of_one_decode_are_those_of_their_own(tmp_path: Path) -> None:
    source = read_source(make_noise(tmp_path / "x.flac", samples=250_000, rate=48_000, bits=24))
    renditions = [make_rendition(source, quality, find_ffmpeg()) for quality in QUALITIES]
    for first, stop in ((0, None), (49, 100)):
        together = [b"", b"", b""]
        for index, data in encode_together(renditions, first, stop):
            together[index] += data
        alone = [b"".join(each.encode(first, stop)) for each in renditions]
        assert together == alone


def test_bytes_are_read_from_anywhere(tmp_path: Path) -> None:
    rendition = rendition_of(make_noise(tmp_path / "x.flac", samples=250_000))
    content = whole_file(rendition)
    header, end = len(rendition.header), rendition.length
    stretches = [
        (0, 1),
        (0, header),
        (header - 1, header + 1),
        (header, header + 1),
        (header + 20_479, header + 20_481),
        (end - 1, end),
        (0, end),
        (100, 100),
    ]
    for start, stop in stretches:
        assert b"".join(rendition.read(start, stop)) == content[start:stop], (start, stop)


def test_a_piece_far_into_a_track_decodes_only_its_neighbourhood(tmp_path: Path) -> None:
    program = StubFFmpeg(tmp_path / "stub")
    source = read_source(make_noise(tmp_path / "x.flac", samples=600_000))
    rendition = make_rendition(source, "low", find_ffmpeg(program.path))
    assert len(b"".join(rendition.encode(392, 400))) > 0
    [start] = program.starts()
    heard = mp3.group_start(392 - EARLY_FRAMES)
    assert f"-ss {heard * 1_280_000 // 49}us" in start.arguments


def test_the_encoder_gets_sixteen_frames_at_a_time_unless_somebody_waits_for_the_first(
    tmp_path: Path,
) -> None:
    program = StubFFmpeg(tmp_path / "stub")
    source = read_source(make_noise(tmp_path / "x.flac", samples=600_000))
    rendition = make_rendition(source, "low", find_ffmpeg(program.path))
    start = rendition.offset_of(400)
    assert b"".join(rendition.encode(400, 402)) == b"".join(
        rendition.read(start, rendition.offset_of(402))
    )
    [in_bursts, at_once] = program.starts()
    assert "asetnsamples=n=18432:p=0" in in_bursts.arguments
    assert "asetnsamples" not in at_once.arguments


def test_before_the_frames_that_settle_the_encoder_it_is_given_silence(tmp_path: Path) -> None:
    program = StubFFmpeg(tmp_path / "stub")
    source = read_source(make_noise(tmp_path / "x.flac", samples=600_000))
    rendition = make_rendition(source, "low", find_ffmpeg(program.path))
    start = rendition.offset_of(400) + 100
    assert len(b"".join(rendition.read(start, start + 3_000))) == 3_000
    [read] = program.starts()
    group, silent = divmod(400 - EARLY_FRAMES, 49)
    assert f"-ss {group * 1_280_000}us" in read.arguments
    assert f"afade=start_sample={silent * 1_152}:nb_samples=1" in read.arguments


def test_each_frame_that_somebody_waits_for_comes_by_itself(tmp_path: Path) -> None:
    rendition = rendition_of(make_noise(tmp_path / "x.flac", samples=600_000))
    start, stop = rendition.offset_of(10), rendition.offset_of(400)
    with contextlib.closing(rendition.read(start, stop)) as pieces:
        # What an encoder writes by itself is 32 KiB.
        assert len(next(pieces)) < 16_384


def test_no_rendition_of_the_original_itself(tagged: Path) -> None:
    with pytest.raises(QualityError, match="has no bitrate"):
        _ = rendition_of(tagged, "original").bitrate_bps


def test_the_time_limit_follows_the_duration_unless_one_is_given(tagged: Path) -> None:
    rendition = rendition_of(tagged)
    assert rendition.wait_limit_s == pytest.approx(60 + rendition.duration_s)
    assert rendition_of(tagged, timeout_s=7).wait_limit_s == 7


def test_every_quality_has_a_rendition_of_its_bitrate(tagged: Path) -> None:
    for quality, setting in QUALITY_SETTINGS.items():
        assert f"{rendition_of(tagged, quality).bitrate_bps // 1000}k" == setting["bitrate"]


def test_a_second_is_heard_from_the_frame_that_a_decoder_gives_it_with(tmp_path: Path) -> None:
    rendition = rendition_of(make_noise(tmp_path / "a.flac", samples=441_000))
    # A decoder's first 1,105 samples are before the beginning, and a frame is 1,152.
    for second, frame in ((0, 0), (46 / 44_100, 0), (47 / 44_100, 1), (1.28, 49), (9.99, 383)):
        assert rendition.offset_at(second) == rendition.offset_of(frame)
    for beyond_s in (10.0, 11.0, 1e300):
        assert rendition.offset_at(beyond_s) == rendition.offset_of(rendition.frames - 1)
