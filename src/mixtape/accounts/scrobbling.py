"""What players say that they play: shown, counted, and sent on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from ..database.tables import Track
from .listens import Listens
from .now_playing import NowPlaying
from .plays import HeardTrack, Plays
from .timeline import Player, Report, Timeline

FindTracks = Callable[[Sequence[int]], Sequence[Track]]


class Scrobbling:
    """Takes what players say of what they play.

    Args:
        plays: counts it.
        now_playing: has what is played now.
        listens: sends it to ListenBrainz, for whoever wants that.
        find_tracks: finds tracks by their ids.
    """

    def __init__(
        self, plays: Plays, now_playing: NowPlaying, listens: Listens, find_tracks: FindTracks
    ) -> None:
        self._plays = plays
        self._now_playing = now_playing
        self._listens = listens
        self._find_tracks = find_tracks

    def submit(self, user_id: int, heard: Sequence[tuple[Track, datetime]], client: str) -> None:
        """Count plays that a player has found to be some.

        Args:
            heard: the tracks, and when each began.
            client: the player.
        """
        told = [HeardTrack(track.path, begun_at) for track, begun_at in heard]
        counted = self._plays.count(user_id, told)
        tracks = {track.path: track for track, _ in heard}
        sent_on = [(tracks[one.path], one.begun_at) for one in counted]
        self._listens.add(user_id, sent_on, client)

    def begin(self, player: Player, track: Track) -> None:
        """Take down that a player begins a track, of which it will say no more."""
        self._now_playing.begin(player, track.id, (track.duration_s or 0.0) * 1000)
        self._listens.tell_playing_now(player.user_id, track, player.name)

    def report(self, player: Player, track: Track, report: Report) -> None:
        """Take down what a player says of itself, and count what has become a play by that."""
        step = self._now_playing.report(player, report)
        for play in step.plays:
            self._count(play, track)
        if step.is_new and report.counts:
            self._listens.tell_playing_now(player.user_id, track, player.name)

    def _count(self, play: Timeline, track: Track) -> None:
        if play.report.track_id != track.id:
            found = self._find_tracks([play.report.track_id])
            if not found:
                return
            track = found[0]
        self.submit(play.player.user_id, [(track, play.begun_at)], play.player.name)
