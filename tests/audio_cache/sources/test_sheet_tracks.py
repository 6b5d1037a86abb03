"""Tracks that sheets cut out of files: which there are, and what is told of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from audio_cache import cut_files, file_of, is_lossless, is_sheet_track, read_source, stat_source
from audio_cache.errors import CueSheetError
from audio_cache.sources.cue_sheet import FRAMES_PER_S, MAX_TRACKS
from audio_cache.sources.sheet_tracks import SheetTrack, find_sheet_track, read_sheet
from audio_cache.sources.source import hash_audio, open_inside, version_of
from tests.helpers.audio import make_noise
from tests.helpers.sheets import CD_FRAME, RATE, SAMPLES, STARTS, sheet_text, write_sheet


@pytest.fixture(scope="module")
def flac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tags = {"title": "All", "artist": "X", "album": "Album", "genre": "Rock", "label": "L"}
    return make_noise(tmp_path_factory.mktemp("album") / "a.flac", samples=SAMPLES, tags=tags)


@pytest.fixture
def folder(flac: Path, tmp_path: Path) -> Path:
    """Return a folder with an album of one file, and its sheet."""
    folder = tmp_path / "Album"
    write_sheet(folder / "a.cue", "a.flac")
    os.link(flac, folder / "a.flac")
    return folder


def stretches(tracks: Sequence[SheetTrack]) -> list[tuple[int, int, int | None]]:
    return [(track.number, track.start, track.stop) for track in tracks]


def test_a_sheet_cuts_its_file_without_a_gap(folder: Path) -> None:
    tracks = read_sheet(folder / "a.cue")
    assert stretches(tracks) == [(1, 0, STARTS[1]), (2, STARTS[1], STARTS[2]), (3, STARTS[2], None)]
    sources = [read_source(track.path) for track in tracks]
    at = 0
    for source in sources:
        assert (source.first_sample, source.rate_hz) == (at, RATE)
        at += source.samples or 0
    assert at == SAMPLES
    assert sources[1].first_sample == STARTS[1] * CD_FRAME
    assert sum(source.size_bytes for source in sources) == pytest.approx(
        (folder / "a.flac").stat().st_size, abs=3
    )


def test_a_track_has_a_path_of_its_own(folder: Path) -> None:
    path = folder / "a.cue" / "02.flac"
    source = read_source(path)
    assert source.path == path
    assert source.file.path == folder / "a.flac"
    assert version_of(stat_source(path)) == source.version
    assert is_sheet_track(path)
    assert is_lossless(path)
    assert file_of(path) == str(folder / "a.flac")
    assert file_of(folder / "a.flac") == str(folder / "a.flac")


@pytest.mark.parametrize(
    "name",
    [
        "04.flac",
        "2.flac",
        "002.flac",
        "02.wav",
        "02",
        "00.flac",
        "x.flac",
        "02.flac/01.flac",
        "02.flac.cue/01.flac",
        "9" * 200 + ".flac",
    ],
)
def test_what_the_sheet_does_not_have_is_missing(folder: Path, name: str) -> None:
    for look in (read_source, stat_source, find_sheet_track):
        with pytest.raises((FileNotFoundError, NotADirectoryError)):
            look(folder / "a.cue" / name)


def test_something_in_a_file_that_is_no_sheet_is_missing(folder: Path) -> None:
    for look in (read_source, stat_source, find_sheet_track):
        with pytest.raises(NotADirectoryError):
            look(folder / "a.flac" / "01.flac")
    assert not is_sheet_track(folder / "a.flac" / "01.flac")


def test_a_folder_may_have_the_name_of_a_sheet(flac: Path, tmp_path: Path) -> None:
    inside = tmp_path / "odd.cue" / "01.flac"
    inside.parent.mkdir()
    os.link(flac, inside)
    assert read_source(inside).whole is None
    assert not is_sheet_track(inside)
    assert stat_source(inside) == os.stat(inside)


def test_tags_are_those_of_the_sheet_and_what_the_file_says_of_the_album(folder: Path) -> None:
    tags = dict(read_source(folder / "a.cue" / "03.flac").tags)
    assert tags == {
        "title": "Song 3",
        "artist": "The Band",
        "albumartist": "The Band",
        "album": "First",
        "date": "1999",
        "genre": "Rock",
        "label": "L",
        "tracknumber": "3",
        "tracktotal": "3",
    }


def test_a_gap_belongs_to_the_track_before_and_silence_that_is_not_there_to_none(
    folder: Path,
) -> None:
    text = sheet_text("a.flac").replace("INDEX 01 00:05:17", "INDEX 00 00:04:00\nINDEX 01 00:05:17")
    text = text.replace("TRACK 03 AUDIO", "TRACK 03 AUDIO\nPREGAP 00:02:00")
    (folder / "a.cue").write_text(text)
    assert [start for _, start, _ in stretches(read_sheet(folder / "a.cue"))] == list(STARTS)


def test_what_is_hidden_before_the_first_track_is_track_0(folder: Path) -> None:
    write_sheet(folder / "a.cue", "a.flac", (4 * FRAMES_PER_S, STARTS[2]))
    tracks = read_sheet(folder / "a.cue")
    assert stretches(tracks) == [(0, 0, 300), (1, 300, STARTS[2]), (2, STARTS[2], None)]
    hidden = read_source(folder / "a.cue" / "00.flac")
    assert dict(hidden.tags)["title"] == "Hidden track"
    assert hidden.samples == 300 * CD_FRAME


def test_only_one_track_can_be_hidden(folder: Path, flac: Path) -> None:
    os.link(flac, folder / "b.flac")
    starts = (4 * FRAMES_PER_S, STARTS[2])
    second = sheet_text("b.flac", starts).replace("TRACK 02", "TRACK 04").replace("K 01", "K 03")
    (folder / "a.cue").write_text(sheet_text("a.flac", starts) + second)
    tracks = read_sheet(folder / "a.cue")
    assert [(track.number, track.start) for track in tracks] == [
        *((0, 0), (1, starts[0]), (2, starts[1])),
        *((3, 0), (4, starts[1])),
    ]
    assert [find_sheet_track(track.path) for track in tracks] == list(tracks)


def test_what_is_called_track_0_is_not_hidden(folder: Path) -> None:
    text = sheet_text("a.flac", (4 * FRAMES_PER_S, STARTS[2])).replace("TRACK 02", "TRACK 00")
    (folder / "a.cue").write_text(text)
    tracks = read_sheet(folder / "a.cue")
    assert stretches(tracks) == [(1, 0, STARTS[2]), (0, STARTS[2], None)]
    assert [find_sheet_track(track.path) for track in tracks] == list(tracks)


def test_the_lead_in_of_a_disc_is_part_of_its_first_track(folder: Path) -> None:
    write_sheet(folder / "a.cue", "a.flac", (2 * FRAMES_PER_S, STARTS[2]))
    assert stretches(read_sheet(folder / "a.cue")) == [(1, 0, STARTS[2]), (2, STARTS[2], None)]


def test_a_track_of_data_is_left_out_and_ends_the_one_before(folder: Path) -> None:
    text = sheet_text("a.flac").replace("TRACK 02 AUDIO", "TRACK 02 MODE1/2352")
    (folder / "a.cue").write_text(text)
    tracks = read_sheet(folder / "a.cue")
    assert stretches(tracks) == [(1, 0, STARTS[1]), (3, STARTS[2], None)]


@pytest.mark.parametrize(
    "named",
    [
        "a.wav",
        "A.FLAC",
        "a.ape",
        r"C:\Rips\a.wav",
        "../elsewhere/a.flac",
        "/etc/a.flac",
        "CD1/a.wav",
        "an old name.wav",
    ],
)
def test_only_what_lies_beside_the_sheet_is_cut(folder: Path, named: str) -> None:
    other = folder.parent / "elsewhere"
    other.mkdir()
    (other / "a.flac").write_bytes(b"not looked at")
    write_sheet(folder / "a.cue", named)
    assert {track.file for track in read_sheet(folder / "a.cue")} == {str(folder / "a.flac")}


@pytest.mark.parametrize(
    "named",
    # Of the last each mark is put in its order among all others, which takes hours.
    [
        *("..", ".", "/", "gone.flac", ".a.flac", "x/", "a\0.flac"),
        pytest.param("a" + "\u0300\u0316" * 200_000, id="marks"),
    ],
)
def test_a_sheet_of_nothing_beside_it_cuts_nothing(folder: Path, named: str) -> None:
    (folder / "a.cue").rename(folder / "other.cue")
    write_sheet(folder / "other.cue", named)
    assert read_sheet(folder / "other.cue") == ()


def test_a_sheet_of_a_file_for_each_track_cuts_none(folder: Path, flac: Path) -> None:
    os.link(flac, folder / "b.flac")
    text = sheet_text("a.flac", (0,)) + 'FILE "b.flac" WAVE\nTRACK 02 AUDIO\nINDEX 01 00:00:00\n'
    (folder / "a.cue").write_text(text)
    assert read_sheet(folder / "a.cue") == ()


def test_each_of_several_files_is_cut_into_its_own_tracks(folder: Path, flac: Path) -> None:
    os.link(flac, folder / "b.flac")
    second = sheet_text("b.flac", (0, 750)).replace("TRACK 02", "TRACK 05").replace("K 01", "K 04")
    (folder / "a.cue").write_text(sheet_text("a.flac") + second)
    tracks = read_sheet(folder / "a.cue")
    assert [(track.number, os.path.basename(track.file)) for track in tracks] == [
        *((number, "a.flac") for number in (1, 2, 3)),
        *((number, "b.flac") for number in (4, 5)),
    ]
    assert dict(read_source(tracks[4].path).tags)["tracktotal"] == "5"


@pytest.mark.parametrize(
    ("starts", "said"),
    [((0, 60 * FRAMES_PER_S), "track 2 begins at 60.0 s, and 'a.flac' ends at 20.0 s")],
)
def test_a_sheet_of_another_recording_is_wrong(
    folder: Path, starts: tuple[int, ...], said: str
) -> None:
    write_sheet(folder / "a.cue", "a.flac", starts)
    with pytest.raises(CueSheetError, match=said):
        read_sheet(folder / "a.cue")
    with pytest.raises(FileNotFoundError):
        read_source(folder / "a.cue" / "01.flac")


def test_lossy_files_are_not_cut(tmp_path: Path) -> None:
    make_noise(tmp_path / "a.mp3", samples=RATE, codec="libmp3lame")
    write_sheet(tmp_path / "a.cue", "a.mp3", (0, 30))
    with pytest.raises(CueSheetError, match="only lossless"):
        read_sheet(tmp_path / "a.cue")


def test_of_two_sheets_for_a_file_one_counts(folder: Path) -> None:
    write_sheet(folder / "b.cue", "a.flac", (0, 75))
    (folder / "c.cue").write_bytes(b"nothing")
    tracks, errors = cut_files(str(folder), os.listdir(folder))
    assert {track.sheet for track in tracks} == {str(folder / "a.cue")}
    assert list(errors) == ["c.cue"]


def test_a_pipe_of_that_name_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.cue")
    with pytest.raises(OSError, match="regular"):
        read_sheet(tmp_path / "a.cue")
    with pytest.raises(OSError, match="directory"):
        read_source(tmp_path / "a.cue" / "01.flac")


def test_the_version_changes_with_the_sheet_and_with_the_file(folder: Path) -> None:
    path, sheet, file = folder / "a.cue" / "02.flac", folder / "a.cue", folder / "a.flac"
    seen = {version_of(stat_source(path))}
    dates = {stat_source(path).st_mtime_ns}
    for changed in (sheet, file, sheet):
        # Older than the other, which is what a restored backup may be.
        os.utime(changed, ns=(10**18, 10**18 + len(seen)))
        seen.add(version_of(stat_source(path)))
        dates.add(stat_source(path).st_mtime_ns)
    assert len(seen) == len(dates) == 4


def test_a_track_is_known_by_the_bytes_of_its_file_and_its_place_in_it(
    folder: Path, flac: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "Copy"
    write_sheet(copy / "z.cue", "z.flac", (0, STARTS[1], STARTS[1] + 75))
    (copy / "z.flac").write_bytes(flac.read_bytes())
    one, two, three = (
        hash_audio(read_source(folder / "a.cue" / f"0{number}.flac")) for number in (1, 2, 3)
    )
    assert len({one, two, three, hash_audio(read_source(folder / "a.flac"))}) == 4
    assert hash_audio(read_source(copy / "z.cue" / "01.flac")) == one
    assert hash_audio(read_source(copy / "z.cue" / "02.flac")) != two
    # What a FLAC states of itself is not proved by a part of it.
    assert read_source(folder / "a.cue" / "01.flac").audio == ""


def test_a_link_out_of_the_music_is_not_opened(folder: Path, flac: Path, tmp_path: Path) -> None:
    root = os.path.realpath(folder)
    with open_inside(root, folder / "a.cue" / "01.flac") as descriptor:
        assert os.fstat(descriptor).st_ino == (folder / "a.flac").stat().st_ino
    (folder / "a.flac").unlink()
    (folder / "a.flac").symlink_to(flac)
    with pytest.raises(FileNotFoundError), open_inside(root, folder / "a.cue" / "01.flac"):
        pass


def test_a_sheet_of_many_tracks_is_listed_and_found_in_moderate_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sheet(folder / "a.cue", "a.flac", range(MAX_TRACKS))
    read = []
    monkeypatch.setattr("audio_cache.sources.sheet_tracks.parse_cue_sheet", _counted(read))
    tracks = read_sheet(folder / "a.cue")
    assert len(tracks) == MAX_TRACKS
    assert replace(find_sheet_track(tracks[500].path)) == tracks[500]
    assert len(read) == 1


def _counted(read: list[bytes]) -> object:
    from audio_cache.sources.cue_sheet import CueSheet, parse_cue_sheet

    def parse(content: bytes) -> CueSheet:
        read.append(content)
        return parse_cue_sheet(content)

    return parse
