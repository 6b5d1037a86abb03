"""The settings: one table that validation, the command line's help and the documentation share."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from .errors import ConfigError
from .quality import DEFAULT_EFFORT, DEFAULT_QUALITY
from .setting_types import (
    Bucket,
    BucketSize,
    Count,
    Directory,
    EffortLevel,
    Engine,
    Length,
    Miss,
    Niceness,
    Number,
    OnMiss,
    Program,
    Qualities,
    Quality,
    Rate,
    Redis,
    Seconds,
    Sender,
    SpaceLeft,
    SpaceTaken,
    Switch,
    TagNames,
    Takes,
    TaskLimit,
    Watch,
)
from .space import parse_space

V = TypeVar("V")

PREFIX: Final = "AUDIO_CACHE_"
DEFAULT_TAGS: Final = (
    "title",
    "artist",
    "album",
    "albumartist",
    "tracknumber",
    "tracktotal",
    "discnumber",
    "disctotal",
    "date",
    "genre",
    "replaygain_*",
)
DEFAULT_ON_MISS: Final[OnMiss] = "live"
DEFAULT_MIN_FREE: Final = parse_space("1GB,5%")


@dataclass(frozen=True)
class Knob:
    """One setting as users see it.

    Args:
        name: the environment variable, and the key in a Flask configuration.
        takes: the values it accepts.
        default: the value when it isn't set, written as in an environment variable.
        help: what it does.
    """

    name: str
    takes: str
    default: str
    help: str

    @property
    def field(self) -> str:
        """Return the attribute of AudioCacheSettings that holds the value."""
        return self.name.removeprefix(PREFIX).lower()


class AudioCacheSettings(BaseSettings):
    """Read the settings; environment variables `AUDIO_CACHE_<NAME>` override the given values.

    Raises:
        ConfigError: a value is invalid or a name unknown; one message lists them all.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    dir: Directory = Field(
        Path("cache/audio"), description="Where the MP3 files are kept, relative to `DATA_ROOT`."
    )
    enabled: Switch = Field(
        True, description="`false` turns the cache off: every listener gets the original."
    )
    default_quality: Quality = Field(
        DEFAULT_QUALITY, description="The quality to play when a request names none."
    )
    max_workers: Count = Field(4, description="How many tracks to encode at once.")
    precache_on_upload: Switch = Field(
        True, description="Encode a mixtape's tracks when it is saved."
    )
    precache_qualities: Qualities = Field(
        (DEFAULT_QUALITY,),
        description="The qualities to encode in advance.",
    )
    max_size: SpaceTaken = Field(
        None,
        description="The most that the cache may take, encodes under way included. Where that is "
        "reached, what is played least makes room, and tracks are played without being kept.",
    )
    min_free: SpaceLeft = Field(
        DEFAULT_MIN_FREE,
        description="How much of the disk the cache leaves free, whatever fills it; `0` for none.",
    )
    max_duration: Length = Field(
        0.0,
        description="The longest track that is encoded; longer ones are played as they are. `0` is "
        "any length.",
    )
    shared_files: Switch = Field(
        False,
        description="Let other users of the system read the cache's files, for a web server that "
        "sends them. Without it only the user who makes them may, modes 0600 and 0700.",
    )
    sendfile: Sender = Field(
        None,
        description="Let the web server in front send what is cached: `X-Accel-Redirect` with the "
        "address that it keeps for the cache directory (nginx, Caddy), or `X-Sendfile` (Apache, "
        "lighttpd). Nobody may reach the application but through that server.",
    )
    pin_mixtapes: Switch = Field(
        True, description="Keep the tracks of saved mixtapes whatever else needs the room."
    )
    tags: TagNames = Field(
        DEFAULT_TAGS,
        description="Which tags go with the MP3; the others, comments among them, stay at home. A "
        "name may end in `*`.",
    )
    on_miss: Miss = Field(
        DEFAULT_ON_MISS,
        description="What a listener gets before the MP3 exists: `live` plays the MP3 while it is "
        "being encoded, `original` sends the source and encodes the MP3 for the next request.",
    )
    finish_abandoned: Switch = Field(
        True, description="Finish encoding a live track after its last listener has left."
    )
    max_live: Count = Field(8, description="How many encoders may run for listeners at once.")
    standby: Number = Field(
        4,
        description="How many ffmpegs (7 or newer, on Linux) each process keeps on standby, "
        "loaded and with 7 MB of its own, so that starts and seeks take a quarter less: one of "
        "each for high, and one of each for the other qualities, where both are played; `0` for "
        "none.",
    )
    live_wait_s: Seconds = Field(
        10.0,
        description="How long a listener waits for a free encoder before the original is sent.",
    )
    ffmpeg: Program = Field(
        None,
        description="The ffmpeg to use; by default the one installed with the package, or else the "
        "one on `PATH`.",
    )
    effort: EffortLevel = Field(
        DEFAULT_EFFORT,
        description="How much the encoder works: `fast` takes about half of the time at medium and "
        "low, for small machines, and is heard at low. Each has renditions of its own there; "
        "at high both are the same.",
    )
    encode_timeout_s: Seconds = Field(
        0.0,
        description="How many seconds the encode of one track may wait for ffmpeg before it is "
        "stopped; `0` derives the limit from the track's duration.",
    )
    nice: Niceness = Field(
        10,
        description="The niceness, as in nice(1), of encodes that no listener is waiting for: the "
        "higher, the more they give way to other processes.",
    )
    retry_after_failure_s: Seconds = Field(
        300.0,
        description="How long listeners get the original of a source that could not be encoded "
        "before the next attempt.",
    )

    watch: Watch = Field(
        "auto",
        description="How a host learns of changed files: `auto` is told by the file system, or "
        "looks every 15 minutes where that is a network's; a number looks so many seconds after "
        "the last time.",
    )

    engine: Engine = Field(
        "threads",
        description="Who encodes in advance: the `threads` of this process, or the workers of "
        "`celery`, which run as `audio-cache worker` on any number of hosts.",
    )
    redis: Redis = Field(
        None,
        description="A Redis that all nodes share, for progress, figures and, with Celery, jobs.",
    )
    object_store: Bucket = Field(
        None,
        description="A bucket where all nodes keep what they make, with the cache directory before "
        "it; endpoint and credentials are those of `AWS_ENDPOINT_URL` and its kin.",
    )
    object_redirect: Switch = Field(
        False,
        description="Send listeners to the bucket for what another node has made, by an address "
        "that is good for six hours, so that the bytes need not pass through this node.",
    )
    object_max_size: BucketSize = Field(
        None,
        description="The most that the bucket holds. One worker deletes what was played least on "
        "all nodes, and nothing that saved mixtapes hold.",
    )
    worker_rate: Rate = Field(
        None, description="How many tracks a worker of Celery takes at most, on each host."
    )
    task_limit_s: TaskLimit = Field(
        3000.0,
        description="How long one track may take a worker of Celery. Redis gives a task to another "
        "one ten minutes later.",
    )

    def __init__(self, **given: Any) -> None:
        """Check names and values together, so that one start shows every mistake."""
        unknown, cause = _unknown_names(given), None
        try:
            super().__init__(
                **{name: given[name] for name in given if name in AudioCacheSettings.model_fields}
            )
        except ValidationError as error:
            cause = error
        problems = [*unknown, *(_bad_values(cause, given) if cause else ())]
        if not problems and self.engine == "celery" and self.redis is None:
            problems.append(
                f"{PREFIX}ENGINE is 'celery': it needs {PREFIX}REDIS, the address of its broker"
            )
        if problems:
            raise ConfigError("\n".join(problems)) from cause

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Return the settings of a configuration such as `flask.Flask.config`.

        Args:
            mapping: keys that begin with `AUDIO_CACHE_` are read, all others ignored.

        Raises:
            ConfigError: as for the class.
        """
        return cls(**_with_prefix(mapping))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment override the program, so that operators need not change code."""
        return env_settings, init_settings

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_probable_mistakes(cls, value: object, info: ValidationInfo) -> object:
        """Refuse "", and True given for a number, which pydantic would read as 1."""
        if isinstance(value, str):
            value = value.strip()
        field = cls.model_fields[info.field_name or ""]
        if value == "" or (isinstance(value, bool) and field.annotation is not bool):
            raise ValueError("no value")
        return value

    def cache_dir(self, data_root: str | os.PathLike[str]) -> Path:
        """Return the cache's directory; an absolute `dir` ignores the data root."""
        return Path(data_root) / self.dir


def knobs() -> tuple[Knob, ...]:
    """Return the table of all settings, in reading order."""
    return tuple(
        Knob(
            name=PREFIX + name.upper(),
            takes=_takes(field),
            default=_as_text(field.default),
            help=field.description or "",
        )
        for name, field in AudioCacheSettings.model_fields.items()
    )


def _takes(field: FieldInfo) -> str:
    return next(item for item in field.metadata if isinstance(item, Takes))


def _as_text(value: object) -> str:
    """Return a default as it would be written in an environment variable; "" means "not set"."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _environment() -> dict[str, str]:
    """Return our variables by field name; like pydantic-settings, ignore their case."""
    return _with_prefix({name.upper(): value for name, value in os.environ.items()})


def _with_prefix(mapping: Mapping[str, V]) -> dict[str, V]:
    """Return the values of names that begin with our prefix, by the names of their fields."""
    ours = (name for name in mapping if name.startswith(PREFIX))
    return {name.removeprefix(PREFIX).lower(): mapping[name] for name in ours}


def _unknown_names(given: Mapping[str, object]) -> list[str]:
    """Return a line for each name that isn't a setting: most of these are misspelt."""
    names = dict.fromkeys([*given, *_environment()])
    return [_unknown_name(name) for name in names if name not in AudioCacheSettings.model_fields]


def _unknown_name(name: str) -> str:
    near = difflib.get_close_matches(name, AudioCacheSettings.model_fields, n=1)
    known = [PREFIX + other.upper() for other in near or AudioCacheSettings.model_fields]
    hint = f"did you mean {known[0]}?" if near else f"the settings are {', '.join(known)}"
    return f"{PREFIX}{name.upper()} isn't a setting of the audio cache: {hint}"


def _bad_values(error: ValidationError, given: Mapping[str, object]) -> list[str]:
    """Return a line for each bad value, with the whole list where one item of it is bad."""
    environment = _environment()
    lines = []
    for name in dict.fromkeys(str(problem["loc"][0]) for problem in error.errors()):
        place = " in the environment" if name in environment else ""
        value = environment.get(name, given.get(name))
        takes = _takes(AudioCacheSettings.model_fields[name]).replace("`", "")
        lines.append(f"{PREFIX}{name.upper()} is {value!r}{place}: it takes {takes}")
    return lines
