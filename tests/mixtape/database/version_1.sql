-- What mixtape had in mixtape.db before it had Alembic: its tables as it made them, and a little of everything.
CREATE TABLE track (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL,
    folder BLOB NOT NULL,
    title VARCHAR NOT NULL,
    artist VARCHAR NOT NULL,
    album VARCHAR NOT NULL,
    album_artist VARCHAR NOT NULL,
    album_artist_key VARCHAR NOT NULL,
    album_key VARCHAR NOT NULL,
    track_no INTEGER,
    disc_no INTEGER,
    year INTEGER,
    genre VARCHAR NOT NULL,
    duration_s FLOAT,
    codec VARCHAR NOT NULL,
    rate_hz INTEGER,
    bits INTEGER,
    channels INTEGER,
    size_bytes BIGINT NOT NULL,
    mtime_ns BIGINT NOT NULL,
    lossless BOOLEAN NOT NULL,
    picture_key VARCHAR,
    cover_key VARCHAR,
    problem VARCHAR,
    added_at DATETIME NOT NULL,
    missing_since DATETIME,
    UNIQUE (path)
);
CREATE INDEX ix_track_browse ON track (missing_since, album_artist_key, album_key, added_at);
CREATE INDEX ix_track_cover_key ON track (cover_key);
CREATE INDEX ix_track_folder ON track (folder, missing_since);
CREATE TABLE mixtape (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    slug VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    notes VARCHAR NOT NULL,
    cover_key VARCHAR,
    revision INTEGER NOT NULL,
    shared BOOLEAN NOT NULL,
    share_key VARCHAR NOT NULL,
    created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL,
    UNIQUE (slug)
);
CREATE TABLE schema_version (
    version INTEGER NOT NULL,
    PRIMARY KEY (version)
);
CREATE TABLE mixtape_track (
    mixtape_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    path BLOB NOT NULL,
    PRIMARY KEY (mixtape_id, position),
    FOREIGN KEY(mixtape_id) REFERENCES mixtape (id) ON DELETE CASCADE
);
CREATE INDEX ix_mixtape_track_path ON mixtape_track (path);
CREATE TABLE draft (
    id INTEGER NOT NULL,
    "key" VARCHAR NOT NULL,
    mixtape_id INTEGER,
    base_revision INTEGER NOT NULL,
    state JSON NOT NULL,
    revision INTEGER NOT NULL,
    updated_at DATETIME NOT NULL,
    PRIMARY KEY (id),
    UNIQUE ("key"),
    UNIQUE (mixtape_id),
    FOREIGN KEY(mixtape_id) REFERENCES mixtape (id) ON DELETE CASCADE
);
CREATE VIRTUAL TABLE track_search USING fts5(
        title, artist, album, album_artist, content='track', content_rowid='id',
        tokenize='unicode61 remove_diacritics 2', prefix='1 2 3');
CREATE TRIGGER track_search_insert AFTER INSERT ON track BEGIN INSERT INTO track_search(rowid, title, artist, album, album_artist)
    VALUES (new.id, new.title, new.artist, new.album, new.album_artist); END;
CREATE TRIGGER track_search_delete AFTER DELETE ON track BEGIN INSERT INTO
    track_search(track_search, rowid, title, artist, album, album_artist)
    VALUES ('delete', old.id, old.title, old.artist, old.album, old.album_artist); END;
CREATE TRIGGER track_search_update
    AFTER UPDATE OF title, artist, album, album_artist ON track BEGIN INSERT INTO
    track_search(track_search, rowid, title, artist, album, album_artist)
    VALUES ('delete', old.id, old.title, old.artist, old.album, old.album_artist); INSERT INTO track_search(rowid, title, artist, album, album_artist)
    VALUES (new.id, new.title, new.artist, new.album, new.album_artist); END;
INSERT INTO schema_version VALUES (1);
INSERT INTO track (id, path, folder, title, artist, album, album_artist, album_artist_key, album_key, genre, codec, size_bytes,
    mtime_ns, lossless, added_at)
    VALUES (7, x'ff2f612e666c6163', x'ff', 'Jóga', 'Björk', 'Homogenic', 'Björk', 'bjork', 'homogenic', '', 'flac', 9876543210,
    1700000000000000000, 1, '2024-05-01 12:00:00.000000');
INSERT INTO mixtape VALUES (3, 'abcdefghijklmnopqrstuv', 'A tape', 'notes', NULL, 4, 1, 'key', '2024-05-01 12:00:00.000000',
    '2024-05-02 12:00:00.000000');
INSERT INTO mixtape_track VALUES (3, 0, x'ff2f612e666c6163');
INSERT INTO draft VALUES (2, 'vutsrqponmlkjihgfedcba', 3, 4, '{"title": "Another"}', 1, '2024-05-03 12:00:00.000000');
