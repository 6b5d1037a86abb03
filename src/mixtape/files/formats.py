"""Formats of sound files: how they are written, and what a browser is told about them."""

from __future__ import annotations

from typing import Final

from audio_cache import media_type, suffix_of

# (media type, codec) to what is put behind the type; without a codec, what stands for the rest.
_CODEC_PARAMETERS: Final = {
    ("audio/mp4", ""): "mp4a.40.2",
    ("audio/mp4", "alac"): "alac",
    ("audio/ogg", "opus"): "opus",
}
_NAMES: Final = {
    "flac": "FLAC",
    "alac": "ALAC",
    "ape": "APE",
    "wavpack": "WavPack",
    "tta": "TTA",
    "dsd": "DSD",
    "mp3": "MP3",
    "aac": "AAC",
    "vorbis": "Vorbis",
    "opus": "Opus",
}
_CD_RATE_HZ: Final = 44_100
# Rates of DSD are those that ffmpeg's decoder puts out, an eighth of the bits per second.
_DSD_DECIMATION: Final = 8


def mime_type(name: str, codec: str) -> str:
    """Return the type that a browser is asked about before it is given the file itself."""
    # canPlayType knows what the browser decodes better than any list of ours, if it is told all.
    kind = media_type(name)
    codecs = _CODEC_PARAMETERS.get((kind, codec), _CODEC_PARAMETERS.get((kind, ""), ""))
    return f'{kind}; codecs="{codecs}"' if codecs else kind


def codec_name(name: str, codec: str) -> str:
    """Return the format's name as people write it: "FLAC", "WAV", "WavPack"."""
    suffix = suffix_of(name)
    if codec in {"dsd", "dst"} or suffix in {".dsf", ".dff"}:
        return "DSD"
    if codec == "pcm":
        return "AIFF" if suffix in {".aif", ".aiff", ".aifc"} else "WAV"
    return _NAMES.get(codec, suffix.removeprefix(".").upper())


def format_label(
    name: str, codec: str, *, lossless: bool, bits: int, rate_hz: int, kbit_s: int
) -> str:
    """Return a format in a few characters: "FLAC 24/96", "DSD64", "MP3 320 kbit/s"."""
    kind = codec_name(name, codec)
    if kind == "DSD" and rate_hz:
        return f"DSD{round(rate_hz * _DSD_DECIMATION / _CD_RATE_HZ)}"
    if lossless:
        return f"{kind} {bits}/{rate_hz / 1000:g}" if bits and rate_hz else kind
    return f"{kind} {kbit_s} kbit/s" if kbit_s else kind


def duration_text(seconds: float) -> str:
    """Return a length as a clock shows it: "0:42", "3:05", "1:02:03"."""
    whole = max(0, int(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def total_duration_text(seconds: float) -> str:
    """Return the length of a whole folder in words: "42 s", "4 min", "1 h 12 min"."""
    if seconds < 60:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def size_text(size_bytes: int) -> str:
    """Return a size in decimal units, as disks and networks are sold: "31.0 MB"."""
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    # Up to where rounding would write 1000.0
    if size_bytes < 999_950:
        return f"{size_bytes / 1e3:.1f} kB"
    if size_bytes < 999_950_000:
        return f"{size_bytes / 1e6:.1f} MB"
    return f"{size_bytes / 1e9:.2f} GB"
