"""Settings are read as people write them, and bad ones stop the start with their names."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from audio_cache.errors import AudioCacheError, ConfigError
from audio_cache.settings import PREFIX, AudioCacheSettings, Knob, knobs

CONTRACT = {
    "AUDIO_CACHE_DIR": "cache/audio",
    "AUDIO_CACHE_ENABLED": "true",
    "AUDIO_CACHE_DEFAULT_QUALITY": "medium",
    "AUDIO_CACHE_MAX_WORKERS": "4",
    "AUDIO_CACHE_PRECACHE_ON_UPLOAD": "true",
    "AUDIO_CACHE_PRECACHE_QUALITIES": "medium",
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take our variables away, so that the machine's own settings don't change the tests."""
    for name in list(os.environ):
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


def error_of(**given: Any) -> list[str]:
    """Return the lines of the error that these settings raise."""
    with pytest.raises(ConfigError) as caught:
        AudioCacheSettings(**given)
    return str(caught.value).splitlines()


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = AudioCacheSettings()
    assert settings.dir == Path("cache/audio")
    assert settings.enabled is True
    assert settings.default_quality == "medium"
    assert settings.max_workers == 4
    assert settings.precache_on_upload is True
    assert settings.precache_qualities == ("medium",)
    assert {k.name: k.default for k in knobs() if k.name in CONTRACT} == CONTRACT


@pytest.mark.parametrize("knob", knobs(), ids=lambda knob: knob.name)
def test_every_knob_says_what_it_is_for_and_takes_its_own_default(
    knob: Knob, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert knob.takes
    assert knob.help.endswith(".")
    default = getattr(AudioCacheSettings(), knob.field)
    if knob.default:
        monkeypatch.setenv(knob.name, knob.default)
    assert getattr(AudioCacheSettings(), knob.field) == default


def test_there_is_a_knob_for_every_field_and_no_other() -> None:
    assert [knob.field for knob in knobs()] == list(AudioCacheSettings.model_fields)


@pytest.mark.parametrize(
    ("text", "value"),
    [(text, True) for text in ("true", "True", "YES", "on", "1", " true ")]
    + [(text, False) for text in ("false", "FALSE", "no", "Off", "0")],
)
def test_a_switch_is_read_as_people_write_it(
    text: str, value: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIO_CACHE_ENABLED", text)
    assert AudioCacheSettings().enabled is value


@pytest.mark.parametrize(
    "text",
    [
        "low,medium",
        "low, medium",
        "low medium",
        " LOW,Medium ",
        '["low", "medium"]',
        "['low','medium']",
        "[low, medium]",
        "low,medium,low",
    ],
)
def test_a_list_is_read_as_people_write_it(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIO_CACHE_PRECACHE_QUALITIES", text)
    assert AudioCacheSettings().precache_qualities == ("low", "medium")


@pytest.mark.parametrize("given", [["Low", "medium"], ("low", "medium", "low"), "low,medium"])
def test_a_program_gives_a_list_as_a_list_or_as_text(given: object) -> None:
    assert AudioCacheSettings(precache_qualities=given).precache_qualities == ("low", "medium")


def test_an_empty_list_pre_caches_nothing() -> None:
    assert AudioCacheSettings(precache_qualities=[]).precache_qualities == ()
    assert AudioCacheSettings(precache_qualities="[]").precache_qualities == ()


def test_words_are_read_in_any_case() -> None:
    settings = AudioCacheSettings(default_quality="HIGH", on_miss="Live")
    assert (settings.default_quality, settings.on_miss) == ("high", "live")


def test_the_environment_wins_over_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIO_CACHE_MAX_WORKERS", "2")
    assert AudioCacheSettings(max_workers=7).max_workers == 2
    assert AudioCacheSettings.from_mapping({"AUDIO_CACHE_MAX_WORKERS": 7}).max_workers == 2


def test_a_configuration_of_an_application_is_read_and_its_other_keys_left_alone() -> None:
    config = {"MUSIC_ROOT": "/music", "TESTING": True, "AUDIO_CACHE_DEFAULT_QUALITY": "low"}
    assert AudioCacheSettings.from_mapping(config) == AudioCacheSettings(default_quality="low")


@pytest.mark.parametrize(
    ("field", "bad", "takes"),
    [
        ("dir", None, "the path of a directory"),
        ("enabled", "perhaps", "true or false"),
        ("default_quality", "ultra", "high, medium, low or original"),
        ("default_quality", 5, "high, medium, low or original"),
        ("max_workers", "0", "a whole number, 1 or more"),
        ("max_workers", "many", "a whole number, 1 or more"),
        ("max_workers", 2.5, "a whole number, 1 or more"),
        ("max_workers", True, "a whole number, 1 or more"),
        ("precache_qualities", "low,ultra", "a list"),
        ("precache_qualities", '["low"', "a list"),
        ("precache_qualities", [["low"]], "a list"),
        ("precache_qualities", 3, "a list"),
        ("on_miss", "wait", "live or original"),
        ("max_live", -1, "a whole number, 1 or more"),
        ("live_wait_s", "-0.5", "seconds, 0 or more"),
        ("encode_timeout_s", "nan", "seconds, 0 or more"),
        ("nice", "20", "a whole number from 0 to 19"),
        ("ffmpeg", "/no/such/ffmpeg", "the path of a program that exists"),
        ("ffmpeg", "~no-such-user/ffmpeg", "the path of a program that exists"),
        ("retry_after_failure_s", "soon", "seconds, 0 or more"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_the_value_and_what_it_takes(
    field: str, bad: object, takes: str
) -> None:
    [line] = error_of(**{field: bad})
    assert line.startswith(f"{PREFIX}{field.upper()} is {bad!r}: it takes {takes}")


@pytest.mark.parametrize("name", [knob.name for knob in knobs()])
@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_text_is_refused_with_the_name(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    [line] = error_of()
    assert line.startswith(f"{name} is {text!r} in the environment: it takes ")


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIO_CACHE_NICE", "very")
    monkeypatch.setenv("AUDIO_CACHE_MAX_WORKRES", "2")
    lines = error_of(enabled="perhaps", precache_qualities=["ultra", "infra"], nice=5)
    assert [line.split()[0] for line in lines] == [
        "AUDIO_CACHE_MAX_WORKRES",
        "AUDIO_CACHE_ENABLED",
        "AUDIO_CACHE_PRECACHE_QUALITIES",
        "AUDIO_CACHE_NICE",
    ]
    assert lines[3].startswith("AUDIO_CACHE_NICE is 'very' in the environment")


def test_a_misspelt_name_is_refused_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    hint = "did you mean AUDIO_CACHE_MAX_WORKERS?"
    with pytest.raises(ConfigError, match="AUDIO_CACHE_MAX_WORKRES isn't a setting") as caught:
        AudioCacheSettings.from_mapping({"AUDIO_CACHE_MAX_WORKRES": 2})
    assert hint in str(caught.value)
    monkeypatch.setenv("AUDIO_CACHE_WORKERS", "2")
    [line] = error_of()
    assert line.startswith("AUDIO_CACHE_WORKERS isn't a setting")
    assert hint in line


def test_a_name_unlike_any_other_gets_the_list_of_all() -> None:
    [line] = error_of(zzz=1)
    assert all(knob.name in line for knob in knobs())


def test_the_error_is_of_the_package_and_a_value_error() -> None:
    assert issubclass(ConfigError, AudioCacheError)
    assert issubclass(ConfigError, ValueError)


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = AudioCacheSettings()
    with pytest.raises(ValueError, match="frozen"):
        settings.max_workers = 9
    assert settings.max_workers == 4


def test_the_cache_is_under_the_data_unless_its_path_is_absolute(tmp_path: Path) -> None:
    assert AudioCacheSettings().cache_dir(tmp_path) == tmp_path / "cache/audio"
    assert AudioCacheSettings(dir="mp3").cache_dir(str(tmp_path)) == tmp_path / "mp3"
    assert AudioCacheSettings(dir="/srv/mp3").cache_dir(tmp_path) == Path("/srv/mp3")


def test_a_tilde_is_the_home_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert AudioCacheSettings(dir="~/mp3").dir == tmp_path / "mp3"


def test_ffmpeg_is_found_by_path_or_by_name() -> None:
    program = Path(sys.executable)
    assert AudioCacheSettings(ffmpeg=program).ffmpeg == program
    assert AudioCacheSettings(ffmpeg="sh").ffmpeg == Path(str(shutil.which("sh")))
    assert AudioCacheSettings(ffmpeg=None).ffmpeg is None


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("X-Accel-Redirect /cached/", ("X-Accel-Redirect", "/cached/")),
        ("x-accel-redirect  /a/b/ ", ("X-Accel-Redirect", "/a/b/")),
        ("X-Sendfile", ("X-Sendfile", "")),
    ],
)
def test_a_web_server_that_sends_is_named_by_its_header(given: str, read: tuple[str, str]) -> None:
    assert AudioCacheSettings(sendfile=given).sendfile == read


@pytest.mark.parametrize(
    "given", ["nginx", "X-Accel-Redirect", "X-Accel-Redirect cached", "X-Sendfile /cached/", "true"]
)
def test_a_web_server_that_sends_is_named_as_it_can_be(given: str) -> None:
    with pytest.raises(ConfigError, match=r"AUDIO_CACHE_SENDFILE.*X-Accel-Redirect"):
        AudioCacheSettings(sendfile=given)
