"""Fixtures of the tests of serving."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audio_cache.serving.representation_site import (
    BODY,
    Site,
)
from tests.helpers.processes import open_files


@pytest.fixture(params=["memory", "file"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Return a site; when the test is over, no file that it opened is open any more."""
    before = open_files()
    if request.param == "memory":
        yield Site()
    else:
        path = tmp_path / "body"
        path.write_bytes(BODY)
        yield Site(path)
    assert open_files() == before
