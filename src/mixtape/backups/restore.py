"""The mixtapes of a backup, written to the database: nothing that is there is ever lost."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.orm import Session

from ..errors import BackupError
from ..files.tags import clean_text
from ..messages import Message
from ..mixtapes.share_links import new_key, new_link, new_slug
from ..mixtapes.values import MAX_TITLE
from .plan import Plan, Step
from .rows import (
    LINK,
    MIXTAPE,
    Row,
    Rows,
    backed_up_tables,
    decode_row,
    identity_of,
    parents_of,
    unique_columns,
)

Existing = Literal["keep", "replace", "both"]
EXISTING: Final[tuple[Existing, ...]] = ("keep", "replace", "both")
# The identities that rows have here, by those that they have in the backup, for each table.
_Identities = dict[str, dict[Any, Any]]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done.

    Args:
        added: the slugs of mixtapes that are new, copies included.
        replaced: the slugs of mixtapes that are now as in the backup.
        kept: how many were left as they are here though the backup has them otherwise.
        same: how many were here as they are in the backup.
    """

    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    kept: int = 0
    same: int = 0


def carry_out(session: Session, plan: Plan, existing: Existing) -> Restored:
    """Write the mixtapes of a plan that was made in this unit of work.

    Args:
        existing: what becomes of those that are here already and not the same. "keep" leaves
            them, "replace" makes them as in the backup, "both" puts that beside them as a copy
            with another link.
    """
    added, replaced, kept = [], [], 0
    for step in plan.steps:
        if step.kind == "new":
            added.append(_add(session, step.rows, step.user_id))
        elif step.kind != "same" and existing == "both":
            added.append(_add(session, _as_copy(step.rows, plan.made_at), step.user_id))
        elif step.kind != "same" and existing == "replace":
            _replace(session, step)
            replaced.append(step.existing_slug)
        elif step.kind != "same":
            kept += 1
    return Restored(tuple(added), tuple(replaced), kept, plan.count("same"))


def _as_copy(rows: Rows, made_at: datetime) -> Rows:
    """Return the rows of a copy: with a link of its own, and the day of the backup in its title."""
    (own,) = rows[MIXTAPE.name]
    mark = f" ({made_at:%Y-%m-%d})"
    title = clean_text(own["title"][: MAX_TITLE - len(mark)]) + mark
    copy = {**own, "title": title, "slug": new_slug()}
    # Of the links, which lead to what is here, it has none.
    return {**rows, MIXTAPE.name: [copy], LINK.name: []}


def _add(session: Session, rows: Rows, user_id: int) -> str:
    own = {**decode_row(MIXTAPE, rows[MIXTAPE.name][0]), "user_id": user_id}
    given_slug: str = own["slug"]
    if session.execute(select(LINK.c.id).where(LINK.c.slug == given_slug)).first() is not None:
        # It leads to another mixtape, whose link this one would have for its first.
        own["slug"] = new_slug()
    identities: _Identities = {}
    slug: str = _insert(session, MIXTAPE, own, identities)["slug"]
    # The first link is by the name of its mixtape.
    links = [
        {**link, "slug": slug} if link["slug"] == given_slug else link for link in rows[LINK.name]
    ]
    _add_what_belongs(session, {**rows, LINK.name: links}, identities)
    if all(link["slug"] != slug for link in links):
        (mixtape_id,) = identities[MIXTAPE.name].values()
        session.add(new_link(mixtape_id, datetime.now(UTC), slug=slug))
        session.flush()
    return slug


def _replace(session: Session, step: Step) -> None:
    own = decode_row(MIXTAPE, step.rows[MIXTAPE.name][0])
    old_id = own.pop("id", None)
    # The links stay as they are, so one that was revoked since stays so.
    del own["slug"]
    there = select(MIXTAPE.c.revision).where(MIXTAPE.c.id == step.existing_id)
    # A draft of before is told of the change.
    own["revision"] = session.execute(there).scalar_one() + 1
    session.execute(update(MIXTAPE).where(MIXTAPE.c.id == step.existing_id).values(own))
    for table in reversed(backed_up_tables()):
        for column, parent in parents_of(table).items():
            if parent is MIXTAPE and table is not LINK:
                # What refers to these rows goes with them, as ON DELETE CASCADE says.
                session.execute(delete(table).where(table.c[column] == step.existing_id))
    rows = {**step.rows, LINK.name: []}
    _add_what_belongs(session, rows, {MIXTAPE.name: {old_id: step.existing_id}})


def _add_what_belongs(session: Session, rows: Rows, identities: _Identities) -> None:
    for table in backed_up_tables():
        if table is not MIXTAPE:
            for row in rows[table.name]:
                _insert(session, table, decode_row(table, row), identities)


def _insert(session: Session, table: Table, row: Row, identities: _Identities) -> Row:
    """Write one row, with the identities that this database gives, and return it."""
    for column, parent in parents_of(table).items():
        row[column] = _reference(table, column, parent, row, identities)
    for unique in unique_columns(table):
        value = row.get(unique.name)
        if unique.name == identity_of(table) or value is None:
            continue
        if session.execute(select(unique).where(unique == value)).first() is not None:
            # Of two that were one, the copy gets a link of its own.
            row[unique.name] = secrets.token_urlsafe(16)
    if table is LINK:
        row["share_key"] = new_key()
    identity = identity_of(table)
    old = row.pop(identity, None) if identity is not None else None
    written = insert(table).values(row)
    if identity is None:
        session.execute(written)
    else:
        given = session.execute(written.returning(table.c[identity])).scalar_one()
        identities.setdefault(table.name, {})[old] = given
    return row


def _reference(
    table: Table, column: str, parent: Table, row: Row, identities: Mapping[str, Mapping[Any, Any]]
) -> Any:
    value = row.get(column)
    found = identities.get(parent.name, {}).get(value)
    if found is None and value is not None and not table.c[column].nullable:
        raise BackupError(
            Message(
                "a row of '%(table)s' belongs to nothing that the backup holds", table=table.name
            )
        )
    return found
