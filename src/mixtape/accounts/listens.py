"""The plays that ListenBrainz is to be told of, kept until it has been."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import DBAPIError

from ..database.account_tables import Listen, User
from ..database.tables import Track
from ..database.units_of_work import Database
from ..errors import DatabaseError, InvalidAccountError, NotFoundError
from ..messages import Message
from .listenbrainz import (
    EARLIEST,
    ListenBrainz,
    ListenBrainzError,
    Metadata,
    checked_token,
    checked_url,
    metadata_of,
)
from .sealing import Sealer

# At once; ListenBrainz takes a thousand.
_AT_ONCE: Final = 100
# Longer than sending takes, so that another node leaves alone what this one sends.
_CLAIMED_FOR: Final = timedelta(minutes=2)
_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 3600.0
_ENDS_WITHIN_S: Final = 2.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Connection:
    """Whether plays of a user are sent on, and how that goes.

    Args:
        url: of the server; "" for listenbrainz.org.
        waiting: how many plays it has not been told of yet.
        problem: why not, in words; "" where nothing went wrong.
    """

    is_on: bool
    url: str
    waiting: int
    problem: str


@dataclass(slots=True)
class _Pause:
    """How long a user's plays are not sent, since something went wrong."""

    until: float
    failures: int
    problem: str


class Listens:
    """Keeps plays for ListenBrainz, and sends them from a thread of its own.

    Whoever plays music never waits for any of that. A server that is away is asked less and less
    often; one that does not know the token any more is not asked until there is another.

    Args:
        database: where they are.
        sealer: encrypts the tokens.
        now: the clock.
        first_pause_s: how long it waits after the first failure.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        first_pause_s: float = _FIRST_PAUSE_S,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._now = now
        self._first_pause_s = first_pause_s
        self._pauses: dict[int, _Pause] = {}
        self._playing: dict[int, Metadata] = {}
        self._due = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._sender: threading.Thread | None = None

    def connect(self, user_id: int, token: str, url: str = "") -> str:
        """Send a user's plays to an account from now on, and return its name.

        Args:
            url: of the server; "" for listenbrainz.org.

        Raises:
            InvalidAccountError: the server does not know the token, or cannot be asked.
            NotFoundError: there is no such user.
        """
        account = ListenBrainz(checked_token(token), checked_url(url))
        try:
            name = account.find_name()
        except ListenBrainzError as error:
            raise InvalidAccountError(
                Message("nothing was changed: %(reason)s. Try again later", reason=error)
            ) from error
        if name is None:
            raise InvalidAccountError(
                Message(
                    "ListenBrainz does not know this token: copy it from "
                    "https://listenbrainz.org/settings/ again"
                )
            )
        sealed = self._sealer.seal(account.token)
        values = {"sealed_listenbrainz_token": sealed, "listenbrainz_url": account.url}
        with self._database.write() as session:
            user = session.get(User, user_id)
            if user is None:
                raise NotFoundError(Message("there is no such user"))
            for column, value in values.items():
                setattr(user, column, value)
        self._pauses.pop(user_id, None)
        self._wake()
        return name

    def disconnect(self, user_id: int) -> None:
        """Send nothing of a user any more, and forget the token and what was not sent."""
        nothing = {"sealed_listenbrainz_token": None, "listenbrainz_url": ""}
        with self._database.write() as session:
            session.execute(update(User).where(User.id == user_id).values(nothing))
            session.execute(delete(Listen).where(Listen.user_id == user_id))
        self._playing.pop(user_id, None)
        self._pauses.pop(user_id, None)

    def connection(self, user_id: int) -> Connection:
        """Return whether a user's plays are sent on."""
        account = select(User.sealed_listenbrainz_token, User.listenbrainz_url)
        count = select(func.count()).select_from(Listen).where(Listen.user_id == user_id)
        with self._database.read() as session:
            sealed, url = session.execute(account.where(User.id == user_id)).one()
            waiting = session.scalars(count).one()
        pause = self._pauses.get(user_id)
        return Connection(sealed is not None, url, waiting, pause.problem if pause else "")

    def add(self, user_id: int, heard: Sequence[tuple[Track, datetime]], client: str) -> None:
        """Keep plays for ListenBrainz, if the user wants that.

        Args:
            heard: the tracks, and when each began.
            client: the player.
        """
        listens = [
            Listen(user_id=user_id, listened_at=begun_at, track=metadata)
            for track, begun_at in heard
            if begun_at >= EARLIEST and (metadata := metadata_of(track, client)) is not None
        ]
        if not listens or not self._is_on(user_id):
            return
        with self._database.write() as session:
            session.add_all(listens)
        self._wake()

    def tell_playing_now(self, user_id: int, track: Track, client: str) -> None:
        """Tell ListenBrainz what is being played, if the user wants that; once, as it passes."""
        metadata = metadata_of(track, client)
        if metadata is not None and self._is_on(user_id):
            self._playing[user_id] = metadata
            self._wake()

    def start(self) -> None:
        """Send what an earlier process has left."""
        with self._database.read() as session:
            is_left = session.scalar(select(Listen.id).limit(1)) is not None
        if is_left:
            self._wake()

    def close(self) -> None:
        """Send nothing more in this process; what was not sent is kept for the next."""
        self._closed.set()
        self._due.set()
        if self._sender is not None:
            self._sender.join(_ENDS_WITHIN_S)

    def _is_on(self, user_id: int) -> bool:
        query = select(User.sealed_listenbrainz_token.is_not(None)).where(User.id == user_id)
        with self._database.read() as session:
            return bool(session.scalar(query))

    def _wake(self) -> None:
        with self._lock:
            if self._sender is None and not self._closed.is_set():
                self._sender = threading.Thread(target=self._run, name="listenbrainz", daemon=True)
                self._sender.start()
        self._due.set()

    def _run(self) -> None:
        wait_s: float | None = 0.0
        while not self._closed.is_set():
            self._due.wait(wait_s)
            self._due.clear()
            if self._closed.is_set():
                return
            try:
                wait_s = self._send_due()
            except (DatabaseError, DBAPIError) as error:
                logger.warning("plays wait for the database: %s", error)
                wait_s = self._first_pause_s
            except Exception:
                logger.exception("plays could not be sent to ListenBrainz")
                wait_s = _LONGEST_PAUSE_S

    def _send_due(self) -> float | None:
        """Send what can be sent; return when to look again, None where nothing is left."""
        with self._database.read() as session:
            users = set(session.scalars(select(Listen.user_id).distinct()))
        for user_id in sorted(users | self._playing.keys()):
            pause = self._pauses.get(user_id)
            if pause is not None and pause.until > time.monotonic():
                # What was playing then is no news afterwards.
                self._playing.pop(user_id, None)
                continue
            self._send_all_of(user_id)
        with self._database.read() as session:
            left = set(session.scalars(select(Listen.user_id).distinct()))
        return self._wait_s(left)

    def _wait_s(self, users: Collection[int]) -> float | None:
        """Return when to look again after the plays of some users; None where nothing is left."""
        if not users:
            return None
        now, free_in_s = time.monotonic(), _CLAIMED_FOR.total_seconds()
        # Without a pause it is another node that sends them, or did until it ended.
        waits = [
            pause.until - now if (pause := self._pauses.get(user_id)) else free_in_s
            for user_id in users
        ]
        return min(_LONGEST_PAUSE_S, max(0.0, min(waits)))

    def _send_all_of(self, user_id: int) -> None:
        account = self._account(user_id)
        playing = self._playing.pop(user_id, None)
        if account is None:
            return
        try:
            if playing is not None:
                with contextlib.suppress(ListenBrainzError):
                    account.tell_playing_now(playing)
            while not self._closed.is_set():
                claimed = self._claim(user_id)
                if not claimed:
                    break
                self._send(account, claimed)
        except ListenBrainzError as error:
            self._pause(user_id, error)
            return
        self._pauses.pop(user_id, None)

    def _send(self, account: ListenBrainz, claimed: Sequence[Listen]) -> None:
        """Send some plays, and forget them; let go of them where they cannot be sent now."""
        try:
            account.tell_listens([(one.listened_at, one.track) for one in claimed])
        except ListenBrainzError as error:
            if error.is_about_content and len(claimed) > 1:
                # One of them, perhaps: the others go without it.
                for one in claimed:
                    self._send(account, [one])
                return
            if not error.is_about_content:
                self._let_go(claimed)
                raise
            logger.warning("ListenBrainz does not take a play: %s", error)
        with self._database.write() as session:
            session.execute(delete(Listen).where(Listen.id.in_([one.id for one in claimed])))

    def _claim(self, user_id: int) -> Sequence[Listen]:
        """Return the oldest plays that nobody sends, which are this node's to send now."""
        now = self._now()
        is_free = or_(Listen.claimed_until.is_(None), Listen.claimed_until < now)
        oldest = select(Listen.id).where(Listen.user_id == user_id, is_free)
        oldest = oldest.order_by(Listen.id).limit(_AT_ONCE).with_for_update(skip_locked=True)
        with self._database.write() as session:
            ids = session.scalars(oldest).all()
            chosen = Listen.id.in_(ids)
            claim = update(Listen).where(chosen).values(claimed_until=now + _CLAIMED_FOR)
            session.execute(claim.execution_options(synchronize_session=False))
            return session.scalars(select(Listen).where(chosen).order_by(Listen.id)).all()

    def _let_go(self, claimed: Sequence[Listen]) -> None:
        chosen = Listen.id.in_([one.id for one in claimed])
        with self._database.write() as session:
            session.execute(update(Listen).where(chosen).values(claimed_until=None))

    def _account(self, user_id: int) -> ListenBrainz | None:
        with self._database.read() as session:
            user = session.get(User, user_id)
        if user is None or user.sealed_listenbrainz_token is None:
            return None
        token = self._sealer.open(user.sealed_listenbrainz_token)
        if token is None:
            # SECRET_KEY is another one now.
            self._pause(user_id, ListenBrainzError("the token can no longer be read", 401))
            return None
        return ListenBrainz(token, user.listenbrainz_url)

    def _pause(self, user_id: int, error: ListenBrainzError) -> None:
        before = self._pauses.get(user_id)
        failures = before.failures + 1 if before else 1
        if error.is_about_token:
            pause_s = float("inf")
            logger.error("plays are no longer sent: %s. Connect the account again", error)
        else:
            longest = min(_LONGEST_PAUSE_S, self._first_pause_s * 2 ** min(failures - 1, 20))
            # Not all at once, where a server was away for many.
            pause_s = max(error.wait_s, longest * random.uniform(0.5, 1.0))
            logger.warning("plays are sent again in %.0f s: %s", pause_s, error)
        self._pauses[user_id] = _Pause(time.monotonic() + pause_s, failures, str(error))
