from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.helpers.host import make_app
from tests.helpers.people import ANNS_PASSWORD
from tests.helpers.subsonic import Player, Refused, add_link

Run = Callable[..., Result]
KEY = re.compile(r"password: +(\S+)")


def added(run: Run, *arguments: str) -> str:
    """Return the key of a new device."""
    result = run("devices", "add", *arguments)
    assert result.exit_code == 0, result.output
    found = KEY.search(result.output)
    assert found is not None, result.output
    return found[1]


def test_a_device_is_added_listed_used_and_removed(tmp_path: Path, command: Run) -> None:
    command("users", "add", "Ann", said=ANNS_PASSWORD)
    key = added(command, "Phone")
    anns = added(command, "Tablet", "--user", "ann", "--api-key")
    app = make_app(tmp_path)
    add_link(app)
    Player(app, key).ask("ping")
    with pytest.raises(Refused, match="40"):
        Player(app, anns, "Ann").ask("ping")
    client = app.test_client(use_cookies=False)
    asked = {"apiKey": anns, "f": "json"}
    assert client.get("/rest/tokenInfo", query_string=asked).json is not None
    lines = command("devices", "list").output.splitlines()
    assert re.fullmatch(r"1: Phone of admin, any app, test, last used \d{4}-\d\d-\d\d", lines[0])
    assert lines[1:] == [
        "3: Hi-fi of admin, link, never used",
        f"2: Tablet of Ann, API key, last used {lines[0][-10:]}",
    ]
    assert command("devices", "remove", "1").output == "Phone of admin is removed.\n"
    with pytest.raises(Refused, match="40"):
        Player(app, key).ask("ping")
    assert len(command("devices", "list").output.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("add", "Phone", "--user", "Nobody"), 1, "no user “Nobody”"),
        (("add", " "), 1, "needs a name"),
        (("remove", "7"), 1, "no device 7"),
        (("remove", "Phone"), 2, "not a valid integer"),
    ],
)
def test_what_cannot_be_done_is_said(
    command: Run, arguments: tuple[str, ...], status: int, message: str
) -> None:
    result = command("devices", *arguments)
    assert result.exit_code == status
    assert message in result.output
