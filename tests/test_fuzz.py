"""What the fuzzers have found and kept, looked at again: `make fuzz` goes on from there."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from audio_cache.sources.source import read_source
from fuzz.http import fuzz, prepare
from fuzz.targets import SUFFIXES, TARGETS, seeds_of

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_kept_breaks_nothing(name: str) -> None:
    kept = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    assert kept
    for data in [*kept, *seeds_of(name), b"", os.urandom(200)]:
        TARGETS[name](data)


def test_a_text_with_nul_in_it_keeps_what_stands_behind(tmp_path: Path) -> None:
    comments = (b"TITLE=one\0two\0", b"ARTIST=\0")
    body = struct.pack("<I", 0) + struct.pack("<I", len(comments))
    body += b"".join(struct.pack("<I", len(each)) + each for each in comments)
    content = b"fLaC\x84" + len(body).to_bytes(3, "big") + body
    (tmp_path / "x.flac").write_bytes(content)
    assert read_source(tmp_path / "x.flac").tags == (("title", "one two"),)
    TARGETS["sources"](bytes([SUFFIXES.index(".flac")]) + content)


@pytest.mark.slow
def test_requests_that_no_page_sends_are_answered_without_an_error(tmp_path: Path) -> None:
    tally = fuzz(prepare(tmp_path), 5.0)
    assert tally.requests > 10
    assert tally.faults == []
