from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from mixtape.database.tables import Track
from mixtape.web.subsonic.decision import ClientInfo, Decision, decide


def track(**changes: Any) -> Track:
    facts: dict[str, Any] = {
        "path": b"a/one.flac",
        "folder": b"a",
        "codec": "flac",
        "lossless": True,
        "size_bytes": 30_000_000,
        "duration_s": 240.0,
        "channels": 2,
        "rate_hz": 96_000,
        "bits": 24,
    }
    return Track(**{**facts, **changes})


def plays(containers: str = "", codecs: str = "", **more: Any) -> dict[str, Any]:
    return {
        "containers": containers.split(),
        "audioCodecs": codecs.split(),
        "protocols": ["http"],
        **more,
    }


MP3 = {"container": "mp3", "audioCodec": "mp3", "protocol": "http", "maxAudioChannels": 2}


def decided(of: Track | None = None, **told: Any) -> Decision:
    info = {"name": "Play:1", "platform": "Sonos", "transcodingProfiles": [MP3], **told}
    return decide(of or track(), ClientInfo.model_validate_json(json.dumps(info)))


def limit(codec: str, name: str, comparison: str, *values: str, required: bool = True) -> Any:
    limitation = {
        "name": name,
        "comparison": comparison,
        "values": list(values),
        "required": required,
    }
    return [{"type": "AudioCodec", "name": codec, "limitations": [limitation]}]


@pytest.mark.parametrize(
    "way",
    [
        plays("flac", "flac"),
        plays(),
        plays("mp3 flac", ""),
        plays("FLAC", "FLAC", protocols=[]),
        plays("flac", "flac", maxAudioChannels=2),
    ],
)
def test_what_a_player_can_play_is_played_as_it_is(way: dict[str, Any]) -> None:
    found = decided(directPlayProfiles=[plays("mp3", "mp3"), way])
    assert found.can_direct_play
    assert found.reasons == ()


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        (plays("mp3", "mp3"), "ContainerNotSupported"),
        (plays("flac", "mp3"), "AudioCodecNotSupported"),
        (plays("flac", "flac", maxAudioChannels=1), "AudioChannelsNotSupported"),
        (plays("flac", "flac", protocols=["hls"]), "ProtocolNotSupported"),
    ],
)
def test_each_way_that_is_none_has_its_reason(way: dict[str, Any], reason: str) -> None:
    found = decided(directPlayProfiles=[way, plays("ogg")])
    assert not found.can_direct_play
    assert found.reasons == (reason, "ContainerNotSupported")


def test_a_player_that_names_no_way_plays_nothing_as_it_is() -> None:
    found = decided()
    assert (found.can_direct_play, found.reasons, found.quality) == (False, (), "high")


@pytest.mark.parametrize(
    ("path", "codec", "way"),
    [
        (b"x.m4a", "alac", plays("mp4", "alac")),
        (b"x.opus", "opus", plays("ogg", "opus")),
        (b"x.wav", "pcm", plays("wav", "wav")),
        (b"x.aif", "pcm", plays("aiff", "pcm_s16le")),
    ],
)
def test_a_container_and_a_codec_have_several_names(
    path: bytes, codec: str, way: dict[str, Any]
) -> None:
    of = track(path=path, folder=b"", codec=codec)
    assert decided(of, directPlayProfiles=[way]).can_direct_play


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (limit("flac", "audioSamplerate", "LessThanEqual", "48000"), "AudioSamplerate"),
        (limit("flac", "audioSamplerate", "Equals", "44100", "48000"), "AudioSamplerate"),
        (limit("flac", "audioBitdepth", "NotEquals", "24"), "AudioBitdepth"),
        (limit("flac", "audioChannels", "GreaterThanEqual", "6"), "AudioChannels"),
        (limit("flac", "audioBitrate", "LessThanEqual", "999999"), "AudioBitrate"),
        (limit("flac", "audioSamplerate", "LessThanEqual", "48000", required=False), ""),
        (limit("flac", "audioSamplerate", "LessThanEqual", "96000"), ""),
        (limit("flac", "audioSamplerate", "Equals", "44100", "96000"), ""),
        (limit("flac", "audioProfile", "Equals", "LC"), ""),
        (limit("flac", "audioBitrate", "LessThanEqual", "much"), ""),
        (limit("flac", "audioBitrate", "LessThanEqual"), ""),
        (limit("aac", "audioSamplerate", "LessThanEqual", "48000"), ""),
    ],
)
def test_limits_of_a_codec_hold_where_they_are_required(limits: Any, reason: str) -> None:
    found = decided(directPlayProfiles=[plays("flac", "flac")], codecProfiles=limits)
    assert found.reasons == ((f"{reason}NotSupported",) if reason else ())


def test_a_bitrate_above_what_a_player_can_take_is_transcoded() -> None:
    found = decided(directPlayProfiles=[plays()], maxAudioBitrate=512_000)
    assert found.reasons == ("AudioBitrateNotSupported",)
    assert found.quality == "high"
    assert decided(directPlayProfiles=[plays()], maxAudioBitrate=2_000_000).can_direct_play


@pytest.mark.parametrize(
    ("told", "quality"),
    [
        ({}, "high"),
        ({"maxTranscodingAudioBitrate": 256_000}, "high"),
        ({"maxTranscodingAudioBitrate": 255_999}, "medium"),
        ({"maxAudioBitrate": 200_000, "maxTranscodingAudioBitrate": 320_000}, "medium"),
        ({"maxTranscodingAudioBitrate": 64_000}, "low"),
        ({"codecProfiles": limit("mp3", "audioBitrate", "LessThanEqual", "130000")}, "low"),
        ({"codecProfiles": limit("mp3", "audioBitrate", "LessThanEqual", "64000")}, None),
        ({"codecProfiles": limit("mp3", "audioSamplerate", "Equals", "48000")}, None),
        ({"transcodingProfiles": [{**MP3, "audioCodec": "opus"}, MP3]}, "high"),
        ({"transcodingProfiles": [{**MP3, "container": "flac", "audioCodec": "flac"}]}, None),
        ({"transcodingProfiles": [{**MP3, "protocol": "hls"}]}, None),
        ({"transcodingProfiles": [{**MP3, "maxAudioChannels": 1}]}, None),
        ({"transcodingProfiles": []}, None),
    ],
)
def test_the_best_quality_within_all_limits_is_made(told: Any, quality: str | None) -> None:
    found = decided(**told)
    assert found.quality == quality
    assert (found.error == "") == (quality is not None)
    assert (found.made is None) == (quality is None)


def test_what_is_lossy_is_never_made_anew() -> None:
    found = decided(track(path=b"x.ogg", folder=b"", codec="vorbis", lossless=False))
    assert found.quality is None
    assert found.error == "Only lossless tracks are transcoded."


def test_what_nothing_is_known_of_is_not_held_against_it() -> None:
    of = track(channels=None, rate_hz=None, bits=None, duration_s=None)
    limits = limit("flac", "audioSamplerate", "LessThanEqual", "48000")
    ways = [plays("flac", "flac", maxAudioChannels=2)]
    found = decided(of, directPlayProfiles=ways, codecProfiles=limits, maxAudioBitrate=1)
    assert found.can_direct_play


def test_a_track_of_a_cue_sheet_is_an_mp3() -> None:
    of = track(path=b"a/album.cue/01.flac", folder=b"a")
    assert decided(of, directPlayProfiles=[plays("mp3", "mp3")]).can_direct_play


def test_values_may_be_a_text_or_numbers() -> None:
    profile = limit("flac", "audioSamplerate", "LessThanEqual")[0]
    for values in ("48000", 48_000, [48_000]):
        profile["limitations"][0]["values"] = values
        found = decided(directPlayProfiles=[plays()], codecProfiles=[profile])
        assert found.reasons == ("AudioSamplerateNotSupported",)


@pytest.mark.parametrize(
    "told",
    [
        "[]",
        "x",
        '{"maxAudioBitrate": -1}',
        '{"directPlayProfiles": [{}]}',
        '{"directPlayProfiles": {"containers": []}}',
        '{"codecProfiles": [{"type": "AudioCodec", "name": "x", "limitations": [{"name": "y"}]}]}',
        json.dumps({"transcodingProfiles": [MP3] * 201}),
    ],
)
def test_what_a_player_must_not_say_is_refused(told: str) -> None:
    with pytest.raises(ValidationError):
        ClientInfo.model_validate_json(told)
