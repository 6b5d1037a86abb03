"""CUE sheets inside of music files, and the tracks that those are cut into."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import mutagen
import pytest
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC, CueSheet, CueSheetTrack, CueSheetTrackIndex

from audio_cache import CueSheetError, cut_files, is_sheet_track, read_source, stat_source
from audio_cache.sources.own_sheets import read_own_sheet
from audio_cache.sources.reader import MAX_TEXT_BYTES
from audio_cache.sources.sheet_tracks import find_sheet_track, own_track_mtime_ns, read_sheet
from audio_cache.sources.source import hash_audio, open_inside, stat_opened, version_of
from tests.helpers.audio import DATA, make_noise
from tests.helpers.sheets import CD_FRAME, RATE, SAMPLES, STARTS, sheet_text, write_sheet

SHEET = sheet_text("CDImage.wav")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tags = {"title": "All", "album": "Album", "genre": "Rock", "cue_track01_artist": "X"}
    return make_noise(tmp_path_factory.mktemp("image") / "a.flac", samples=SAMPLES, tags=tags)


@pytest.fixture
def flac(image: Path, tmp_path: Path) -> Path:
    """Return an album that is one file, with its sheet as a tag."""
    path = tmp_path / "Album" / "a.flac"
    path.parent.mkdir()
    shutil.copy2(image, path)
    return with_tag(path, SHEET)


def with_tag(path: Path, sheet: str) -> Path:
    file = mutagen.File(path)
    file["CUESHEET"] = sheet
    file.save()
    return path


def block(*starts: int, lead_out: int = SAMPLES, data: int | None = None) -> CueSheet:
    """Return a CUESHEET block whose tracks begin at some samples."""
    sheet = CueSheet(None)
    sheet.compact_disc = False
    for number, start in enumerate(starts, 1):
        track = CueSheetTrack(number, start, isrc=b"DEABC0000001" if number == 1 else b"")
        track.type = int(number == data)
        track.indexes.append(CueSheetTrackIndex(1, 0))
        sheet.tracks.append(track)
    sheet.tracks.append(CueSheetTrack(255, lead_out))
    return sheet


def with_block(path: Path, sheet: CueSheet) -> Path:
    file = FLAC(path)
    file.cuesheet = sheet
    file.metadata_blocks.append(sheet)
    file.save()
    return path


def test_a_file_with_a_sheet_is_the_folder_of_its_tracks(flac: Path) -> None:
    tracks = read_sheet(flac)
    assert [(track.number, track.start, track.stop) for track in tracks] == [
        (1, 0, STARTS[1]),
        (2, STARTS[1], STARTS[2]),
        (3, STARTS[2], None),
    ]
    path = flac / "02.flac"
    source = read_source(path)
    assert (source.path, source.file.path) == (path, flac)
    assert source.first_sample == STARTS[1] * CD_FRAME
    assert source.samples == (STARTS[2] - STARTS[1]) * CD_FRAME
    assert is_sheet_track(path)
    assert not is_sheet_track(flac)
    assert version_of(stat_source(path)) == source.version
    with open_inside(flac.parent, path) as descriptor:
        assert stat_opened(str(path), descriptor) == stat_source(path)
    assert (read_source(flac).has_sheet, source.has_sheet) == (True, False)


def test_tags_are_those_of_the_sheet_and_what_the_file_says_of_the_album(flac: Path) -> None:
    assert dict(read_source(flac / "01.flac").tags) == {
        "title": "Song 1",
        "artist": "The Band",
        "albumartist": "The Band",
        "album": "First",
        "date": "1999",
        "genre": "Rock",
        "tracknumber": "1",
        "tracktotal": "3",
    }


def test_a_track_is_the_one_that_a_sheet_beside_the_file_cuts(flac: Path) -> None:
    write_sheet(flac.parent / "a.cue", "a.flac")
    beside, inside = (read_source(flac.parent / of / "02.flac") for of in ("a.cue", "a.flac"))
    assert hash_audio(inside) == hash_audio(beside)
    assert inside.tags == beside.tags


def test_a_sheet_beside_the_file_counts_first(flac: Path) -> None:
    names = os.listdir(flac.parent)
    tracks, errors = cut_files(str(flac.parent), names)
    assert [track.path for track in tracks] == [f"{flac}/{n:02}.flac" for n in (1, 2, 3)]
    write_sheet(flac.parent / "a.cue", "a.flac", (0, 300))
    tracks, errors = cut_files(str(flac.parent), os.listdir(flac.parent))
    assert [track.sheet for track in tracks] == [str(flac.parent / "a.cue")] * 2
    assert errors == {}


@pytest.mark.parametrize("name", ["a.wv", "long.ape"])
def test_an_ape_tag_may_hold_the_sheet(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name in os.listdir(DATA):
        shutil.copy(DATA / name, path)
    else:
        make_noise(path, samples=RATE, codec="wavpack")
    tag = APEv2()
    tag["Cuesheet"] = sheet_text("image.ape", (0, 20))
    tag["Album"] = "Of the tag"
    tag.save(path)
    whole = read_source(path)
    sources = [read_source(track.path) for track in read_sheet(path)]
    assert [source.first_sample for source in sources] == [0, 20 * whole.rate_hz // 75]
    assert sum(source.samples or 0 for source in sources) == whole.samples
    assert dict(sources[1].tags)["title"] == "Song 2"


def test_a_block_of_a_flac_file_cuts_it_to_the_sample(image: Path, tmp_path: Path) -> None:
    starts = (0, 100_001, 300_007)
    path = with_block(Path(shutil.copy(image, tmp_path)), block(*starts))
    sources = [read_source(track.path) for track in read_sheet(path)]
    assert [source.first_sample for source in sources] == list(starts)
    assert sum(source.samples or 0 for source in sources) == SAMPLES
    tags = dict(sources[0].tags)
    assert (tags["title"], tags["album"], tags["isrc"]) == ("Track 01", "Album", "DEABC0000001")
    assert read_source(path).has_sheet


def test_a_tag_says_more_than_a_block(flac: Path) -> None:
    with_block(flac, block(0, 1000))
    assert len(read_sheet(flac)) == 3


def test_data_in_a_block_is_no_track(image: Path, tmp_path: Path) -> None:
    path = with_block(Path(shutil.copy(image, tmp_path)), block(0, 1000, 2000, data=2))
    assert [track.number for track in read_sheet(path)] == [1, 3]


@pytest.mark.parametrize(
    "sheet", [block(0, 1000, 1000), block(1000, 0), block(0, SAMPLES), block(0)]
)
def test_a_block_that_is_wrong_cuts_nothing(image: Path, tmp_path: Path, sheet: CueSheet) -> None:
    path = with_block(Path(shutil.copy(image, tmp_path)), sheet)
    assert cut_files(str(tmp_path), [path.name])[0] == []
    with pytest.raises(OSError, match="sheet"):
        read_source(path / "01.flac")


def test_a_block_that_is_cut_short_is_wrong(image: Path, tmp_path: Path) -> None:
    path = with_block(Path(shutil.copy(image, tmp_path)), block(0, 1000))
    data = bytearray(path.read_bytes())
    # More tracks than there is room for, in the byte behind what comes before them.
    at = data.index(block(0, 1000).write()) + 395
    data[at] = 255
    path.write_bytes(data)
    with pytest.raises(CueSheetError, match="ends too early"):
        read_own_sheet(path)


@pytest.mark.parametrize(
    "sheet",
    [
        # As copied into each of the files that an album consists of.
        sheet_text("1.flac", (0,)) + 'FILE "2.flac" WAVE\nTRACK 02 AUDIO\nINDEX 01 00:00:00\n',
        sheet_text("a.flac", (0,)),
        "",
        f"REM {'x' * MAX_TEXT_BYTES}\n{SHEET}",
    ],
)
def test_a_file_that_needs_no_cutting_is_not_cut(image: Path, tmp_path: Path, sheet: str) -> None:
    path = with_tag(Path(shutil.copy(image, tmp_path)), sheet)
    assert cut_files(str(tmp_path), [path.name]) == ([], {})
    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        read_source(path / "01.flac")


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        (sheet_text("a.flac", (0, 60 * 75)), "track 2 begins at 60.0 s, and 'a.flac' ends"),
        (SHEET.replace("00:05:17", "soon"), "line 10: INDEX needs a place"),
    ],
)
def test_of_a_sheet_that_is_wrong_it_is_said_why(
    image: Path, tmp_path: Path, sheet: str, said: str
) -> None:
    path = with_tag(Path(shutil.copy(image, tmp_path)), sheet)
    tracks, errors = cut_files(str(tmp_path), [path.name])
    assert tracks == []
    assert said in str(errors["a.flac"])
    with pytest.raises(FileNotFoundError, match=said[:20]):
        find_sheet_track(path / "01.flac")


def test_lossy_files_are_not_cut(tmp_path: Path) -> None:
    path = make_noise(tmp_path / "a.mp3", samples=RATE, codec="libmp3lame")
    os.rename(path, tmp_path / "a.flac")
    assert not is_sheet_track(tmp_path / "a.flac" / "01.flac")
    assert cut_files(str(tmp_path), ["a.flac"]) == ([], {})


def test_the_date_of_a_track_tells_of_which_file_it_is_and_how_many_there_are(flac: Path) -> None:
    status = flac.stat()
    dates = {stat_source(flac / f"{number:02}.flac").st_mtime_ns for number in (1, 2, 3)}
    file = status.st_size, status.st_mtime_ns
    assert dates == {own_track_mtime_ns(*file, number, 3) for number in (1, 2, 3)}
    assert len(dates) == 3
    assert own_track_mtime_ns(*file, 1, 2) not in dates
    os.utime(flac, ns=(10**18, 10**18))
    assert stat_source(flac / "01.flac").st_mtime_ns not in dates
