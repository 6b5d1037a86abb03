from __future__ import annotations

from audio_cache import audio_size
from mixtape.accounts.marks import NOTHING
from mixtape.database.tables import Track
from mixtape.web.subsonic.fields import _track


def test_a_track_of_a_cue_sheet_has_the_size_of_its_mp3() -> None:
    # Strawberry leaves out a song without one.
    track = Track(
        id=7,
        path=b"a/album.cue/01.flac",
        folder=b"a",
        title="One",
        artist="",
        album="",
        album_artist="",
        album_artist_key="",
        album_key="",
        genre="",
        lossless=True,
        size_bytes=300_000_000,
        duration_s=100.0,
        rate_hz=44_100,
    )
    fields = _track(track, NOTHING)
    assert fields["size"] == audio_size(4_410_000, 44_100, "high")
    assert (fields["suffix"], fields["contentType"]) == ("mp3", "audio/mpeg")
    track.rate_hz = track.duration_s = None
    assert _track(track, NOTHING)["size"] < 10_000
