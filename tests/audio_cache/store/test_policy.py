"""The policy: plays fade, batches count for nothing, and a replay tells what a size would give."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from audio_cache.store.policy import DAY_S, DecayingPlays
from audio_cache.store.replay import RecordedPlay, Replay, hit_rate

NOW_S = 1_760_000_000.0
POLICY = DecayingPlays()


def worth(*days_ago: float) -> float:
    """Return what something is worth that was played so many days ago."""
    value = None
    for days in sorted(days_ago, reverse=True):
        value = POLICY.played(value, NOW_S - days * DAY_S)
    assert value is not None
    return value


def test_more_plays_are_worth_more_and_later_ones_too() -> None:
    assert worth(1, 2) > worth(1) > worth(2)


def test_a_play_counts_half_after_a_half_life() -> None:
    assert abs(worth(14, 14) - worth(0)) < 1e-9
    assert worth(20, 20, 20) > worth(0) > worth(20, 20)


def test_whatever_was_played_is_worth_more_than_what_a_batch_has_made() -> None:
    assert worth(36_500 / 2) > POLICY.made(NOW_S)
    assert POLICY.made(NOW_S) > POLICY.made(NOW_S - DAY_S)
    assert POLICY.made(NOW_S - 3650 * DAY_S) > POLICY.unnamed(NOW_S)


@given(st.lists(st.floats(0, 3650), min_size=1, max_size=20), st.floats(0.1, 3650))
def test_the_order_is_that_of_the_decayed_sums(days: list[float], other: float) -> None:
    def decayed(*played: float) -> float:
        return sum(2.0 ** (-each / 14) for each in played)

    ratio = decayed(*days) / decayed(other)
    if not 0.999 < ratio < 1.001:
        assert (worth(*days) > worth(other)) == (ratio > 1)


def test_a_replay_holds_no_more_than_its_cap() -> None:
    replay = Replay(POLICY, 250)
    assert [replay.play(key, 100, NOW_S + at) for at, key in enumerate("aabbccab")] == [
        False,
        True,
        False,
        True,
        False,
        True,
        False,
        False,
    ]


def test_what_is_larger_than_all_room_is_never_held() -> None:
    replay = Replay(POLICY, 250)
    assert [replay.play("large", 300, NOW_S + at) for at in range(2)] == [False, False]


def test_a_batch_of_everything_leaves_what_is_played() -> None:
    replay = Replay(POLICY, 1000)
    for at, key in enumerate([*range(5), *range(5)]):
        replay.play(key, 100, NOW_S + at)
    stored = [replay.warm(key, 100, NOW_S + 20) for key in range(100)]
    assert stored == [True] * 10 + [False] * 90 == [replay.holds(key) for key in range(100)]
    assert all(replay.play(key, 100, NOW_S + 30 + key) for key in range(5))
    # Somebody who listens to something new takes the place of what nobody listens to.
    for key in range(50, 55):
        assert not replay.play(key, 100, NOW_S + 40 + key)
    assert all(replay.play(key, 100, NOW_S + 200 + key) for key in range(5))


def test_hit_rates_grow_with_the_size_and_count_plays_and_bytes() -> None:
    dice = random.Random(1)
    keys = [min(int(dice.expovariate(0.05)), 99) for _ in range(2000)]
    plays = [RecordedPlay(NOW_S + at, key, 100 if key else 1000) for at, key in enumerate(keys)]
    rates = [hit_rate(plays, POLICY, cap) for cap in (1000, 3000, 100_000)]
    assert rates[0].plays < rates[1].plays < rates[2].plays < 1
    assert abs(rates[2].plays - (1 - len(set(keys)) / len(keys))) < 1e-9
    assert rates[2].bytes != rates[2].plays
    assert hit_rate([], POLICY, 1000).plays == 0
