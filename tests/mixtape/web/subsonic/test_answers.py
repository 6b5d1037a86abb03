from __future__ import annotations

import json
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from mixtape.web.subsonic.answers import NAMESPACE, answer, refusal
from tests.helpers.subsonic import Player

PAYLOAD = {
    "list": {
        "size": 2,
        "isOpen": True,
        "nothing": None,
        "when": datetime(2024, 5, 1, 12, tzinfo=UTC),
        "item": [{"name": "a & b"}, {"name": "c"}],
        "genre": [{"value": "Rock", "songCount": 3}],
        "word": ["x", "y"],
        "bad": "a\0b\ud800",
    }
}


def test_one_tree_is_written_as_json_and_as_xml() -> None:
    found = json.loads(answer(PAYLOAD, "json").get_data())["subsonic-response"]["list"]
    assert found["when"] == "2024-05-01T12:00:00.000Z"
    assert found["item"] == [{"name": "a & b"}, {"name": "c"}]
    assert "nothing" not in found
    response = answer(PAYLOAD, "xml")
    assert response.mimetype == "text/xml"
    root = ElementTree.fromstring(response.get_data())
    assert root.tag == f"{{{NAMESPACE}}}subsonic-response"
    assert root.get("openSubsonic") == "true"
    assert root.get("status") == "ok"
    tree = root[0]
    assert (tree.get("size"), tree.get("isOpen")) == ("2", "true")
    assert tree.get("when") == "2024-05-01T12:00:00.000Z"
    assert tree.get("nothing") is None
    assert [one.get("name") for one in tree if one.tag.endswith("item")] == ["a & b", "c"]
    assert [one.text for one in tree if one.tag.endswith("word")] == ["x", "y"]
    assert [(one.text, one.get("songCount")) for one in tree if one.tag.endswith("genre")] == [
        ("Rock", "3")
    ]
    assert tree.get("bad") == "a\ufffdb\ufffd"


def test_jsonp_calls_a_function_and_nothing_else() -> None:
    good = answer({}, "jsonp", "players.answer_1")
    assert good.mimetype == "text/javascript"
    assert good.get_data(as_text=True).startswith("players.answer_1({")
    for name in ("", "alert(1)//", "a b", "a;b", "<script>"):
        assert answer({}, "jsonp", name).mimetype == "application/json"


@pytest.mark.parametrize("kind", ["json", "jsonp", "xml"])
def test_half_a_letter_is_sent_as_none(kind: str) -> None:
    sent = answer({"a": {"name": "half \udce4"}}, kind, "players.answer")
    assert "half " in sent.get_data().decode()


@pytest.mark.parametrize("kind", ["json", "xml"])
def test_a_refusal_has_a_code_and_words(kind: str) -> None:
    text = refusal(70, "Not there.", "https://example.org", kind).get_data(as_text=True)
    for word in ("failed", "70", "Not there.", "https://example.org"):
        assert word in text


def test_xml_is_what_a_player_gets_that_asks_for_nothing_else(player: Player) -> None:
    with player.open("ping") as found:
        assert found.mimetype == "text/xml"
    with player.open("ping.view", {"f": "json"}) as found:
        assert found.json is not None
        assert found.headers["Access-Control-Allow-Origin"] == "*"


def test_a_form_says_the_same_as_an_address(player: Player) -> None:
    assert player.ask("getUser", {"username": "admin"}, method="POST") == player.ask(
        "getUser", {"username": "admin"}
    )
