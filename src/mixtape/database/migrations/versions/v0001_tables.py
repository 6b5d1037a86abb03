"""The tables and the search.

On SQLite they are, statement by statement, those that mixtape made before it had Alembic. A change
of the tables is a module of its own beside this one, for both databases; `schema.NEWEST` and the
models follow in the same commit. This one stays as it is.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from mixtape.errors import DatabaseError

revision = "0001"
down_revision = None

# Order and equality are those of bytes, as in SQLite, whatever the database's own collation is.
TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_ADD: Final = """INSERT INTO track_search(rowid, title, artist, album, album_artist)
    VALUES (new.id, new.title, new.artist, new.album, new.album_artist);"""
_REMOVE: Final = """INSERT INTO
    track_search(track_search, rowid, title, artist, album, album_artist)
    VALUES ('delete', old.id, old.title, old.artist, old.album, old.album_artist);"""
# External content: the index keeps no second copy of the texts, and triggers keep it in step with
# whatever writes the table. remove_diacritics 2 folds every accent, composed or not; the prefix
# indexes answer the first letters.
FTS5: Final = (
    """CREATE VIRTUAL TABLE track_search USING fts5(
        title, artist, album, album_artist, content='track', content_rowid='id',
        tokenize='unicode61 remove_diacritics 2', prefix='1 2 3')""",
    f"CREATE TRIGGER track_search_insert AFTER INSERT ON track BEGIN {_ADD} END",
    f"CREATE TRIGGER track_search_delete AFTER DELETE ON track BEGIN {_REMOVE} END",
    f"""CREATE TRIGGER track_search_update
    AFTER UPDATE OF title, artist, album, album_artist ON track BEGIN {_REMOVE} {_ADD} END""",
)

# The words of a text as SQLite's unicode61 cuts and folds them: no case, no accents, letters and
# numbers only, those that are no digits ("½", "Ⅷ") by their ranges. PostgreSQL's own parser lost,
# as it takes AC/DC for the name of a file, and so did the extension unaccent, which folds fewer
# letters and need not be installed. Final sigma (U+03C2) becomes the other one (U+03C3), or the
# beginning of a word would not be what the word begins with. Functions with RETURN are bound to
# what they call when they are made (PostgreSQL 14), so pg_restore can fill the column.
_WORDS: Final = r"""CREATE FUNCTION mixtape_words(said text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_remove(regexp_split_to_array(
        normalize(translate(lower(
            regexp_replace(normalize(said, NFD), '[\u0300-\u036f]', '', 'g') COLLATE "und-x-icu"
        ), U&'\03c2', U&'\03c3'), NFC) COLLATE "und-x-icu",
        '[^[:alnum:]\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2089\u2150-\u2189\u2460-\u249b' ||
        '\u24ea-\u24ff\u2776-\u2793]+'), '')"""
# A lexeme takes 2046 bytes, and a place goes up to 16383. Each column has places of its own, so
# that the words of a phrase are all of one.
_VECTOR: Final = """CREATE FUNCTION mixtape_search_vector(
        title text, artist text, album text, album_artist text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT coalesce(string_agg(
            '''' || left(word, 500) || ''':' || (start + place)::text || weight, ' '), '')::tsvector
        FROM (VALUES (0, 'A', title), (4000, 'B', artist), (8000, 'C', album),
            (12000, 'D', album_artist)) AS field(start, weight, said)
        CROSS JOIN LATERAL unnest(mixtape_words(said)) WITH ORDINALITY AS words(word, place)
        WHERE place < 4000)"""
# Each term is a phrase whose last word may go on; `operator` stands between terms.
_QUERY: Final = """CREATE FUNCTION mixtape_search_query(
        terms text[], weights text, operator text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT string_agg('(' || phrase || ')', operator)::tsquery
        FROM (
            SELECT string_agg('''' || left(word, 500) || '''' || CASE
                WHEN place = cardinality(words) THEN ':*' || weights
                WHEN weights <> '' THEN ':' || weights
                ELSE '' END, ' <-> ' ORDER BY place) AS phrase
            FROM unnest(terms) WITH ORDINALITY AS term(said, number)
            CROSS JOIN LATERAL (SELECT mixtape_words(said)) AS cut(words)
            CROSS JOIN LATERAL unnest(words) WITH ORDINALITY AS each(word, place)
            GROUP BY number) AS phrases)"""
TSVECTOR: Final = (
    _WORDS,
    _VECTOR,
    _QUERY,
    """ALTER TABLE track ADD COLUMN search tsvector
        GENERATED ALWAYS AS (mixtape_search_vector(title, artist, album, album_artist)) STORED""",
    "CREATE INDEX ix_track_search ON track USING gin (search)",
)


def upgrade() -> None:
    """Make the tables and the full-text index over the tracks."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        _check_server()
    _make_track()
    _make_mixtape()
    if is_sqlite:
        # Where a mixtape from before Alembic looks: it reads these tables as well.
        op.create_table(
            "schema_version",
            sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        )
        op.execute("INSERT INTO schema_version (version) VALUES (1)")
    for statement in FTS5 if is_sqlite else TSVECTOR:
        op.get_bind().exec_driver_sql(statement)


def _check_server() -> None:
    bind = op.get_bind()
    encoding = bind.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        raise DatabaseError(
            f"the database has the encoding {encoding} and names of music need UTF8: make it with "
            "createdb --encoding UTF8 --template template0"
        )
    version = bind.dialect.server_version_info or ()
    if version < (14,):
        raise DatabaseError(
            f"the server is PostgreSQL {'.'.join(map(str, version))}: mixtape needs 14 or newer"
        )


def _make_track() -> None:
    op.create_table(
        "track",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("path", sa.LargeBinary, nullable=False),
        sa.Column("folder", sa.LargeBinary, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("artist", TEXT, nullable=False),
        sa.Column("album", TEXT, nullable=False),
        sa.Column("album_artist", TEXT, nullable=False),
        sa.Column("album_artist_key", TEXT, nullable=False),
        sa.Column("album_key", TEXT, nullable=False),
        sa.Column("track_no", NUMBER),
        sa.Column("disc_no", NUMBER),
        sa.Column("year", NUMBER),
        sa.Column("genre", TEXT, nullable=False),
        sa.Column("duration_s", sa.Double),
        sa.Column("codec", TEXT, nullable=False),
        sa.Column("rate_hz", NUMBER),
        sa.Column("bits", NUMBER),
        sa.Column("channels", NUMBER),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("lossless", sa.Boolean, nullable=False),
        sa.Column("picture_key", TEXT),
        sa.Column("cover_key", TEXT),
        sa.Column("problem", TEXT),
        sa.Column("added_at", sa.DateTime, nullable=False),
        sa.Column("missing_since", sa.DateTime),
        sa.UniqueConstraint("path"),
        sqlite_autoincrement=True,
    )
    browsed = ["missing_since", "album_artist_key", "album_key", "added_at"]
    op.create_index("ix_track_browse", "track", browsed)
    op.create_index("ix_track_cover_key", "track", ["cover_key"])
    op.create_index("ix_track_folder", "track", ["folder", "missing_since"])


def _make_mixtape() -> None:
    op.create_table(
        "mixtape",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("notes", TEXT, nullable=False),
        sa.Column("cover_key", TEXT),
        sa.Column("revision", NUMBER, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("share_key", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("slug"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "mixtape_track",
        sa.Column("mixtape_id", NUMBER, _of_mixtape(), primary_key=True),
        sa.Column("position", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("path", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_mixtape_track_path", "mixtape_track", ["path"])
    op.create_table(
        "draft",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("mixtape_id", NUMBER, _of_mixtape()),
        sa.Column("base_revision", NUMBER, nullable=False),
        sa.Column("state", sa.JSON, nullable=False),
        sa.Column("revision", NUMBER, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("mixtape_id"),
    )


def _of_mixtape() -> sa.ForeignKey:
    return sa.ForeignKey("mixtape.id", ondelete="CASCADE")
