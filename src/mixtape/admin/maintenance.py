"""Long work on the cache that an owner starts: verifying, renewing and clearing it."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from audio_cache import (
    AudioCache,
    AudioCacheError,
    Cancellation,
    EncodeInterruptedError,
    find_outdated,
    verify,
)

from ..errors import RefusalError
from ..files.names import display_name
from ..messages import Message

Kind = Literal["verify", "repair", "regenerate", "clear"]
# Those that need to be told nothing else.
KINDS: Final[tuple[Kind, ...]] = ("verify", "repair", "regenerate")
# The page lists them; the log has all.
_PROBLEMS_SHOWN: Final = 100


class BusyError(RefusalError, RuntimeError):
    """Another one is under way, and there is one at a time."""


@dataclass
class MaintenanceTask:
    """One piece of work, from its start on; only its own thread changes it.

    Args:
        kind: what is done.
        total: to how many entries; None until they are counted.
        done: to how many it has been done.
        found: how many of them were how: "sound", "outdated", "damaged", "repaired", "failed",
            "deleted".
        problems: (file name, what is wrong with it) of the first of those that are not well.
        ending: None while it goes on, else "finished", "cancelled" or "failed".
        error: why it failed.
        cancellation: ends it.
        older_than_days: how old an entry must be to be cleared; None for all.
    """

    kind: Kind
    total: int | None = None
    done: int = 0
    found: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[str, str]] = field(default_factory=list)
    ending: str | None = None
    error: str = ""
    cancellation: Cancellation = field(default_factory=Cancellation)
    older_than_days: float | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until it has ended."""
        self._ended.wait(timeout_s)

    def end(self, ending: str) -> None:
        """Note how it ended."""
        self.ending = ending
        self._ended.set()

    def count(self, how: str, name: str = "", problem: str = "") -> None:
        """Note how one more entry is, and what is wrong with it."""
        self.found[how] += 1
        self.done += 1
        if problem and len(self.problems) < _PROBLEMS_SHOWN:
            self.problems.append((name, problem))

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows of it."""
        return {
            "kind": self.kind,
            "total": self.total,
            "done": self.done,
            "found": dict(self.found),
            "problems": [{"name": name, "problem": problem} for name, problem in self.problems],
            "ending": self.ending,
            "error": self.error,
        }


class Maintenance:
    """Does one task at a time, each in a thread of its own.

    Args:
        cache: what is worked on.
        jobs: how many entries are looked at in parallel.
        on_end: is called after each task.
    """

    def __init__(
        self, cache: AudioCache, jobs: int = 1, on_end: Callable[[], None] = lambda: None
    ) -> None:
        self._cache = cache
        self._jobs = jobs
        self._on_end = on_end
        self._lock = threading.Lock()
        self.latest: MaintenanceTask | None = None

    def begin(self, kind: Kind, *, older_than_days: float | None = None) -> MaintenanceTask:
        """Start a task.

        Args:
            older_than_days: how old an entry must be to be cleared; None for all.

        Raises:
            BusyError: one is under way.
        """
        with self._lock:
            if self.latest is not None and self.latest.ending is None:
                raise BusyError(
                    Message("the cache is being worked on: wait for that, or cancel it")
                )
            task = self.latest = MaintenanceTask(kind, older_than_days=older_than_days)
            name = f"maintenance {kind}"
            threading.Thread(target=self._carry_out, args=(task,), name=name, daemon=True).start()
            return task

    def cancel(self) -> bool:
        """End the task that is under way; say whether there was one. Clearing is soon over."""
        task = self.latest
        if task is None or task.ending is not None or task.kind == "clear":
            return False
        task.cancellation.set()
        return True

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the last task has ended."""
        if self.latest is not None:
            self.latest.wait(timeout_s)

    def _carry_out(self, task: MaintenanceTask) -> None:
        works = {"regenerate": self._regenerate, "clear": self._clear}
        work = works.get(task.kind, self._verify)
        ending = "failed"
        try:
            work(task)
            ending = "cancelled" if task.cancellation.is_set else "finished"
        except EncodeInterruptedError:
            ending = "cancelled"
        except (AudioCacheError, OSError) as error:
            task.error = str(error)
            self._cache.logger.error("%s of the cache failed: %s", task.kind, error)
        except Exception:
            task.error = "That is a defect of mixtape; the server's log says more."
            self._cache.logger.exception("%s of the cache failed", task.kind)
        finally:
            # Counted before it is said to be over, so that whoever sees that sees the result.
            self._on_end()
            task.end(ending)

    def _verify(self, task: MaintenanceTask) -> None:
        paths = self._cache.stored_files()
        task.total = len(paths)
        repair = task.kind == "repair"
        inspections = verify(self._cache, repair=repair, jobs=self._jobs, entries=paths)
        with contextlib.closing(inspections):  # type: ignore[type-var]
            for found in inspections:
                problem = "" if found.is_good else found.reason
                task.count(found.state.value, name_of(found.source or found.path), problem)
                if task.cancellation.is_set:
                    return

    def _clear(self, task: MaintenanceTask) -> None:
        def count(done: int, total: int) -> None:
            task.done, task.total = done, total

        deleted = self._cache.clear_cache(task.older_than_days, on_file=count)
        task.found["deleted"] = deleted

    def _regenerate(self, task: MaintenanceTask) -> None:
        stale = find_outdated(self._cache)
        task.total = sum(map(len, stale.values()))
        for source, qualities in stale.items():
            how, problem = "repaired", ""
            try:
                self._cache.store_together(source, qualities, cancellation=task.cancellation)
            except EncodeInterruptedError:
                raise
            except (AudioCacheError, OSError) as error:
                self._cache.logger.warning("cannot renew %r: %s", str(source), error)
                how, problem = "failed", str(error)
            for _ in qualities:
                task.count(how, name_of(source), problem)


def name_of(path: Path) -> str:
    """Return a file's name as text, without its folders: a page says no more than it must."""
    return display_name(bytes(path))
