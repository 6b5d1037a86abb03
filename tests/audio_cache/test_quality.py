"""The table of qualities, from which everything else that knows of qualities follows."""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path
from typing import get_args

import pytest
from mutagen.mp3 import MP3, BitrateMode

from audio_cache import (
    DEFAULT_QUALITY,
    QUALITY_LEVELS,
    QUALITY_SETTINGS,
    QualityError,
    QualityLevel,
    bitrate_bps,
    parse_quality,
)
from audio_cache.encoding import mp3
from audio_cache.encoding.ffmpeg_options import Piece
from audio_cache.quality import DEFAULT_EFFORT
from audio_cache.sources.source import read_source
from audio_cache.store.cache import AudioCache
from tests.helpers.extra_quality import ROOT, ExtendedSources
from tests.helpers.renditions import split_frames

SRC = ROOT / "src"
SAMPLES = 132_300  # three seconds, as the sources of these tests have

CACHE_SCRIPT = """
import json, sys
from pathlib import Path
from audio_cache import AudioCache, CacheWorker, gather_stats
from audio_cache.store.near_matches import find_near_entries

source, cache = Path(sys.argv[1]), AudioCache(Path(sys.argv[2]))
made = cache.transcode_file(source, "insane")
older = made.with_name(made.name.replace("320k", "300k"))
older.write_bytes(b"of another bitrate")
stats = gather_stats(cache)
print(json.dumps({
    "made": made.name,
    "content": made.read_bytes().hex(),
    "header_bytes": len(cache.get_rendition(source, "insane").header),
    "is_cached": cache.is_cached(source, "insane"),
    "listed": sorted(path.name for path in cache.entries()),
    "counted": {level: each.entries for level, each in stats.qualities.items()},
    "near": [each.path.name for each in find_near_entries(cache, source, None, [made])],
    "worker": CacheWorker(cache).cache_single_file(source, ["insane"]),
    "cleared": cache.clear_cache(),
    "left": [
        path.name
        for path in cache.cache_dir.rglob("*")
        if path.is_file() and not path.name.startswith("index.db")
    ],
}))
"""

HTTP_SCRIPT = """
import json, sys
from flask import Flask
from audio_cache.flask_ext import FlaskAudioCache

app = Flask("app")
app.config.update(MUSIC_ROOT=sys.argv[1], DATA_ROOT=sys.argv[2])
FlaskAudioCache(app)
client = app.test_client()
name = sys.argv[3]
asked, default, wrong = (
    client.get(f"/play/{name}{query}") for query in ("?quality=INSANE", "", "?quality=mad")
)
print(json.dumps({
    "asked": [asked.status_code, asked.headers["Audio-Cache-Rendition"], len(asked.data)],
    "default": default.headers["Audio-Cache-Rendition"],
    "wrong": [wrong.status_code, wrong.text],
}))
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> ExtendedSources:
    return ExtendedSources(tmp_path_factory.mktemp("extended") / "src")


@pytest.fixture
def music(tmp_path: Path, flac: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    shutil.copy(flac, folder / "a.flac")
    return folder


def test_the_qualities_are_those_of_the_contract() -> None:
    assert QUALITY_SETTINGS == {
        "high": {"bitrate": "256k", "format": "mp3"},
        "medium": {"bitrate": "192k", "format": "mp3"},
        "low": {"bitrate": "128k", "format": "mp3"},
    }
    assert QUALITY_LEVELS == ("high", "medium", "low", "original")
    assert get_args(QualityLevel) == QUALITY_LEVELS
    assert DEFAULT_QUALITY == "medium"


def test_the_type_that_checkers_see_lists_what_the_table_holds() -> None:
    text = (SRC / "audio_cache" / "quality.py").read_text("utf-8")
    [seen] = re.findall(r"^    QualityLevel = Literal\[(\".*\")\]$", text, re.MULTILINE)
    assert tuple(re.findall(r'"(\w+)"', seen)) == QUALITY_LEVELS


def test_the_best_quality_comes_first() -> None:
    bitrates = [bitrate_bps(quality) for quality in QUALITY_SETTINGS]
    assert bitrates == sorted(bitrates, reverse=True)


@pytest.mark.parametrize("text", ["low", " Low ", "LOW\n"])
def test_a_quality_is_read_as_people_write_it(text: str) -> None:
    assert parse_quality(text) == "low"


@pytest.mark.parametrize("text", ["", "best", "low,high"])
def test_a_text_that_names_no_quality_is_an_error_that_lists_them(text: str) -> None:
    with pytest.raises(QualityError, match=r"choose one of high, medium, low, original$"):
        parse_quality(text)


def test_the_original_has_no_bitrate() -> None:
    with pytest.raises(QualityError, match="'original' has no bitrate"):
        bitrate_bps("original")


@pytest.mark.parametrize("quality", QUALITY_SETTINGS)
def test_the_format_is_the_suffix_and_what_the_encoder_is_asked_for(
    tmp_path: Path, flac: Path, quality: QualityLevel
) -> None:
    setting = QUALITY_SETTINGS[quality]
    made = AudioCache(tmp_path).transcode_file(flac, quality)
    assert made.name.endswith(f"_{quality}_{setting['bitrate']}.{setting['format']}")
    assert MP3(made).info.bitrate == pytest.approx(bitrate_bps(quality), rel=1e-4)
    asked = " ".join(Piece(read_source(flac), 0, 10).arguments([setting], DEFAULT_EFFORT))
    assert f"-b:a {setting['bitrate']} " in asked
    assert f"-f {setting['format']} " in asked


def test_one_entry_makes_a_quality_that_is_encoded_listed_counted_and_cleared(
    extended: ExtendedSources, music: Path, tmp_path: Path
) -> None:
    found = extended.ask(CACHE_SCRIPT, music / "a.flac", tmp_path / "cache")
    older = found["made"].replace("320k", "300k")
    assert found["made"].endswith("_insane_320k.mp3")
    assert found["is_cached"]
    assert found["listed"] == sorted([found["made"], older])
    assert found["counted"] == {"insane": 1, "high": 0, "medium": 0, "low": 0}
    assert found["near"] == [older]
    assert found["worker"] == {"insane": True}
    assert (found["cleared"], found["left"]) == (2, [])


def test_the_frames_of_one_more_quality_are_those_of_its_bitrate(
    extended: ExtendedSources, music: Path, tmp_path: Path
) -> None:
    found = extended.ask(CACHE_SCRIPT, music / "a.flac", tmp_path / "cache")
    content = bytes.fromhex(found["content"])
    frames = split_frames(content[found["header_bytes"] :], 320_000)
    assert len(frames) == mp3.frame_count(SAMPLES)
    assert [frame[:3] for frame in frames] == [
        mp3.frame_prefix(320_000, number) for number in range(len(frames))
    ]
    (tmp_path / "x.mp3").write_bytes(content)
    info = MP3(tmp_path / "x.mp3").info
    assert (info.bitrate, info.bitrate_mode) == (320_000, BitrateMode.CBR)
    assert info.length == pytest.approx(SAMPLES / 44_100, abs=1e-4)


@pytest.mark.slow
def test_the_command_line_takes_one_more_quality(
    extended: ExtendedSources, music: Path, tmp_path: Path
) -> None:
    def run(*words: str | Path) -> str:
        done = extended.run("-m", "audio_cache", *words, "--cache-dir", tmp_path / "cache")
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "1 cached" in run("warm", "--quality", "insane", music)
    assert json.loads(run("stats", "--json"))["qualities"]["insane"]["entries"] == 1
    assert run("verify").startswith("1 entry: 1 sound")
    assert "_insane_320k.mp3" in run("debug", "a.flac", "--music-root", music)
    assert run("clear", "--yes").startswith("deleted 1 entry")


def test_settings_and_http_take_one_more_quality(
    extended: ExtendedSources, music: Path, tmp_path: Path
) -> None:
    found = extended.ask(
        HTTP_SCRIPT,
        *(music, tmp_path / "data", "a.flac"),
        AUDIO_CACHE_DEFAULT_QUALITY="insane",
        AUDIO_CACHE_PRECACHE_QUALITIES="insane,low",
    )
    status, rendition, size = found["asked"]
    assert (status, rendition.split(", ")[:2]) == (200, ["quality=insane", "bitrate=320"])
    assert size > mp3.frames_size(320_000, mp3.frame_count(SAMPLES))
    assert found["default"] == rendition
    status, words = found["wrong"]
    assert status == 400
    assert "insane, high, medium, low, original" in words


def test_no_other_module_spells_the_name_of_a_quality() -> None:
    spelt = [
        f"{path.relative_to(SRC)}:{line}"
        for path in SRC.rglob("*.py")
        # The second has what they are called, for translators.
        if path.name not in {"quality.py", "quality_names.py"}
        for line in spelling_lines(ast.parse(path.read_text("utf-8")))
    ]
    assert spelt == []


def spelling_lines(tree: ast.Module) -> list[int]:
    """Return the lines with a constant that names a quality, but for defaults of arguments."""
    defaults = {
        default
        for node in ast.walk(tree)
        if isinstance(node, ast.arguments)
        for default in (*node.defaults, *node.kw_defaults)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node not in defaults and is_spelling(node.value)
    ]


def is_spelling(value: object) -> bool:
    return isinstance(value, str) and value.lower() in QUALITY_SETTINGS


@pytest.mark.parametrize("suffix", ["js", "html"])
def test_no_script_or_template_spells_the_name_of_a_quality(suffix: str) -> None:
    levels = "|".join(QUALITY_SETTINGS)
    names = re.compile(rf"""["'>`]({levels})["'<`]|\b({levels}):""", re.IGNORECASE)
    paths = [path for path in SRC.rglob(f"*.{suffix}") if "vendor" not in path.parts]
    assert paths
    for path in paths:
        text = path.read_text("utf-8").replace('fetchpriority="high"', "")
        text = re.sub(r'((date|time)Style|priority): "\w+"', "", text)
        assert not names.search(text), path
