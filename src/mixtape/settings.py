"""The host's settings: where the music is, who may listen, how it is served."""

from __future__ import annotations

import ipaddress
import os
import re
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from audio_cache import MusicRoots, split_roots

from .weak_secrets import SHORTEST_PASSWORD, find_weakness, is_placeholder

SESSIONS_FILE = "sessions"
# Two short albums for those who set no MUSIC_ROOT. Nothing is ever written there.
DEMO_LIBRARY = Path(__file__).parent / "demo" / "music"


class SettingsError(ValueError):
    """A setting has a value that mixtape cannot start with."""


_BUCKET_KEY: Final = "AWS_SECRET_ACCESS_KEY"
# As a policy has them (CSP, source lists): a scheme, a host with or without *., a port.
_ORIGIN: Final = re.compile(r"https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class Settings(BaseSettings):
    """What `mixtape` reads from the environment; each field is one variable of that name."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, validate_default=True
    )

    music_root: Annotated[Path | tuple[Path, ...] | None, NoDecode] = Field(
        None,
        description="the folder that holds your music, or several with a colon between them; "
        "without it a small demo plays",
        examples=["/srv/music", "/srv/music:/mnt/more"],
    )
    data_root: Path = Field(
        Path("./collection-data"),
        description="a folder outside MUSIC_ROOT where mixtape may write; made when missing",
        examples=["./collection-data"],
    )
    database_url: SecretStr | None = Field(
        None,
        description="the address of a PostgreSQL database for library, mixtapes and drafts, which "
        "several hosts may share; without it they are in DATA_ROOT/mixtape.db",
        examples=["postgresql://mixtape:password@localhost/mixtape"],
    )
    password: SecretStr | None = Field(
        None,
        description="what listeners sign in with; without it only this machine may listen",
        examples=["correct-horse-battery"],
    )
    password_file: Path | None = Field(
        None,
        description="a file that holds the password, in place of PASSWORD; its first line counts",
        examples=["/etc/mixtape.password"],
    )
    host: str = Field(
        "127.0.0.1",
        description="the address to listen on; any but this machine's own needs PASSWORD",
        examples=["127.0.0.1"],
    )
    port: int = Field(
        5000,
        ge=0,
        le=65535,
        description="a port from 1 to 65535, or 0 for any that is free",
        examples=["5000"],
    )
    secret_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="16 characters or more that sign the session cookies; without it one is "
        "made once and kept in DATA_ROOT/secret_key",
        examples=["$(openssl rand -hex 32)"],
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="16 characters or more that open /metrics as a bearer token, for "
        "Prometheus; without it only those who are signed in see the metrics",
        examples=["$(openssl rand -hex 32)"],
    )
    server_threads: int = Field(
        600,
        ge=4,
        le=10_000,
        description="how many requests run at once, from 4 to 10000; one takes a thread only "
        "while something is done for it",
        examples=["600"],
    )
    workers: int | None = Field(
        None,
        ge=1,
        le=64,
        description="how many processes answer, from 1 to 64: one does everything, the others send "
        "what is stored; without it one for each core, 4 at most",
        examples=["2"],
    )
    connections_per_address: int = Field(
        100,
        ge=0,
        le=100_000,
        description="how many connections one address may have open, or requests where a trusted "
        "proxy tells the address, from 0 to 100000; 0 for any number; this machine has no limit",
        examples=["100"],
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="how many reverse proxies stand in front, 0 to 10, whose X-Forwarded-For, "
        "-Proto and -Host are believed",
        examples=["1"],
    )
    public_url: str = Field(
        "",
        description="the address that others reach mixtape by, which links to mixtapes begin with, "
        "and below whose path it answers (https://example.org/music); without it that of the "
        "request",
        examples=["https://music.example.org"],
    )

    language: Literal["en", "de"] | None = Field(
        None,
        description="the language of all pages, en or de; without it each reader gets the one that "
        "the browser asks for",
        examples=["de"],
    )
    embed_sites: str = Field(
        "*",
        description="the sites whose pages may show the small player of a mixtape, where the owner "
        "allows that for a link: origins separated by spaces, * for any site, none for no site",
        examples=["https://blog.example.org https://*.example.net"],
    )
    downloads: bool = Field(
        True,
        description="true or false: whether listeners may take a mixtape along, as a ZIP archive, "
        "as one MP3 or as a podcast; you always may",
        examples=["false"],
    )

    @model_validator(mode="before")
    @classmethod
    def _password_of_file(cls, given: dict[str, Any]) -> dict[str, Any]:
        path = given.get("password_file")
        if not path:
            return given
        if given.get("password"):
            raise ValueError(
                f"PASSWORD and PASSWORD_FILE={path} are both set, and only one of them can hold. "
                "Unset PASSWORD."
            )
        try:
            text = Path(path).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ValueError(
                f"PASSWORD_FILE={path} cannot be used: {why}. It takes a file that holds the "
                "password and may be read by the user that mixtape runs as."
            ) from error
        password = text.partition("\n")[0].strip()
        if not password:
            raise ValueError(
                f"PASSWORD_FILE={path} cannot be used: its first line is empty. Write the password "
                "into it."
            )
        return {**given, "password": password}

    @field_validator("data_root", mode="after")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return Path(os.path.abspath(path.expanduser()))

    @field_validator("music_root", mode="before")
    @classmethod
    def _folders(cls, given: object) -> object:
        if isinstance(given, str):
            given = split_roots(given)
        if isinstance(given, list | tuple) and len(given) < 2:
            given = given[0] if given else None
        return given

    @field_validator("music_root", mode="after")
    @classmethod
    def _readable_folders(
        cls, given: Path | tuple[Path, ...] | None
    ) -> Path | tuple[Path, ...] | None:
        if given is None:
            return None
        paths = [path.expanduser() for path in ((given,) if isinstance(given, Path) else given)]
        # Of several, one whose disk is away stops none of the others.
        if not any(path.exists() for path in paths):
            raise ValueError(
                "there is no such folder" if len(paths) == 1 else "none of these folders is there"
            )
        for path in filter(Path.exists, paths):
            which = "this" if len(paths) == 1 else str(path)
            if not path.is_dir():
                raise ValueError(f"{which} is a file, not a folder")
            if not os.access(path, os.R_OK | os.X_OK):
                raise ValueError(f"{which} may not be read by the user that mixtape runs as")
        places = tuple(map(Path, MusicRoots.of(paths).places.values()))
        return places[0] if len(places) == 1 else places

    @field_validator("embed_sites", mode="after")
    @classmethod
    def _origins(cls, sites: str) -> str:
        named = sites.split()
        if named in (["none"], ["*"]):
            return "" if named == ["none"] else "*"
        for site in named:
            # It becomes a part of a header, and of a policy whose parts end with ; and ,
            if not _ORIGIN.fullmatch(site):
                raise ValueError(f"{site} is no origin")
        return " ".join(named)

    @field_validator("database_url", mode="after")
    @classmethod
    def _address_of_a_database(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            problem = find_url_problem(url.get_secret_value())
            if problem:
                raise ValueError(problem)
        return url

    @field_validator("secret_key", "metrics_token", mode="after")
    @classmethod
    def _of_your_own(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and is_placeholder(secret.get_secret_value()):
            raise ValueError("this is what the example says, which everybody knows")
        return secret

    @field_validator("host", mode="after")
    @classmethod
    def _known_address(cls, host: str) -> str:
        name = host.strip().removeprefix("[").removesuffix("]")
        if name != "localhost":
            try:
                ipaddress.ip_address(name)
            except ValueError as error:
                raise ValueError("this is neither localhost nor an IP address") from error
        return name

    @field_validator("public_url", mode="after")
    @classmethod
    def _address_of_a_site(cls, address: str) -> str:
        address = address.strip()
        if not address:
            return ""
        try:
            parts = urlsplit(address)
            is_site = parts.scheme in {"http", "https"} and bool(parts.hostname)
            has_rest = bool(parts.query or parts.fragment or parts.username or parts.port == 0)
        except ValueError as error:
            raise ValueError(f"this is no address: {error}") from error
        if not is_site or has_rest:
            raise ValueError("this is not http:// or https:// with a host and maybe a path")
        return address.rstrip("/")

    @model_validator(mode="after")
    def _key_of_the_bucket_of_your_own(self) -> Settings:
        # No setting of ours: the library that speaks to the bucket reads it.
        if is_placeholder(os.environ.get(_BUCKET_KEY, "")):
            raise ValueError(
                f"{_BUCKET_KEY}=(hidden): this is what the example says, which everybody knows. "
                "Set the secret of your bucket: by it all that is cached can be replaced."
            )
        return self

    @model_validator(mode="after")
    def _belongs_together(self) -> Settings:
        if not self.is_loopback and self.password is None:
            raise ValueError(
                f"HOST={self.host} would open your music to everybody on the network, so it needs "
                "a PASSWORD. Set one (PASSWORD=… mixtape serve), or leave HOST at 127.0.0.1 to "
                "listen on this machine only."
            )
        is_reached = not self.is_loopback or self.trusted_proxies > 0
        if self.password is not None and is_reached:
            weakness = find_weakness(self.password.get_secret_value())
            if weakness:
                raise ValueError(
                    f"PASSWORD=(hidden) {weakness}, and HOST={self.host} with TRUSTED_PROXIES="
                    f"{self.trusted_proxies} lets others try to guess it. Choose one of "
                    f"{SHORTEST_PASSWORD} characters or more that is not on every list, for "
                    "example four words."
                )
        for music_root in self.music_roots:
            if self.data_root.resolve().is_relative_to(music_root.resolve()):
                raise ValueError(
                    f"DATA_ROOT={self.data_root} lies inside MUSIC_ROOT={music_root}, where "
                    "mixtape's own files would show up as music. Choose a DATA_ROOT outside it, "
                    "for example DATA_ROOT=~/.local/share/mixtape."
                )
        return self

    @property
    def music_roots(self) -> tuple[Path, ...]:
        """Return the folders that hold the music, of which there may be none."""
        if self.music_root is None:
            return ()
        return (self.music_root,) if isinstance(self.music_root, Path) else self.music_root

    @property
    def is_loopback(self) -> bool:
        """Say whether only this machine can reach the address that is listened on."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback


def find_url_problem(url: str) -> str:
    """Return why an address cannot be that of a PostgreSQL database, "" for no reason."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # whose message may hold a part of the password
        return "this is no address; in a password %40 stands for @, %2F for / and %3A for a colon"
    if parts.scheme != "postgresql":
        return "this does not begin with postgresql://"
    if not parts.path.strip("/"):
        return "this names no database"
    if is_placeholder(parts.password or ""):
        return "its password is what the example says, which everybody knows"
    return ""


def hide_password(url: str) -> str:
    """Return an address without the password in it, wherever that stands."""
    # Up to the last "@": a password may hold others that were not written as %40.
    shown = re.sub(r"(//[^:/@]*):.*@", r"\1:(hidden)@", url)
    if "@" not in shown:
        shown = re.sub(r"(//[^:/]*):(?![0-9]+(?:[/?]|$))[^/?]*", r"\1:(hidden)", shown)
    return re.sub(r"(\bpassword=)[^&]*", r"\1(hidden)", shown)


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: one or more cannot be used; the message names each, its value and the remedy.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(detail) for detail in error.errors())) from error


def describe_settings() -> list[tuple[str, str, str]]:
    """Return (variable, default, meaning) of every setting, for the CLI's help and the docs."""
    return [
        (name.upper(), "" if field.default is None else str(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def prepare_data_root(settings: Settings) -> Path:
    """Return DATA_ROOT, made if it was missing.

    Raises:
        SettingsError: it cannot be made or written to.
    """
    root = settings.data_root
    try:
        # Others may pass to a cache that they may read (AUDIO_CACHE_SHARED_FILES), and see nothing.
        root.mkdir(0o711, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise SettingsError(
            f"DATA_ROOT={root} cannot be used: {error.strerror or error}. It takes a folder where "
            "mixtape may write. For example DATA_ROOT=~/.local/share/mixtape."
        ) from error
    return root


def _explain(detail: ErrorDetails) -> str:
    message = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:
        return message
    name = str(detail["loc"][0])
    field = Settings.model_fields[name]
    is_secret = name in {"password", "secret_key", "metrics_token"}
    value = "(hidden)" if is_secret else str(detail["input"])
    if name == "database_url":
        value = hide_password(value)
    example = f" For example {name.upper()}={field.examples[0]}." if field.examples else ""
    problem = f"{name.upper()}={value} cannot be used: {message}."
    return f"{problem} It takes {field.description}.{example}"
