from __future__ import annotations

import pytest

from benchmarks import stress
from benchmarks.music import find_music
from benchmarks.report import save


@pytest.mark.stress
@pytest.mark.timeout(600)
def test_four_hundred_listeners_get_their_bytes_while_new_requests_are_answered_at_once() -> None:
    result = stress.run()
    save("stress", result, find_music().text())
    missed = [f"{each.what}: {each.text()}" for each in result.figures if not each.is_met]
    assert not missed, "\n".join((*missed, *result.notes))
