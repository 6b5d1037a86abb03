"""Playing over HTTP what is still being made: as if the file existed."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.audio_cache.live.site import HIT, LIVE, Site, own_site, reference
from tests.helpers.gunicorn import Server, play_target
from tests.helpers.waiting import LIMIT_S, together, wait_until


def test_the_first_play_is_live_and_those_after_the_file_is_made_are_hits(site: Site) -> None:
    first = site.server.play(site.track.name)
    assert (first.status, first.cache_status) == (200, LIVE)
    assert first.body == site.whole
    wait_until(site.entry.exists)
    second = site.server.play(site.track.name)
    assert (second.status, second.cache_status, second.body) == (200, HIT, site.whole)
    assert site.encodes_of(site.track.name) == [True]


def test_ten_listeners_on_a_cold_track_have_one_encoder(site: Site) -> None:
    play = lambda: site.server.play(site.track.name).body  # noqa: E731
    assert set(together(*[play] * 10)) == {site.whole}
    assert site.encodes_of(site.track.name) == [True]


def test_length_and_validators_are_the_same_before_while_and_after(site: Site) -> None:
    name, server = site.track.name, site.server
    fields = ("ETag", "Accept-Ranges", "Content-Type", "Content-Length")

    def told() -> list[tuple[str, ...]]:
        plain = server.play(name, method="HEAD")
        part = server.play(name, span="100-199")
        assert part.headers["Content-Range"] == f"bytes 100-199/{len(site.whole)}"
        assert "Last-Modified" not in plain.headers
        assert "Last-Modified" not in part.headers
        shown = [*fields, "Audio-Cache-Rendition"]
        return [
            tuple(plain.headers[field] for field in shown),
            tuple(part.headers[field] for field in shown),
        ]

    before = server.play(name, method="HEAD")
    assert before.cache_status == LIVE
    assert before.headers["Content-Length"] == str(len(site.whole))
    meanwhile = told()
    assert meanwhile[0][:-1] == tuple(before.headers[field] for field in fields)
    wait_until(site.entry.exists)
    assert server.play(name, method="HEAD").cache_status == HIT
    assert told() == meanwhile


def test_what_needs_no_bytes_starts_no_encode(site: Site) -> None:
    name, server = site.track.name, site.server
    head = server.play(name, method="HEAD")
    etag = head.headers["ETag"]
    assert (head.status, head.body) == (200, b"")
    assert server.play(name, method="HEAD", span="5-9").status == 200
    assert server.play(name, If_None_Match=etag).status == 304
    assert server.play(name, If_None_Match=f"W/{etag}").status == 304
    assert server.play(name, span="0-9", If_None_Match=etag).status == 304
    later = "Fri, 31 Dec 2100 23:59:59 GMT"
    assert server.play(name, method="HEAD", If_Modified_Since=later).status == 200
    assert server.play(name, If_Match='"other"').status == 412
    refused = server.play(name, span=f"{len(site.whole)}-")
    assert (refused.status, refused.cache_status) == (416, LIVE)
    assert refused.headers["Content-Range"] == f"bytes */{len(site.whole)}"
    assert site.encodes_of(name) == []
    assert server.play(name, span="0-9", If_Range=etag).body == site.whole[:10]
    assert site.encodes_of(name) == [True]


def test_the_qualities_of_a_track_are_different_files(site: Site) -> None:
    heads = [
        site.server.play(site.track.name, quality, method="HEAD").headers
        for quality in ("high", "medium", "low", "original")
    ]
    assert len({head["ETag"] for head in heads}) == 4
    lengths = [int(head["Content-Length"]) for head in heads]
    assert lengths[:3] == sorted(lengths[:3], reverse=True)
    size = site.track.stat().st_size
    assert [head["Audio-Cache-Rendition"] for head in heads] == [
        f"quality=high, bitrate=256, source-length={size}",
        f"quality=medium, bitrate=192, source-length={size}",
        f"quality=low, bitrate=128, source-length={size}",
        f"quality=original, source-length={size}",
    ]


def test_one_connection_takes_live_answers_hits_and_refusals_one_after_another(
    site: Site,
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.server.port, timeout=LIMIT_S)
    length = len(site.whole)
    for start, stop in [(0, 1000), (length - 50_000, length), (500, 501), (0, length), (9, 99)]:
        span = {"Range": f"bytes={start}-{stop - 1}"}
        connection.request("GET", play_target(site.track.name), headers=span)
        assert connection.getresponse().read() == site.whole[start:stop]
        connection.request("GET", play_target(site.track.name), headers={"Range": "bytes=-0"})
        refused = connection.getresponse()
        assert (refused.status, refused.read()) == (416, b"")
    connection.close()


def test_listeners_who_do_not_read_or_have_gone_slow_nobody_and_leave_nothing(
    site: Site,
) -> None:
    server, name = site.server, site.track.name
    wait_until(lambda: server.inside()["readers"] == 0 and server.inside()["encoders"] == 0)
    before = server.inside()
    sleepers = [server.open(name) for _ in range(12)]
    sleepers += [server.open(name, span=f"{start}-") for start in range(100_000, 400_000, 25_000)]
    assert server.play(name).body == site.whole
    assert server.ask("/small").body == b"small"
    for sleeper in sleepers:
        sleeper.close()
    for start in range(0, 400_000, 25_000):
        server.open(name, span=f"{start}-").close()
    wait_until(lambda: server.inside()["encoders"] == 0)
    wait_until(lambda: server.inside()["descriptors"] <= before["descriptors"])
    after = server.inside()
    assert (after["readers"], after["threads"]) == (0, 0)
    assert server.play(name).cache_status == HIT


def test_a_purge_never_breaks_an_answer(site: Site) -> None:
    server, name = site.server, site.track.name
    length = len(site.whole)
    with server.open(name) as live:
        assert server.ask("/purge").status == 200
        assert read_body(live) == site.whole
    wait_until(lambda: site.entry.exists() or server.inside()["encoders"] == 0)
    server.play(name)
    wait_until(site.entry.exists)
    with server.open(name) as hit, server.open(name, span=f"100-{length - 1}") as part:
        assert hit.recv(1) == part.recv(1) == b"H"
        assert int(server.ask("/purge").body) >= 1
        assert not site.entry.exists()
        assert read_body(hit, b"H") == site.whole
        assert read_body(part, b"H") == site.whole[100:]
    assert server.play(name).cache_status == LIVE


def read_body(connection: socket.socket, begun: bytes = b"") -> bytes:
    """Return the body of an answer that ends with its connection or its Content-Length."""
    data = begun
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    while len(body) < length and (piece := connection.recv(65536)):
        body += piece
    return body


def test_a_source_that_is_replaced_is_played_anew(site: Site, flac: Path, tmp_path: Path) -> None:
    server, name = site.server, site.track.name
    before = server.play(name)
    wait_until(site.entry.exists)
    site.track.unlink()
    shutil.copyfile(flac, site.track)
    os.utime(site.track, (1, 1))  # older than the entry, as from a backup
    after = server.play(name, If_Range=before.headers["ETag"], span="0-99")
    assert (after.status, after.cache_status) == (200, LIVE)
    assert after.body == reference(site.track, tmp_path / "new")
    assert after.headers["ETag"] != before.headers["ETag"]
    assert "Last-Modified" not in after.headers


@pytest.mark.slow
def test_a_hundred_seeks_of_one_listener_never_hold_more_than_two_encoders(
    tmp_path: Path, track: Path
) -> None:
    with own_site(tmp_path, track, speed=0.25, AUDIO_CACHE_FINISH_ABANDONED=False) as site:
        room = len(site.whole) - 102_000
        starts = [100_000 + (number * 7919 * 4099) % room for number in range(100)]
        # Somebody else listens all the time, so that there is one encode of the file.
        with site.server.open("track.flac") as keeper:
            assert keeper.recv(9) == b"HTTP/1.1 "
            for number, start in enumerate(starts):
                if number % 3 == 2:  # a seek bar that is dragged
                    site.server.open("track.flac", span=f"{start}-").close()
                    continue
                answer = site.server.play("track.flac", span=f"{start}-{start + 1999}")
                assert (answer.status, answer.cache_status) == (206, LIVE)
                assert answer.body == site.whole[start : start + 2000]
        wait_until(lambda: not site.ffmpeg.running())
        wait_until(lambda: site.server.inside()["encoders"] == 0)
        encodes = site.ffmpeg.encodes()
        assert len(encodes) > 50
        assert [encode.is_whole for encode in encodes].count(True) == 1
        assert max(encode.others for encode in encodes) == 1
        assert not site.entry.exists()
        assert site.part.exists()


def test_after_seeks_the_one_encode_of_the_file_is_finished_for_the_cache(site: Site) -> None:
    for start in range(400_000, 100_000, -50_000):
        site.server.open(site.track.name, span=f"{start}-").close()
    wait_until(site.entry.exists)
    assert site.entry.read_bytes() == site.whole
    assert site.encodes_of(site.track.name).count(True) == 1
    wait_until(lambda: site.server.inside()["encoders"] == 0)
    assert not site.ffmpeg.running()


@pytest.mark.slow
def test_two_servers_share_one_encode_and_the_second_takes_over_when_the_first_is_killed(
    tmp_path: Path, track: Path
) -> None:
    with contextlib.ExitStack() as stack:
        site = stack.enter_context(own_site(tmp_path, track, speed=3))
        config = {"AUDIO_CACHE_FFMPEG": site.ffmpeg.path}
        second = stack.enter_context(Server(tmp_path, name="second", **config))
        second.ask("/small")
        assert site.server.play("track.flac", span="0-9").cache_status == LIVE
        part = site.part

        def kill_the_first() -> list[bool]:
            wait_until(lambda: part.stat().st_size > 80_000)
            encodes = site.encodes_of("track.flac")
            site.server.kill()
            return encodes

        follow = [lambda: second.play("track.flac")] * 3
        encodes, *answers = together(kill_the_first, *follow)
        assert encodes == [True]
        assert {(answer.cache_status, answer.body) for answer in answers} == {(LIVE, site.whole)}
        # None made again what was there; where the machine is slow, a listener seeks besides.
        first, second_encode, *seeks = site.encodes_of("track.flac")
        assert (first, second_encode, any(seeks)) == (True, False, False)
        wait_until(lambda: second.inside()["encoders"] == 0)
        assert site.entry.read_bytes() == site.whole
