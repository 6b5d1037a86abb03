from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from mixtape.database import search as search_module
from mixtape.database.search import MAX_TERMS, read_terms
from mixtape.database.tables import Track
from mixtape.database.units_of_work import Database
from mixtape.library.catalogue import Catalogue
from tests.helpers.databases import open_database
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.tracks import NOON, add_track


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Return a library that no test of this module changes, in a database of each kind."""
    folder = tmp_path_factory.mktemp("search")
    if request.param == "sqlite":
        yield from filled(open_database(folder))
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.new_database() as url:
        yield from filled(open_database(folder, url))


def filled(database: Database) -> Iterator[Database]:
    """Yield a database with some songs in it, and close it."""
    songs = (
        ("Hyperballad", "Björk", "Post"),
        ("Jo\u0301ga", "Bjo\u0308rk", "Homogenic"),
        ("Thunderstruck", "AC/DC", "The Razors Edge"),
        ("Beloved, The", "VNV Nation", "Matter + Form"),
        ("Love", "Lana Del Rey", "Lust for Life"),
        ("Lust for Life", "Iggy Pop", "Lust for Life"),
        ("Ça plane pour moi", "Plastic Bertrand", "AN 1"),
        ("東京", "くるり", "さよならストレンジャー"),
        ('12" Mix (NOT for sale)', "Someone", "Odds & Ends"),
    )
    for title, artist, album in songs:
        add_track(database, title.encode(), title=title, artist=artist, album=album)
    yield database
    database.close()


@pytest.fixture
def fresh(tmp_path: Path, database_url: str | None) -> Iterator[Database]:
    """Return a library that a test may change."""
    database = open_database(tmp_path, database_url)
    yield database
    database.close()


def titles(database: Database, typed: str) -> list[str]:
    return [track.title for track in Catalogue(database).search(typed).items]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("hyper", {"Hyperballad"}),
        ("HYPERBALLAD", {"Hyperballad"}),
        ("bjork", {"Hyperballad", "Jo\u0301ga"}),
        ("BJÖRK", {"Hyperballad", "Jo\u0301ga"}),
        ("joga", {"Jo\u0301ga"}),
        ("jóg", {"Jo\u0301ga"}),
        ("ca pla", {"Ça plane pour moi"}),
        ("bj post", {"Hyperballad"}),
        ("post bj", {"Hyperballad"}),
        ("razor", {"Thunderstruck"}),
        ("ac/dc", {"Thunderstruck"}),
        ("ac dc", {"Thunderstruck"}),
        ("belov the", {"Beloved, The"}),
        ("東", {"東京"}),
        ("12", {'12" Mix (NOT for sale)'}),
        ("yperballad", set()),
        ("hyper zzz", set()),
    ],
)
def test_every_word_typed_must_begin_a_word_of_title_artist_or_album(
    database: Database, typed: str, found: set[str]
) -> None:
    assert set(titles(database, typed)) == found


@pytest.mark.parametrize(
    "typed", ['12" mix', '"12', "(NOT for sale)", "NOT for", "mix NOT", "odds & ends", "sale)"]
)
def test_special_characters_and_words_of_the_query_language_are_plain_text(
    database: Database, typed: str
) -> None:
    assert titles(database, typed) == ['12" Mix (NOT for sale)']


@pytest.mark.parametrize("typed", ["", "  ", '"', "*", "&", "---", "\0", "^", "( ) : -", "'"])
def test_a_text_without_a_word_finds_nothing(database: Database, typed: str) -> None:
    assert read_terms(typed) is None
    assert titles(database, typed) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text() | st.text("ab\"*^:(){}+-, \0'/\\NOTANDOR", max_size=40))
def test_nothing_that_can_be_typed_breaks_the_query(database: Database, typed: str) -> None:
    titles(database, typed)
    Catalogue(database).albums(typed)
    Catalogue(database).artists(typed)


def test_an_endless_text_is_cut(database: Database) -> None:
    terms = read_terms("hyper " * 10_000)
    assert terms is not None
    assert terms.terms == ("hyper",) * MAX_TERMS
    assert titles(database, "hyper " * 10_000) == ["Hyperballad"]


def test_lone_surrogates_are_no_error(database: Database) -> None:
    assert titles(database, "hyper\ud800") == ["Hyperballad"]


def test_both_databases_cut_and_fold_words_alike(tmp_path: Path, postgres_url: str) -> None:
    letters = "aäÄßẞéøØœﬁΣσςοΩДйёガ東한하İı1²½Ⅷ٣①हिन्दीไทย😀𝐀ŉǅ_-/.'’\u0301\u0327\u00a0\u200d\u3099"  # noqa: RUF001
    databases = [open_database(tmp_path), open_database(tmp_path, postgres_url)]
    for letter in letters:
        for database in databases:
            add_track(database, letter.encode(), title=f"q{letter}z {letter}", album=letter * 2)
    typed = [*letters, *letters.upper(), *letters.lower(), *(f"q{letter}Z" for letter in letters)]
    for each in typed:
        first, second = (
            sorted(track.path for track in Catalogue(database).search(each, limit=99).items)
            for database in databases
        )
        assert first == second, ascii(each)
    for database in databases:
        database.close()


def test_a_match_in_the_title_comes_before_one_in_the_album(database: Database) -> None:
    assert titles(database, "lust for") == ["Lust for Life", "Love"]


def test_a_match_weighs_by_its_field_and_by_how_much_else_stands_there(fresh: Database) -> None:
    for number, columns in enumerate(
        (
            {"title": "Other", "album_artist": "Needle"},
            {"title": "Other", "album": "Needle"},
            {"title": "Other", "artist": "Needle", "album_artist": "Other"},
            {"title": "Needle in many more words than others", "album": "And still more words"},
            {"title": "Needle"},
        )
    ):
        add_track(fresh, b"%d" % number, **columns)
    paths = [track.path for track in Catalogue(fresh).search("need").items]
    assert paths.index(b"4") < min(map(paths.index, (b"0", b"1", b"2", b"3")))
    assert paths.index(b"2") < paths.index(b"1") < paths.index(b"0")


def test_pages_follow_each_other_without_gaps(fresh: Database) -> None:
    for number in range(25):
        add_track(fresh, b"%d" % number, title=f"Same {number}")
    catalogue = Catalogue(fresh)
    pages = [catalogue.search("same", offset=offset, limit=10) for offset in (0, 10, 20)]
    assert [len(page.items) for page in pages] == [10, 10, 5]
    assert [page.has_more for page in pages] == [True, True, False]
    assert len({track.id for page in pages for track in page.items}) == 25


def test_more_matches_than_can_be_ranked_come_in_pages_too(
    fresh: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "MAX_RANKED", 5)
    ids = [add_track(fresh, b"%d" % number, title=f"Same {number}") for number in range(7)]
    catalogue = Catalogue(fresh)
    pages = [catalogue.search("same", offset=offset, limit=4) for offset in (0, 4)]
    assert [track.id for page in pages for track in page.items] == ids


def test_the_index_follows_every_change_of_the_tracks(fresh: Database) -> None:
    track_id = add_track(fresh, b"a", title="Before", artist="Someone")
    with fresh.write() as session:
        session.execute(update(Track).values(title="After"))
    assert titles(fresh, "before") == []
    assert titles(fresh, "after someone") == ["After"]
    with fresh.write() as session:
        session.execute(delete(Track).where(Track.id == track_id))
    assert titles(fresh, "after") == []


def test_missing_tracks_are_not_found(fresh: Database) -> None:
    add_track(fresh, b"a", title="Gone", missing_since=NOON)
    assert titles(fresh, "gone") == []
