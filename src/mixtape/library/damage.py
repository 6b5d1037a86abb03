"""What listeners and owners are told of tracks that are damaged."""

from __future__ import annotations

from dataclasses import dataclass

from audio_cache import AudioCache, Damage, MusicRoots

from ..database.tables import Track
from ..files.formats import duration_text
from ..messages import Message

# What a player takes for the very end.
_END_S = 0.5


@dataclass(frozen=True)
class DamagedTrack:
    """A damaged file of the library, by its path in the music folder, and what is wrong with it."""

    path: str
    damage: Message


def describe_damage(damage: Damage) -> Message:
    """Return what is wrong with a track, in a few words that follow its name."""
    length_s = damage.lost_s + damage.heard_s
    if not damage.heard_s:
        return Message("damaged: nothing of it can be played")
    if damage.at_s is None:
        return Message("damaged: not the music that the file states")
    if damage.at_s >= damage.until_s and damage.until_s < length_s - _END_S:
        end, length = duration_text(int(damage.until_s)), duration_text(length_s)
        return Message("damaged: ends at %(end)s of %(length)s", end=end, length=length)
    return Message("damaged at %(time)s", time=duration_text(int(damage.at_s)))


def damage_of(cache: AudioCache, roots: MusicRoots, track: Track) -> Message | None:
    """Return what is known to be wrong with a track's file as it is now; None for nothing."""
    place = roots.find(track.path) if track.lossless else None
    found = None if place is None else cache.damages.now(place)
    return describe_damage(found) if found is not None else None


def damaged_tracks(cache: AudioCache, roots: MusicRoots) -> list[DamagedTrack]:
    """Return the files of the library that are known to be damaged as they are now, by path."""
    found = []
    for path in sorted(cache.damages.all()):
        damage = cache.damages.now(path)
        inside = roots.path_of(path)
        if damage is not None and inside is not None:
            found.append(DamagedTrack(inside, describe_damage(damage)))
    return found
