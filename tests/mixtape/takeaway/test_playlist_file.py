from __future__ import annotations

import pytest

from mixtape.errors import PlaylistError
from mixtape.takeaway.playlist_file import MAX_PLAYLIST_BYTES, WantedTrack, read_playlist
from mixtape.takeaway.playlists import PlaylistEntry, write_m3u8, write_xspf

XSPF = b'<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>%b</trackList></playlist>'


def test_an_m3u_of_other_players_is_read() -> None:
    found = read_playlist(
        "\ufeff#EXTM3U\n#PLAYLIST:Summer\n#EXTINF:123,Ann - A - song\nMusic/a.flac\n\n"
        "# a remark\nC:\\Music\\B\\ö.mp3\n#EXTINF:-1 tvg-id=x,Radio\nhttps://example.org/live\n"
        "file:///home/ann/My%20Music/c.ogg\n".encode()
    )
    assert found.title == "Summer"
    assert found.tracks == (
        WantedTrack(b"Music/a.flac", "song", "Ann - A", 123.0),
        WantedTrack("/Music/B/ö.mp3".encode()),
        WantedTrack(b"", "Radio"),
        WantedTrack(b"/home/ann/My Music/c.ogg"),
    )


def test_an_m3u_of_old_windows_players_is_read() -> None:
    found = read_playlist("#EXTINF:60,Björk - Jóga\r\nJóga.mp3\r\n".encode("cp1252"))
    assert found.tracks == (WantedTrack("Jóga.mp3".encode("cp1252"), "Jóga", "Björk", 60.0),)


def test_an_xspf_is_read() -> None:
    track = (
        b"<track><location>file:///music/A%20b/c.flac</location><title>T &amp; t</title>"
        b"<creator>C</creator><duration>61500</duration></track>"
        b"<track><location>A%20b/d.flac</location></track><track><title>Only</title></track>"
    )
    assert read_playlist(XSPF % track).tracks == (
        WantedTrack(b"/music/A b/c.flac", "T & t", "C", 61.5),
        WantedTrack(b"A b/d.flac"),
        WantedTrack(b"", "Only"),
    )


def test_what_is_written_is_read_again() -> None:
    entries = [PlaylistEntry("01 a.mp3", "A\nb", "Ann", 61.4, "Al", "http://x/c.jpg")]
    [track] = read_playlist(write_m3u8("T", entries).encode()).tracks
    assert track == WantedTrack(b"01 a.mp3", "A b", "Ann", 61.0)
    written = write_xspf("T\x0b", "notes", "http://x", "", entries)
    found = read_playlist(written)
    assert found.title == "T\ufffd"
    assert found.tracks == (WantedTrack(b"01 a.mp3", "A b", "Ann", 61.4),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no track in this file"),
        (b"#EXTM3U\n# nothing\n", "no track in this file"),
        (b"\x89PNG\0\0", "no playlist"),
        (b"<html><body>", "cannot be read"),
        (b"<rss></rss>", "no XSPF"),
        (XSPF % b"", "no track in this file"),
        (b"x" * (MAX_PLAYLIST_BYTES + 1), "larger than 2 MB"),
        (b"a.mp3\n" * 1_001, "1,001 tracks"),
        (XSPF % (b"<track><title>a</title></track>" * 1_001), "1,001 tracks"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + XSPF % b"<track><title>&b;</title></track>", "XML"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd">' + XSPF % b"", "XML"),
        (b'<?xml version="1.0" encoding="no-such"?>' + XSPF % b"", "XML"),
    ],
)
def test_what_is_no_playlist_is_refused_with_the_reason(content: bytes, words: str) -> None:
    with pytest.raises(PlaylistError, match=words):
        read_playlist(content)


@pytest.mark.parametrize(
    "line", [b"#EXTINF:1." + b"1" * 1_900_000, b"#EXTINF:" + b" " * 1_900_000, b"a" * 1_900_000]
)
def test_one_long_line_keeps_nobody_waiting(line: bytes) -> None:
    # A pattern that goes back and forth in it takes the better part of an hour.
    assert read_playlist(line + b"\na.mp3\n").tracks[-1].path == b"a.mp3"


@pytest.mark.parametrize("duration", [b"9" * 400, b"-", b"1e3", b"\xd9\xa1"])
def test_a_length_that_is_none_is_left_out(duration: bytes) -> None:
    track = b"<track><title>A</title><duration>%b</duration></track>" % duration
    [found] = read_playlist(XSPF % track).tracks
    assert found.title == "A"
    assert found.duration_s in {None, 0.001}
