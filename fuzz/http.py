"""Requests to the host application that no page of it would send, made by Hypothesis."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from flask import Flask
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from werkzeug.routing import Rule

from tests.helpers.audio import make_noise
from tests.helpers.mixtapes import make_scanned_app, share_mixtape

_AT_ONCE: Final = 200
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_FIELDS: Final = (
    "Range", "If-Range", "If-Match", "If-None-Match", "Accept", "Accept-Encoding", "Cookie",
    "Content-Type", "X-CSRFToken", "Last-Event-ID", "Origin", "Referer", "X-Forwarded-For",
)  # fmt: skip
# What waits for news, which a client of one thread would wait for.
_ENDLESS: Final = re.compile("progress|events")
_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(("title", "items", "notes", "shared", "id", "slug", "base_revision"))
            | st.text(max_size=10),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_TEXT: Final = st.text(max_size=60) | st.sampled_from(
    ("", "..", "../../etc/passwd", "a.flac", "%00", "1e999", "-1", "9" * 40, "bytes=0-", "\u202e")
)
_LATIN: Final = _TEXT.map(lambda text: re.sub(r"[\0-\x1f]", "", text)).map(
    lambda text: text.encode("latin-1", "ignore").decode("latin-1")
)


@dataclass
class Tally:
    """What was asked, and how it was answered.

    Args:
        statuses: how often each was answered.
        faults: what should not have been, with the request.
    """

    requests: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def prepare(root: Path) -> Flask:
    """Return an application with a track and a shared mixtape, whose owner needs no password."""
    (root / "music").mkdir()
    make_noise(root / "music" / "a.flac", samples=44_100, tags={"title": "A"})
    app = make_scanned_app(root)
    share_mixtape(app, "a.flac", title="Fuzzed")
    app.config["WTF_CSRF_ENABLED"] = False  # else it would refuse what is to be looked at
    return app


@st.composite
def _asks(draw: st.DrawFn, rules: list[Rule]) -> dict[str, Any]:
    """Draw a request to one of the application's addresses, or nearly."""
    rule = draw(st.sampled_from(rules))
    path = re.sub(r"<[^>]+>", lambda _: quote(draw(_TEXT)), rule.rule)
    body = draw(st.none() | st.binary(max_size=200) | _JSON.map(json.dumps) | _TEXT)
    return {
        "path": path,
        "method": draw(st.sampled_from(_METHODS)),
        "query_string": draw(st.dictionaries(_TEXT, _TEXT, max_size=3)),
        "headers": draw(st.dictionaries(st.sampled_from(_FIELDS), _LATIN, max_size=4)),
        "data": body,
        "content_type": draw(st.sampled_from((None, "application/json", "text/plain"))),
    }


def fuzz(app: Flask, seconds: float) -> Tally:
    """Ask for so long, and say how it was answered."""
    tally = Tally()
    rules = [rule for rule in app.url_map.iter_rules() if not _ENDLESS.search(rule.rule)]
    app.config["PROPAGATE_EXCEPTIONS"] = False
    client = app.test_client()
    ends_at = time.monotonic() + seconds

    def ask(request: dict[str, Any]) -> None:
        if time.monotonic() > ends_at:
            return
        with client.open(**request) as answer:
            tally.requests += 1
            tally.statuses[answer.status_code] = tally.statuses.get(answer.status_code, 0) + 1
            fault = _fault_of(answer.status_code, dict(answer.headers))
        if fault:
            tally.faults.append(f"{fault}: {request}")

    while time.monotonic() < ends_at:
        run = settings(
            max_examples=_AT_ONCE,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        seed(time.time_ns())(run(given(_asks(rules))(ask)))()
    return tally


def _fault_of(status: int, headers: dict[str, str]) -> str:
    """Return what is wrong with an answer; "" for nothing."""
    if status >= 500 and status != 503:
        return f"it was answered with {status}"
    missing = {"X-Content-Type-Options", "Content-Security-Policy"} - headers.keys()
    return f"it has no {' and no '.join(sorted(missing))}" if missing else ""


def main() -> None:
    """Fuzz for as many seconds as the first argument says, in the folder that is the second."""
    app = prepare(Path(sys.argv[2]))
    tally = fuzz(app, float(sys.argv[1]))
    statuses = ", ".join(
        f"{count:,} × {status}" for status, count in sorted(tally.statuses.items())
    )
    print(*tally.faults[:10], f"answers: {statuses}", f"Done {tally.requests} runs", sep="\n")
    # What was begun, such as encodes, is of no interest.
    os._exit(1 if tally.faults else 0)


if __name__ == "__main__":
    main()
