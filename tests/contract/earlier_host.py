"""A visit to the earlier application, run by its own interpreter; prints what it saw as JSON.

It signs in, saves a mixtape, follows the progress, plays, and clears, as its pages do. In the
environment it finds MUSIC_ROOT, DATA_ROOT, PASSWORD and APP_ENV; the tracks are its arguments.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

LIMIT_S = 60.0


def wait_for_the_library(client: Any) -> None:
    """Return when it is indexed: until then every page is one that says so, or knows no track."""
    deadline = time.monotonic() + LIMIT_S
    while not (client.get("/collection-stats").json or {}).get("num_tracks"):
        assert time.monotonic() < deadline, "the library was not indexed in time"
        time.sleep(0.05)


def save(client: Any, paths: list[str]) -> str:
    tracks = [{"path": path, "title": path, "artist": "", "album": ""} for path in paths]
    answer = client.post("/editor/save", json={"title": "Summer Vibes", "tracks": tracks})
    assert answer.status_code == 200, answer.text
    slug: str = answer.json["slug"]
    return slug


def follow(client: Any, slug: str) -> list[dict[str, Any]]:
    frames = client.get(f"/editor/progress/{slug}").text.split("\n\n")
    return [json.loads(frame.removeprefix("data: ")) for frame in frames if frame[:1] == "d"]


def play(client: Any, path: str) -> dict[str, Any]:
    whole = client.get(f"/play/{path}?quality=medium")
    part = client.get(f"/play/{path}?quality=medium", headers={"Range": "bytes=100-199"})
    return {
        "status": whole.status_code,
        "type": whole.mimetype,
        "is_mp3": whole.data.startswith(b"ID3"),
        "range_status": part.status_code,
        "range_fits": part.data == whole.data[100:200],
    }


def main() -> None:
    from app import create_app  # type: ignore[import-not-found]

    import audio_cache

    client = create_app().test_client()
    assert client.post("/auth/login", data={"password": os.environ["PASSWORD"]}).status_code == 302
    wait_for_the_library(client)
    paths = sys.argv[1:]
    seen = {
        "package": audio_cache.__file__,
        "events": follow(client, save(client, paths)),
        "plays": {path: play(client, path) for path in paths if "gone" not in path},
        "stats": client.get("/play/admin/cache/stats").json,
        "cleared": client.post("/play/admin/cache/clear").json,
        "stats_after": client.get("/play/admin/cache/stats").json,
    }
    print(json.dumps(seen), flush=True)  # noqa: T201
    os._exit(0)  # its watchers of the music folder would keep it from ending


if __name__ == "__main__":
    main()
