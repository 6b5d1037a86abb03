"""Who plays what now: in memory, or where several nodes share it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from .timeline import PLAYING, Player, Report, Step, Timeline, follow

# A user has so many players at once at most; whoever said nothing for longest makes room.
MAX_PLAYERS: Final = 50
_NAME: Final = "now playing"

logger = logging.getLogger(__name__)


class Board(Protocol):
    """Texts by keys that all nodes have; `AudioCacheState.shared` is one.

    Every method raises OSError while it is away.
    """

    def read_all(self, board: str) -> Mapping[str, str]:
        """Return all texts of a board by their keys."""

    def put(self, board: str, key: str, text: str) -> None:
        """Put a text on a board."""

    def take_off(self, board: str, key: str) -> None:
        """Take a text off a board, if it is there."""


class NowPlaying:
    """Keeps what players play, until they stop or have been silent for long.

    Args:
        board: what several nodes share; None where there is one.
        now: the clock.
    """

    def __init__(
        self,
        board: Board | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._board = board
        self._now = now
        # While the board is away, what this node has been told.
        self._kept: dict[str, Timeline] = {}
        self._lock = threading.Lock()

    def report(self, player: Player, report: Report) -> Step:
        """Take down what a player says of itself, and return what that leads to."""
        with self._lock:
            now = self._now()
            known = self._read(now)
            key = _key_of(player)
            step = follow(known.get(key), player, report, now)
            if step.timeline is None:
                self._take_off(key)
            else:
                self._make_room(known, player)
                self._put(key, step.timeline)
            return step

    def begin(self, player: Player, track_id: int, duration_ms: float) -> None:
        """Take down what a player begins that says no more than that."""
        with self._lock:
            now = self._now()
            report = Report(track_id, duration_ms, PLAYING)
            self._make_room(self._read(now), player)
            self._put(_key_of(player), Timeline(player, report, now, now, is_followed=False))

    def all(self, user_id: int | None = None) -> tuple[Timeline, ...]:
        """Return what is played now, the latest first: by a user, or by everybody."""
        with self._lock:
            found = self._read(self._now()).values()
        wanted = (one for one in found if user_id in {None, one.player.user_id})
        return tuple(sorted(wanted, key=lambda one: one.reported_at, reverse=True))

    def position_ms(self, timeline: Timeline) -> int:
        """Return where in its track a player is by now."""
        return round(timeline.position_ms(self._now()))

    def minutes_since(self, timeline: Timeline) -> int:
        """Return how many minutes ago a player said something."""
        return max(0, int((self._now() - timeline.reported_at).total_seconds() // 60))

    def _read(self, now: datetime) -> dict[str, Timeline]:
        """Return what is on the board, without those that are over, which go."""
        known = dict(self._kept)
        if self._board is not None:
            try:
                texts = self._board.read_all(_NAME)
                known = {key: one for key, text in texts.items() if (one := _read(text))}
            except OSError as error:
                logger.warning("what others play is not known: %s", error)
        for key in [key for key, one in known.items() if one.is_over(now)]:
            del known[key]
            self._take_off(key)
        return known

    def _make_room(self, known: Mapping[str, Timeline], player: Player) -> None:
        others = [
            (one.reported_at, key)
            for key, one in known.items()
            if one.player.user_id == player.user_id and key != _key_of(player)
        ]
        for _, key in sorted(others, reverse=True)[MAX_PLAYERS - 1 :]:
            self._take_off(key)

    def _put(self, key: str, timeline: Timeline) -> None:
        self._kept[key] = timeline
        if self._board is not None:
            try:
                self._board.put(_NAME, key, _write(timeline))
            except OSError as error:
                logger.warning("others are not told what is played: %s", error)

    def _take_off(self, key: str) -> None:
        self._kept.pop(key, None)
        if self._board is not None:
            try:
                self._board.take_off(_NAME, key)
            except OSError as error:
                logger.warning("others are not told what has stopped: %s", error)


def _key_of(player: Player) -> str:
    return f"{player.user_id} {player.key}"


def _write(timeline: Timeline) -> str:
    fields = asdict(timeline)
    for name in ("begun_at", "reported_at"):
        fields[name] = fields[name].isoformat()
    return json.dumps(fields)


def _read(text: str) -> Timeline | None:
    """Return what a text says; None where a node of another version wrote it."""
    try:
        fields = json.loads(text)
        timeline = Timeline(**fields)
        return replace(
            timeline,
            player=Player(**fields["player"]),
            report=Report(**fields["report"]),
            begun_at=datetime.fromisoformat(fields["begun_at"]),
            reported_at=datetime.fromisoformat(fields["reported_at"]),
        )
    except (TypeError, ValueError, KeyError):
        return None
