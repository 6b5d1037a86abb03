"""What listeners and owners are told of tracks that are damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audio_cache import AudioCache, Damage, MusicRoots

from ..database.tables import Track
from ..files.formats import duration_text

# What a player takes for the very end.
_END_S = 0.5


@dataclass(frozen=True)
class DamagedTrack:
    """A damaged file of the library, by its path in the music folder, and what is wrong with it."""

    path: str
    damage: str


# Puts a sentence into the language of a page: takes its English, and the values in it by name.
InWords = Callable[..., str]


def in_english(english: str, /, **values: Any) -> str:
    """Return a sentence as it is."""
    return english % values


def describe_damage(damage: Damage, in_words: InWords = in_english) -> str:
    """Return what is wrong with a track, in a few words that follow its name."""
    length_s = damage.lost_s + damage.heard_s
    if not damage.heard_s:
        return in_words("damaged: nothing of it can be played")
    if damage.at_s is None:
        return in_words("damaged: not the music that the file states")
    if damage.at_s >= damage.until_s and damage.until_s < length_s - _END_S:
        end, length = duration_text(int(damage.until_s)), duration_text(length_s)
        return in_words("damaged: ends at %(end)s of %(length)s", end=end, length=length)
    return in_words("damaged at %(time)s", time=duration_text(int(damage.at_s)))


def damage_of(
    cache: AudioCache, roots: MusicRoots, track: Track, in_words: InWords = in_english
) -> str:
    """Return what is known to be wrong with a track's file as it is now; "" for nothing."""
    place = roots.find(track.path) if track.lossless else None
    found = None if place is None else cache.damages.now(place)
    return describe_damage(found, in_words) if found is not None else ""


def damaged_tracks(
    cache: AudioCache, roots: MusicRoots, in_words: InWords = in_english
) -> list[DamagedTrack]:
    """Return the files of the library that are known to be damaged as they are now, by path."""
    found = []
    for path in sorted(cache.damages.all()):
        damage = cache.damages.now(path)
        inside = roots.path_of(path)
        if damage is not None and inside is not None:
            found.append(DamagedTrack(inside, describe_damage(damage, in_words)))
    return found
