"""Make the audio files beside this one: `python -m tests.data.make` from the root of the checkout.

All but one are a tenth of a second or less. ffmpeg makes most of them. The Monkey's Audio files
want `java` with jmac (Debian: libjmac-java), the hybrid WavPack file wants `wavpack`; where a
program is missing, the file that is there stays. What none of them writes is written by `handmade`.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.data import handmade
from tests.helpers.audio import DATA, make_audio

JMAC = "/usr/share/java/jmac.jar"
TAGS = {"title": "Ein Stück", "artist": "Ähnliche Töne", "album": "Probe", "track": "3/12"}
SAMPLES = 4410


def main() -> None:
    """Make all files again."""
    make_flac()
    make_wav()
    make_aiff()
    make_mp4()
    make_lossy()
    make_dsd()
    make_audio(DATA / "stereo.wv", samples=SAMPLES, codec="wavpack", bits=24)
    make_audio(DATA / "stereo.tta", samples=SAMPLES, codec="tta")
    make_with_programs()
    size = sum(path.stat().st_size for path in DATA.iterdir() if path.is_file())
    sys.stdout.write(f"{DATA}: {size:,} bytes\n")


def make_flac() -> None:
    """Make FLAC files, whole and broken ones."""
    stereo = make_audio(DATA / "stereo.flac", samples=SAMPLES, tags=TAGS).read_bytes()
    make_audio(DATA / "mono-24.flac", samples=4801, rate=48_000, channels=1, bits=24)
    make_audio(DATA / "surround.flac", samples=2_400, rate=48_000, channels=6)
    save("id3-before.flac", handmade.id3(("TIT2", "Not this"), ("TPE2", "Only here")) + stereo)
    save("truncated.flac", stereo[: len(stereo) * 2 // 3])
    save("one-sample.flac", handmade.flac([1234]))
    save("empty.flac", handmade.flac([]))
    save("text.flac", b"This is no music at all, whatever it is called.\n" * 4)
    save("nothing.flac", b"")
    # As a stream leaves it: neither the count of samples nor the MD5 is known.
    streamed = bytearray(stereo)
    streamed[21:26] = bytes([streamed[21] & 0xF0, 0, 0, 0, 0])
    streamed[26:42] = bytes(16)
    save("streamed.flac", bytes(streamed))


def make_wav() -> None:
    """Make WAV files of every make."""
    data = make_audio(DATA / "stereo.wav", samples=SAMPLES, codec="pcm_s16le", tags=TAGS)
    make_audio(DATA / "stereo-24.wav", samples=1_000, rate=96_000, codec="pcm_s24le")
    make_audio(DATA / "float.wav", samples=1_000, codec="pcm_f32le", channels=1)
    rf64 = ("-rf64", "always", "-f", "wav")
    make_audio(DATA / "rf64.wav", samples=SAMPLES, codec="pcm_s16le", options=rf64)
    make_audio(DATA / "mulaw.wav", samples=1_000, rate=8_000, channels=1, codec="pcm_mulaw")
    make_audio(DATA / "adpcm.wav", samples=1_000, codec="adpcm_ima_wav")
    make_audio(DATA / "mp3-inside.wav", samples=SAMPLES, codec="libmp3lame")
    audio = data.read_bytes()[-4 * SAMPLES :]
    fmt = handmade.wave_format(1, 44_100, 2, 16)
    save("streamed.wav", handmade.wav(fmt, audio, stated=0xFFFFFFFF))
    save("truncated.wav", handmade.wav(fmt, audio[:-4_000], stated=len(audio)))
    save("empty.wav", handmade.wav(fmt, b""))
    save("odd.wav", handmade.wav(handmade.wave_format(1, 8_000, 1, 8), bytes(range(101))))
    wide = b"".join(struct.pack("<i", step << 20) for step in range(-1_000, 1_000))
    save("24-in-32.wav", handmade.wav(handmade.extensible_format(1, 48_000, 2, 32, 24), wide))


def make_aiff() -> None:
    """Make AIFF and AIFF-C files."""
    make_audio(DATA / "stereo.aiff", samples=SAMPLES, codec="pcm_s16be", tags=TAGS)
    container = ("-f", "aiff")
    make_audio(DATA / "sowt.aifc", samples=1_000, codec="pcm_s16le", options=container)
    make_audio(DATA / "float.aifc", samples=1_000, codec="pcm_f32be", options=container)
    make_audio(DATA / "mulaw.aifc", samples=1_000, codec="pcm_mulaw", options=container)
    make_audio(DATA / "adpcm.aifc", samples=1_024, codec="adpcm_ima_qt", options=container)


def make_mp4() -> None:
    """Make MP4 files: both orders of their boxes, lossless and lossy."""
    front = ("-movflags", "+faststart")
    make_audio(DATA / "alac.m4a", samples=SAMPLES, codec="alac", tags=TAGS)
    make_audio(DATA / "alac-24.m4a", samples=9_600, rate=96_000, codec="alac", bits=24)
    make_audio(DATA / "alac-front.m4a", samples=SAMPLES, codec="alac", options=front)
    make_audio(DATA / "aac.m4a", samples=SAMPLES, codec="aac", tags=TAGS)
    make_audio(DATA / "flac.mp4", samples=SAMPLES, codec="flac")
    fragments = ("-movflags", "+frag_keyframe+empty_moov")
    make_audio(DATA / "fragmented.m4a", samples=SAMPLES, codec="alac", options=fragments)


def make_lossy() -> None:
    """Make lossy files under lossless names too."""
    mp3 = make_audio(DATA / "lossy.mp3", samples=SAMPLES, codec="libmp3lame", tags=TAGS)
    save("mp3-inside.flac", mp3.read_bytes())
    container = ("-f", "adts")
    make_audio(DATA / "aac-inside.flac", samples=SAMPLES, codec="aac", options=container)
    container = ("-f", "ogg")
    make_audio(
        DATA / "opus-inside.flac", samples=960, codec="libopus", rate=48_000, options=container
    )


def make_dsd() -> None:
    """Make a hundredth of a second of one-bit audio."""
    save("stereo.dsf", handmade.dsf(28_224, tag=handmade.id3(("TIT2", "Ein Bit"))))
    title = handmade.chunk(b"DITI", struct.pack(">I", 7) + b"Ein Bit", form=">Q")
    save("stereo.dff", handmade.dff(28_224, after=handmade.chunk(b"DIIN", title, form=">Q")))


def make_with_programs() -> None:
    """Make what only other programs can, from a WAV file."""
    given = str(DATA / "stereo.wav")
    if Path(JMAC).exists() and shutil.which("java"):
        run("java", "-jar", JMAC, "c2", given, str(DATA / "stereo.ape"))
        make_long_ape()
    if shutil.which("wavpack"):
        run("wavpack", "-q", "-y", "-b256", given, "-o", str(DATA / "hybrid.wv"))
        run("wavpack", "-q", "-y", str(DATA / "stereo.dsf"), "-o", str(DATA / "dsd.wv"))


def make_long_ape() -> None:
    """Make a file of two of the format's frames, which hold 294,912 samples each."""
    content = handmade.wav(handmade.wave_format(1, 44_100, 1, 16), handmade.ticks(330_000))
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        file.write(content)
        file.flush()
        (DATA / "long.ape").unlink(missing_ok=True)  # jmac overwrites nothing.
        run("java", "-jar", JMAC, "c1", file.name, str(DATA / "long.ape"))


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def save(name: str, content: bytes) -> None:
    (DATA / name).write_bytes(content)


if __name__ == "__main__":
    main()
