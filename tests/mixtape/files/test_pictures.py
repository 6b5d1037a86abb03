from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path

import mutagen
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen.apev2 import BINARY, APEv2, APEValue
from mutagen.flac import Picture
from mutagen.id3 import APIC, ID3
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus
from mutagen.wavpack import WavPack
from PIL import Image

from mixtape.errors import PictureError
from mixtape.files import pictures
from mixtape.files.pictures import accept_upload, embedded_picture, picture_key, shrink
from tests.helpers.audio import make_audio
from tests.helpers.tracks import embed, make_picture, open_picture, place

FRONT, BACK = make_picture(colour="red"), make_picture(colour="blue")


def picture_of(path: Path) -> bytes | None:
    file = mutagen.File(path)
    assert file is not None
    return embedded_picture(file)


def test_the_front_cover_of_a_flac_is_taken_before_others(flac: Path, tmp_path: Path) -> None:
    path = place(flac, tmp_path / "a.flac")
    assert picture_of(path) is None
    embed(path, (4, BACK))
    assert picture_of(path) == BACK
    embed(path, (4, BACK), (3, FRONT))
    assert picture_of(path) == FRONT


def test_the_front_cover_of_id3_is_taken_before_others(mp3: Path, tmp_path: Path) -> None:
    path = place(mp3, tmp_path / "a.mp3")
    tags = ID3()
    tags.add(APIC(mime="image/jpeg", type=4, desc="back", data=BACK))
    tags.add(APIC(mime="image/jpeg", type=3, desc="front", data=FRONT))
    tags.save(path)
    assert picture_of(path) == FRONT


def test_the_cover_of_an_mp4_is_found(tmp_path: Path) -> None:
    path = make_audio(tmp_path / "a.m4a", samples=4410, codec="aac")
    file = MP4(path)
    file["covr"] = [MP4Cover(FRONT), MP4Cover(BACK)]
    file.save()
    assert picture_of(path) == FRONT


def test_the_cover_of_apev2_tags_is_found(tmp_path: Path) -> None:
    path = make_audio(tmp_path / "a.wv", samples=4410, codec="wavpack")
    file = WavPack(path)
    file.tags = APEv2()
    for name, content in (("Cover Art (Back)", BACK), ("Cover Art (Front)", FRONT)):
        file.tags[name] = APEValue(b"cover.jpg\0" + content, BINARY)
    file.tags["Title"] = "Song"
    file.save()
    assert picture_of(path) == FRONT


def test_the_cover_of_vorbis_comments_is_found_and_a_broken_one_passed_over(tmp_path: Path) -> None:
    path = make_audio(tmp_path / "a.opus", samples=48_000, rate=48_000, codec="libopus")
    picture = Picture()
    picture.type, picture.mime, picture.data = 3, "image/jpeg", FRONT
    file = OggOpus(path)
    whole = base64.b64encode(picture.write()).decode()
    file["metadata_block_picture"] = ["not base64!", "AAAA", whole]
    file.save()
    assert picture_of(path) == FRONT


def test_a_picture_larger_than_is_read_counts_as_none(
    flac: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place(flac, tmp_path / "a.flac")
    embed(path, (3, FRONT))
    monkeypatch.setattr(pictures, "MAX_BYTES", len(FRONT) - 1)
    assert picture_of(path) is None


def test_equal_pictures_have_equal_keys() -> None:
    assert picture_key(FRONT) == picture_key(bytes(FRONT)) != picture_key(BACK)
    assert len(picture_key(FRONT)) == 32


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_a_picture_of_any_kind_becomes_a_jpeg_that_fits_the_size(kind: str) -> None:
    small = open_picture(shrink(make_picture(1000, 500, kind), 320))
    assert (small.format, small.size, small.mode) == ("JPEG", (320, 160), "RGB")


def test_a_small_picture_is_not_enlarged() -> None:
    assert open_picture(shrink(make_picture(50, 40), 96)).size == (50, 40)


def test_transparent_parts_become_white() -> None:
    clear = make_picture(kind="PNG", colour="transparent")
    assert open_picture(shrink(clear, 96)).getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("mode", "kind"), [("L", "JPEG"), ("LA", "PNG"), ("P", "PNG"), ("1", "PNG"), ("CMYK", "JPEG")]
)
def test_every_mode_of_picture_becomes_colour(mode: str, kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (100, 100), "white").convert(mode).save(out, kind)
    assert open_picture(shrink(out.getvalue(), 96)).getpixel((5, 5)) == (255, 255, 255)


def test_a_picture_is_turned_as_its_camera_says_and_loses_what_the_camera_noted() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera of somebody"
    small = shrink(make_picture(400, 200, exif=exif), 96)
    assert open_picture(small).size == (48, 96)
    assert b"Camera" not in small
    assert not open_picture(small).getexif()


def claiming(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that claims to be this large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "size", [(8000, 8000), (12_001, 10), (30_000, 30_000), (2**31 - 1, 2**31 - 1)]
)
def test_a_picture_that_claims_to_be_huge_is_refused_unread(size: tuple[int, int]) -> None:
    for judge in (accept_upload, lambda content: shrink(content, 96)):
        with pytest.raises(PictureError):
            judge(claiming(*size))


def test_an_upload_is_kept_as_a_jpeg_without_what_came_with_it() -> None:
    secret = b"<script>alert(1)</script>"
    exif = Image.Exif()
    exif[0x010F] = "Camera of somebody"
    kept = accept_upload(make_picture(2000, 1000, exif=exif, comment=secret) + secret)
    image = open_picture(kept)
    assert (image.format, image.size) == ("JPEG", (1280, 640))
    assert b"Camera" not in kept
    assert b"script" not in kept


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (b"", "not a JPEG, PNG or WebP picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG, PNG or WebP picture"),
        (make_picture(kind="GIF"), "not a JPEG, PNG or WebP picture"),
        (make_picture(kind="BMP"), "not a JPEG, PNG or WebP picture"),
        (make_picture(1000, 1000)[:-200], "picture is damaged: choose another"),
        (make_picture(63, 500), "63 × 500 pixels: choose one of 64 × 64 or more"),
        (claiming(8000, 8000), "8000 × 8000 pixels: choose one of up to 40 megapixels"),
        (make_picture() + b"\0" * 10_000_001, "10.0 MB: choose one of up to 10 MB"),
    ],
)
def test_an_upload_that_is_not_accepted_says_why(picture: bytes, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        accept_upload(picture)


@given(st.binary(max_size=200), st.sampled_from([b"", FRONT[:300], claiming(10, 10)[:40]]))
def test_no_bytes_make_anything_but_a_picture_error(rest: bytes, start: bytes) -> None:
    with pytest.raises(PictureError):
        accept_upload(start + rest)


def test_what_is_no_picture_is_refused_without_the_words_of_the_decoder() -> None:
    with pytest.raises(PictureError) as caught:
        accept_upload(b"a text and no picture")
    assert str(caught.value) == "this is not a JPEG, PNG or WebP picture: choose another one"
