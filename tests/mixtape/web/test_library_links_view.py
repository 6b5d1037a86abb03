from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mixtape.takeaway.playlist_file import WantedTrack, read_playlist
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD, make_app
from tests.helpers.mixtapes import Owner, make_scanned_app, message_of, services_of, track_id
from tests.helpers.people import add_user, signed_in
from tests.helpers.subsonic import Player, Refused, add_link
from tests.helpers.tracks import add_track

SITE = "http://music.example"


@pytest.fixture
def app(tmp_path: Path, music: Path, mp3: Path) -> Flask:
    (music / "Album").mkdir()
    tags = {"title": "One", "artist": "Singer", "album": "Album", "genre": "Jazz", "track": "1"}
    make_audio(music / "Album" / "one.flac", samples=132_300, tags=tags)
    shutil.copy(mp3, music / "two.mp3")
    (music / "broken.flac").write_bytes(b"no music")
    app = make_scanned_app(tmp_path, password=PASSWORD, public_url=SITE)
    add_user(app)
    return app


@pytest.fixture
def ann(app: Flask) -> Owner:
    return signed_in(app, "Ann")


@pytest.fixture
def stereo(app: Flask) -> FlaskClient:
    """Return a player that knows no more than addresses."""
    return app.test_client(use_cookies=False)


def add(visitor: Owner, name: str = "Living room", quality: str = "low") -> dict[str, str]:
    body = {"name": name, "quality": quality}
    answer = visitor.send("POST", "/api/library-links", body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json is not None
    added: dict[str, str] = answer.json
    return added


def ask(player: FlaskClient, address: str, **headers: str) -> TestResponse:
    """Return the answer to an address as a player finds it written."""
    assert address.startswith(SITE)
    return player.get(address.removeprefix(SITE), headers=headers)


def entries(listing: str) -> list[str]:
    return [line for line in listing.splitlines() if not line.startswith("#")]


def test_a_link_is_a_playlist_of_all_that_can_be_played(ann: Owner, stereo: FlaskClient) -> None:
    address = add(ann)["address"]
    answer = ask(stereo, address, User_Agent="VLC/3.0.20 LibVLC/3.0.20")
    assert answer.status_code == 200
    assert answer.mimetype == "audio/x-mpegurl"
    assert answer.headers["Cache-Control"] == "no-cache, private"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "#EXTALB:Album\n#EXTINF:3,Singer - One\n" in answer.text
    found = read_playlist(answer.data)
    assert found.title == "Library"
    assert WantedTrack(b"", "One", "Singer", 3.0) in found.tracks
    assert len(found.tracks) == 2
    assert all(each.startswith(f"{SITE}/library/tracks/") for each in entries(answer.text))
    page = ann.page("/devices").text
    assert "Remove Living room" in page
    assert "<span>VLC</span>" in page
    # The address is told once.
    assert urlsplit(address).path not in page


def test_each_entry_plays_by_itself_with_its_length_and_ranges(
    ann: Owner, stereo: FlaskClient, tmp_path: Path
) -> None:
    listing = ask(stereo, add(ann)["address"] + "&artist=singer").text
    [entry] = entries(listing)
    assert entry.endswith("?quality=low")
    whole = ask(stereo, entry)
    assert whole.mimetype == "audio/mpeg"
    assert whole.content_length == len(whole.data)
    part = ask(stereo, entry, Range="bytes=1000-1999")
    assert part.status_code == 206
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(whole.data)}"
    assert part.data == whole.data[1000:2000]
    # Another quality of the same link is a word in the address.
    original = ask(stereo, entry.replace("=low", "=original"))
    assert original.mimetype == "audio/flac"
    (tmp_path / "played.mp3").write_bytes(whole.data)
    wanted = ("-show_entries", "format=duration", "-of", "csv=p=0")
    said = subprocess.run(
        ["ffprobe", "-v", "error", *wanted, tmp_path / "played.mp3"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(said.stdout) == pytest.approx(3.0, abs=0.05)


def test_a_link_that_is_removed_ends_its_list_and_all_that_was_loaded_by_it(
    app: Flask, ann: Owner, stereo: FlaskClient
) -> None:
    kept, removed = add(ann, "Kitchen")["address"], add(ann)
    of_kept, of_removed = (
        entries(ask(stereo, address).text)[0] for address in (kept, removed["address"])
    )
    # Nobody else removes it.
    first = signed_in(app, "", PASSWORD)
    url = f"/api/devices/{removed['id']}"
    assert first.send("DELETE", url).status_code == 404
    assert ask(stereo, of_removed).status_code == 200
    assert ann.send("DELETE", url).status_code == 204
    for address in (removed["address"], of_removed):
        answer = ask(stereo, address)
        assert answer.status_code == 404
        assert "may have been removed" in message_of(answer)
    assert ask(stereo, of_kept).status_code == 200
    # With whoever made it go all links.
    users = services_of(app).users
    ann_id = next(user.id for user in users.all() if user.name == "Ann")
    users.remove(ann_id, None)
    assert ask(stereo, kept).status_code == 404
    assert ask(stereo, of_kept).status_code == 404


def test_parts_of_the_library_are_asked_for_in_the_address(ann: Owner, stereo: FlaskClient) -> None:
    address = add(ann)["address"]
    titles = {
        "artist=Singer": ["One"],
        "album=album": ["One"],
        "genre=jazz": ["One"],
        "folder=Album": ["One"],
        "folder=/Album/": ["One"],
        "folder=%ff": [],
        "artist=nobody": [],
    }
    for query, wanted in titles.items():
        answer = ask(stereo, f"{address}&{query}")
        assert answer.status_code == 200
        assert answer.text.startswith("#EXTM3U\n#PLAYLIST:")
        assert len(entries(answer.text)) == len(wanted), query
    assert "#PLAYLIST:Singer – Album\n" in ask(stereo, f"{address}&artist=Singer&album=Album").text


def test_the_key_of_a_link_signs_nobody_in(app: Flask, ann: Owner) -> None:
    key = urlsplit(add(ann)["address"]).path.rpartition("/")[2].removesuffix(".m3u8")
    player = Player(app, key, "Ann")
    with pytest.raises(Refused):
        player.ask("ping")
    player.credentials = {"apiKey": key, "v": "1.16.1", "c": "test"}
    with pytest.raises(Refused):
        player.ask("ping")


def test_whoever_tries_links_is_slowed_down_and_who_has_one_is_not(
    ann: Owner, stereo: FlaskClient
) -> None:
    address = add(ann)["address"]
    [entry, *_] = entries(ask(stereo, address).text)
    statuses = [stereo.get(f"/library/{n}.m3u8").status_code for n in range(40)]
    statuses += [stereo.get(f"/library/tracks/1.{n}.x").status_code for n in range(40)]
    assert set(statuses) == {404, 429}
    assert statuses.count(404) == 60
    assert ask(stereo, address).status_code == 200
    assert ask(stereo, entry).status_code == 200


def test_a_link_is_made_with_a_name_and_a_quality_that_there_is(
    ann: Owner, stereo: FlaskClient
) -> None:
    for body in ({}, {"name": "Hi-fi"}, {"name": 5, "quality": "low"}):
        answer = ann.send("POST", "/api/library-links", body)
        assert answer.status_code == 400
    sent = {"name": "Hi-fi", "quality": "best"}
    assert ann.send("POST", "/api/library-links", sent).status_code == 400
    sent = {"name": " ", "quality": "low"}
    assert "needs a name" in message_of(ann.send("POST", "/api/library-links", sent))
    assert stereo.post("/api/library-links", json=sent).status_code in {400, 401}
    address = add(ann)["address"]
    assert ask(stereo, address.replace("low", "best")).status_code == 400


def test_a_long_list_is_sent_piece_by_piece(tmp_path: Path, music: Path) -> None:
    app = make_app(tmp_path)
    services = services_of(app)
    for number in range(1_200):
        add_track(services.database, b"%d.flac" % number, title=f"T{number:04}", artist="A")
    key = add_link(app)
    with app.test_client().get(f"/library/{key}.m3u8", buffered=False) as answer:
        pieces = [bytes(piece) for piece in answer.response]
    assert answer.content_length is None
    assert len(pieces) == 4
    found = b"".join(pieces).decode()
    assert [line[-5:] for line in found.splitlines() if line.startswith("#EXTINF")] == [
        f"T{number:04}" for number in range(1_200)
    ]


def lent(visitor: Owner, *ids: int) -> list[str]:
    """Return the addresses by which another device plays tracks for whoever has signed in."""
    answer = visitor.client.get(f"/api/tracks/addresses?ids={','.join(map(str, ids))}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json is not None
    addresses: dict[str, str] = answer.json["addresses"]
    return [addresses[str(each)] for each in ids if str(each) in addresses]


def test_another_device_plays_what_a_session_lends_it_and_nothing_else(
    app: Flask, ann: Owner, stereo: FlaskClient
) -> None:
    one, two, broken = (track_id(app, name) for name in ("One", "two.mp3", "broken.flac"))
    addresses = lent(ann, one, two, broken, 999)
    assert len(addresses) == 2
    for address, path, mimetype in zip(
        addresses, ("Album/one.flac", "two.mp3"), ("audio/mpeg", "audio/mpeg"), strict=True
    ):
        assert "Album" not in address
        assert "one" not in urlsplit(address).path
        played = ask(stereo, f"{address}?quality=low")
        assert played.status_code == 200
        assert played.mimetype == mimetype
        assert played.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Access-Control-Allow-Origin" not in played.headers
        assert played.data == ann.client.get(f"/play/{path}?quality=low").data
        assert ask(stereo, f"{address}?quality=low", Range="bytes=5-9").data == played.data[5:10]
    token = addresses[0].rpartition("/")[2]
    for closed in (f"/library/{token}.m3u8", "/api/tracks/addresses?ids=1", "/play/two.mp3"):
        assert stereo.get(closed).status_code in {401, 404}


def test_what_was_lent_ends_where_the_session_does(app: Flask, stereo: FlaskClient) -> None:
    one = track_id(app, "One")
    first, ann = signed_in(app, "", PASSWORD), signed_in(app, "Ann")
    [of_first], [of_ann] = lent(first, one), lent(ann, one)
    for address in (of_first, of_ann):
        assert ask(stereo, address).status_code == 200
    assert ann.send("POST", "/logout").status_code == 303
    assert ask(stereo, of_ann).status_code == 404
    assert ask(stereo, of_first).status_code == 200
    assert first.send("POST", "/logout").status_code == 303
    assert ask(stereo, of_first).status_code == 404
    users = services_of(app).users
    [again] = lent(signed_in(app, "Ann"), one)
    assert ask(stereo, again).status_code == 200
    users.remove(next(user.id for user in users.all() if user.name == "Ann"), None)
    assert ask(stereo, again).status_code == 404


def test_whoever_guesses_what_was_lent_is_slowed_down(
    app: Flask, ann: Owner, stereo: FlaskClient
) -> None:
    [address] = lent(ann, track_id(app, "One"))
    statuses = [stereo.get(f"/library/tracks/u1.{n}.1.x").status_code for n in range(80)]
    assert statuses.count(404) == 60
    assert statuses.count(429) == 20
    assert ask(stereo, address).status_code == 200
