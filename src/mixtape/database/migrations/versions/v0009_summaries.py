"""Albums and artists summed up, and triggers that note which ones have to be so again."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")

# All of a track that is in a sum, and the path, by which plays are found.
_OF_TRACK: Final = (
    "path, artist, artist_key, album, album_artist, album_artist_key, album_key, disc_no, "
    "disc_subtitle, year, genre, duration_s, cover_key, added_at, missing_since"
)
_OF_PLAY: Final = "user_id, path, plays, last_played_at"
_NOTE_TRACK: Final = """
    INSERT INTO stale_album (artist_key, key) VALUES ({row}.album_artist_key, {row}.album_key)
        ON CONFLICT DO NOTHING;
    INSERT INTO stale_artist (key) VALUES ({row}.album_artist_key), ({row}.artist_key)
        ON CONFLICT DO NOTHING;"""
_NOTE_PLAY: Final = """
    INSERT INTO stale_album (artist_key, key)
        SELECT album_artist_key, album_key FROM track WHERE path = {row}.path
        ON CONFLICT DO NOTHING;"""
_NOTED: Final = (("track", _OF_TRACK, _NOTE_TRACK), ("play", _OF_PLAY, _NOTE_PLAY))


def upgrade() -> None:
    """Make the tables and the triggers; all that is there is stale, until it is summed up."""
    _make_albums()
    _make_artists()
    op.create_index("ix_play_path", "play", ["path"])
    bind = op.get_bind()
    for statement in _triggers(is_sqlite=bind.dialect.name == "sqlite"):
        bind.exec_driver_sql(statement)
    op.execute(
        """INSERT INTO stale_album (artist_key, key)
        SELECT DISTINCT album_artist_key, album_key FROM track WHERE missing_since IS NULL"""
    )
    op.execute(
        """INSERT INTO stale_artist (key)
        SELECT album_artist_key FROM track WHERE missing_since IS NULL
        UNION SELECT artist_key FROM track WHERE missing_since IS NULL"""
    )


def _triggers(*, is_sqlite: bool) -> list[str]:
    statements = []
    for table, columns, note in _NOTED:
        old, new = note.format(row="old"), note.format(row="new")
        if is_sqlite:
            events = (("insert", new), ("delete", old), (f"update OF {columns}", old + new))
            for event, body in events:
                name = f"{table}_stale_{event.partition(' ')[0]}"
                statements.append(
                    f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {body} END"
                )
            continue
        statements.append(
            f"""CREATE FUNCTION mixtape_note_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP <> 'INSERT' THEN {old} END IF;
                IF TG_OP <> 'DELETE' THEN {new} END IF;
                RETURN NULL;
            END $$"""
        )
        statements.append(
            f"""CREATE TRIGGER {table}_stale AFTER INSERT OR DELETE OR UPDATE OF {columns}
            ON {table} FOR EACH ROW EXECUTE FUNCTION mixtape_note_{table}()"""
        )
    return statements


def _make_albums() -> None:
    op.create_table(
        "album",
        *_album_keys(),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("artist", TEXT, nullable=False),
        sa.Column("year", NUMBER),
        sa.Column("tracks", NUMBER, nullable=False),
        sa.Column("duration_s", sa.Double, nullable=False),
        sa.Column("cover_key", TEXT),
        sa.Column("added_at", sa.DateTime, nullable=False),
        sa.Column("newest_at", sa.DateTime, nullable=False),
        sa.Column("genres", sa.JSON, nullable=False),
        sa.Column("disc_titles", sa.JSON, nullable=False),
    )
    op.create_index("ix_album_name", "album", ["key", "artist_key"])
    op.create_index("ix_album_newest", "album", ["newest_at"])
    op.create_index("ix_album_year", "album", ["year"])
    op.create_table(
        "album_genre",
        sa.Column("genre_key", TEXT, primary_key=True),
        *_album_keys(),
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("tracks", NUMBER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_album_genre_album", "album_genre", ["artist_key", "key"])
    op.create_table(
        "album_play",
        sa.Column(
            "user_id", NUMBER, sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
        ),
        *_album_keys(),
        sa.Column("plays", NUMBER, nullable=False),
        sa.Column("last_played_at", sa.DateTime, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_album_play_album", "album_play", ["artist_key", "key"])
    op.create_index("ix_album_play_most", "album_play", ["user_id", "plays"])
    op.create_index("ix_album_play_last", "album_play", ["user_id", "last_played_at"])
    op.create_table("stale_album", *_album_keys(), sqlite_with_rowid=False)


def _make_artists() -> None:
    op.create_table(
        "artist",
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("albums", NUMBER, nullable=False),
        sa.Column("tracks", NUMBER, nullable=False),
        sa.Column("cover_key", TEXT),
        sa.Column("appears_on", NUMBER, nullable=False),
        sa.Column("has_loose", sa.Boolean, nullable=False),
    )
    op.create_table(
        "stale_artist", sa.Column("key", TEXT, primary_key=True), sqlite_with_rowid=False
    )


def _album_keys() -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("artist_key", TEXT, primary_key=True),
        sa.Column("key", TEXT, primary_key=True),
    )
