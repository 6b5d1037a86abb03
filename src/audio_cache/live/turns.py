"""Turns: who may encode for listeners now, so that each hears something before anybody gets all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable


class Turn:
    """One encode's place among those that run, until it is given back; once at most.

    Args:
        turns: whose place it is.
        key: what is to be made. Nobody needs a place for what somebody else has begun to make.
    """

    def __init__(self, turns: Turns, key: Hashable) -> None:
        self.key = key
        self._turns = turns
        self._called = threading.Event()
        self._has_place = False

    @property
    def has_place(self) -> bool:
        """Say whether it may encode."""
        return self._has_place

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is a place, or none is needed any more; say whether that is so."""
        return self._called.wait(timeout_s)

    def wait_again(self, pause: Callable[[], None], look_every_s: float) -> None:
        """Let those go first who have heard nothing yet, then those who have waited longer.

        Args:
            pause: is called while it goes on, and may end it by an error.
            look_every_s: how often.
        """
        self._turns.step_back(self)
        while not self._called.wait(look_every_s):
            pause()

    def end(self) -> None:
        """Give the place back, or stop waiting for one."""
        self._turns.leave(self)

    def call(self, *, has_place: bool) -> None:
        """Wake who waits; for the queue, which holds its lock."""
        self._has_place = has_place
        self._called.set()

    def clear(self) -> None:
        """Prepare to wait once more; for the queue, which holds its lock."""
        self._has_place = False
        self._called.clear()


class Turns:
    """The places of encoders for listeners, and who waits for one.

    A place that becomes free goes to who has waited longest of those who start, and if nobody does,
    of those who go on. It is handed over, not fought for: with hundreds who wait, to wake them all
    for each place would take longer than what they wait for.

    Args:
        places: how many encoders may run at once.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._taken = 0
        self._starting: deque[Turn] = deque()
        self._going_on: deque[Turn] = deque()

    @property
    def taken(self) -> int:
        """Return how many places are taken."""
        return self._taken

    @property
    def is_awaited(self) -> bool:
        """Say whether somebody who has heard nothing yet waits for a place."""
        return bool(self._starting)

    @property
    def is_shared(self) -> bool:
        """Say whether anybody waits for a place."""
        return bool(self._starting or self._going_on)

    def take_now(self) -> bool:
        """Take a place if one is free and nobody waits for it; `free` gives it back."""
        with self._lock:
            if self._taken >= self._places or self.is_shared:
                return False
            self._taken += 1
            return True

    def free(self) -> None:
        """Give back a place that was taken by `take_now`."""
        with self._lock:
            self._hand_over()

    def ask(self, key: Hashable) -> Turn:
        """Return a turn to start something, which may have to be waited for."""
        turn = Turn(self, key)
        with self._lock:
            if self._taken < self._places and not self._starting:
                self._taken += 1
                turn.call(has_place=True)
            else:
                self._starting.append(turn)
        return turn

    def ask_last(self) -> Turn:
        """Return a turn to go on with something, behind all who wait already."""
        turn = Turn(self, None)
        with self._lock:
            if self._taken < self._places and not (self._starting or self._going_on):
                self._taken += 1
                turn.call(has_place=True)
            else:
                self._going_on.append(turn)
        return turn

    def call_off(self, key: Hashable | None = None) -> None:
        """Wake those who wait to start something that is made now, or all; they get no place."""
        with self._lock:
            for turn in [each for each in self._starting if key is None or each.key == key]:
                self._starting.remove(turn)
                turn.call(has_place=False)

    def step_back(self, turn: Turn) -> None:
        """Give up a turn's place to others, and queue it behind them."""
        with self._lock:
            if turn.has_place:
                turn.clear()
                self._going_on.append(turn)
                self._hand_over()

    def leave(self, turn: Turn) -> None:
        """Free a turn's place, or take it out of the queue."""
        with self._lock:
            if turn.has_place:
                turn.clear()
                self._hand_over()
                return
            for queue in (self._starting, self._going_on):
                if turn in queue:
                    queue.remove(turn)

    def _hand_over(self) -> None:
        queue = self._starting or self._going_on
        if queue:
            queue.popleft().call(has_place=True)
        else:
            self._taken -= 1
