from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio_cache.sources.source import LOSSLESS_SUFFIXES, Source, is_lossless, read_source
from tests.audio_cache.sources.written import audio_of
from tests.data import handmade
from tests.helpers.audio import DATA, count_samples, decode, make_audio

# codec, demuxer, lossless, rate, channels, bits, samples
Facts = tuple[str, str, bool, int, int, int, int | None]
COMMITTED: dict[str, Facts] = {
    "24-in-32.wav": ("pcm", "wav", True, 48000, 2, 32, 1000),
    "aac-inside.flac": ("aac", "", False, 0, 0, 0, None),
    "aac.m4a": ("aac", "mov", False, 44100, 2, 16, None),
    "adpcm.aifc": ("adpcm", "aiff", False, 44100, 2, 4, None),
    "adpcm.wav": ("adpcm", "wav", False, 44100, 2, 4, None),
    "alac-24.m4a": ("alac", "mov", True, 96000, 2, 24, 9600),
    "alac-front.m4a": ("alac", "mov", True, 44100, 2, 16, 4410),
    "alac.m4a": ("alac", "mov", True, 44100, 2, 16, 4410),
    "dsd.wv": ("wavpack", "wv", True, 352800, 2, 1, 3528),
    "empty.flac": ("flac", "flac", True, 44100, 1, 16, None),
    "empty.wav": ("pcm", "wav", True, 44100, 2, 16, 0),
    "flac.mp4": ("flac", "mov", True, 44100, 2, 16, 4410),
    "float.aifc": ("pcm", "aiff", True, 44100, 2, 32, 1000),
    "float.wav": ("pcm", "wav", True, 44100, 1, 32, 1000),
    "fragmented.m4a": ("alac", "mov", True, 44100, 2, 16, None),
    "hybrid.wv": ("wavpack", "wv", False, 44100, 2, 16, 4410),
    "id3-before.flac": ("flac", "flac", True, 44100, 2, 16, 4410),
    "long.ape": ("ape", "ape", True, 44100, 1, 16, 330_000),
    "lossy.mp3": ("mp3", "", False, 0, 0, 0, None),
    "mono-24.flac": ("flac", "flac", True, 48000, 1, 24, 4801),
    "mp3-inside.flac": ("mp3", "", False, 0, 0, 0, None),
    "mp3-inside.wav": ("mp3", "wav", False, 44100, 2, 0, None),
    "mulaw.aifc": ("mulaw", "aiff", False, 44100, 2, 8, None),
    "mulaw.wav": ("mulaw", "wav", False, 8000, 1, 8, None),
    "nothing.flac": ("unknown", "", True, 0, 0, 0, None),
    "odd.wav": ("pcm", "wav", True, 8000, 1, 8, 101),
    "one-sample.flac": ("flac", "flac", True, 44100, 1, 16, 1),
    "opus-inside.flac": ("opus", "", False, 0, 0, 0, None),
    "rf64.wav": ("pcm", "wav", True, 44100, 2, 16, 4410),
    "sowt.aifc": ("pcm", "aiff", True, 44100, 2, 16, 1000),
    "stereo-24.wav": ("pcm", "wav", True, 96000, 2, 24, 1000),
    "stereo.aiff": ("pcm", "aiff", True, 44100, 2, 16, 4410),
    "stereo.ape": ("ape", "ape", True, 44100, 2, 16, 4410),
    "stereo.dff": ("dsd", "iff", True, 352800, 2, 1, 3528),
    "stereo.dsf": ("dsd", "dsf", True, 352800, 2, 1, 3528),
    "stereo.flac": ("flac", "flac", True, 44100, 2, 16, 4410),
    "stereo.tta": ("tta", "tta", True, 44100, 2, 16, 4410),
    "stereo.wav": ("pcm", "wav", True, 44100, 2, 16, 4410),
    "stereo.wv": ("wavpack", "wv", True, 44100, 2, 24, 4410),
    "streamed.flac": ("flac", "flac", True, 44100, 2, 16, None),
    "streamed.wav": ("pcm", "wav", True, 44100, 2, 16, None),
    "surround.flac": ("flac", "flac", True, 48000, 6, 16, 2400),
    "text.flac": ("unknown", "", True, 0, 0, 0, None),
    "truncated.flac": ("flac", "flac", True, 44100, 2, 16, 4410),
    "truncated.wav": ("pcm", "wav", True, 44100, 2, 16, 4410),
}
WHOLE = [
    name
    for name, facts in COMMITTED.items()
    if facts[-1] is not None and not name.startswith("truncated")
]

# suffix, encoder, bits, rate, channels
MADE = [
    (".flac", "flac", 16, 8000, 2),
    (".flac", "flac", 24, 192000, 2),
    (".flac", "flac", 16, 37800, 8),
    (".wav", "pcm_s16le", 16, 22050, 1),
    (".wav", "pcm_s24le", 24, 88200, 6),
    (".wav", "pcm_u8", 8, 11025, 2),
    (".wav", "pcm_f64le", 64, 352800, 2),
    (".aiff", "pcm_s24be", 24, 48000, 6),
    (".aif", "pcm_s16be", 16, 44056, 1),
    (".m4a", "alac", 16, 22050, 1),
    (".m4a", "alac", 24, 192000, 6),
    (".wv", "wavpack", 16, 37800, 2),
    (".wv", "wavpack", 24, 352800, 6),
    (".tta", "tta", 24, 96000, 1),
]


def facts(source: Source) -> Facts:
    return (
        source.codec,
        source.demuxer,
        source.lossless,
        source.rate_hz,
        source.channels,
        source.bits,
        source.samples,
    )


def save(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_every_committed_file_has_its_facts_here() -> None:
    audio = {path.name for path in DATA.iterdir() if path.is_file() and path.suffix != ".py"}
    assert audio == set(COMMITTED)


@pytest.mark.parametrize("name", sorted(COMMITTED))
def test_committed_files_are_what_they_are(name: str) -> None:
    assert facts(read_source(DATA / name)) == COMMITTED[name]


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_samples_of_committed_files_are_those_that_ffmpeg_decodes(name: str) -> None:
    assert read_source(DATA / name).samples == count_samples(DATA / name)


@pytest.mark.parametrize(("suffix", "encoder", "bits", "rate", "channels"), MADE)
def test_rates_channels_and_odd_lengths_are_read_exactly(
    tmp_path: Path, suffix: str, encoder: str, bits: int, rate: int, channels: int
) -> None:
    path = tmp_path / f"made{suffix}"
    make_audio(path, samples=5003, rate=rate, channels=channels, codec=encoder, bits=bits)
    source = read_source(path)
    assert (source.samples, source.rate_hz) == (5003, rate)
    assert (source.channels, source.bits) == (channels, bits)
    assert source.duration_s == pytest.approx(5003 / rate)
    assert count_samples(path) == 5003


@pytest.mark.parametrize(
    ("suffix", "encoder"),
    [(".wav", "pcm_s16le"), (".aiff", "pcm_s16be"), (".m4a", "alac"), (".tta", "tta")],
)
def test_one_sample_is_one_sample(tmp_path: Path, suffix: str, encoder: str) -> None:
    path = make_audio(tmp_path / f"one{suffix}", samples=1, codec=encoder)
    assert read_source(path).samples == count_samples(path) == 1


def test_empty_audio_in_wav_and_aiff_is_no_sample(tmp_path: Path) -> None:
    wav = make_audio(tmp_path / "empty.wav", samples=0, codec="pcm_s16le")
    aiff = make_audio(tmp_path / "empty.aiff", samples=0, codec="pcm_s16be")
    assert read_source(wav).samples == read_source(aiff).samples == 0
    assert read_source(wav).duration_s == 0.0


def test_a_path_is_made_absolute_and_its_links_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flac: Path
) -> None:
    (tmp_path / "link.flac").symlink_to(flac)
    monkeypatch.chdir(tmp_path)
    source = read_source("./x/../link.flac")
    assert source.path == tmp_path / "link.flac"
    assert source.size_bytes == flac.stat().st_size
    assert source.mtime_ns == flac.stat().st_mtime_ns


@pytest.mark.parametrize("name", [b"\xff\xfe.flac", b"two\nlines.flac", b"-i.flac", b"a:b%.FLAC"])
def test_a_name_may_be_any_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flac: Path, name: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(flac, name)
    source = read_source(os.fsdecode(name))
    assert os.fsencode(source.path) == os.fsencode(tmp_path) + b"/" + name
    assert (source.samples, source.lossless) == (132_300, True)
    assert is_lossless(os.fsdecode(name))
    assert count_samples(source.path) == 132_300


def test_what_cannot_be_read_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_source(tmp_path / "missing.flac")
    (tmp_path / "directory.flac").mkdir()
    with pytest.raises(IsADirectoryError):
        read_source(tmp_path / "directory.flac")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        read_source(tmp_path / "file" / "x.flac")


def test_a_file_without_permission_is_a_permission_error(
    monkeypatch: pytest.MonkeyPatch, flac: Path
) -> None:
    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionError):
        read_source(flac)
    assert is_lossless(flac)


def test_a_pipe_neither_blocks_nor_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.flac")
    with pytest.raises(OSError, match="Not a regular file"):
        read_source(tmp_path / "pipe.flac")
    assert is_lossless(tmp_path / "pipe.flac")


# is_lossless


@pytest.mark.parametrize("name", sorted(COMMITTED))
def test_is_lossless_says_of_a_file_what_its_source_says(name: str) -> None:
    assert is_lossless(DATA / name) is COMMITTED[name][2]


@pytest.mark.parametrize("suffix", sorted(LOSSLESS_SUFFIXES))
def test_the_suffix_decides_for_a_missing_file_whatever_its_case(suffix: str) -> None:
    assert is_lossless(f"/nowhere/x{suffix}")
    assert is_lossless(Path(f"/nowhere/x{suffix.upper()}"))


@pytest.mark.parametrize(
    "name", ["x.m4a", "x.mp4", "x.mp3", "x.ogg", "x", ".flac", "", "flac", "x.flac.part"]
)
def test_other_missing_files_are_not_lossless(name: str) -> None:
    assert not is_lossless(f"/nowhere/{name}")


def test_no_path_makes_is_lossless_fail(tmp_path: Path) -> None:
    assert is_lossless("/nowhere/nul\0.flac")
    assert is_lossless("x" * 5000 + ".flac")
    assert is_lossless(tmp_path / ("\udcff" * 20 + ".flac"))
    (tmp_path / "directory.wav").mkdir()
    assert is_lossless(tmp_path / "directory.wav")


def test_a_lossy_suffix_is_left_alone_whatever_the_content(tmp_path: Path, flac: Path) -> None:
    for name in ("x.mp3", "x.ogg", "x"):
        shutil.copyfile(flac, tmp_path / name)
        assert not is_lossless(tmp_path / name)
        assert not read_source(tmp_path / name).lossless


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("aac.m4a", "aac.alac", False),
        ("alac.m4a", "alac.alac", True),
        ("alac.m4a", "alac.MP4", True),
        ("text.flac", "text.m4a", False),
        ("text.flac", "text.wav", True),
        ("lossy.mp3", "lossy.wav", False),
        ("stereo.wav", "really wav.flac", True),
    ],
)
def test_content_counts_more_than_the_suffix(
    tmp_path: Path, name: str, given: str, expected: bool
) -> None:
    shutil.copyfile(DATA / name, tmp_path / given)
    assert is_lossless(tmp_path / given) is expected
    assert read_source(tmp_path / given).lossless is expected


@pytest.mark.parametrize(
    "content",
    [
        "Text of a notepad.".encode("utf-16"),
        b"\xff\xfb\x90\x64" + bytes(1000),
        b"\xff" * 5000,
        b"ID3\4\0\0\0\0\0\0" * 40,
        b"RIFF\0\0\0\0AVI LIST",
        b"OggS" + bytes(60),
    ],
)
def test_what_only_looks_like_lossy_audio_at_first_stays_unknown(
    tmp_path: Path, content: bytes
) -> None:
    path = save(tmp_path / "odd.flac", content)
    assert read_source(path).codec == "unknown"
    assert is_lossless(path)


@pytest.mark.parametrize(
    ("encoder", "options", "codec"),
    [
        ("mp2", ("-f", "mp2"), "mp2"),
        ("libmp3lame", ("-f", "mp3", "-id3v2_version", "0", "-write_xing", "0"), "mp3"),
        ("libvorbis", ("-f", "ogg"), "vorbis"),
        ("ac3", ("-f", "ac3"), "ac3"),
        ("wmav2", ("-f", "asf"), "wma"),
    ],
)
def test_lossy_formats_are_recognised_under_a_lossless_name(
    tmp_path: Path, encoder: str, options: tuple[str, ...], codec: str
) -> None:
    path = make_audio(tmp_path / "x.flac", samples=8000, codec=encoder, options=options)
    assert read_source(path).codec == codec
    assert not is_lossless(path)


# Headers that lie or don't say


@pytest.mark.parametrize("stated", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0])
def test_a_streamed_wav_has_an_unknown_length(tmp_path: Path, stated: int) -> None:
    fmt = handmade.wave_format(1, 44100, 2, 16)
    path = save(tmp_path / "x.wav", handmade.wav(fmt, bytes(4000), stated=stated))
    source = read_source(path)
    assert (source.samples, source.codec) == (None, "pcm")
    assert count_samples(path) == 1000


def test_a_truncated_file_keeps_its_stated_length() -> None:
    for name in ("truncated.flac", "truncated.wav"):
        assert read_source(DATA / name).samples == 4410
        assert is_lossless(DATA / name)


@pytest.mark.parametrize(
    "name", ["stereo.aiff", "stereo.ape", "stereo.dff", "stereo.dsf", "stereo.tta", "stereo.wv"]
)
def test_a_file_cut_in_half_is_as_long_as_it_says(tmp_path: Path, name: str) -> None:
    whole = (DATA / name).read_bytes()
    source = read_source(save(tmp_path / name, whole[: len(whole) // 2]))
    assert facts(source) == COMMITTED[name]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(COMMITTED)),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8),
    keep=st.floats(0, 1),
    suffix=st.sampled_from([".flac", ".m4a"]),
)
def test_no_damage_raises(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    changes: list[tuple[int, int]],
    keep: float,
    suffix: str,
) -> None:
    content = bytearray((DATA / name).read_bytes())
    for place, value in changes:
        if place < len(content):
            content[place] = value
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    save(path, bytes(content[: round(keep * len(content))] if keep < 0.9 else content))
    source = read_source(path)
    assert source.lossless is is_lossless(path)
    assert source.samples is None or source.samples >= 0
    assert audio_of(source).startswith(("flac-md5:", "blake3:"))


def test_ffmpeg_told_the_decoder_plays_24_bits_in_32_at_their_true_level() -> None:
    source = read_source(DATA / "24-in-32.wav")
    assert source.decoder == "pcm_s32le"
    peak = max(abs(value) for (value,) in struct.iter_unpack("<h", decode(source.path)))
    assert peak >= 32767, "ffmpeg got it right by itself: the field is needed no more"
    right = decode(source.path, decoder=source.decoder)
    assert max(abs(value) for (value,) in struct.iter_unpack("<h", right)) == 16000
    assert {read_source(DATA / name).decoder for name in WHOLE} == {"", "pcm_s32le"}
