"""A model of a site of many nodes: disks before an object store, encoders, listeners, a failure.

Discrete events in plain Python; the same seed gives the same events.
"""

from __future__ import annotations

import heapq
import math
import random
from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from audio_cache.store.policy import DecayingPlays
from audio_cache.store.replay import Replay

from .traces import DAY_S

HOUR_S: Final = 3_600.0
_BUSIEST_HOUR: Final = 20
_SHORTEST_S: Final = 30.0


@dataclass(frozen=True)
class Parameters:
    """A site, and what happens on it.

    Args:
        tracks, nodes, days: how large it is, and how long it is watched.
        plays_a_day: of all listeners; assumed.
        exponent: of Zipf's law, by which the ranks are played; as in traces.py.
        rhythm: by which part of the mean an hour is busier or quieter; assumed, busiest at 20:00.
        mixtapes_a_day: that are saved; assumed.
        mixtape_tracks: in each; assumed.
        disk_bytes: of each node for its cache; assumed, 3.4 % of what the object store will hold.
        track_s, spread_s: how long tracks last, mean and standard deviation; assumed.
        bytes_per_s: of a rendition: 5.8 MB for four minutes at medium.
        encoding_speed: times real time on a core at one quality; about what we measure (batch).
        encoders: tracks that a node encodes at once for jobs.
        handing_out_s, task_s: to put a track into the queue, and what a task costs beyond its
            encode; measured (jobs).
        store_bytes_per_s: between a node and the object store; assumed.
        found_dead_after_s: until what a node had taken up is handed out again; as decided (20 to
            25 s).
        waits_for_lease_s: until a task whose track another worker is at goes into the queue again.
        warm_up_at_s: when the whole library is put into the queue, behind mixtapes.
        fails_at_s, returns_at_s: when a node fails, and comes back with an empty disk.
    """

    tracks: int = 1_000_000
    nodes: int = 50
    days: int = 7
    plays_a_day: int = 200_000
    exponent: float = 1.0
    rhythm: float = 0.8
    mixtapes_a_day: int = 2_000
    mixtape_tracks: int = 12
    disk_bytes: float = 200e9
    track_s: float = 240.0
    spread_s: float = 60.0
    bytes_per_s: float = 5.8e6 / 240
    encoding_speed: float = 110.0
    encoders: int = 1
    handing_out_s: float = 0.0008
    task_s: float = 0.006
    store_bytes_per_s: float = 50e6
    found_dead_after_s: float = 22.5
    waits_for_lease_s: float = 3.0
    warm_up_at_s: float = 3 * DAY_S
    fails_at_s: float = 3.25 * DAY_S
    returns_at_s: float = 3.75 * DAY_S


@dataclass
class Hour:
    """What happened within an hour.

    Args:
        local, store, live: plays that found their track on their node, in the object store, or
            nowhere, so that it was encoded for them.
        fetched_bytes, kept_bytes: from the object store, and to it.
        fetched_for_jobs_bytes: of that, what workers fetched whose track was there already.
        mixtape_waits_s: from a save until a worker takes up a track of it, for each.
        library_waits_s: from the queue until a worker takes up a track of the library.
    """

    local: int = 0
    store: int = 0
    live: int = 0
    fetched_bytes: float = 0.0
    fetched_for_jobs_bytes: float = 0.0
    kept_bytes: float = 0.0
    mixtape_waits_s: array[float] = field(default_factory=lambda: array("f"))
    library_waits_s: array[float] = field(default_factory=lambda: array("f"))

    @property
    def plays(self) -> int:
        """Return how many there were."""
        return self.local + self.store + self.live


@dataclass(frozen=True, slots=True)
class Task:
    """A task in the queue: a track, or the handing out of a mixtape's or the library's tracks."""

    tracks: tuple[int, ...]
    since_s: float
    is_urgent: bool
    is_spread: bool = False


class Node:
    """A host that answers listeners and works for jobs; both share its disk."""

    def __init__(self, disk_bytes: float) -> None:
        self._disk_bytes = round(disk_bytes)
        self.lives = 0
        self.is_up = True
        self.disk = Replay(DecayingPlays(), self._disk_bytes)
        self.making: set[int] = set()

    def fail(self) -> None:
        """Lose the disk, and all that was under way."""
        self.lives += 1
        self.is_up = False
        self.disk = Replay(DecayingPlays(), self._disk_bytes)
        self.making = set()


class Site:
    """The site while time goes by.

    Args:
        parameters: of it.
        seed: of all that is left to chance.
    """

    def __init__(self, parameters: Parameters, seed: int = 1) -> None:
        self.parameters = parameters
        self.hours = [Hour() for _ in range(parameters.days * 24)]
        self.stored_share: list[float] = []
        self.encodes = bytearray(parameters.tracks)
        self.refused = 0
        self.handed_out_again = 0
        self._dice = random.Random(seed)
        self._stored = bytearray(parameters.tracks)
        self._stored_count = 0
        self._duration_s = array("f", self._durations())
        self._nodes = [Node(parameters.disk_bytes) for _ in range(parameters.nodes)]
        self._idle = deque(node for node in self._nodes for _ in range(parameters.encoders))
        self._urgent: deque[Task] = deque()
        self._library: deque[Task] = deque()
        self._leases: dict[int, Task] = {}
        self._events: list[tuple[float, int, str, tuple[object, ...]]] = []
        self._count = 0

    def _durations(self) -> Iterator[float]:
        mean, deviation = self.parameters.track_s, self.parameters.spread_s
        for _ in range(self.parameters.tracks):
            yield max(_SHORTEST_S, self._dice.gauss(mean, deviation))

    def run(self) -> None:
        """Let all days go by."""
        given = self.parameters
        self._at(given.warm_up_at_s, "warm up")
        self._at(given.fails_at_s, "fail", self._nodes[0])
        self._at(given.returns_at_s, "return", self._nodes[0])
        for hour in range(len(self.hours)):
            self._at((hour + 1) * HOUR_S, "look")
        for at_s, tracks in self._arrivals():
            self._go_on(at_s)
            if len(tracks) == 1:
                self._play(at_s, tracks[0])
            else:
                self._send(at_s, Task(tracks, at_s, is_urgent=True, is_spread=True))
        self._go_on(given.days * DAY_S)

    def _arrivals(self) -> Iterator[tuple[float, tuple[int, ...]]]:
        """Yield plays, of one track each, and saved mixtapes, in their order."""
        given, dice = self.parameters, self._dice
        ranks = range(given.tracks)
        weights = list(accumulate(1 / (rank + 1) ** given.exponent for rank in ranks))
        hours = [
            1 + given.rhythm * math.cos(2 * math.pi * (hour - _BUSIEST_HOUR) / 24)
            for hour in range(24)
        ]
        counts = [1] * given.plays_a_day + [given.mixtape_tracks] * given.mixtapes_a_day
        for day in range(given.days):
            drawn = dice.choices(range(24), hours, k=len(counts))
            times = [day * DAY_S + (hour + dice.random()) * HOUR_S for hour in drawn]
            for at_s, count in sorted(zip(times, counts, strict=True)):
                yield at_s, tuple(dice.choices(ranks, cum_weights=weights, k=count))

    # Time

    def _at(self, at_s: float, what: str, *about: object) -> None:
        self._count += 1
        heapq.heappush(self._events, (at_s, self._count, what, about))

    def _go_on(self, until_s: float) -> None:
        happens = {
            "warm up": self._warm_up,
            "fail": self._fail,
            "return": self._return,
            "look": self._look,
            "send": self._send,
            "task ends": self._end_task,
            "live encode ends": self._end_live,
            "give up": self._give_up,
        }
        while self._events and self._events[0][0] <= until_s:
            at_s, _, what, about = heapq.heappop(self._events)
            happens[what](at_s, *about)  # type: ignore[operator]

    def _hour(self, at_s: float) -> Hour:
        return self.hours[min(int(at_s / HOUR_S), len(self.hours) - 1)]

    def _look(self, at_s: float) -> None:
        self.stored_share.append(self._stored_count / self.parameters.tracks)

    def _fail(self, at_s: float, node: Node) -> None:
        node.fail()
        self._idle = deque(each for each in self._idle if each is not node)

    def _return(self, at_s: float, node: Node) -> None:
        node.is_up = True
        self._idle.extend([node] * self.parameters.encoders)
        self._take_up(at_s)

    # Listeners

    def _play(self, at_s: float, track: int) -> None:
        node = self._dice.choice(self._nodes)
        while not node.is_up:
            node = self._dice.choice(self._nodes)
        hour, size = self._hour(at_s), self._size(track)
        if node.disk.play(track, size, at_s):
            hour.local += 1
        elif self._stored[track]:
            hour.store += 1
            # The listener hears it straight from the store, while the node fetches it.
            hour.fetched_bytes += 2 * size
        else:
            hour.live += 1
            if track not in node.making:
                node.making.add(track)
                self._at(at_s + self._encode_s(track), "live encode ends", node, track, node.lives)

    def _end_live(self, at_s: float, node: Node, track: int, life: int) -> None:
        if node.lives == life:
            self._made(at_s, node, track)

    def _made(self, at_s: float, node: Node, track: int) -> None:
        node.making.discard(track)
        self.encodes[track] = min(255, self.encodes[track] + 1)
        if not self._stored[track]:
            self._stored[track] = 1
            self._stored_count += 1
            self._hour(at_s).kept_bytes += self._size(track)

    def _size(self, track: int) -> int:
        return round(self._duration_s[track] * self.parameters.bytes_per_s)

    def _encode_s(self, track: int) -> float:
        """Return how long a track is under way until all nodes can have it."""
        upload_s = self._size(track) / self.parameters.store_bytes_per_s
        return self._duration_s[track] / self.parameters.encoding_speed + upload_s

    # Jobs

    def _warm_up(self, at_s: float) -> None:
        library = list(range(self.parameters.tracks))
        self._dice.shuffle(library)
        self._send(at_s, Task(tuple(library), at_s, is_urgent=False, is_spread=True))

    def _send(self, at_s: float, task: Task) -> None:
        (self._urgent if task.is_urgent else self._library).append(task)
        self._take_up(at_s)

    def _give_up(self, at_s: float, task: Task) -> None:
        """Hand out again what a node that failed had taken up."""
        del self._leases[task.tracks[0]]
        self._send(at_s, task)

    def _take_up(self, at_s: float) -> None:
        while self._idle and (self._urgent or self._library):
            task = self._urgent.popleft() if self._urgent else self._library.popleft()
            node = self._idle.popleft()
            takes_s = self._spread(at_s, task) if task.is_spread else self._begin(at_s, node, task)
            self._at(at_s + takes_s, "task ends", node, task, node.lives)

    def _spread(self, at_s: float, spread: Task) -> float:
        """Hand out tracks one by one; return for how long that keeps a worker."""
        each_s = self.parameters.handing_out_s
        for number, track in enumerate(spread.tracks, 1):
            sent_s = at_s + number * each_s
            since_s = spread.since_s if spread.is_urgent else sent_s
            self._at(sent_s, "send", Task((track,), since_s, spread.is_urgent))
        return len(spread.tracks) * each_s

    def _begin(self, at_s: float, node: Node, task: Task) -> float:
        """Take up a track; return for how long that keeps a worker."""
        given = self.parameters
        hour, track = self._hour(at_s), task.tracks[0]
        waits = hour.mixtape_waits_s if task.is_urgent else hour.library_waits_s
        waits.append(at_s - task.since_s)
        size = self._size(track)
        if self._stored[track]:
            # A worker has what it says is cached on its own disk, as far as there is room.
            if node.disk.holds(track) or not node.disk.warm(track, size, at_s):
                return given.task_s
            hour.fetched_bytes += size
            hour.fetched_for_jobs_bytes += size
            return given.task_s + size / given.store_bytes_per_s
        if track in self._leases:
            self._at(at_s + given.waits_for_lease_s, "send", task)
            return given.task_s
        if track in node.making:
            return given.task_s + self._encode_s(track)  # of which some is over already
        if not node.disk.warm(track, size, at_s):
            self.refused += 1
            return given.task_s
        self._leases[track] = task
        node.making.add(track)
        return given.task_s + self._encode_s(track)

    def _end_task(self, at_s: float, node: Node, task: Task, life: int) -> None:
        track = task.tracks[0]
        if node.lives != life:
            if self._leases.get(track) is task:
                self.handed_out_again += 1
                self._at(at_s + self.parameters.found_dead_after_s, "give up", task)
            return
        if self._leases.get(track) is task:
            del self._leases[track]
            self._made(at_s, node, track)
        self._idle.append(node)
        self._take_up(at_s)
