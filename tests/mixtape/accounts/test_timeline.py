from __future__ import annotations

import pytest

from mixtape.accounts.now_playing import MAX_PLAYERS, NowPlaying
from mixtape.accounts.timeline import Player, Report, Step
from tests.helpers.tracks import Clock

MINUTE_MS = 60_000.0
# Four minutes of one are less than its half.
LONG_MS = 10 * MINUTE_MS


def player(key: str = "phone", user_id: int = 1) -> Player:
    return Player(user_id, f"user {user_id}", key, 7, "App")


class Phone:
    """A player that tells of all that it does."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.now_playing = NowPlaying(now=clock)
        self.plays: list[int] = []

    def says(
        self,
        state: str,
        position_ms: float = 0.0,
        *,
        track: int = 1,
        length_ms: float = 3 * MINUTE_MS,
        rate: float = 1.0,
        counts: bool = True,
    ) -> Step:
        step = self.now_playing.report(
            player(), Report(track, length_ms, state, position_ms, rate, counts)
        )
        self.plays += [play.report.track_id for play in step.plays]
        return step


@pytest.fixture
def phone(clock: Clock) -> Phone:
    return Phone(clock)


def test_half_of_a_track_is_a_play_and_it_counts_once(phone: Phone, clock: Clock) -> None:
    assert phone.says("starting").is_new
    begun_at = clock()
    assert not phone.says("playing").is_new
    clock.advance(seconds=89)
    assert not phone.says("playing", 89_000).plays
    clock.advance(seconds=2)
    [play] = phone.says("playing", 91_000).plays
    assert play.begun_at == begun_at
    clock.advance(seconds=80)
    assert not phone.says("stopped", 171_000).plays
    assert phone.plays == [1]
    assert phone.now_playing.all() == ()


def test_of_a_long_track_four_minutes_are_enough(phone: Phone, clock: Clock) -> None:
    phone.says("playing", length_ms=LONG_MS)
    clock.advance(minutes=3.9)
    phone.says("paused", length_ms=LONG_MS)
    assert phone.plays == []
    clock.advance(minutes=10)
    phone.says("playing", 3.9 * MINUTE_MS, length_ms=LONG_MS)
    clock.advance(minutes=0.2)
    phone.says("stopped", length_ms=LONG_MS)
    assert phone.plays == [1]


def test_a_jump_ahead_is_not_heard_and_neither_is_what_loads_or_rests(
    phone: Phone, clock: Clock
) -> None:
    phone.says("starting")
    clock.advance(minutes=2)
    phone.says("playing")
    clock.advance(seconds=10)
    phone.says("playing", 170_000)
    clock.advance(seconds=5)
    phone.says("paused", 175_000)
    clock.advance(minutes=5)
    phone.says("stopped", 175_000)
    assert phone.plays == []


def test_a_track_played_twice_as_fast_is_heard_in_half_the_time(phone: Phone, clock: Clock) -> None:
    phone.says("playing", rate=2.0)
    clock.advance(seconds=46)
    [one] = phone.now_playing.all()
    assert phone.now_playing.position_ms(one) == 92_000
    phone.says("playing", 92_000, rate=2.0)
    assert phone.plays == [1]


def test_the_next_track_ends_the_one_before(phone: Phone, clock: Clock) -> None:
    phone.says("playing", track=1)
    clock.advance(seconds=100)
    assert phone.says("starting", track=2).is_new
    phone.says("playing", track=2)
    clock.advance(seconds=10)
    phone.says("playing", track=3)
    assert phone.plays == [1]


def test_the_same_track_again_is_another_play(phone: Phone, clock: Clock) -> None:
    for _ in range(2):
        phone.says("starting")
        phone.says("playing")
        clock.advance(minutes=3)
    phone.says("stopped")
    assert phone.plays == [1, 1]


def test_what_is_not_to_count_does_not(phone: Phone, clock: Clock) -> None:
    phone.says("playing", counts=False)
    clock.advance(minutes=2)
    phone.says("playing", counts=False)
    clock.advance(minutes=1)
    phone.says("starting", track=2)
    assert phone.plays == []


def test_nobody_is_taken_to_have_heard_more_than_was_left(phone: Phone, clock: Clock) -> None:
    phone.says("playing", 120_000)
    clock.advance(minutes=20)
    [one] = phone.now_playing.all()
    assert phone.now_playing.position_ms(one) == 180_000
    assert phone.now_playing.minutes_since(one) == 20
    phone.says("stopped", 180_000)
    assert phone.plays == []


def test_half_an_hour_after_the_end_nobody_listens_any_more(phone: Phone, clock: Clock) -> None:
    phone.says("playing")
    clock.advance(minutes=32)
    assert len(phone.now_playing.all()) == 1
    clock.advance(minutes=2)
    assert phone.now_playing.all() == ()
    assert phone.says("playing", 170_000).is_new
    assert phone.plays == []


def test_who_says_only_what_begins_is_gone_at_its_end_and_counts_by_himself(
    clock: Clock,
) -> None:
    now_playing = NowPlaying(now=clock)
    now_playing.begin(player(), 1, 180_000)
    clock.advance(minutes=2)
    [one] = now_playing.all()
    assert (one.report.state, now_playing.position_ms(one)) == ("playing", 120_000)
    assert not now_playing.report(player(), Report(2, 1000, "starting")).plays
    now_playing.begin(player(), 1, 180_000)
    clock.advance(minutes=3, seconds=1)
    assert now_playing.all() == ()


def test_each_user_and_player_has_a_line_of_its_own_and_there_is_an_end_to_them(
    clock: Clock,
) -> None:
    now_playing = NowPlaying(now=clock)
    now_playing.begin(player("other", user_id=2), 5, 180_000)
    for number in range(MAX_PLAYERS + 3):
        clock.advance(seconds=1)
        now_playing.report(player(f"page {number}"), Report(number, 180_000, "playing"))
    own = now_playing.all(1)
    assert [one.report.track_id for one in own] == list(range(MAX_PLAYERS + 2, 2, -1))
    assert [one.report.track_id for one in now_playing.all(2)] == [5]
    assert len(now_playing.all()) == MAX_PLAYERS + 1
