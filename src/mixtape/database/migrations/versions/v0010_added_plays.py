"""Plays that are added to the sum of their album, so that its tracks are not summed up for them."""

from __future__ import annotations

from typing import Final

from alembic import op

revision = "0010"
down_revision = "0009"

_OF_PLAY: Final = "user_id, path, plays, last_played_at"
# Only then does the new sum follow from the old one: a last play that goes leaves no trace of the
# one before.
_GROWS: Final = """new.user_id = old.user_id AND new.path = old.path
    AND new.plays >= old.plays AND new.last_played_at >= old.last_played_at"""
_NOTE: Final = """
    INSERT INTO stale_album (artist_key, key)
        SELECT album_artist_key, album_key FROM track WHERE path = {row}.path
        ON CONFLICT DO NOTHING;"""
_ADD: Final = """
    INSERT INTO album_play (user_id, artist_key, key, plays, last_played_at)
        SELECT new.user_id, album_artist_key, album_key, {plays}, new.last_played_at
        FROM track WHERE path = new.path AND missing_since IS NULL
        ON CONFLICT (user_id, artist_key, key) DO UPDATE SET
            plays = album_play.plays + excluded.plays,
            last_played_at = CASE WHEN excluded.last_played_at > album_play.last_played_at
                THEN excluded.last_played_at ELSE album_play.last_played_at END;"""


def upgrade() -> None:
    """Replace the triggers of plays. What they keep up to date is right, or noted as stale."""
    bind = op.get_bind()
    is_sqlite = bind.dialect.name == "sqlite"
    for statement in _sqlite_triggers() if is_sqlite else _postgres_function():
        bind.exec_driver_sql(statement)


def _sqlite_triggers() -> list[str]:
    note = _NOTE.format(row="old") + _NOTE.format(row="new")
    update = f"AFTER UPDATE OF {_OF_PLAY} ON play"
    return [
        "DROP TRIGGER play_stale_insert",
        "DROP TRIGGER play_stale_update",
        f"""CREATE TRIGGER play_added_insert AFTER INSERT ON play BEGIN
            {_ADD.format(plays="new.plays")} END""",
        f"""CREATE TRIGGER play_added_update {update} WHEN {_GROWS} BEGIN
            {_ADD.format(plays="new.plays - old.plays")} END""",
        f"CREATE TRIGGER play_stale_update {update} WHEN NOT ({_GROWS}) BEGIN {note} END",
    ]


def _postgres_function() -> list[str]:
    return [
        f"""CREATE OR REPLACE FUNCTION mixtape_note_play() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN {_ADD.format(plays="new.plays")}
            ELSIF TG_OP = 'DELETE' THEN {_NOTE.format(row="old")}
            ELSIF {_GROWS} THEN {_ADD.format(plays="new.plays - old.plays")}
            ELSE {_NOTE.format(row="old")} {_NOTE.format(row="new")}
            END IF;
            RETURN NULL;
        END $$"""
    ]
