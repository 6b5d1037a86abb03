"""A forecast: what the cache would have held at other sizes, found out beside the requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from audio_cache import AudioCache, AudioCacheError, Outlook, look_ahead

# Enough for a smooth curve; with all the plays that are recorded it takes some seconds.
_SIZES: Final = 16
KEPT_S: Final = 600.0


@dataclass
class Forecast:
    """One forecast, from its start on; only its own thread changes it.

    Args:
        done: how many plays were replayed, over all sizes.
        total: how many there are to replay; None until that is known.
        outlook: what was found; None until it is there.
        ended_at_s: when it was, in seconds since the epoch; None while it goes on.
        error: why there is none.
    """

    done: int = 0
    total: int | None = None
    outlook: Outlook | None = None
    ended_at_s: float | None = None
    error: str = ""

    def move(self, done: int, total: int) -> None:
        """Note how far it is."""
        self.done, self.total = done, total

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows of it; sizes are in bytes, rates from 0 to 1."""
        found = self.outlook
        return {
            "done": self.done,
            "total": self.total,
            "ended_at_s": self.ended_at_s,
            "error": self.error,
            "plays": found and found.plays,
            "cap_bytes": found and found.usage.cap_bytes,
            "rates": [
                {"size_bytes": size, "plays": round(rate.plays, 4), "bytes": round(rate.bytes, 4)}
                for size, rate in (found.rates.items() if found else ())
            ],
        }


class Forecasts:
    """Makes one forecast at a time, in a thread of its own, and keeps it for some minutes.

    Args:
        cache: whose plays are replayed.
        now: the clock, in seconds since the epoch.
    """

    def __init__(self, cache: AudioCache, now: Callable[[], float] = time.time) -> None:
        self._cache = cache
        self._now = now
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._latest: Forecast | None = None

    @property
    def latest(self) -> Forecast | None:
        """Return the forecast that goes on, or the last one unless it is too old to be shown."""
        last = self._latest
        if last is not None and last.ended_at_s is not None:
            return last if self._now() - last.ended_at_s < KEPT_S else None
        return last

    def begin(self) -> Forecast:
        """Return the forecast that goes on; if none does, a new one."""
        with self._lock:
            if self._latest is not None and self._latest.ended_at_s is None:
                return self._latest
            forecast = self._latest = Forecast()
            self._thread = threading.Thread(
                target=self._make, args=(forecast,), name="forecast", daemon=True
            )
            self._thread.start()
            return forecast

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the last forecast is there."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _make(self, forecast: Forecast) -> None:
        try:
            forecast.outlook = look_ahead(self._cache, 0, steps=_SIZES, on_replay=forecast.move)
        except (AudioCacheError, OSError) as error:
            forecast.error = str(error)
            self._cache.logger.error("a forecast failed: %s", error)
        except Exception:
            forecast.error = "That is a defect of mixtape; the server's log says more."
            self._cache.logger.exception("a forecast failed")
        finally:
            forecast.ended_at_s = self._now()
