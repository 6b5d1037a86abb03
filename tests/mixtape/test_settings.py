from __future__ import annotations

from pathlib import Path

import pytest

from mixtape.settings import (
    Settings,
    SettingsError,
    describe_settings,
    load_settings,
    prepare_data_root,
)
from tests.helpers.host import make_settings


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


def test_without_any_variable_only_this_machine_listens_on_port_5000() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.is_loopback) == ("127.0.0.1", 5000, True)
    assert settings.data_root == Path("collection-data").absolute()
    assert settings.music_root is None
    assert settings.music_roots == ()
    assert settings.server_threads == 600


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "")
    monkeypatch.setenv("PORT", "")
    settings = load_settings()
    assert settings.password is None
    assert settings.port == 5000


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [
        ("PORT", "abc", "from 1 to 65535"),
        ("PORT", "70000", "from 1 to 65535"),
        ("PORT", "-1", "PORT=5000"),
        ("SERVER_THREADS", "0", "from 4 to 10000"),
        ("SERVER_THREADS", "many", "SERVER_THREADS=600"),
        ("HOST", "my house", "HOST=127.0.0.1"),
        ("TRUSTED_PROXIES", "yes", "0 to 10"),
        ("PUBLIC_URL", "music.example.org", "PUBLIC_URL=https://music.example.org"),
        ("PUBLIC_URL", "ftp://music.example.org", "http:// or https://"),
        ("PUBLIC_URL", "https://[music", "PUBLIC_URL=https://music.example.org"),
        ("PUBLIC_URL", "https://me:secret@music.example.org", "a host and maybe a path"),
        ("MUSIC_ROOT", "/no/such/folder", "folder that holds your music"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_the_value_and_the_cure(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, cure: str
) -> None:
    message = refusal(monkeypatch, **{name: value})
    assert message.startswith(f"{name}={value} cannot be used")
    assert cure in message


@pytest.mark.parametrize(
    ("url", "shown", "why"),
    [
        ("mysql://me:s3cret@host/m", "mysql://me:(hidden)@host/m", "begin with postgresql://"),
        ("postgresql://me:s3cret@host", "postgresql://me:(hidden)@host", "names no database"),
        ("postgresql://me:s3cret@x@host/", "postgresql://me:(hidden)@host/", "names no database"),
        ("postgresql://me:s3/cret@host/m", "postgresql://me:(hidden)@host/m", "%2F for /"),
        ("postgresql://me:s3cret", "postgresql://me:(hidden)", "this is no address"),
        ("postgresql:///?password=s3cret", "postgresql:///?password=(hidden)", "no database"),
        ("postgresql://host:5432", "postgresql://host:5432", "names no database"),
        ("s3cret", "s3cret", "does not begin with postgresql://"),
    ],
)
def test_a_bad_database_url_is_refused_and_its_password_hidden(
    monkeypatch: pytest.MonkeyPatch, url: str, shown: str, why: str
) -> None:
    message = refusal(monkeypatch, DATABASE_URL=url)
    assert message.startswith(f"DATABASE_URL={shown} cannot be used")
    assert why in message
    assert "DATABASE_URL=postgresql://mixtape:password@localhost/mixtape" in message
    assert ("s3" in message) == ("s3" in shown)


@pytest.mark.parametrize(
    "url", ["postgresql://me:secret@host:5433/m?sslmode=require", "postgresql:///m?host=/run/pg"]
)
def test_a_database_url_is_kept_and_never_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    settings = load_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == url
    assert url not in repr(settings)


def test_all_bad_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, PORT="abc", SERVER_THREADS="none")
    assert [line.partition("=")[0] for line in message.splitlines()] == ["PORT", "SERVER_THREADS"]


def test_a_secret_is_never_written_into_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, SECRET_KEY="hush")
    assert "SECRET_KEY" in message
    assert "hush" not in message


def test_a_music_root_that_is_a_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "song.flac"
    file.touch()
    assert "this is a file, not a folder" in refusal(monkeypatch, MUSIC_ROOT=str(file))


def test_several_music_roots_are_separated_as_in_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("MUSIC_ROOT", f"{tmp_path}/a:{tmp_path}/b/:")
    assert load_settings().music_roots == (tmp_path / "a", tmp_path / "b")
    monkeypatch.setenv("MUSIC_ROOT", f"{tmp_path}/a:")
    assert load_settings().music_root == tmp_path / "a"


def test_a_music_root_with_a_colon_in_its_name_is_one_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "Bach: Cantatas"
    message = refusal(monkeypatch, MUSIC_ROOT=str(folder))
    assert "there is no such folder" in message
    assert "each takes its whole path, which ' Cantatas' is not" in message
    folder.mkdir()
    assert load_settings().music_root == folder


@pytest.mark.parametrize(
    ("roots", "said"),
    [
        (("a", "a/in"), "a/in lies inside "),
        (("a/in", "a"), "a/in lies inside "),
        (("a", "link"), "are the same folder: name it once"),
        (("a", "file"), "file is a file, not a folder"),
        (("gone", "gone too"), "none of these folders is there"),
    ],
)
def test_music_roots_that_do_not_go_together_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, roots: tuple[str, str], said: str
) -> None:
    (tmp_path / "a" / "in").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "file").touch()
    named = ":".join(f"{tmp_path}/{root}" for root in roots)
    message = refusal(monkeypatch, MUSIC_ROOT=named)
    assert message.startswith(f"MUSIC_ROOT={named} cannot be used")
    assert said in message
    assert "MUSIC_ROOT=/srv/music" in message


def test_one_of_several_music_roots_may_be_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MUSIC_ROOT", f"{tmp_path}/gone:{tmp_path}")
    with pytest.raises(SettingsError, match="lies inside"):
        load_settings()
    (tmp_path / "a").mkdir()
    monkeypatch.setenv("MUSIC_ROOT", f"{tmp_path}/gone:{tmp_path}/a")
    assert load_settings().music_roots == (tmp_path / "gone", tmp_path / "a")


def test_a_data_root_inside_any_music_root_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    data = str(tmp_path / "b" / "data")
    message = refusal(monkeypatch, MUSIC_ROOT=f"{tmp_path}/a:{tmp_path}/b", DATA_ROOT=data)
    assert f"lies inside MUSIC_ROOT={tmp_path}/b" in message


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_an_open_address_needs_a_password(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    message = refusal(monkeypatch, HOST=host)
    assert f"HOST={host} would open your music to everybody" in message
    assert "PASSWORD" in message
    monkeypatch.setenv("PASSWORD", "correct horse")
    assert load_settings().host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_an_address_of_this_machine_needs_none(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("HOST", host)
    assert load_settings().is_loopback


@pytest.mark.parametrize("below", [".", "data"])
def test_a_data_root_within_the_music_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, below: str
) -> None:
    message = refusal(monkeypatch, MUSIC_ROOT=str(tmp_path), DATA_ROOT=str(tmp_path / below))
    assert "lies inside MUSIC_ROOT" in message


def test_a_data_root_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"DATA_ROOT=.*file/data cannot be used"):
        prepare_data_root(make_settings(tmp_path, data_root=tmp_path / "file" / "data"))


def test_every_setting_is_described() -> None:
    rows = describe_settings()
    assert [name for name, _, _ in rows] == [name.upper() for name in Settings.model_fields]
    assert all(meaning for _, _, meaning in rows)


@pytest.mark.parametrize("weak", ["short", "1234567", "password", "Password1", "aaaaaaaabb"])
def test_a_weak_password_is_refused_where_others_may_guess(
    monkeypatch: pytest.MonkeyPatch, weak: str
) -> None:
    monkeypatch.setenv("PASSWORD", weak)
    assert load_settings().password is not None
    for name, value in (("HOST", "0.0.0.0"), ("TRUSTED_PROXIES", "1")):
        with monkeypatch.context() as patch:
            message = refusal(patch, **{name: value})
        assert "PASSWORD=(hidden)" in message
        assert "Choose one of 8 characters or more" in message
        assert f"PASSWORD={weak}" not in message


def test_a_password_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("four words of mine\nand a note\n")
    monkeypatch.setenv("PASSWORD_FILE", str(file))
    password = load_settings().password
    assert password is not None
    assert password.get_secret_value() == "four words of mine"


def test_a_password_file_that_cannot_be_used_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    missing = refusal(monkeypatch, PASSWORD_FILE=str(tmp_path / "missing"))
    assert f"PASSWORD_FILE={tmp_path / 'missing'} cannot be used: No such file" in missing
    empty = tmp_path / "empty"
    empty.write_text("\n")
    assert "its first line is empty" in refusal(monkeypatch, PASSWORD_FILE=str(empty))
    empty.write_bytes(b"\xff\n")
    assert "it is not UTF-8" in refusal(monkeypatch, PASSWORD_FILE=str(empty))
    both = refusal(monkeypatch, PASSWORD="four words of mine", PASSWORD_FILE=str(empty))
    assert "are both set" in both
    assert "four words of mine" not in both


@pytest.mark.parametrize(
    ("given", "sites"),
    [
        ("*", "*"),
        ("none", ""),
        (
            " https://a.example  http://*.b.example:8080 ",
            "https://a.example http://*.b.example:8080",
        ),
    ],
)
def test_sites_that_may_embed_are_origins(tmp_path: Path, given: str, sites: str) -> None:
    assert make_settings(tmp_path, embed_sites=given).embed_sites == sites


@pytest.mark.parametrize(
    "given",
    [
        "a.example",
        "https://a.example/blog",
        "* https://a.example",
        "https://a.example; script-src *",
    ],
)
def test_what_is_no_origin_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("EMBED_SITES", given)
    with pytest.raises(SettingsError, match=r"EMBED_SITES=.* is no origin"):
        load_settings()
