"""One fuzzer of bytes: `python -m fuzz.libfuzzer TARGET`, and what libFuzzer takes."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["audio_cache", "mixtape", "mutagen.id3", "fuzz.targets"]):
    from fuzz.targets import TARGETS


def main() -> None:
    """Fuzz a target until libFuzzer has had enough."""
    program, target, *options = sys.argv
    atheris.Setup([program, *options], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
