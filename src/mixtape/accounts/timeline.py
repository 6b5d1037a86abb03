"""What a player plays, followed from its reports, and when that counts as a play."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from .plays import is_enough

STARTING, PLAYING, PAUSED, STOPPED = "starting", "playing", "paused", "stopped"
STATES: Final = (STARTING, PLAYING, PAUSED, STOPPED)
# Times the usual speed: what any player plays at.
SLOWEST, FASTEST = 0.01, 100.0
# So long after a track should have ended a player that said nothing more is gone: the extension
# playbackReport has it so.
SILENT_FOR: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Player:
    """Who plays: a user with one device, or one page of a browser.

    Args:
        key: tells it from the user's others.
        device_id: 0 for a browser.
        name: what it calls itself.
    """

    user_id: int
    user_name: str
    key: str
    device_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a player says of itself.

    Args:
        duration_ms: of the track; 0 where nobody knows.
        state: one of STATES.
        rate: how fast it plays, where 1 is the usual speed.
        counts: whether a play may be counted for it.
    """

    track_id: int
    duration_ms: float
    state: str
    position_ms: float = 0.0
    rate: float = 1.0
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a player plays, as of its last report.

    Args:
        begun_at: when the track began.
        is_followed: whether the player tells of all that it does; one that does not says only what
            it begins, and counts its plays itself.
        heard_ms: how much of the track was heard, wherever in it that was.
        is_counted: whether that was counted as a play.
    """

    player: Player
    report: Report
    begun_at: datetime
    reported_at: datetime
    is_followed: bool = True
    heard_ms: float = 0.0
    is_counted: bool = False

    def position_ms(self, now: datetime) -> float:
        """Return where in the track the player is by now."""
        return self.report.position_ms + self._played_ms(now)

    def is_over(self, now: datetime) -> bool:
        """Say whether nobody waits for a word of the player any more."""
        left_ms = max(0.0, self.report.duration_ms - self.report.position_ms)
        ends_at = self.reported_at + timedelta(milliseconds=left_ms / self.report.rate)
        return now > ends_at + (SILENT_FOR if self.is_followed else timedelta())

    def heard_until(self, now: datetime) -> Timeline:
        """Return it with what was heard since the last report, which is no more than is left.

        By the clock, and not by positions: a jump ahead is not heard.
        """
        return replace(self, heard_ms=self.heard_ms + self._played_ms(now))

    def counted(self) -> Timeline:
        """Return it with its play counted, where it has come to be one and may be counted."""
        counts = self.is_followed and self.report.counts and not self.is_counted
        is_play = counts and is_enough(self.heard_ms, self.report.duration_ms)
        return replace(self, is_counted=self.is_counted or is_play)

    def _played_ms(self, now: datetime) -> float:
        if self.report.state != PLAYING:
            return 0.0
        since_ms = max(timedelta(), now - self.reported_at) / timedelta(milliseconds=1)
        played_ms = since_ms * self.report.rate
        if not self.report.duration_ms:
            return played_ms
        return min(played_ms, max(0.0, self.report.duration_ms - self.report.position_ms))


@dataclass(frozen=True, slots=True)
class Step:
    """What a report has led to.

    Args:
        timeline: as it is now; None where the player has stopped.
        plays: the timelines that have become plays by it.
        is_new: whether a track has begun.
    """

    timeline: Timeline | None
    plays: tuple[Timeline, ...]
    is_new: bool


def follow(before: Timeline | None, player: Player, report: Report, now: datetime) -> Step:
    """Return what a report leads to. A pure function.

    Args:
        before: the timeline of the player until now; None for none.
    """
    plays = []
    ended = before.heard_until(now) if before is not None and not before.is_over(now) else None
    is_same = (
        ended is not None
        and ended.is_followed
        and ended.report.track_id == report.track_id
        and report.state != STARTING
    )
    if ended is None or not is_same:
        if ended is not None and ended.counted() != ended:
            plays.append(ended)
        current = Timeline(player, report, begun_at=now, reported_at=now)
    else:
        current = replace(ended, player=player, report=report, reported_at=now)
        counted = current.counted()
        if counted != current:
            plays.append(counted)
            current = counted
    is_new = not is_same and report.state != STOPPED
    return Step(current if report.state != STOPPED else None, tuple(plays), is_new)
