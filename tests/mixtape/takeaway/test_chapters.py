from __future__ import annotations

import io

from mutagen.id3 import ID3, CTOCFlags

from mixtape.takeaway.chapters import Chapter, make_tag


def test_more_chapters_than_one_table_holds_are_in_tables_of_one() -> None:
    chapters = [Chapter(f"Track {n}", n * 44_100, (n + 1) * 44_100) for n in range(600)]
    tag = ID3(io.BytesIO(make_tag("Tape", "Ann", "", None, chapters)))
    top = [each for each in tag.getall("CTOC") if each.flags & CTOCFlags.TOP_LEVEL]
    assert [each.child_element_ids for each in top] == [["toc0", "toc1", "toc2"]]
    held = [
        name for part in ("toc0", "toc1", "toc2") for name in tag[f"CTOC:{part}"].child_element_ids
    ]
    assert held == [f"chp{number}" for number in range(600)]
    assert tag["CHAP:chp599"].start_time == 599_000
    assert str(tag["TLEN"]) == "600000"


def test_chapters_stand_in_their_order_for_players_that_read_no_table() -> None:
    titles = ["A long title", "B", "A longer title than that", "C"]
    chapters = [Chapter(title, n, n + 1) for n, title in enumerate(titles)]
    tag = make_tag("Tape", "Ann", "", b"picture", chapters)
    places = [tag.index(f"chp{number}\0".encode(), tag.index(b"CHAP")) for number in range(4)]
    assert places == sorted(places)


def test_a_tag_is_the_same_each_time() -> None:
    chapters = [Chapter("One", 0, 1), Chapter("Two", 1, 2)]
    made = {make_tag("Tape", "Ann", "Notes", b"picture", chapters) for _ in range(3)}
    assert len(made) == 1
