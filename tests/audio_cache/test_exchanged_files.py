"""Files that become others between the look at them and their opening, as links swapped in do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from audio_cache import flask_ext
from audio_cache.encoding.ffmpeg import FFmpegRun, find_ffmpeg
from audio_cache.encoding.survey import count_samples
from audio_cache.flask_ext import FlaskAudioCache
from audio_cache.sources.source import read_source
from tests.audio_cache.foreign_app import make_app
from tests.helpers.audio import make_audio
from tests.helpers.links import coming_and_going, exchange

SAMPLES, OTHER_SAMPLES = 44_100, 66_150


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "library").mkdir()
    make_audio(tmp_path / "library" / "track.flac", samples=SAMPLES)
    make_audio(tmp_path / "secret.flac", samples=OTHER_SAMPLES, seed=1)
    return tmp_path / "library"


@pytest.fixture
def listener(library: Path) -> FlaskClient:
    app = make_app(library)
    FlaskAudioCache(app)
    return app.test_client()


@pytest.mark.parametrize("quality", ["low", "original"])
def test_a_link_that_is_swapped_in_after_the_look_leads_nowhere(
    listener: FlaskClient, library: Path, monkeypatch: pytest.MonkeyPatch, quality: str
) -> None:
    locate: Callable[..., Any] = flask_ext._locate

    def locate_and_exchange(root: Path, relative: str) -> Any:
        found = locate(root, relative)
        exchange(library / relative, library.parent / "secret.flac")
        return found

    monkeypatch.setattr(flask_ext, "_locate", locate_and_exchange)
    assert listener.get(f"/play/track.flac?quality={quality}").status_code == 404


def test_a_link_that_comes_and_goes_leaks_no_byte_in_two_thousand_tries(
    listener: FlaskClient, library: Path
) -> None:
    secret = library.parent / "secret.flac"
    beginning = secret.read_bytes()[:1000]
    statuses = set()
    with coming_and_going(library / "track.flac", secret):
        for _ in range(2000):
            answer = listener.get("/play/track.flac?quality=original")
            statuses.add(answer.status_code)
            assert answer.data[:1000] != beginning
            answer.close()
    assert statuses == {200, 404}


def test_ffmpeg_is_not_started_for_a_file_that_took_the_place_of_a_source(library: Path) -> None:
    source = read_source(library / "track.flac")
    exchange(library / "track.flac", library.parent / "secret.flac")
    with pytest.raises(FileNotFoundError, match=r"Another file took its place: .*track\.flac"):
        count_samples(find_ffmpeg(), source)


def test_ffmpeg_reads_the_file_that_was_opened_whatever_its_name_leads_to_meanwhile(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = read_source(library / "track.flac")
    start = FFmpegRun._start

    def exchange_and_start(self: FFmpegRun, *arguments: Any) -> None:
        exchange(library / "track.flac", library.parent / "secret.flac")
        start(self, *arguments)

    monkeypatch.setattr(FFmpegRun, "_start", exchange_and_start)
    assert count_samples(find_ffmpeg(), source) == SAMPLES


def test_messages_of_ffmpeg_name_the_file_and_not_its_descriptor(library: Path) -> None:
    track = library / "track.flac"
    source = read_source(track)
    track.write_bytes(b"fLaC" + bytes(1000))
    with pytest.raises(Exception, match="cannot be decoded") as caught:
        count_samples(find_ffmpeg(), source)
    assert "/fd/" not in str(getattr(caught.value, "stderr", ""))
