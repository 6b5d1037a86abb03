"""`audio-cache worker` whose encodes are nothing: what is left is what its jobs cost.

`python -m benchmarks.simulated_worker worker …` takes what `audio-cache worker` takes. Each track
is taken up, leased, told and settled as ever; no source is read, and no file is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audio_cache.backends import celery_app
from audio_cache.batch.outcome import Fate, Outcome
from audio_cache.cli.commands import main
from audio_cache.quality import QualityLevel


class SimulatedBatch:
    """A batch that says at once that its tracks are cached."""

    def __init__(
        self, cache: object, wanted: Mapping[Path, Sequence[QualityLevel]], **_: Any
    ) -> None:
        self._wanted = wanted
        self.outcomes: dict[Path, Outcome] = {}

    def run(self) -> None:
        """Settle all tracks."""
        for source, qualities in self._wanted.items():
            available = dict.fromkeys(qualities, True)
            self.outcomes[source] = Outcome(Fate.CACHED, "", available, 1, 1.0)

    def cancel(self) -> None:
        """Do nothing: there is nothing to end."""


def needs_encoding(*_: object) -> None:
    """Say of each track that it is not cached."""


if __name__ == "__main__":
    vars(celery_app).update(Batch=SimulatedBatch, look_up=needs_encoding)
    main()
