from __future__ import annotations

import io
import random
import shutil
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import feedparser
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from mutagen.id3 import ID3
from werkzeug.test import TestResponse

from audio_cache import AudioCacheError
from audio_cache.flask_ext import AudioCacheState
from mixtape.mixtapes.values import SavedMixtape
from tests.helpers.audio import file_url, make_audio, make_noise, run_ffmpeg
from tests.helpers.damage import damaged
from tests.helpers.host import PAGE, PASSWORD, make_app, sign_in
from tests.helpers.mixtapes import message_of, scan, services_of, share_mixtape
from tests.helpers.renditions import rendition_of
from tests.helpers.sheets import SAMPLES, write_sheet
from tests.helpers.tracks import make_picture, place
from tests.helpers.waiting import LIMIT_S, wait_until

NAMES = ("a.flac", "b.wav", "c.flac")
SPAN_BYTES = 8_000
ZIP = "/mixtapes/{}/download/low.zip"
MP3 = "/mixtapes/{}/download/low.mp3"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    make_audio(folder / "a.flac", samples=70_001, seed=1)
    make_audio(folder / "b.wav", samples=48_007, rate=48_000, codec="pcm_s24le", seed=2)
    make_audio(folder / "c.flac", samples=130_000, seed=3)
    return folder


@pytest.fixture
def app(tmp_path: Path, music: Path, sources: Path) -> Flask:
    """Return the application with a password and three lossless tracks, nothing of them cached."""
    app = make_app(tmp_path, password=PASSWORD)
    place(sources / "a.flac", music / "a.flac", title="Air: part 1/2", artist="Ann")
    shutil.copy(sources / "b.wav", music / "b.wav")
    place(sources / "c.flac", music / "c.flac", title="Äther", artist="Cé")
    (music / "cover.jpg").write_bytes(make_picture())
    scan(app)
    return app


@pytest.fixture
def mixtape(app: Flask) -> SavedMixtape:
    return share_mixtape(app, *NAMES, title="For you", notes="Side A\nSide B")


@pytest.fixture
def listener(app: Flask) -> FlaskClient:
    return app.test_client()


def get(
    client: FlaskClient, address: str, start: int | None = None, **headers: str
) -> TestResponse:
    if start is not None:
        headers["Range"] = f"bytes={start}-{start + SPAN_BYTES - 1}"
    return client.get(address, headers={name.replace("_", "-"): headers[name] for name in headers})


def test_downloads_stand_in_the_figures_of_the_owner(app: Flask, mixtape: SavedMixtape) -> None:
    listener, owner = app.test_client(), app.test_client()
    sent = len(get(listener, ZIP.format(mixtape.slug)).data)
    sent += len(get(listener, MP3.format(mixtape.slug)).data)
    sign_in(owner)
    figures = owner.get("/admin/figures").json
    assert figures is not None
    traffic = figures["traffic"]
    assert (traffic["downloads"], traffic["download_bytes"]) == (2, sent)
    assert traffic["sent_bytes"] == 0


def make_cold(app: Flask) -> None:
    """Forget all that was made, and wait until nothing more is."""
    state: AudioCacheState = app.extensions["audio_cache"]
    wait_until(lambda: not state.live.growing(), "the encoders to end")
    state.cache.clear_cache()
    state.cache.facts.use(lambda database: database.execute("DELETE FROM crc"))


@pytest.mark.slow
@pytest.mark.parametrize("address", [ZIP, MP3], ids=["zip", "mp3"])
def test_what_is_resumed_at_100_places_while_cold_is_the_whole(
    app: Flask, listener: FlaskClient, mixtape: SavedMixtape, address: str
) -> None:
    address = address.format(mixtape.slug)
    whole = get(listener, address)
    length = int(whole.headers["Content-Length"])
    assert len(whole.data) == length
    places = random.Random(13)
    starts = [places.randrange(length) for _ in range(94)]
    # The directory of an archive stands at its end.
    starts += [0, 1, length - 1, length - 100, length - 300, length - 400]
    for number, start in enumerate(starts):
        # Of one MP3 nothing is kept, so that each range of it is made anew.
        if number % 8 == 0 and address.endswith(".zip"):
            make_cold(app)
        part = get(listener, address, start, If_Range=whole.headers["ETag"])
        assert part.status_code == 206, part.text
        assert part.data == whole.data[start : start + SPAN_BYTES], start


def test_an_archive_is_one_for_every_reader_of_such(
    tmp_path: Path, listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    answer = get(listener, ZIP.format(mixtape.slug))
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="For you.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "01 Ann – Air_ part 1_2.mp3",
            "02 b.mp3",
            "03 Cé – Äther.mp3",
            "cover.jpg",
            "notes.txt",
            "For you.m3u8",
        ]
        assert archive.read("notes.txt") == b"For you\r\n\r\nSide A\r\nSide B\r\n"
        assert "03 Cé – Äther.mp3" in archive.read("For you.m3u8").decode()
    (tmp_path / "tape.zip").write_bytes(answer.data)
    program = shutil.which("unzip")
    if program is not None:
        subprocess.run([program, "-t", tmp_path / "tape.zip"], check=True, timeout=LIMIT_S)


def test_a_range_makes_only_the_track_that_it_touches(
    app: Flask, listener: FlaskClient, mixtape: SavedMixtape, music: Path
) -> None:
    make_cold(app)
    address = ZIP.format(mixtape.slug)
    assert len(get(listener, address, 2_000).data) == SPAN_BYTES
    state: AudioCacheState = app.extensions["audio_cache"]
    wait_until(lambda: not state.live.growing(), "the encoder to end")
    made = [name for name in NAMES if state.cache.is_cached(music / name, "low")]
    assert made == ["a.flac"]


def test_a_head_and_conditions_are_answered_as_for_a_track(
    app: Flask, listener: FlaskClient, mixtape: SavedMixtape, music: Path
) -> None:
    for address in (ZIP.format(mixtape.slug), MP3.format(mixtape.slug)):
        head = listener.head(address)
        length, etag = int(head.headers["Content-Length"]), head.headers["ETag"]
        assert not etag.startswith("W/")
        assert get(listener, address, length).status_code == 416
        assert get(listener, address, If_None_Match=etag).status_code == 304
        other = get(listener, address, 5, If_Range='"another"')
        assert (other.status_code, len(other.data)) == (200, length)
        several = get(listener, address, Range="bytes=0-1,4-5")
        assert (several.status_code, len(several.data)) == (200, length)
    state: AudioCacheState = app.extensions["audio_cache"]
    wait_until(lambda: not state.live.growing(), "the encoders to end")


def test_the_same_tape_has_the_same_bytes_on_another_host(
    tmp_path: Path, app: Flask, listener: FlaskClient, mixtape: SavedMixtape, music: Path
) -> None:
    for address in (ZIP.format(mixtape.slug), MP3.format(mixtape.slug)):
        here = get(listener, address)
        make_cold(app)
        again = get(listener, address)
        assert (again.headers["ETag"], again.data) == (here.headers["ETag"], here.data)


def test_one_mp3_has_no_gaps_and_its_chapters_begin_where_its_tracks_do(
    tmp_path: Path, listener: FlaskClient, mixtape: SavedMixtape, music: Path
) -> None:
    answer = get(listener, f"/mixtapes/{mixtape.slug}/download/high.mp3")
    path = tmp_path / "tape.mp3"
    path.write_bytes(answer.data)
    sounds = [samples_of(music / name) for name in NAMES]
    source = np.concatenate(sounds)
    heard = samples_of(path)
    assert len(heard) == len(source)
    starts = np.cumsum([0, *map(len, sounds)])
    for start in starts[1:-1]:
        # Around a joint it is as near to the sources as anywhere.
        around = slice(start - 2_000, start + 2_000)
        assert signal_to_noise_db(source[around], heard[around]) > 20
    tag = ID3(path)
    assert tag.version == (2, 4, 0)
    assert str(tag["TIT2"]) == "For you"
    assert tag.getall("APIC")
    chapters = [tag[f"CHAP:chp{number}"] for number in range(3)]
    assert [str(each.sub_frames["TIT2"]) for each in chapters] == [
        "Ann – Air: part 1/2",
        "b",
        "Cé – Äther",
    ]
    wanted_ms = [round(start * 1000 / 44_100) for start in starts]
    assert [each.start_time for each in chapters] == wanted_ms[:-1]
    assert [each.end_time for each in chapters] == wanted_ms[1:]
    assert tag["CTOC:toc"].child_element_ids == ["chp0", "chp1", "chp2"]


def samples_of(path: Path) -> np.ndarray:
    """Return a file's samples at 44.1 kHz."""
    raw = run_ffmpeg("-i", file_url(path), "-ar", "44100", "-f", "f32le", "pipe:1").stdout
    return np.frombuffer(raw, np.float32).reshape(-1, 2)


def signal_to_noise_db(source: np.ndarray, heard: np.ndarray) -> float:
    noise = float(np.mean((source - heard) ** 2))
    return float(10 * np.log10(np.mean(source**2) / noise))


def test_one_mp3_is_stored_nowhere(
    tmp_path: Path, app: Flask, listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    make_cold(app)
    assert get(listener, MP3.format(mixtape.slug)).status_code == 200
    state: AudioCacheState = app.extensions["audio_cache"]
    assert list(state.cache.mp3_files()) == []


def test_a_lossy_track_goes_into_the_archive_as_it_is_and_stands_in_the_way_of_one_mp3(
    app: Flask, listener: FlaskClient, music: Path, mp3: Path
) -> None:
    place(mp3, music / "lossy.mp3", title="Lossy")
    scan(app)
    tape = share_mixtape(app, "a.flac", "lossy.mp3")
    answer = get(listener, ZIP.format(tape.slug))
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        [name] = [each for each in archive.namelist() if "Lossy" in each]
        assert archive.read(name) == (music / "lossy.mp3").read_bytes()
    refused = get(listener, MP3.format(tape.slug))
    assert refused.status_code == 409
    assert "“Lossy” is no lossless file" in message_of(refused)


def test_sizes_are_told_to_the_byte_before_anything_is_made(
    app: Flask, listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    make_cold(app)
    answer = get(listener, f"/mixtapes/{mixtape.slug}/download/sizes")
    assert answer.json is not None
    found = {each["name"]: each for each in answer.json["qualities"]}
    assert set(found) == {"high", "medium", "low", "original"}
    for each in found.values():
        assert listener.head(each["zip_url"]).headers["Content-Length"] == str(each["zip"])
        if each["name"] != "original":
            assert listener.head(each["mp3_url"]).headers["Content-Length"] == str(each["mp3"])
    assert found["original"]["mp3"] is None


@pytest.mark.parametrize("kind", ["m3u8", "xspf"])
def test_a_playlist_plays_in_any_player_while_the_mixtape_is_shared(
    app: Flask, listener: FlaskClient, mixtape: SavedMixtape, kind: str
) -> None:
    answer = get(listener, f"/mixtapes/{mixtape.slug}/playlist.{kind}?quality=low")
    assert answer.status_code == 200
    addresses = [
        line.strip().removeprefix("<location>").removesuffix("</location>").replace("&amp;", "&")
        for line in answer.text.splitlines()
        if "/tracks/" in line
    ]
    assert len(addresses) == 3
    assert all(urlsplit(each).netloc == "localhost" for each in addresses)
    assert get(listener, addresses[0]).headers["Content-Type"] == "audio/mpeg"
    services_of(app).mixtapes.unshare(mixtape.slug)
    assert get(listener, addresses[0]).status_code == 404


def test_a_podcast_has_an_episode_for_each_track_with_its_true_length(
    app: Flask, listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    address = f"/mixtapes/{mixtape.slug}/feed.xml?quality=low"
    answer = get(listener, address)
    feed = feedparser.parse(answer.data)
    assert not feed.bozo
    assert feed.feed.title == "For you"
    assert feed.feed.image.href.startswith("http://localhost/mixtapes/")
    assert [each.title for each in feed.entries] == ["Ann – Air: part 1/2", "b", "Cé – Äther"]
    for entry in feed.entries:
        [sound] = entry.enclosures
        played = get(listener, sound.href)
        assert (sound.length, sound.type) == (played.headers["Content-Length"], "audio/mpeg")
    assert [each.itunes_duration for each in feed.entries] == ["2", "1", "3"]
    assert [each.published_parsed for each in feed.entries] == sorted(
        each.published_parsed for each in feed.entries
    )
    assert get(listener, address, If_None_Match=answer.headers["ETag"]).status_code == 304
    ids = [each.id for each in feed.entries]
    renewed = services_of(app).mixtapes.renew_link(mixtape.slug)
    again = feedparser.parse(get(listener, f"/mixtapes/{renewed.slug}/feed.xml").data)
    assert [each.id for each in again.entries] == ids
    services_of(app).mixtapes.unshare(renewed.slug)
    assert get(listener, f"/mixtapes/{renewed.slug}/feed.xml").status_code == 404


def test_nothing_is_downloaded_of_a_mixtape_that_is_not_shared(
    app: Flask, listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    services_of(app).mixtapes.unshare(mixtape.slug)
    for what in ("download/low.zip", "download/low.mp3", "download/sizes", "playlist.m3u8"):
        assert get(listener, f"/mixtapes/{mixtape.slug}/{what}").status_code == 404
    sign_in(listener)
    assert listener.head(ZIP.format(mixtape.slug)).status_code == 200


def test_downloads_can_be_switched_off_for_all_but_the_owner(
    tmp_path: Path, music: Path, app: Flask, mixtape: SavedMixtape
) -> None:
    listener = make_app(tmp_path, password=PASSWORD, downloads=False).test_client()
    for what in ("download/low.zip", "download/low.mp3", "download/sizes", "feed.xml"):
        refused = get(listener, f"/mixtapes/{mixtape.slug}/{what}")
        assert refused.status_code == 403
        assert "switched off" in message_of(refused)
    page = get(listener, f"/mixtapes/{mixtape.slug}", **PAGE)
    assert "Take it along" not in page.text
    assert get(listener, f"/mixtapes/{mixtape.slug}/playlist.m3u8").status_code == 200
    sign_in(listener)
    assert listener.head(ZIP.format(mixtape.slug)).status_code == 200


def test_a_quality_that_there_is_not_is_not_there(
    listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    assert get(listener, f"/mixtapes/{mixtape.slug}/download/best.zip").status_code == 404
    assert get(listener, f"/mixtapes/{mixtape.slug}/download/original.mp3").status_code == 409


def test_a_mixtape_with_nothing_on_it_says_so(app: Flask, listener: FlaskClient) -> None:
    tape = share_mixtape(app)
    refused = get(listener, ZIP.format(tape.slug))
    assert refused.status_code == 409
    assert "no track on this mixtape" in message_of(refused)


@pytest.mark.parametrize("address", [ZIP, MP3], ids=["zip", "mp3"])
def test_a_track_that_proves_to_be_damaged_is_taken_along_as_it_is(
    app: Flask, listener: FlaskClient, music: Path, address: str
) -> None:
    path = music / "c.flac"
    content = damaged(path, path, "overwritten").read_bytes()
    scan(app)
    tape = share_mixtape(app, "a.flac", "c.flac")
    with pytest.raises(AudioCacheError, match=r"damaged|cannot be decoded"):
        get(listener, address.format(tape.slug)).data  # noqa: B018
    whole = get(listener, ZIP.format(tape.slug))
    with zipfile.ZipFile(io.BytesIO(whole.data)) as archive:
        assert archive.testzip() is None
        [name] = [each for each in archive.namelist() if each.endswith(".flac")]
        assert archive.read(name) == content
    assert get(listener, MP3.format(tape.slug)).status_code == 409


def test_tracks_of_a_cue_sheet_are_taken_along_as_mp3s_and_never_their_whole_album(
    app: Flask, listener: FlaskClient, music: Path
) -> None:
    sheet = write_sheet(music / "Album" / "album.cue", "album.flac")
    make_noise(music / "Album" / "album.flac", samples=SAMPLES)
    scan(app)
    tape = share_mixtape(app, "Album/album.cue/03.flac", "a.flac", "Album/album.cue/01.flac")
    for quality, level in (("low", "low"), ("original", "high")):
        address = f"/mixtapes/{tape.slug}/download/{quality}.zip"
        answer = get(listener, address)
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            assert archive.testzip() is None
            for place, number in ((1, 3), (3, 1)):
                name = f"0{place} The Band – Song {number}.mp3"
                expected = rendition_of(sheet / f"0{number}.flac", level)
                assert archive.getinfo(name).file_size == expected.length
        assert get(listener, address, 100_000).data == answer.data[100_000:][:SPAN_BYTES]
    joined = get(listener, MP3.format(tape.slug))
    sizes = get(listener, f"/mixtapes/{tape.slug}/download/sizes").json
    assert sizes is not None
    low = next(each for each in sizes["qualities"] if each["name"] == "low")
    assert low["mp3"] == len(joined.data)
    feed = feedparser.parse(get(listener, f"/mixtapes/{tape.slug}/feed.xml").data)
    assert {each.enclosures[0].type for each in feed.entries} == {"audio/mpeg"}


def test_what_is_said_of_single_tracks_is_in_the_notes(app: Flask, listener: FlaskClient) -> None:
    tape = share_mixtape(app, "a.flac", "c.flac", title="Two", track_notes=("", "Yours"))
    answer = get(listener, ZIP.format(tape.slug))
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.read("notes.txt").decode() == "Two\r\n\r\n2. Cé – Äther: Yours\r\n"
