from __future__ import annotations

from mixtape.database.tables import Track
from mixtape.library.discs import discs_of


def track(disc_no: int | None, subtitle: str = "") -> Track:
    return Track(path=b"a", disc_no=disc_no, disc_subtitle=subtitle)


def told(*tracks: Track) -> list[tuple[int, str, int, bool]]:
    discs = discs_of(tracks)
    return [(disc.number, disc.subtitle, len(disc.tracks), disc.has_heading) for disc in discs]


def test_an_album_of_one_disc_has_no_heading() -> None:
    assert told(track(None), track(1)) == [(1, "", 2, False)]
    assert told() == []


def test_each_of_several_discs_has_one() -> None:
    tracks = track(None), track(1), track(2, ""), track(2, "Live")
    assert told(*tracks) == [(1, "", 2, True), (2, "Live", 2, True)]


def test_a_disc_with_a_title_of_its_own_has_one() -> None:
    assert told(track(1, "Early")) == [(1, "Early", 1, True)]
