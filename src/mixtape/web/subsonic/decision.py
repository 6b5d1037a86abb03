"""Whether a player gets a track as it is or as an MP3, by what the player says that it can do.

The words are those of the OpenSubsonic extension `transcoding`, version 1. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from audio_cache import BEST_QUALITY, QUALITY_SETTINGS, QualityLevel, bitrate_bps, suffix_of

from ...database.tables import Track

T = TypeVar("T")
# No player has more to say; each is looked at for each of the others.
_Some = Annotated[tuple[T, ...], Field(max_length=200)]
_Amount = Annotated[int, Field(ge=0, le=2**53)]
_Aspect = Literal[
    "audioChannels", "audioBitrate", "audioProfile", "audioSamplerate", "audioBitdepth"
]

_MP3: Final = "mp3"
_HTTP: Final = "http"
# Every rendition has these.
_CHANNELS: Final = 2
_RATE_HZ: Final = 44_100
# Players name a container or a codec by any of these.
_SAME_CONTAINERS: Final = (
    frozenset({"mp4", "m4a", "m4b", "alac", "mov"}),
    frozenset({"ogg", "oga", "opus", "spx"}),
    frozenset({"aif", "aifc", "aiff"}),
    frozenset({"wav", "wave"}),
    frozenset({"webm", "mkv", "matroska"}),
    frozenset({"wma", "asf"}),
)
_SAME_CODECS: Final = (
    frozenset({"pcm", "lpcm", "wav", "pcm_s16le", "pcm_s24le", "pcm_s16be", "pcm_s24be"}),
    frozenset({"dsd", "dsf", "dff"}),
    frozenset({"wavpack", "wv"}),
)


def _as_texts(values: object) -> object:
    # The specification's table says a text, its example a list of them.
    listed = values if isinstance(values, list) else [values]
    return [str(each) if isinstance(each, int | float) else each for each in listed]


class _Told(BaseModel):
    """What a player tells; what is not known here is left out."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore")


class Limitation(_Told):
    """What a codec's stream has to be like."""

    name: _Aspect
    comparison: Literal["Equals", "NotEquals", "LessThanEqual", "GreaterThanEqual"]
    values: Annotated[_Some[str], BeforeValidator(_as_texts)]
    required: bool


class CodecProfile(_Told):
    """What the streams of a codec have to be like."""

    type: str
    name: str
    limitations: _Some[Limitation] = ()


class DirectPlayProfile(_Told):
    """A kind of file that a player plays as it is; an empty list stands for any."""

    containers: _Some[str]
    audio_codecs: _Some[str]
    protocols: _Some[str]
    max_audio_channels: _Amount = 0


class TranscodingProfile(_Told):
    """A kind of stream that a player plays."""

    container: str
    audio_codec: str
    protocol: str
    max_audio_channels: _Amount = 0


class ClientInfo(_Told):
    """What a player says of itself; bitrates are in bit/s, and 0 is no limit."""

    name: str = ""
    platform: str = ""
    max_audio_bitrate: _Amount = 0
    max_transcoding_audio_bitrate: _Amount = 0
    direct_play_profiles: _Some[DirectPlayProfile] = ()
    transcoding_profiles: _Some[TranscodingProfile] = ()
    codec_profiles: _Some[CodecProfile] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """What is sent; None where that is not known."""

    container: str
    codec: str
    channels: int | None
    bitrate_bps: int | None
    rate_hz: int | None
    bits: int | None = None

    @property
    def aspects(self) -> Mapping[str, int | str | None]:
        """Return what limitations are about; a profile is nothing that a scan reads."""
        return {
            "audioChannels": self.channels,
            "audioBitrate": self.bitrate_bps,
            "audioProfile": None,
            "audioSamplerate": self.rate_hz,
            "audioBitdepth": self.bits,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What a player gets.

    Args:
        reasons: why the file is not played as it is, one for each way in which it could be.
        quality: what is made of it, None where nothing can be.
        error: why nothing can be.
    """

    source: Stream
    can_direct_play: bool
    reasons: tuple[str, ...]
    quality: QualityLevel | None
    error: str = ""

    @property
    def made(self) -> Stream | None:
        """Return the stream that is made."""
        return None if self.quality is None else rendition_stream(self.quality)


def decide(track: Track, info: ClientInfo) -> Decision:
    """Return what a player gets of a track."""
    source = source_stream(track)
    limits = _limits(info.codec_profiles)
    ways = [_obstacle(source, profile, info, limits) for profile in info.direct_play_profiles]
    can_direct_play = not all(ways)
    quality, error = _choose(track, info, limits)
    return Decision(
        source=source,
        can_direct_play=can_direct_play,
        reasons=() if can_direct_play else tuple(ways),
        quality=quality,
        error="" if can_direct_play else error,
    )


def source_stream(track: Track) -> Stream:
    """Return what a track is, as it is; what a CUE sheet cuts out of a file is always an MP3."""
    if track.is_sheet_track:
        return rendition_stream(BEST_QUALITY)
    bitrate_bps = round(track.size_bytes * 8 / track.duration_s) if track.duration_s else None
    return Stream(
        container=suffix_of(track.file_name).removeprefix("."),
        codec=track.codec,
        channels=track.channels,
        bitrate_bps=bitrate_bps,
        rate_hz=track.rate_hz,
        bits=track.bits,
    )


def rendition_stream(quality: QualityLevel) -> Stream:
    """Return what is made of a lossless track."""
    return Stream(_MP3, _MP3, _CHANNELS, bitrate_bps(quality), _RATE_HZ)


def _choose(
    track: Track, info: ClientInfo, limits: Mapping[str, tuple[Limitation, ...]]
) -> tuple[QualityLevel | None, str]:
    """Return the best quality within all limits, or why there is none.

    Where each is above the bitrate that a player would like, the lowest is still better than
    nothing; what a codec's stream is required to be like holds.
    """
    if not track.lossless:
        return None, "Only lossless tracks are transcoded."
    if not any(map(_takes_mp3, info.transcoding_profiles)):
        return None, "Tracks are transcoded to stereo MP3 over http alone."
    most_bps = min(_limit(info.max_audio_bitrate), _limit(info.max_transcoding_audio_bitrate))
    best_first = sorted(QUALITY_SETTINGS, key=bitrate_bps, reverse=True)
    good = [each for each in best_first if not _unmet(rendition_stream(each), limits)]
    if not good:
        return None, "No quality that is made is within the limits of this player for MP3."
    return next((each for each in good if bitrate_bps(each) <= most_bps), good[-1]), ""


def _takes_mp3(profile: TranscodingProfile) -> bool:
    return (
        profile.container.lower() == _MP3
        and profile.audio_codec.lower() in {_MP3, ""}
        and profile.protocol.lower() in {_HTTP, ""}
        and _limit(profile.max_audio_channels) >= _CHANNELS
    )


def _obstacle(
    source: Stream,
    profile: DirectPlayProfile,
    info: ClientInfo,
    limits: Mapping[str, tuple[Limitation, ...]],
) -> str:
    """Return why a player cannot play a file as it is in one of its ways; "" where it can."""
    if not _names(profile.protocols, {_HTTP}):
        return "ProtocolNotSupported"
    if not _names(profile.containers, _names_of(source.container, _SAME_CONTAINERS)):
        return "ContainerNotSupported"
    if not _names(profile.audio_codecs, _names_of(source.codec, _SAME_CODECS)):
        return "AudioCodecNotSupported"
    if (source.channels or 0) > _limit(profile.max_audio_channels):
        return "AudioChannelsNotSupported"
    if (source.bitrate_bps or 0) > _limit(info.max_audio_bitrate):
        return "AudioBitrateNotSupported"
    unmet = _unmet(source, limits)
    return f"{unmet[0].upper()}{unmet[1:]}NotSupported" if unmet else ""


def _limits(profiles: Iterable[CodecProfile]) -> Mapping[str, tuple[Limitation, ...]]:
    found: dict[str, tuple[Limitation, ...]] = {}
    for profile in profiles:
        if profile.type == "AudioCodec":
            codec = profile.name.lower()
            found[codec] = (*found.get(codec, ()), *profile.limitations)
    return found


def _unmet(stream: Stream, limits: Mapping[str, tuple[Limitation, ...]]) -> str:
    """Return what of a stream is not as its codec's have to be; "" where all is."""
    aspects = stream.aspects
    wanted = (each for each in limits.get(stream.codec, ()) if each.required)
    return next((each.name for each in wanted if not _holds(each, aspects[each.name])), "")


def _holds(limitation: Limitation, value: int | str | None) -> bool:
    """Say whether a limitation holds; what is not known is not held against anybody."""
    if value is None or not limitation.values:
        return True
    return _COMPARISONS[limitation.comparison](value, limitation.values)


def _equals(value: int | str, values: tuple[str, ...]) -> bool:
    return str(value) in values


def _is_at_most(value: int | str, values: tuple[str, ...]) -> bool:
    return all(float(value) <= number for number in _numbers(values[:1]))


def _is_at_least(value: int | str, values: tuple[str, ...]) -> bool:
    return all(float(value) >= number for number in _numbers(values[:1]))


_COMPARISONS: Final[Mapping[str, Callable[[int | str, tuple[str, ...]], bool]]] = MappingProxyType(
    {
        "Equals": _equals,
        "NotEquals": lambda value, values: not _equals(value, values),
        "LessThanEqual": _is_at_most,
        "GreaterThanEqual": _is_at_least,
    }
)


def _numbers(texts: Iterable[str]) -> Iterator[float]:
    for text in texts:
        try:
            yield float(text)
        except ValueError:
            continue


def _limit(amount: int) -> float:
    return amount or float("inf")


def _names(told: tuple[str, ...], names: frozenset[str] | set[str]) -> bool:
    return not told or not names.isdisjoint(each.lower() for each in told)


def _names_of(name: str, known: tuple[frozenset[str], ...]) -> frozenset[str]:
    return next((same for same in known if name in same), frozenset({name}))


def stream_fields(stream: Stream | None) -> dict[str, Any] | None:
    """Return a stream as the API's `StreamDetails`."""
    if stream is None:
        return None
    return {
        "protocol": _HTTP,
        "container": stream.container,
        "codec": stream.codec,
        **stream.aspects,
    }
