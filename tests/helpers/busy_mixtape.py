"""`mixtape serve` with a task that never ends and says nothing, for streams that wait."""

from __future__ import annotations

from flask import Flask

from mixtape import cli
from mixtape.server.run import MixtapeServer

IDLE = "/editor/progress/idle"


def main() -> None:
    """Run the command line."""
    load = MixtapeServer.load

    def load_with_task(self: MixtapeServer) -> Flask:
        app = load(self)
        app.extensions["audio_cache"].tracker.create_task("idle")
        return app

    MixtapeServer.load = load_with_task  # type: ignore[method-assign]
    cli.main()


if __name__ == "__main__":
    main()
