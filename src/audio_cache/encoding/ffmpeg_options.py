"""Options for ffmpeg: what it has to decode and encode for a stretch of frames, and its result."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import DamagedSourceError, EncodeError
from ..quality import Effort, QualitySetting, compression_level
from ..sources.source import Source
from . import mp3
from .cut import Cut, can_seek, cut_of
from .ffmpeg import FFmpegRun, Report
from .launch import INPUT
from .settling import SETTLING_FRAMES, Settling
from .standby import Late

# Playlists and network protocols stay shut: a file may name no other file for ffmpeg to open.
_LIMITS: Final = (
    *("-protocol_whitelist", "file,pipe,subfile"),
    *("-format_whitelist", "flac,wav,w64,aiff,mov,ape,wv,tta,dsf,iff"),
)
# Without it a frame whose checksum is wrong counts as good, and the noise in it as music.
_NO_NOISE: Final = ("-err_detect:a", "crccheck+explode")
AT_FIRST_ERROR: Final = ("-xerror",)
_AT_NO_ERROR: Final = ("-max_error_rate", "1")
# In these a frame says where in the audio it belongs. Elsewhere its place in the file says so.
_NUMBERED: Final = frozenset({"flac", "wv", "tta", "ape"})
CONTINUOUS_WITHIN_SAMPLES: Final = 8
# Once a frame is not at the end of those before it, it and all that follow are left out, so that
# nothing is ever heard in the place of something else; then the audio is short, which is an error.
_CONTINUOUS: Final = (
    f"aselect='if(lt(abs(pts-ld(0)),{CONTINUOUS_WITHIN_SAMPLES}),st(0,ld(0)+samples_n))',"
)
# Or else silence is put in the place of what is missing (libswresample, "async").
_FILLED: Final = ":async=1:min_hard_comp=0.001:first_pts=0"
# These have no end of their own: tags behind the audio would be read as damaged audio.
_OPEN_ENDED: Final = frozenset({"flac", "wv"})
# LAME looks ahead, so the last frames of a piece differ unless two more follow them.
LOOKAHEAD_FRAMES: Final = 2
# Covers the resampler's rounding: up to 39 samples if the audio is shorter than its filter, else 1.
_PAD_SAMPLES: Final = 64
# Each frame costs the threads of ffmpeg a handover.
IN_LARGE_FRAMES: Final = "asetnsamples=n=65536:p=0"
# Sixteen of the encoder's frames at a time, so that filters and encoder take turns.
_IN_BURSTS: Final = f"asetnsamples=n={16 * mp3.FRAME_SAMPLES}:p=0"
_MD5_OUTPUT: Final = ("-f", "md5", "{out}")
_MD5_DIGITS: Final = 32
# By FLAC's bits per sample: as which its MD5 counts them.
_CHECKED_AS: Final = {8: "pcm_s8", 16: "pcm_s16le", 24: "pcm_s24le", 32: "pcm_s32le"}
# All at once: until these are there, somebody waits for what is encoded already.
_SAMPLES_OUTPUT: Final = (
    *("-ac", "2", "-c:a", "pcm_s16le", "-flush_packets", "1"),
    *("-f", "s16le", "{out}"),
)
# By the format of a quality; another one needs its own arithmetic beside mp3's.
_ENCODERS: Final = {"mp3": "libmp3lame"}


@dataclass(frozen=True, slots=True)
class Piece:
    """The plan for frames [first, stop) of a source: what to decode, and which part to keep.

    Encoding starts with a group, in silence until the audio that the encoder has to settle in.

    Args:
        source: with a known number of samples.
        first: first frame.
        stop: frame after the last.
        is_best_effort: the source is damaged: what cannot be decoded is silence, and no error.
        is_urgent: somebody waits for the first bytes of its one output.
        settles_in: how many frames the encoder has to settle in.
    """

    source: Source
    first: int
    stop: int
    is_best_effort: bool = False
    is_urgent: bool = False
    settles_in: int = SETTLING_FRAMES

    def skip_bytes(self, bitrate_bps: int) -> int:
        """Return how many encoded bytes come before those that are wanted."""
        return mp3.frames_size(bitrate_bps, self.first) - mp3.frames_size(bitrate_bps, self._warm)

    def want_bytes(self, bitrate_bps: int) -> int:
        """Return how many encoded bytes are wanted."""
        return mp3.frames_size(bitrate_bps, self.stop) - mp3.frames_size(bitrate_bps, self.first)

    def arguments(
        self,
        settings: Sequence[QualitySetting],
        effort: Effort,
        checked_as: str = "",
        settling: Settling | None = None,
    ) -> list[str]:
        """Return what ffmpeg has to do: decode once, and encode each setting to an output.

        Args:
            settings: the qualities, each to an output.
            effort: how much the encoders work.
            checked_as: the codec of the samples as they were decoded, which one output more gives;
                of all of the source it gives their MD5.
            settling: what one output more gives the samples that it asks for.
        """
        arguments = input_arguments(
            self.source, start_us=self._start_us, is_best_effort=self.is_best_effort
        )
        if len(settings) == 1 and not checked_as and settling is None:
            arguments += ["-map", "0:a:0", "-vn", "-af", Late(self._filters())]
            arguments += encoder_arguments(settings[0], effort, at_once=self.is_urgent)
        else:
            # Filtered once for all: with a chain for each, one in six seconds would be theirs.
            labels = [f"[{number}]" for number in range(len(settings))]
            ends = [*labels, "[settling]"] if settling is not None else labels
            split = f",asplit={len(ends)}" if len(ends) > 1 else ""
            chain = f"{self._filters()}{split}{''.join(ends)}"
            if settling is not None:
                start = (self._heard - self._warm) * mp3.FRAME_SAMPLES
                stop = start + settling.samples
                chain += f";[settling]atrim=start_sample={start}:end_sample={stop}[asked]"
            if checked_as:
                chain = f"asplit[plain],{chain};[plain]{self._own_samples()}{IN_LARGE_FRAMES}[raw]"
            arguments += ["-filter_complex", Late(f"[0:a:0]{chain}")]
            for label, setting in zip(labels, settings, strict=True):
                encoder = encoder_arguments(setting, effort, at_once=self.is_urgent)
                arguments += ["-map", label, *encoder]
        if settling is not None:
            arguments += ["-map", "[asked]", *_SAMPLES_OUTPUT]
        if checked_as and self.is_whole:
            arguments += ["-map", "[raw]", "-c:a", Late(checked_as), *_MD5_OUTPUT]
        elif checked_as:
            arguments += ["-map", "[raw]", *samples_output(checked_as)]
        return arguments + (self._counter() if self._is_counted and self.is_last else [])

    @property
    def is_whole(self) -> bool:
        """Say whether the piece is all of the source."""
        return self.first == 0 and self.is_last

    @property
    def is_last(self) -> bool:
        """Say whether nothing follows the piece, so that all of the source must be there."""
        return self.stop == mp3.frame_count(self._out_samples)

    def check(self, run: FFmpegRun, missing: Sequence[int]) -> None:
        """Compare a finished run with what the source promised.

        Args:
            run: its outputs have been read to the end.
            missing: the bytes that each output is short of.

        Raises:
            EncodeInterruptedError: somebody ended the run.
            DamagedSourceError: the source is damaged, or isn't as long as it states.
            EncodeError: ffmpeg met one of its limits.
        """
        report = run.finish()
        fault = self._find_fault(report, missing)
        if fault is not None:
            raise run_error(self.source, fault, run, report)

    @property
    def _warm(self) -> int:
        return mp3.group_start(self._heard)

    @property
    def _heard(self) -> int:
        return max(0, self.first - self.settles_in)

    @property
    def _is_sought(self) -> bool:
        # A search through what is damaged may end anywhere.
        return self._warm > 0 and can_seek(self.source) and not self.is_best_effort

    @property
    def _is_counted(self) -> bool:
        """Say whether ffmpeg's own count of what it decoded is not that of the source."""
        return self._is_sought or (self._cut is not None and not self.is_best_effort)

    @property
    def _cut(self) -> Cut | None:
        """Return what of the file is decoded where the source is a part of it."""
        is_part = self.source.whole is not None
        return cut_of(self.source, self._sought, not self.is_best_effort) if is_part else None

    @property
    def _start_us(self) -> int:
        cut = self._cut
        if cut is not None:
            return cut.start_us
        return self._start_sample * 1_000_000 // mp3.SAMPLE_RATE_HZ if self._is_sought else 0

    @property
    def _start_sample(self) -> int:
        return self._warm * mp3.FRAME_SAMPLES

    @property
    def _samples(self) -> int:
        """Return how many samples are encoded, including those that are dropped again."""
        end = (self.stop + LOOKAHEAD_FRAMES) * mp3.FRAME_SAMPLES
        return min(self._out_samples, end) - self._start_sample

    @property
    def _stated(self) -> int:
        return self.source.samples or 0

    @property
    def _out_samples(self) -> int:
        return mp3.output_samples(self._stated, self.source.rate_hz)

    @property
    def _sought(self) -> int:
        """Return the sample of the source at which decoding starts."""
        return sample_at(self.source, self._warm) if self._is_sought else 0

    def _own_samples(self) -> str:
        """Return the filter that leaves the samples of these frames, which are whole groups."""
        first = sample_at(self.source, self.first) - self._sought
        stop = sample_at(self.source, self.stop) - self._sought
        end = "" if self.is_last else f":end_sample={stop}"
        return "" if self.is_whole else f"atrim=start_sample={first}{end},"

    def _filters(self) -> str:
        cut = self._cut
        if self.is_best_effort:
            chain = cut.by_place() if cut is not None else ""
            chain += f"aresample={mp3.SAMPLE_RATE_HZ}{_FILLED},apad"
        else:
            chain = resampled(self.source, cut)
        if self._is_sought or not self._warm:
            chain += f",atrim=end_sample={self._samples}"
        else:
            start = self._start_sample
            chain += f",atrim=start_sample={start}:end_sample={start + self._samples}"
            chain += ",asetpts=PTS-STARTPTS"
        if silent := (self._heard - self._warm) * mp3.FRAME_SAMPLES:
            chain += f",afade=start_sample={silent}:nb_samples=1"
        return chain if self.is_urgent else f"{chain},{_IN_BURSTS}"

    def _counter(self) -> list[str]:
        """Return an output that goes nowhere and counts the source's samples from the start.

        The padded and resampled audio would not show that there are a few too many or too few.
        """
        cut = self._cut
        plain = f"atrim=end_sample={self._stated - self._sought + 1}"
        trim = cut.counted() if cut is not None else plain
        return ["-map", "0:a:0", "-vn", "-af", Late(trim), "-c:a", "pcm_s16le", "-f", "null", "-"]

    def _find_fault(self, report: Report, missing: Sequence[int]) -> str | None:
        encoded = report.encoded_samples[: len(missing)]
        if report.returncode != 0 or (report.decode_errors and stops_at_errors(self.source)):
            return "cannot be decoded"
        found = self._find_samples(report)
        if found is not None and found > self._stated:
            return f"holds more than the {self._stated:,} samples that it states"
        is_short = any(missing) or any(count != self._samples for count in encoded)
        if is_short or (found is not None and found < self._stated):
            of = f": {found:,} of {self._stated:,} samples" if found is not None else ""
            return f"ends before its stated length of {self.source.duration_s:.3f} s{of}"
        return None

    def _find_samples(self, report: Report) -> int | None:
        """Return how many samples the source turned out to have; None if that is unknown."""
        if not self.is_last:
            return None
        if not self._is_counted:
            return report.decoded_samples
        counted = report.encoded_samples[-1:]
        return self._sought + counted[0] if counted else None


def resampled(source: Source, cut: Cut | None = None) -> str:
    """Return the filters that give a source at the rate of MP3, a few samples longer than it is."""
    chain = _CONTINUOUS if source.demuxer in _NUMBERED else ""
    chain += cut.by_count() if cut is not None else ""
    return f"{chain}aresample={mp3.SAMPLE_RATE_HZ},apad=pad_len={_PAD_SAMPLES}"


def sample_at(source: Source, frame: int) -> int:
    """Return at which sample of a source a frame begins, which is exact where a group does."""
    return frame * mp3.FRAME_SAMPLES * source.rate_hz // mp3.SAMPLE_RATE_HZ


def samples_output(codec: str) -> list[str]:
    """Return the options of an output that is nothing but samples."""
    return ["-c:a", codec, "-f", codec.removeprefix("pcm_"), "{out}"]


def encoder_arguments(
    setting: QualitySetting, effort: Effort, *, at_once: bool = False
) -> list[str]:
    """Return the options of an output for a quality."""
    return [
        *("-ac", "2", "-c:a", _ENCODERS[setting["format"]], "-b:a", Late(setting["bitrate"])),
        *("-reservoir", "0", "-compression_level", str(compression_level(effort, setting))),
        *("-write_xing", "0", "-id3v2_version", "0", "-map_metadata", "-1"),
        # Else in pieces of 32 KiB: to read each frame on its own would take a twelfth of our time.
        *("-flush_packets", str(int(at_once)), "-f", setting["format"], "{out}"),
    ]


class AudioCheck:
    """A comparison of decoded samples with the MD5 that a FLAC file states of its own audio.

    So that bit rot that still decodes is found, and no file is taken for another by what it states.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._said = bytearray()
        self.codec = _CHECKED_AS[source.bits]
        # By one ffmpeg, of the very samples that it encoded; and by several, or one of its own.
        self.is_passed = False
        self.is_passed_apart = False

    @classmethod
    def of(cls, source: Source) -> AudioCheck | None:
        """Return the check of a source; None where it states nothing that could be compared."""
        is_stated = source.audio.startswith("flac-md5:")
        return cls(source) if is_stated and source.bits in _CHECKED_AS else None

    def update(self, data: bytes) -> None:
        """Take what ffmpeg says of the samples that it decoded."""
        self._said += data

    def finish(self) -> None:
        """Compare, once ffmpeg has said it.

        Raises:
            DamagedSourceError: as `compare`.
        """
        self.compare(self._said.decode("ascii", "replace").strip().removeprefix("MD5=").lower())
        self.is_passed = True

    def compare(self, found: str) -> None:
        """Compare the MD5 of decoded samples with the one that is stated.

        Raises:
            DamagedSourceError: they are not the audio that the file says it holds.
        """
        stated = self.source.audio.removeprefix("flac-md5:")
        if len(found) != _MD5_DIGITS or not stated.startswith(f"{found}-"):
            raise DamagedSourceError(
                name_of(self.source),
                "is damaged: its audio does not have the MD5 that the file states for it. "
                "Restore it from a backup, or encode it anew with flac",
            )


def input_arguments(
    source: Source, *, start_us: int = 0, is_best_effort: bool = False
) -> list[str]:
    """Return the options that make ffmpeg read the source that `FFmpegRun` is given.

    Args:
        source: the file to decode.
        start_us: microseconds to skip, exact where the demuxer can seek to a sample.
        is_best_effort: go on behind what cannot be decoded.
    """
    form = ["-f", Late(source.demuxer)] if source.demuxer else []
    # Only where ffmpeg's own choice would decode wrongly: 24 bits in 32-bit extensible WAV.
    decoder = ["-c:a", source.decoder] if source.decoder else []
    seek = ["-ss", Late(f"{start_us}us")] if start_us else []
    at_errors = _AT_NO_ERROR if is_best_effort else AT_FIRST_ERROR
    strict = (*at_errors, *_NO_NOISE) if stops_at_errors(source) else ()
    return [*strict, *("-threads", "1"), *_LIMITS, *form, *decoder, *seek, "-i", _url(source)]


def name_of(source: Source) -> str:
    """Return a source's name as messages show it."""
    return repr(os.fspath(source.path))


def stops_at_errors(source: Source) -> bool:
    """Say whether ffmpeg stops at the first error; else only counting shows that audio is missing.

    Only the end of PCM could be detectably damaged, and a streamed WAV doesn't state its end:
    ffmpeg calls its last piece corrupt.
    """
    return source.codec != "pcm"


def run_error(source: Source, fault: str, run: FFmpegRun, report: Report) -> EncodeError:
    """Return the error for a run that has not given the audio that its source states."""
    name, code, cmd, said = name_of(source), report.returncode, run.command, report.stderr
    if code < 0:
        # It was killed, so nothing is known of the source.
        return EncodeError(f"{name} {fault}", returncode=code, cmd=cmd, stderr=said)
    return DamagedSourceError(name, fault, returncode=code, cmd=cmd, stderr=said)


def _url(source: Source) -> str:
    url = f"file:{INPUT}"
    if source.demuxer in _OPEN_ENDED and 0 < source.audio_end < source.file.size_bytes:
        return f"subfile,,start,0,end,{source.audio_end},,:{url}"
    return url
