"""Configuration, line by line of the contract: names, defaults, and how values are read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from audio_cache import AudioCacheSettings, ConfigError
from audio_cache.flask_ext import FlaskAudioCache
from mixtape.settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = ("MUSIC_ROOT", "DATA_ROOT", "PASSWORD", "HOST", "PORT")
    for name in os.environ:
        if name.startswith("AUDIO_CACHE_") or name in hosts:
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("AUDIO_CACHE_DIR", Path("cache/audio")),
        ("AUDIO_CACHE_ENABLED", True),
        ("AUDIO_CACHE_DEFAULT_QUALITY", "medium"),
        ("AUDIO_CACHE_MAX_WORKERS", 4),
        ("AUDIO_CACHE_PRECACHE_ON_UPLOAD", True),
        ("AUDIO_CACHE_PRECACHE_QUALITIES", ("medium",)),
        ("AUDIO_CACHE_ON_MISS", "live"),
    ],
)
def test_default(name: str, default: object) -> None:
    field = name.removeprefix("AUDIO_CACHE_").lower()
    assert getattr(AudioCacheSettings(), field) == default


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("AUDIO_CACHE_DIR", "elsewhere", Path("elsewhere")),
        ("AUDIO_CACHE_ENABLED", "false", False),
        ("AUDIO_CACHE_ENABLED", "0", False),
        ("AUDIO_CACHE_DEFAULT_QUALITY", "low", "low"),
        ("AUDIO_CACHE_MAX_WORKERS", "2", 2),
        ("AUDIO_CACHE_PRECACHE_ON_UPLOAD", "no", False),
        ("AUDIO_CACHE_PRECACHE_QUALITIES", "low,medium", ("low", "medium")),
        ("AUDIO_CACHE_PRECACHE_QUALITIES", '["low"]', ("low",)),
        ("AUDIO_CACHE_ON_MISS", "original", "original"),
    ],
)
def test_each_is_overridable_by_an_environment_variable_of_the_same_name(
    name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    field = name.removeprefix("AUDIO_CACHE_").lower()
    assert getattr(AudioCacheSettings.from_mapping({name: None}), field) == value


@pytest.mark.parametrize(
    ("name", "bad", "takes"),
    [
        ("AUDIO_CACHE_DIR", "", "the path of a directory"),
        ("AUDIO_CACHE_ENABLED", "maybe", "true or false"),
        ("AUDIO_CACHE_DEFAULT_QUALITY", "best", "high, medium, low or original"),
        ("AUDIO_CACHE_MAX_WORKERS", "0", "1 or more"),
        ("AUDIO_CACHE_PRECACHE_ON_UPLOAD", "maybe", "true or false"),
        ("AUDIO_CACHE_PRECACHE_QUALITIES", "low,best", "high, medium, low or original"),
        ("AUDIO_CACHE_ON_MISS", "silence", "live or original"),
    ],
)
def test_a_bad_value_stops_the_start_and_names_the_knob_and_what_it_takes(
    name: str, bad: str, takes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Flask("host")
    app.config.update(MUSIC_ROOT=str(tmp_path), DATA_ROOT=str(tmp_path / "data"))
    monkeypatch.setenv(name, bad)
    with pytest.raises(ConfigError) as caught:
        FlaskAudioCache(app)
    assert name in str(caught.value)
    assert takes in str(caught.value)


def test_audio_cache_dir_is_relative_to_data_root(tmp_path: Path) -> None:
    assert AudioCacheSettings().cache_dir(tmp_path) == tmp_path / "cache" / "audio"
    assert AudioCacheSettings(dir="/mnt/mp3").cache_dir(tmp_path) == Path("/mnt/mp3")


class TestOfTheHost:
    @pytest.mark.parametrize(
        ("field", "default"),
        [("host", "127.0.0.1"), ("port", 5000), ("password", None), ("music_root", None)],
    )
    def test_default(self, field: str, default: object) -> None:
        assert getattr(load_settings(), field) == default

    def test_data_root_is_collection_data_by_default(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert load_settings().data_root == tmp_path / "collection-data"

    def test_all_are_read_from_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given: dict[str, Any] = {
            "MUSIC_ROOT": tmp_path / "music",
            "DATA_ROOT": tmp_path / "data",
            "PASSWORD": "secret",
            "HOST": "127.0.0.2",
            "PORT": 8080,
        }
        given["MUSIC_ROOT"].mkdir()
        for name, value in given.items():
            monkeypatch.setenv(name, str(value))
        settings = load_settings()
        assert settings.password is not None
        assert settings.password.get_secret_value() == given.pop("PASSWORD")
        assert {name: getattr(settings, name.lower()) for name in given} == given

    def test_a_bad_value_stops_the_start_and_names_the_setting(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PORT", "many")
        with pytest.raises(SettingsError, match="PORT"):
            load_settings()
