from __future__ import annotations

import struct
from pathlib import Path

import pytest

from audio_cache.sources.source import is_lossless, read_source
from tests.audio_cache.sources.written import audio_of, read
from tests.data.handmade import box
from tests.helpers.audio import DATA, count_samples, make_audio


def top_boxes(content: bytes) -> dict[bytes, bytes]:
    boxes, start = {}, 0
    while start < len(content):
        size, name = struct.unpack_from(">I4s", content, start)
        boxes[name] = content[start : start + size]
        start += size
    return boxes


@pytest.mark.parametrize("audio_first", [True, False])
def test_an_mp4_of_more_than_4_gib_is_read_in_both_orders(
    tmp_path: Path, audio_first: bool
) -> None:
    boxes = top_boxes((DATA / "alac.m4a").read_bytes())
    audio_size = 5 << 30
    path = tmp_path / "x.m4a"
    with path.open("wb") as file:
        file.write(boxes[b"ftyp"])
        if not audio_first:
            file.write(boxes[b"moov"])
        file.write(struct.pack(">I4sQ", 1, b"mdat", 16 + audio_size))
        file.truncate(file.tell() + audio_size)
        file.seek(0, 2)
        if audio_first:
            file.write(boxes[b"moov"])
    source = read_source(path)
    assert (source.codec, source.samples) == ("alac", 4410)
    assert is_lossless(path)


def test_a_last_box_of_size_0_reaches_to_the_end(tmp_path: Path) -> None:
    front = (DATA / "alac-front.m4a").read_bytes()
    boxes = top_boxes(front)
    audio = boxes[b"mdat"][8:]
    source = read(tmp_path / "x.m4a", boxes[b"ftyp"] + boxes[b"moov"] + b"\0\0\0\0mdat" + audio)
    assert source.samples == 4410
    assert audio_of(source) == audio_of(read_source(DATA / "alac.m4a"))


@pytest.mark.parametrize("second", [600, 1000, 44100, 44101])
@pytest.mark.parametrize("later", [-2, -1, 0, 1])
def test_an_edit_list_ends_the_audio_where_ffmpeg_ends_it(
    tmp_path: Path, second: int, later: int
) -> None:
    content = bytearray((DATA / "alac.m4a").read_bytes())
    scale, edit = content.index(b"mvhd") + 16, content.index(b"elst") + 12
    content[scale : scale + 4] = struct.pack(">I", second)
    content[edit : edit + 4] = struct.pack(">I", 4410 * second // 44100 + later)
    source = read(tmp_path / "x.m4a", content)
    assert source.samples == count_samples(source.path)


@pytest.mark.parametrize(("duration", "start"), [(4410, 100), (0, 0), (4410, -1)])
def test_other_edit_lists_leave_the_length_to_decoding(
    tmp_path: Path, duration: int, start: int
) -> None:
    content = bytearray((DATA / "alac.m4a").read_bytes())
    edit = content.index(b"elst") + 12
    content[edit : edit + 8] = struct.pack(">Ii", duration, start)
    assert read(tmp_path / "x.m4a", content).samples is None


def test_an_mp4_without_an_edit_list_is_as_long_as_its_track(tmp_path: Path) -> None:
    content = (DATA / "alac.m4a").read_bytes().replace(b"edts", b"free")
    source = read(tmp_path / "x.m4a", content)
    assert source.samples == count_samples(source.path) == 4410


def test_a_track_in_other_units_than_samples_is_of_unknown_length(tmp_path: Path) -> None:
    content = bytearray((DATA / "alac.m4a").read_bytes())
    scale = content.index(b"mdhd") + 16
    content[scale : scale + 4] = struct.pack(">I", 1000)
    assert read(tmp_path / "x.m4a", content).samples is None


@pytest.mark.parametrize("encoder", ["pcm_s16be", "pcm_s24le", "pcm_f32le", "alac"])
def test_quicktime_under_the_name_of_an_mp4_is_read(tmp_path: Path, encoder: str) -> None:
    path = make_audio(
        tmp_path / "x.mp4", samples=3000, rate=96_000, codec=encoder, options=("-f", "mov")
    )
    source = read_source(path)
    assert (source.demuxer, source.lossless, source.rate_hz) == ("mov", True, 96_000)
    assert source.codec == ("alac" if encoder == "alac" else "pcm")
    assert source.samples in (None, count_samples(path))
    assert is_lossless(path)


@pytest.mark.parametrize(
    ("encoder", "codec"),
    [("aac", "aac"), ("libmp3lame", "mp3"), ("ac3", "ac3"), ("libopus", "opus")],
)
def test_lossy_codecs_in_mp4_are_named(tmp_path: Path, encoder: str, codec: str) -> None:
    path = make_audio(tmp_path / "x.mp4", samples=9600, rate=48_000, codec=encoder)
    source = read_source(path)
    assert (source.codec, source.lossless, source.samples) == (codec, False, None)
    assert not is_lossless(path)


def track(handler: bytes, entry: bytes) -> bytes:
    return box(
        b"trak",
        box(
            b"mdia",
            box(b"mdhd", struct.pack(">IIIII", 0, 0, 0, 44100, 10)),
            box(b"hdlr", bytes(8) + handler + bytes(12)),
            box(
                b"minf",
                box(
                    b"stbl",
                    box(b"stsd", struct.pack(">II", 0, 1), entry),
                    box(b"stts", struct.pack(">IIII", 0, 1, 10, 1)),
                ),
            ),
        ),
    )


def entry(name: bytes) -> bytes:
    return box(name, bytes(16) + struct.pack(">HHII", 2, 16, 0, 44100 << 16))


MVHD = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 10))
FTYP = box(b"ftyp", b"M4A \0\0\0\0")


def test_the_first_audio_track_counts_whatever_stands_before_it(tmp_path: Path) -> None:
    tracks = track(b"vide", b"") + track(b"text", b"") + track(b"soun", entry(b"sowt"))
    content = FTYP + box(b"moov", MVHD, tracks, track(b"soun", entry(b"mp4a")))
    source = read(tmp_path / "x.mp4", content)
    assert (source.codec, source.samples, source.rate_hz) == ("pcm", 10, 44100)


@pytest.mark.parametrize(
    "content",
    [
        FTYP,
        FTYP + box(b"moov"),
        FTYP + box(b"moov", MVHD, box(b"trak")),
        FTYP + box(b"moov", MVHD, track(b"vide", b"")),
        FTYP + box(b"moov", MVHD, track(b"soun", b"")),
        FTYP + box(b"moov", MVHD, track(b"soun", entry(b"????"))),
        FTYP + b"\0\0\0\4moov",
        FTYP + b"\0\0\0\1moov",
    ],
)
def test_an_mp4_without_audio_that_we_know_is_not_lossless(tmp_path: Path, content: bytes) -> None:
    source = read(tmp_path / "x.m4a", content)
    assert (source.codec, source.demuxer, source.lossless) == ("unknown", "mov", False)
    assert not is_lossless(source.path)
    (tmp_path / "x.alac").write_bytes(content)
    assert is_lossless(tmp_path / "x.alac")
