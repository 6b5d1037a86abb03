"""Tracks that are added to a mixtape from anywhere, without its editor.

An addition goes to what listeners hear and, where somebody has begun to edit the mixtape, to that
draft as well: to the draft alone it would wait for a save that nobody thinks of, and to the mixtape
alone the next save of the draft would take it away again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, Literal, TypeVar

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from ..database.tables import MAX_ID, Draft, Mixtape, MixtapeTrack, Track
from ..database.units_of_work import Database
from ..errors import InvalidMixtapeError, NotFoundError
from ..messages import Message
from .share_links import get_mixtape
from .values import MAX_TRACKS

Repeats = Literal["ask", "skip", "add"]
REPEATS: Final = ("ask", "skip", "add")
_IDS: Final = "track_ids"
_PER_TRACK: Final = "track_"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Addition:
    """What an addition has done.

    Args:
        added: the tracks that were added, in order; none while it has to be asked.
        repeated: those that were on the mixtape before.
    """

    added: tuple[int, ...]
    repeated: tuple[int, ...]


class Additions:
    """Adds tracks to the end of mixtapes and drafts, and takes them back.

    Args:
        database: where they are.
        now: the clock.
        user_id: whose mixtapes and drafts there are; None for everybody's.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        user_id: int | None = None,
    ) -> None:
        self._database = database
        self._now = now
        self._user_id = user_id

    def for_user(self, user_id: int) -> Additions:
        """Return the same for the mixtapes and drafts of one user: there are no others."""
        return Additions(self._database, self._now, user_id)

    def add(self, slug: str, track_ids: Sequence[int], repeats: Repeats = "ask") -> Addition:
        """Add tracks to a mixtape, and to the draft of it where there is one.

        Args:
            slug: of the mixtape.
            track_ids: of the library's tracks, in order.
            repeats: what to do with those that are on it already. "ask" adds nothing where there
                are any, "skip" adds the others, "add" adds all.

        Raises:
            NotFoundError: there is no such mixtape.
            InvalidMixtapeError: a track is not in the library, or they are too many.
        """
        with self._database.write() as session:
            mixtape, draft = _lock(session, slug, self._user_id)
            paths = _paths_of(session, track_ids)
            held = _held(session, mixtape)
            on_it = {path for _, path in held}
            in_draft = set(_ids_of(draft)) if draft else set()
            repeated = [one for one in paths if paths[one] in on_it or one in in_draft]
            addition = _decide(paths, repeated, repeats)
            if addition.added:
                _check_room(max(len(held), len(in_draft)) + len(addition.added))
                start = held[-1][0] + 1 if held else 0
                places = [
                    {"mixtape_id": mixtape.id, "position": position, "path": paths[one]}
                    for position, one in enumerate(addition.added, start)
                ]
                session.execute(insert(MixtapeTrack), places)
                self._count(mixtape)
                if draft:
                    self._follow(draft, mixtape, {_IDS: [*_ids_of(draft), *addition.added]})
            return addition

    def take_back(self, slug: str, track_ids: Sequence[int]) -> None:
        """Take the last of each of these tracks off a mixtape and its draft, as an undo does.

        Raises:
            NotFoundError: there is no such mixtape.
        """
        with self._database.write() as session:
            mixtape, draft = _lock(session, slug, self._user_id)
            known = select(Track.path).where(Track.id.in_(_possible(track_ids)))
            held = _held(session, mixtape)
            last = _last_places([path for _, path in held], session.scalars(known))
            positions = [held[place][0] for place in last]
            # The other places stay as they are, with all that is kept of them.
            of_it = MixtapeTrack.mixtape_id == mixtape.id
            session.execute(delete(MixtapeTrack).where(of_it, MixtapeTrack.position.in_(positions)))
            self._count(mixtape)
            if draft:
                self._follow(draft, mixtape, _without(draft, track_ids))

    def add_to_draft(
        self, key: str, track_ids: Sequence[int], repeats: Repeats = "ask"
    ) -> Addition:
        """Add tracks to a mixtape that was never saved; the arguments are those of `add`.

        Raises:
            NotFoundError: there is no such draft.
            InvalidMixtapeError: a track is not in the library, or they are too many.
        """
        with self._database.write() as session:
            draft = _lock_draft(session, key, self._user_id)
            held = _ids_of(draft)
            paths = _paths_of(session, track_ids)
            addition = _decide(paths, [one for one in paths if one in set(held)], repeats)
            if addition.added:
                _check_room(len(held) + len(addition.added))
                self._write(draft, {_IDS: [*held, *addition.added]})
            return addition

    def take_back_from_draft(self, key: str, track_ids: Sequence[int]) -> None:
        """Take the last of each of these tracks off a mixtape that was never saved.

        Raises:
            NotFoundError: there is no such draft.
        """
        with self._database.write() as session:
            draft = _lock_draft(session, key, self._user_id)
            self._write(draft, _without(draft, track_ids))

    def _count(self, mixtape: Mixtape) -> None:
        mixtape.revision += 1
        mixtape.updated_at = self._now()

    def _follow(self, draft: Draft, mixtape: Mixtape, changes: dict[str, Any]) -> None:
        """Let a draft have what its mixtape has now, so that its save is no conflict for that."""
        if draft.base_revision == mixtape.revision - 1:
            draft.base_revision = mixtape.revision
        if draft.state:
            self._write(draft, changes)

    def _write(self, draft: Draft, changes: dict[str, Any]) -> None:
        # Another object: a change within the old one is not noticed.
        draft.state = {**draft.state, **changes}
        draft.revision += 1
        draft.updated_at = self._now()


def _lock(session: Session, slug: str, user_id: int | None) -> tuple[Mixtape, Draft | None]:
    """Return a mixtape and its draft, which nobody else changes until the end of this work."""
    mixtape = get_mixtape(session, slug, user_id)
    session.refresh(mixtape, with_for_update=True)
    of_it = select(Draft).where(Draft.mixtape_id == mixtape.id).with_for_update()
    return mixtape, session.scalars(of_it).one_or_none()


def _lock_draft(session: Session, key: str, user_id: int | None) -> Draft:
    # Encoded as a slug is; anything else, such as a lone surrogate, may be nothing to ask for.
    named = select(Draft).where(Draft.key == key).with_for_update()
    draft = session.scalars(named).one_or_none() if key.isascii() else None
    if draft is None or user_id not in {None, draft.user_id}:
        raise NotFoundError(Message("there is no such draft: it was saved or discarded"))
    return draft


def _held(session: Session, mixtape: Mixtape) -> list[tuple[int, bytes]]:
    """Return the places of a mixtape in order: their positions and paths."""
    places = select(MixtapeTrack.position, MixtapeTrack.path)
    places = places.where(MixtapeTrack.mixtape_id == mixtape.id)
    return [
        (position, path)
        for position, path in session.execute(places.order_by(MixtapeTrack.position))
    ]


def _ids_of(draft: Draft) -> list[int]:
    return list(draft.state.get(_IDS, ()))


def _possible(track_ids: Iterable[int]) -> set[int]:
    return {track_id for track_id in track_ids if 0 < track_id <= MAX_ID}


def _paths_of(session: Session, track_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the paths of tracks in order, each once."""
    playable = Track.missing_since.is_(None), Track.problem.is_(None)
    known = select(Track.id, Track.path).where(Track.id.in_(_possible(track_ids)), *playable)
    paths = dict(session.execute(known).all())
    lost = [str(track_id) for track_id in track_ids if track_id not in paths]
    if lost:
        raise InvalidMixtapeError(
            Message(
                "no longer in the library, or not to be played: track %(tracks)s. "
                "Reload the page and choose again",
                tracks=", ".join(lost[:10]),
            )
        )
    return {track_id: paths[track_id] for track_id in track_ids}


def _decide(paths: dict[int, bytes], repeated: list[int], repeats: Repeats) -> Addition:
    if repeats == "add":
        return Addition(tuple(paths), tuple(repeated))
    if repeats == "ask" and repeated:
        return Addition((), tuple(repeated))
    return Addition(tuple(one for one in paths if one not in set(repeated)), tuple(repeated))


def _check_room(tracks: int) -> None:
    if tracks > MAX_TRACKS:
        raise InvalidMixtapeError(
            Message(
                "the mixtape would have %(count)s tracks, and %(most)s are the most",
                count=tracks,
                most=MAX_TRACKS,
            )
        )


def _last_places(held: Sequence[T], gone: Iterable[T]) -> set[int]:
    """Return where the last of each stands that is to go; of one named twice, the last two."""
    places: set[int] = set()
    for one in gone:
        found = (at for at in reversed(range(len(held))) if held[at] == one and at not in places)
        places.update(islice(found, 1))
    return places


def _without(draft: Draft, track_ids: Sequence[int]) -> dict[str, Any]:
    """Return what a draft keeps of each track, in lists that go by its tracks, without some."""
    gone = _last_places(_ids_of(draft), track_ids)
    per_track = {name: kept for name, kept in draft.state.items() if name.startswith(_PER_TRACK)}
    return {
        name: [one for at, one in enumerate(kept) if at not in gone]
        for name, kept in {_IDS: [], **per_track}.items()
    }
