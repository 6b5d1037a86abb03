from __future__ import annotations

import pytest

from mixtape.database.tables import Track
from mixtape.files.names import display_name


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        ({"lossless": True, "codec": "flac", "bits": 24, "rate_hz": 96_000}, "FLAC 24/96"),
        ({"lossless": True, "codec": "flac", "bits": 16, "rate_hz": 44_100}, "FLAC 16/44.1"),
        ({"codec": "mp3", "duration_s": 10.0, "size_bytes": 400_000}, "MP3 320 kbit/s"),
        ({"codec": "", "duration_s": None}, "FLAC"),
    ],
)
def test_a_format_is_named_in_a_few_characters(columns: dict[str, object], label: str) -> None:
    assert (
        Track(**{"path": b"a.flac", "size_bytes": 1, "lossless": False, **columns}).format_label
        == label
    )


def test_a_name_is_shown_whatever_its_bytes() -> None:
    assert display_name(b"a/b/caf\xc3\xa9.flac") == "café.flac"
    assert display_name(b"\xff\xfe") == "\ufffd\ufffd"
