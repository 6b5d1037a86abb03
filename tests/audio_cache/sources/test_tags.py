from __future__ import annotations

import shutil
import struct
from pathlib import Path

import mutagen.aiff
import mutagen.apev2
import mutagen.dsdiff
import mutagen.dsf
import mutagen.flac
import mutagen.id3
import mutagen.monkeysaudio
import mutagen.mp4
import mutagen.trueaudio
import mutagen.wave
import mutagen.wavpack
import pytest

from audio_cache.sources.source import read_source
from tests.audio_cache.sources.written import audio_of, read
from tests.data import handmade
from tests.data.handmade import box, chunk
from tests.helpers.audio import DATA, decode, make_audio

PICTURE = b"\x89PNG" + bytes(100_000)
EXPECTED = (
    ("album", "Höhlen & Türme"),
    ("albumartist", "Various Artists"),
    ("artist", "Erste"),
    ("artist", "Zweite"),
    ("comment", "zwei\nZeilen"),
    ("composer", "J. S. Bach"),
    ("date", "2024-05-01"),
    ("discnumber", "1"),
    ("disctotal", "2"),
    ("genre", "Ambient"),
    ("isrc", "DEA341900001"),
    ("lyrics", "la la\nla"),
    ("musicbrainz_albumid", "b1"),
    ("musicbrainz_trackid", "a0"),
    ("replaygain_album_gain", "-7.10 dB"),
    ("replaygain_track_gain", "-6.50 dB"),
    ("replaygain_track_peak", "0.987654"),
    ("title", "日本の歌"),
    ("tracknumber", "03"),
    ("tracktotal", "12"),
)
VORBIS = {
    "TITLE": ["日本の歌"],
    "Artist": ["Erste", "Zweite"],
    "ALBUM": ["Höhlen & Türme"],
    "ALBUM ARTIST": ["Various Artists"],
    "TRACKNUMBER": ["03"],
    "TOTALTRACKS": ["12"],
    "DISCNUMBER": ["1/2"],
    "DATE": ["2024-05-01"],
    "YEAR": ["2024"],
    "GENRE": ["Ambient"],
    "COMPOSER": ["J. S. Bach"],
    "COMMENT": ["zwei\r\nZeilen "],
    "DESCRIPTION": ["said otherwise"],
    "ISRC": ["DEA341900001"],
    "UNSYNCEDLYRICS": ["la la\nla"],
    "REPLAYGAIN_TRACK_GAIN": ["-6.50 dB"],
    "REPLAYGAIN_TRACK_PEAK": ["0.987654"],
    "REPLAYGAIN_ALBUM_GAIN": ["-7.10 dB"],
    "MUSICBRAINZ_TRACKID": ["a0"],
    "MUSICBRAINZ_ALBUMID": ["b1"],
    "ENCODER": ["some encoder 1.0"],
    "METADATA_BLOCK_PICTURE": ["AAAA"],
    "EMPTY": [""],
}


def add_id3(tag: mutagen.id3.ID3) -> None:
    i = mutagen.id3
    for frame in (
        i.TIT2(text=["日本の歌"]),
        i.TPE1(text=["Erste", "Zweite"]),
        i.TALB(text=["Höhlen & Türme"]),
        i.TPE2(text=["Various Artists"]),
        i.TRCK(text=["03/12"]),
        i.TPOS(text=["1/2"]),
        i.TDRC(text=["2024-05-01"]),
        i.TCON(text=["(26)"]),
        i.TCOM(text=["J. S. Bach"]),
        i.COMM(lang="deu", desc="", text=["zwei\nZeilen"]),
        i.COMM(lang="eng", desc="iTunNORM", text=["00000A"]),
        i.TSRC(text=["DEA341900001"]),
        i.USLT(lang="deu", desc="", text="la la\nla"),
        i.TXXX(desc="REPLAYGAIN_TRACK_GAIN", text=["-6.50 dB"]),
        i.TXXX(desc="replaygain_track_peak", text=["0.987654"]),
        i.RVA2(desc="album", channel=1, gain=-7.1, peak=0),
        i.TXXX(desc="MusicBrainz Album Id", text=["b1"]),
        i.UFID(owner="http://musicbrainz.org", data=b"a0"),
        i.TSSE(text=["some encoder 1.0"]),
        i.APIC(mime="image/png", type=3, desc="", data=PICTURE),
        i.PRIV(owner="x", data=bytes(100)),
    ):
        tag.add(frame)


def tag_with_id3(path: Path) -> None:
    kinds = {
        ".wav": mutagen.wave.WAVE,
        ".aiff": mutagen.aiff.AIFF,
        ".tta": mutagen.trueaudio.TrueAudio,
        ".dsf": mutagen.dsf.DSF,
        ".dff": mutagen.dsdiff.DSDIFF,
    }
    audio = kinds[path.suffix](path)
    if audio.tags is None:
        audio.add_tags()
    audio.tags.clear()
    add_id3(audio.tags)
    audio.save()


def tag_with_vorbis(path: Path) -> None:
    audio = mutagen.flac.FLAC(path)
    audio.delete()
    audio.update(VORBIS)
    picture = mutagen.flac.Picture()
    picture.data = PICTURE
    audio.add_picture(picture)
    audio.save()


def tag_with_ape(path: Path) -> None:
    tag = mutagen.apev2.APEv2()
    single = {
        "Title": "日本の歌",
        "Album": "Höhlen & Türme",
        "Album Artist": "Various Artists",
        "Track": "03/12",
        "Disc": "1/2",
        "Year": "2024-05-01",
        "Genre": "Ambient",
        "Composer": "J. S. Bach",
        "Comment": "zwei\nZeilen",
        "ISRC": "DEA341900001",
        "Lyrics": "la la\nla",
        "REPLAYGAIN_TRACK_GAIN": "-6.50 dB",
        "replaygain_track_peak": "0.987654",
        "Replaygain_Album_Gain": "-7.10 dB",
        "MUSICBRAINZ_TRACKID": "a0",
        "MUSICBRAINZ_ALBUMID": "b1",
    }
    for name, text in single.items():
        tag[name] = text
    tag["Artist"] = ["Erste", "Zweite"]
    tag["Cover Art (Front)"] = mutagen.apev2.APEValue(PICTURE, mutagen.apev2.BINARY)
    tag.save(path)


def tag_with_mp4(path: Path) -> None:
    audio = mutagen.mp4.MP4(path)
    audio.delete()
    for name, text in {
        "\xa9nam": "日本の歌",
        "\xa9alb": "Höhlen & Türme",
        "aART": "Various Artists",
        "\xa9day": "2024-05-01",
        "\xa9gen": "Ambient",
        "\xa9wrt": "J. S. Bach",
        "\xa9cmt": "zwei\nZeilen",
        "\xa9lyr": "la la\nla",
        "\xa9too": "some encoder 1.0",
    }.items():
        audio[name] = [text]
    audio["\xa9ART"] = ["Erste", "Zweite"]
    audio["disk"] = [(1, 2)]
    audio["trkn"] = [(3, 12)]
    audio["tmpo"] = [0]
    audio["covr"] = [mutagen.mp4.MP4Cover(PICTURE)]
    for name, text in {
        "ISRC": "DEA341900001",
        "replaygain_track_gain": "-6.50 dB",
        "REPLAYGAIN_TRACK_PEAK": "0.987654",
        "replaygain_album_gain": "-7.10 dB",
        "MusicBrainz Track Id": "a0",
        "MusicBrainz Album Id": "b1",
        "iTunSMPB": "00000000 00000840",
    }.items():
        audio[f"----:com.apple.iTunes:{name}"] = [text.encode()]
    audio.save()


TAGGERS = {
    "stereo.flac": tag_with_vorbis,
    "stereo.wav": tag_with_id3,
    "stereo.aiff": tag_with_id3,
    "stereo.tta": tag_with_id3,
    "stereo.dsf": tag_with_id3,
    "stereo.dff": tag_with_id3,
    "stereo.ape": tag_with_ape,
    "stereo.wv": tag_with_ape,
    "alac.m4a": tag_with_mp4,
    "alac-front.m4a": tag_with_mp4,
}


@pytest.mark.parametrize("name", sorted(TAGGERS))
def test_tags_of_every_format_have_the_same_names(tmp_path: Path, name: str) -> None:
    path = Path(shutil.copyfile(DATA / name, tmp_path / name))
    TAGGERS[name](path)
    expected = dict.fromkeys(EXPECTED)
    if path.suffix == ".m4a":  # which keeps track numbers as numbers
        expected = {
            ("tracknumber", "3") if k == ("tracknumber", "03") else k: None for k in expected
        }
    assert read_source(path).tags == tuple(expected)


@pytest.mark.parametrize("name", [*sorted(TAGGERS), "streamed.flac"])
def test_retagging_keeps_identity_length_and_audio(tmp_path: Path, name: str) -> None:
    path = Path(shutil.copyfile(DATA / name, tmp_path / name))
    before = read_source(path)
    audio = audio_of(before)
    (tag_with_vorbis if path.suffix == ".flac" else TAGGERS[name])(path)
    after = read_source(path)
    assert after.size_bytes != before.size_bytes
    assert (audio_of(after), after.samples) == (audio, before.samples)
    assert decode(path) == decode(DATA / name)


def test_adding_old_tags_behind_the_audio_keeps_its_identity(tmp_path: Path) -> None:
    id3v1 = b"TAG" + b"Old title".ljust(30, b"\0") + bytes(90) + b"\0\0\0\0" + b"\x1a"
    lyrics = b"LYRICSBEGININD0000200"
    lyrics += f"{len(lyrics):06d}LYRICS200".encode()
    for name in ("stereo.ape", "stereo.wv", "stereo.tta", "streamed.flac"):
        path = Path(shutil.copyfile(DATA / name, tmp_path / name))
        if path.suffix in (".ape", ".wv"):
            tag_with_ape(path)
        source = read(path, path.read_bytes() + lyrics + id3v1)
        assert audio_of(source) == audio_of(read_source(DATA / name))
        assert dict(source.tags)["title"] in ("日本の歌", "Old title", "Ein Stück")


def test_comments_of_flac_count_more_than_an_id3_tag_before_it() -> None:
    tags = dict(read_source(DATA / "id3-before.flac").tags)
    assert (tags["title"], tags["albumartist"]) == ("Ein Stück", "Only here")


def test_ffmpegs_own_tags_are_read_in_every_container(tmp_path: Path) -> None:
    tags = {"title": "Grüße", "artist": "Wir", "album": "Alle", "date": "1999", "genre": "Ska"}
    expected = tuple(sorted(tags.items()))
    for suffix, encoder in (
        (".flac", "flac"),
        (".wav", "pcm_s16le"),
        (".m4a", "alac"),
        (".wv", "wavpack"),
        (".tta", "tta"),
        (".mp3", "libmp3lame"),
    ):
        path = make_audio(tmp_path / f"x{suffix}", samples=2000, codec=encoder, tags=tags)
        assert read_source(path).tags == expected, suffix


def test_an_id3_chunk_counts_more_than_the_info_list(tmp_path: Path) -> None:
    content = handmade.riff(
        chunk(b"LIST", b"INFO" + chunk(b"INAM", b"List") + chunk(b"ICMT", b"Only list\0junk")),
        chunk(b"fmt ", handmade.wave_format(1, 8000, 1, 8)),
        chunk(b"data", bytes(10)),
        chunk(b"id3 ", handmade.id3(("TIT2", "Chunk"), ("TPE1", "Only chunk"))),
    )
    assert read(tmp_path / "x.wav", content).tags == (
        ("artist", "Only chunk"),
        ("comment", "Only list"),
        ("title", "Chunk"),
    )


def test_text_chunks_may_be_in_the_western_code_page(tmp_path: Path) -> None:
    info = chunk(b"LIST", b"INFO" + chunk(b"INAM", "Grüße €".encode("cp1252")))
    wav = handmade.wav(handmade.wave_format(1, 8000, 1, 8), bytes(10), after=info)
    assert read(tmp_path / "x.wav", wav).tags == (("title", "Grüße €"),)
    aiff = handmade.aiff(
        chunk(b"NAME", "Grüße".encode("latin-1"), form=">I"),
        chunk(b"AUTH", b"Me", form=">I"),
        handmade.aiff_common(0),
    )
    assert read(tmp_path / "x.aiff", aiff).tags == (("artist", "Me"), ("title", "Grüße"))


def test_dsdiff_titles_are_read_where_no_id3_tag_says_better() -> None:
    assert read_source(DATA / "stereo.dff").tags == (("title", "Ein Bit"),)


def comments(*texts: bytes, claimed: int | None = None) -> bytes:
    body = struct.pack("<I", 3) + b"me!" + struct.pack("<I", claimed or len(texts))
    body += b"".join(struct.pack("<I", len(text)) + text for text in texts)
    info = handmade.flac([1])[8:42]
    blocks = b"\0\0\0\x22" + info + b"\x84" + len(body).to_bytes(3, "big") + body
    return b"fLaC" + blocks


@pytest.mark.parametrize(
    ("content", "tags"),
    [
        (comments(b"TITLE=a=b", b"no separator", b"=no name"), (("title", "a=b"),)),
        (comments(b"TITLE=kept", claimed=1 << 30), (("title", "kept"),)),
        (comments(b"TITLE=kept", b"ARTIST=x")[:-3], (("title", "kept"),)),
        (comments(b"GENRE=A", b"GENRE=A", b"genre=B"), (("genre", "A"), ("genre", "B"))),
        (comments(b"TITLE=" + b"x" * 70_000), ()),
        (
            comments(b"TRACKNUMBER=A1", b"TRACKTOTAL=ten"),
            (("tracknumber", "A1"), ("tracktotal", "ten")),
        ),
        (comments(b"TRACKNUMBER=0/0"), ()),
        (
            comments(b"TRACKNUMBER=3/12", b"TRACKTOTAL=12"),
            (("tracknumber", "3"), ("tracktotal", "12")),
        ),
        (comments(b"TITLE=caf\xe9"), (("title", "café"),)),
    ],
)
def test_odd_comments_give_what_can_be_had(
    tmp_path: Path, content: bytes, tags: tuple[tuple[str, str], ...]
) -> None:
    assert read(tmp_path / "x.flac", content).tags == tags


@pytest.mark.parametrize(
    "damage",
    [
        b"ID3\4\0\0\0\0\0\x7fTIT2\0\0\0\x7f",
        b"ID3\4\0\0\0\0\0\x10TIT2\0\0\0\x06\0\x08zzzzzz",
        b"ID3\3\0\xff\0\0\0\x05xxxxx",
        b"ID3\x09\0\0\0\0\0\x05xxxxx",
    ],
)
def test_a_damaged_id3_tag_costs_its_tags_and_nothing_else(tmp_path: Path, damage: bytes) -> None:
    content = handmade.riff(
        chunk(b"fmt ", handmade.wave_format(1, 8000, 1, 8)),
        chunk(b"data", bytes(10)),
        chunk(b"LIST", b"INFO" + chunk(b"INAM", b"List")),
        chunk(b"id3 ", damage),
    )
    source = read(tmp_path / "x.wav", content)
    assert source.samples == 10
    assert ("title", "List") in source.tags


def test_numbers_of_mp4_are_texts_like_others(tmp_path: Path) -> None:
    path = Path(shutil.copyfile(DATA / "alac-front.m4a", tmp_path / "x.m4a"))
    audio = mutagen.mp4.MP4(path)
    audio.delete()
    audio["trkn"], audio["disk"], audio["tmpo"], audio["cpil"] = [(256, 0)], [(0, 3)], [120], True
    audio.save()
    tags = (("bpm", "120"), ("compilation", "1"), ("disctotal", "3"), ("tracknumber", "256"))
    assert read_source(path).tags == tags


def test_a_genre_of_mp4_may_be_a_number(tmp_path: Path) -> None:
    genre = box(b"gnre", box(b"data", struct.pack(">IIH", 0, 0, 18)))
    moov = box(b"moov", box(b"udta", box(b"meta", bytes(4), box(b"ilst", genre))))
    content = box(b"ftyp", b"M4A \0\0\0\0") + moov
    assert read(tmp_path / "x.m4a", content).tags == (("genre", "Rock"),)
