"""What all nodes know of the background runs: their tracks, what became of each, who is on it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import redis
from redis.lock import Lock

from ..batch.outcome import MISSING, Fate, Outcome
from ..progress.callback import MAX_FAILURES_LISTED, ProgressCallback
from ..progress.events import ProgressStatus
from ..progress.tracker import ProgressTracker
from ..quality import QualityLevel
from ..text import counted
from .redis_client import persist
from .redis_scripts import SETTLE

RUNNING: Final = "running"
OVER: Final = "over"
CANCELLED: Final = "cancelled"
ABANDONED: Final = "abandoned"

_PREFIX: Final = "audio-cache:run"
_CURRENT: Final = "audio-cache:runs"
_KEPT_S: Final = 7 * 86_400
_KEPT_AFTER_S: Final = 3_600
_SETTLES_WITHIN_S: Final = 10.0
# Tracks are settled in a few milliseconds, so whoever waits for another does not sleep for longer.
_LOOKS_FOR_LOCK_EVERY_S: Final = 0.005
# The lock of a task outlasts the writing of this many tracks, not that of a whole library.
_WRITTEN_AT_ONCE: Final = 10_000
# In the order that the script has them.
_PARTS: Final = ("left", "begun", "skips", "failures", "outcomes", "tracks", "sent")


@dataclass(frozen=True)
class RunTrack:
    """A track of a run: its path below the music root, byte for byte, and what people call it."""

    path: bytes
    name: str


@dataclass(frozen=True)
class RunRecord:
    """A run as Redis has it.

    Args:
        run_id: of its progress.
        task_id: of which it is a run.
        total: how many tracks it has.
        qualities: what is made of each.
        state: RUNNING, OVER, CANCELLED or ABANDONED.
        wanted: a digest of tracks and qualities.
        is_urgent: whether somebody waits for it.
        is_asked: whether somebody asks what became of each track.
    """

    run_id: str
    task_id: str
    total: int
    qualities: tuple[QualityLevel, ...]
    state: str
    wanted: str
    is_urgent: bool
    is_asked: bool


class RunRecords:
    """The runs in Redis.

    Args:
        client: of the Redis.
        tracker: told of what becomes of tracks.
    """

    def __init__(self, client: redis.Redis, tracker: ProgressTracker) -> None:
        self.client = client
        self.tracker = tracker
        self._settle_script = client.register_script(SETTLE)

    def begin(
        self,
        task_id: str,
        tracks: Sequence[RunTrack],
        qualities: Sequence[QualityLevel],
        *,
        is_urgent: bool,
        is_asked: bool = False,
    ) -> tuple[RunRecord, bool]:
        """Begin a run of a task, or find the same that goes on; say whether it is new."""
        wanted = _digest(tracks, qualities)
        with self.client.lock(f"{_CURRENT}:{task_id}", timeout=_SETTLES_WITHIN_S) as lock:
            before = self.current(task_id)
            if before is not None:
                if before.wanted == wanted:
                    return before, False
                self.abandon(before)
            run_id = self.tracker.create_task(task_id)
            total, asked = len(tracks), tuple(qualities)
            record = RunRecord(run_id, task_id, total, asked, RUNNING, wanted, is_urgent, is_asked)
            self._write_tracks(run_id, tracks, lock)
            self._write(record)
        message = f"Looking at {counted(total, 'track')}"
        status = ProgressStatus.PENDING
        self.tracker.emit(task_id, "queued", status, message, total=total, run=run_id)
        return record, True

    def _write_tracks(self, run_id: str, tracks: Sequence[RunTrack], lock: Lock) -> None:
        names = [f"{_key(run_id)}:{part}" for part in ("tracks", "left")]
        for start in range(0, len(tracks), _WRITTEN_AT_ONCE):
            some = range(start, min(start + _WRITTEN_AT_ONCE, len(tracks)))
            with self.client.pipeline() as pipe:
                pipe.hset(names[0], mapping={str(index): _pack(tracks[index]) for index in some})
                pipe.sadd(names[1], *some)
                for name in names:
                    pipe.expire(name, _KEPT_S)
                pipe.execute()
            lock.reacquire()

    def _write(self, record: RunRecord) -> None:
        key = _key(record.run_id)
        fields: dict[Any, Any] = {
            **{name: value for name, value in asdict(record).items() if name != "run_id"},
            "qualities": json.dumps(record.qualities),
            "is_urgent": int(record.is_urgent),
            "is_asked": int(record.is_asked),
            "began_ms": round(time.time() * 1000),
        }
        with self.client.pipeline() as pipe:
            pipe.hset(key, mapping=fields)
            pipe.expire(key, _KEPT_S)
            pipe.hset(_CURRENT, record.task_id, record.run_id)
            pipe.execute()

    def current(self, task_id: str) -> RunRecord | None:
        """Return the run of a task that goes on."""
        run_id = cast("str | None", self.client.hget(_CURRENT, task_id))
        record = self.read(run_id) if run_id else None
        return record if record is not None and record.state == RUNNING else None

    def all_current(self) -> list[RunRecord]:
        """Return all runs that go on."""
        found = cast("dict[str, str]", self.client.hgetall(_CURRENT))
        records = (self.read(run_id) for run_id in found.values())
        return [each for each in records if each is not None and each.state == RUNNING]

    def read(self, run_id: str) -> RunRecord | None:
        """Return a run; None where it is known no more."""
        fields = cast("dict[str, str]", self.client.hgetall(_key(run_id)))
        if not fields:
            return None
        return RunRecord(
            run_id=run_id,
            task_id=fields["task_id"],
            total=int(fields["total"]),
            qualities=tuple(json.loads(fields["qualities"])),
            state=fields["state"],
            wanted=fields["wanted"],
            is_urgent=fields["is_urgent"] == "1",
            is_asked=fields.get("is_asked") == "1",
        )

    def state(self, run_id: str) -> str:
        """Return the state of a run; OVER where it is known no more."""
        return cast("str | None", self.client.hget(_key(run_id), "state")) or OVER

    def track(self, run_id: str, index: int) -> RunTrack:
        """Return a track of a run.

        Raises:
            KeyError: it has none of that number.
        """
        packed = cast("str | None", self.client.hget(f"{_key(run_id)}:tracks", str(index)))
        if packed is None:
            raise KeyError(f"run {run_id} has no track {index}")
        return _unpack(packed)

    def left(self, run_id: str) -> set[int]:
        """Return the numbers of the tracks that are not settled."""
        return set(map(int, cast("set[str]", self.client.smembers(f"{_key(run_id)}:left"))))

    def is_left(self, run_id: str, index: int) -> bool:
        """Say whether a track is not settled."""
        return bool(self.client.sismember(f"{_key(run_id)}:left", str(index)))

    def sent(self, run_id: str) -> set[int]:
        """Return the numbers of the tracks that were put into the queue."""
        return set(map(int, cast("set[str]", self.client.smembers(f"{_key(run_id)}:sent"))))

    def note_sent(self, run_id: str, index: int) -> None:
        """Note that a track was put into the queue."""
        self._note(run_id, "sent", index)

    def _note(self, run_id: str, part: str, index: int) -> None:
        name = f"{_key(run_id)}:{part}"
        with self.client.pipeline() as pipe:
            pipe.sadd(name, str(index))
            pipe.expire(name, _KEPT_S)
            pipe.execute()

    def has_unsent(self, record: RunRecord) -> bool:
        """Say whether some tracks of a run were not put into the queue yet."""
        return self.client.scard(f"{_key(record.run_id)}:sent") < record.total

    def is_first(self, what: str, for_s: int) -> bool:
        """Say whether nobody has asked this about something for a while."""
        return bool(self.client.set(f"{_PREFIX}:asked:{what}", "1", nx=True, ex=for_s))

    def note_late(self, record: RunRecord, index: int) -> int:
        """Note that a track took longer than it may; return how often it has."""
        return self.client.hincrby(_key(record.run_id), f"late {index}", 1)

    def has_left(self, run_id: str) -> bool:
        """Say whether any track is not settled."""
        return bool(self.client.exists(f"{_key(run_id)}:left"))

    def under_way(self, run_id: str) -> set[int]:
        """Return the numbers of the tracks that some node has taken up, and none has settled."""
        key = _key(run_id)
        found = cast("set[str]", self.client.sinter([f"{key}:begun", f"{key}:left"]))
        return set(map(int, found))

    def outcomes(self, run_id: str) -> dict[RunTrack, Outcome]:
        """Return what became of the settled tracks of a run that was begun with `is_asked`."""
        found = cast("dict[str, str]", self.client.hgetall(f"{_key(run_id)}:outcomes"))
        return {self.track(run_id, int(index)): _outcome(text) for index, text in found.items()}

    def abandon(self, record: RunRecord) -> None:
        """End a run without telling anybody: another one takes its place."""
        with self._lock(record):
            if self.state(record.run_id) == RUNNING:
                self._end(record, ABANDONED)

    def cancel(self, record: RunRecord) -> None:
        """End a run, and tell its listeners."""
        with self._lock(record):
            # Told first, since whoever does this may die in between; a second end is dropped.
            if self.state(record.run_id) == RUNNING:
                progress = self._progress(record)
                ready = progress.cached_count + progress.skipped_count
                message = f"Cancelled: {ready} of {counted(record.total, 'track')} ready"
                progress.run_finished(ProgressStatus.FAILED, message, step="cancelled")
                self._end(record, CANCELLED)

    def note_begun(self, record: RunRecord, index: int, track: RunTrack) -> None:
        """Note that a node has taken up a track, and tell listeners that it is being encoded."""
        self._note(record.run_id, "begun", index)
        lock = self._lock(record)
        lock.acquire()
        try:
            self._progress(record).track_started(track.name)
        finally:
            # It is told, and would be told again by who tries again; the lock ends by itself.
            with contextlib.suppress(redis.RedisError):
                lock.release()

    def settle(self, record: RunRecord, index: int, track: RunTrack, outcome: Outcome) -> None:
        """Note what became of a track, once, and tell it; with the last one the run is over."""
        self._in_turn(record, lambda: self._settle(record, index, track, outcome))

    def finish(self, record: RunRecord) -> None:
        """End a run that has nothing left, if nobody has."""
        self._in_turn(record, lambda: self._finish(record))

    def _in_turn(self, record: RunRecord, action: Callable[[], None]) -> None:
        def try_to() -> None:
            with self._lock(record):
                action()

        persist(try_to)

    def _lock(self, record: RunRecord) -> Lock:
        """Return the lock of a run: what is told of its tracks is told in the order of counting."""
        name = f"{_key(record.run_id)}:lock"
        lock: Lock = self.client.lock(
            name, timeout=_SETTLES_WITHIN_S, sleep=_LOOKS_FOR_LOCK_EVERY_S
        )
        return lock

    def _settle(self, record: RunRecord, index: int, track: RunTrack, outcome: Outcome) -> None:
        failure = json.dumps({"track": track.name, "reason": outcome.reason})
        whole = json.dumps({**asdict(outcome), "fate": outcome.fate.value})
        is_new = self._settle_script(
            _keys(record.run_id),
            [
                *(index, outcome.fate.value, outcome.bytes_saved, outcome.audio_s),
                *(outcome.reason, failure, MAX_FAILURES_LISTED),
                *(whole if record.is_asked else "", _KEPT_S),
            ],
        )
        if is_new:
            progress = self._progress(record, but=outcome)
            _tell(progress, track.name, outcome)
            progress(progress.done_count, record.total)
        self._finish(record)

    def _finish(self, record: RunRecord) -> None:
        if self.has_left(record.run_id) or self.state(record.run_id) != RUNNING:
            return
        progress = self._progress(record)
        missing = cast("str | None", self.client.hget(f"{_key(record.run_id)}:skips", MISSING))
        useless = progress.failed_count + int(missing or 0)
        has_failed = 0 < progress.done_count == useless
        # Told first, as in `cancel`.
        progress.run_finished(ProgressStatus.FAILED if has_failed else ProgressStatus.COMPLETED)
        self._end(record, OVER)

    def _end(self, record: RunRecord, state: str) -> None:
        """Note how a run that goes on has ended."""
        with self.client.pipeline() as pipe:
            pipe.hset(_key(record.run_id), "state", state)
            for name in _keys(record.run_id):
                pipe.expire(name, _KEPT_AFTER_S)
            if self.client.hget(_CURRENT, record.task_id) == record.run_id:
                pipe.hdel(_CURRENT, record.task_id)
            pipe.execute()

    def _progress(self, record: RunRecord, but: Outcome | None = None) -> ProgressCallback:
        """Return the callback of a run as all nodes have brought it about.

        Args:
            but: an outcome that is counted already, and is still to be told.
        """
        key = _key(record.run_id)
        fields = cast("dict[str, str]", self.client.hgetall(key))
        skips = cast("dict[str, str]", self.client.hgetall(f"{key}:skips"))
        began_s = int(fields.get("began_ms", 0)) / 1000
        progress = ProgressCallback(
            record.task_id, self.tracker, record.total, run=record.run_id, clock=time.time
        )
        fates = {fate: int(fields.get(fate.value, 0)) for fate in Fate}
        saved, audio_s = int(fields.get("bytes_saved", 0)), float(fields.get("audio_s", 0))
        reasons = {reason: int(count) for reason, count in skips.items()}
        if but is not None:
            fates[but.fate] -= 1
            saved, audio_s = saved - but.bytes_saved, audio_s - but.audio_s
            if but.fate is Fate.SKIPPED:
                reasons[but.reason] -= 1
        failures = cast("list[str]", self.client.lrange(f"{key}:failures", 0, -1))
        progress.restore(
            cached=fates[Fate.CACHED],
            skipped=fates[Fate.SKIPPED],
            failed=fates[Fate.FAILED],
            bytes_saved=saved,
            audio_s=audio_s,
            skip_reasons={reason: count for reason, count in reasons.items() if count},
            failures=map(json.loads, failures),
            began_at=began_s,
        )
        return progress


def lease_name(track: RunTrack, qualities: Sequence[QualityLevel]) -> str:
    """Return what is leased for a track: the same on all nodes, whatever their mounts are."""
    return hashlib.sha256(track.path).hexdigest()[:32] + ":" + ",".join(sorted(qualities))


def _tell(progress: ProgressCallback, name: str, outcome: Outcome) -> None:
    if outcome.fate is Fate.CACHED:
        progress.track_cached(name, bytes_saved=outcome.bytes_saved, audio_s=outcome.audio_s)
    elif outcome.fate is Fate.SKIPPED:
        progress.track_skipped(name, outcome.reason)
    else:
        progress.track_failed(name, outcome.reason)


def _key(run_id: str) -> str:
    return f"{_PREFIX}:{run_id}"


def _keys(run_id: str) -> list[str]:
    return [_key(run_id), *(f"{_key(run_id)}:{part}" for part in _PARTS)]


def _digest(tracks: Sequence[RunTrack], qualities: Sequence[QualityLevel]) -> str:
    wanted = hashlib.sha256(repr([sorted(qualities), *(each.path for each in tracks)]).encode())
    return wanted.hexdigest()


def _pack(track: RunTrack) -> str:
    # Names of files are bytes; each is a character of Latin-1, which JSON can carry.
    return json.dumps([track.path.decode("latin-1"), track.name])


def _unpack(packed: str) -> RunTrack:
    path, name = json.loads(packed)
    return RunTrack(path.encode("latin-1"), name)


def _outcome(text: str) -> Outcome:
    fields = json.loads(text)
    return Outcome(**{**fields, "fate": Fate(fields["fate"])})
