"""Fuzz for a while and say what was found: `python -m fuzz [--seconds N] [NAME…]`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import click

from .targets import TARGETS, seeds_of

CORPUS: Final = Path(__file__).parent / "corpus"
FINDINGS: Final = Path(__file__).parents[1] / ".fuzz"
HTTP: Final = "http"
# What a file may take (tests/audio_cache/sources/test_costs.py), and a Python besides.
_MEMORY_MB: Final = 600
_SLOWEST_S: Final = 10
_LONGEST_BYTES: Final = 1 << 14
_MOST_KEPT: Final = 120
_KEPT_BYTES: Final = 2048
_ANSWERS: Final = re.compile(r"answers: (.+)")
_DONE: Final = re.compile(r"Done (\d+) runs")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*TARGETS, HTTP]))
@click.option("--seconds", default=25, show_default=True, help="How long each of them runs.")
@click.option("--keep", is_flag=True, help="Add what leads to new places to the corpora.")
def main(names: tuple[str, ...], seconds: int, keep: bool) -> None:
    """Fuzz the readers of files and requests, and the host application.

    Two run at a time. Exits with 1 where something was found; the input is kept in .fuzz.
    """
    wanted = list(names or [*TARGETS, HTTP])
    is_sound = True
    FINDINGS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as work:
        for start in range(0, len(wanted), 2):
            runs = [Run(name, Path(work), seconds) for name in wanted[start : start + 2]]
            for run in runs:
                is_sound &= run.finish(keep)
    sys.exit(0 if is_sound else 1)


class Run:
    """A fuzzer in a process of its own.

    Args:
        name: of the target.
        work: where it puts what leads to new places.
        seconds: how long it runs.
    """

    def __init__(self, name: str, work: Path, seconds: int) -> None:
        self.name = name
        self._found = work / name
        self._found.mkdir()
        self._began = time.monotonic()
        if name == HTTP:
            arguments = ["fuzz.http", str(seconds), str(self._found)]
        else:
            for number, seed in enumerate(seeds_of(name)):
                (self._found / f"seed-{number}").write_bytes(seed)
            arguments = [*self._libfuzzer(), f"-max_total_time={seconds}"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=CORPUS.parents[1],
            # libFuzzer ends a process at once, so what that has left goes with our folder.
            env={**os.environ, "PYTHONHASHSEED": "0", "TMPDIR": str(work)},
        )

    def _libfuzzer(self) -> list[str]:
        corpus = CORPUS / self.name
        corpus.mkdir(parents=True, exist_ok=True)
        return [
            *("fuzz.libfuzzer", self.name, str(self._found), str(corpus)),
            *(f"-timeout={_SLOWEST_S}", f"-rss_limit_mb={_MEMORY_MB}"),
            *(f"-max_len={_LONGEST_BYTES}", f"-artifact_prefix={FINDINGS}/{self.name}-"),
        ]

    def finish(self, keep: bool) -> bool:
        """Wait for its end, and print what it did; say whether it found nothing."""
        said = self._process.communicate()[0].decode("utf-8", "replace")
        is_sound = self._process.returncode == 0
        if not is_sound:
            click.echo("\n".join(said.splitlines()[-40:]))
        done = _DONE.findall(said)
        took_s = time.monotonic() - self._began
        count = f"{int(done[-1]):,} inputs" if done else "stopped"
        verdict = "nothing found" if is_sound else "FOUND SOMETHING, see above and .fuzz"
        click.echo(f"{self.name:10} {count:>18} in {took_s:4.0f} s: {verdict}")
        if answers := _ANSWERS.search(said):
            click.echo(f"{'':10} answered with {answers[1]}")
        if keep and is_sound and self.name != HTTP:
            self._keep()
        return is_sound

    def _keep(self) -> None:
        """Add the small ones of what has led to new places to the corpus, until it is full."""
        corpus = CORPUS / self.name
        found = [path for path in self._found.iterdir() if not path.name.startswith("seed-")]
        for path in sorted(found, key=lambda path: path.stat().st_size):
            is_full = len(list(corpus.iterdir())) >= _MOST_KEPT
            if not is_full and path.stat().st_size <= _KEPT_BYTES:
                shutil.copy(path, corpus)


if __name__ == "__main__":
    main()
