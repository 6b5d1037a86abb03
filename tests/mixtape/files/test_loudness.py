from __future__ import annotations

from pathlib import Path

import mutagen
import pytest
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, TXXX
from mutagen.mp4 import MP4, MP4FreeForm

from mixtape.files.audio_file import read_audio_file
from mixtape.files.loudness import Loudness, read_loudness
from tests.helpers.audio import make_audio
from tests.helpers.tracks import place

TAGS = {
    "REPLAYGAIN_TRACK_GAIN": "-6.54 dB",
    "REPLAYGAIN_TRACK_PEAK": "0.988553",
    "REPLAYGAIN_ALBUM_GAIN": "-7.1 dB",
    "REPLAYGAIN_ALBUM_PEAK": "1.02",
}
READ = Loudness(-6.54, 0.988553, -7.1, 1.02)


def loudness_of(path: Path) -> Loudness:
    tags = read_audio_file(path).tags
    return Loudness(tags.track_gain_db, tags.track_peak, tags.album_gain_db, tags.album_peak)


def test_vorbis_comments_say_it(flac: Path, tmp_path: Path) -> None:
    path = place(flac, tmp_path / "a.flac", **TAGS)
    assert loudness_of(path) == READ


def test_texts_of_id3_say_it(mp3: Path, tmp_path: Path) -> None:
    path = place(mp3, tmp_path / "a.mp3")
    tags = ID3()
    for name, value in TAGS.items():
        tags.add(TXXX(encoding=3, desc=name.lower(), text=[value]))
    tags.save(path)
    assert loudness_of(path) == READ


@pytest.mark.parametrize("codec", ["aac", "alac"])
def test_freeform_atoms_of_mp4_say_it(codec: str, tmp_path: Path) -> None:
    path = make_audio(tmp_path / "a.m4a", samples=44_100, codec=codec)
    file = MP4(path)
    for name, value in TAGS.items():
        file[f"----:com.apple.iTunes:{name.lower()}"] = [MP4FreeForm(value.encode())]
    file.save()
    assert loudness_of(path) == READ


def test_items_of_apev2_say_it(tmp_path: Path) -> None:
    path = make_audio(tmp_path / "a.wv", samples=44_100, codec="wavpack")
    tags = APEv2()
    for name, value in TAGS.items():
        tags[name] = value
    tags.save(path)
    assert loudness_of(path) == READ


def test_the_gain_of_opus_is_brought_to_the_reference_of_replaygain(tmp_path: Path) -> None:
    path = make_audio(tmp_path / "a.opus", samples=48_000, rate=48_000, codec="libopus")
    file = mutagen.File(path)
    assert file is not None
    file["R128_TRACK_GAIN"] = "-512"
    file["R128_ALBUM_GAIN"] = "256"
    file.save()
    assert loudness_of(path) == Loudness(track_gain_db=3.0, album_gain_db=6.0)


@pytest.mark.parametrize(
    ("said", "gain"),
    [("-6,5", -6.5), ("+3 dB", 3.0), (" 0.00 dB", 0.0), ("loud", None), ("", None), ("900", None)],
)
def test_what_people_write_is_a_number_or_nothing(said: str, gain: float | None) -> None:
    values = {"replaygain_track_gain": [said]}
    assert read_loudness(values).track_gain_db == gain


def test_a_peak_of_nothing_is_none() -> None:
    assert read_loudness({"replaygain_track_peak": ["0.000000"]}).track_peak is None
