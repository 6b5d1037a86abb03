"""A progress callback that has what the contract names, and nothing more."""

from __future__ import annotations


class Listener:
    """Remembers each call: `calls` of itself, and (name, fate, words) of each track."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []
        self.told: list[tuple[str, str, str]] = []

    def __call__(self, current: int, total: int) -> None:
        self.calls.append((current, total))

    def track_cached(self, track_name: str) -> None:
        self.told.append((track_name, "cached", ""))

    def track_skipped(self, track_name: str, reason: str = "already cached") -> None:
        self.told.append((track_name, "skipped", reason))

    def track_failed(self, track_name: str, error: object) -> None:
        self.told.append((track_name, "failed", str(error)))
