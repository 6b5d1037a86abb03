"""Sources that are not what they say: each has one clear outcome, and no failure leaves a file."""

from __future__ import annotations

import ctypes
import os
import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mutagen.apev2 import APEv2

from audio_cache import AudioCache
from audio_cache.encoding.ffmpeg import find_ffmpeg
from audio_cache.encoding.survey import count_samples as count_samples_of
from audio_cache.errors import EncodeError
from audio_cache.quality import QualityLevel
from audio_cache.sources.source import read_source
from tests.data import handmade
from tests.helpers.audio import DATA, count_samples, make_audio, make_noise
from tests.helpers.damage import frame_starts
from tests.helpers.renditions import files_of, rendition_of

SAMPLES = 200_077
_IN_OPEN = 0x20


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the same noise in several formats, all of them sound."""
    directory = tmp_path_factory.mktemp("sound")
    for suffix, codec in (
        (".flac", "flac"), (".wav", "pcm_s16le"), (".wv", "wavpack"), (".tta", "tta"),
        (".aiff", "pcm_s16be"), (".m4a", "alac"),
    ):  # fmt: skip
        make_noise(directory / f"x{suffix}", samples=SAMPLES, codec=codec)
    return directory


def save(tmp_path: Path, name: str, content: bytes | bytearray) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def fail(cache: AudioCache, path: Path, quality: QualityLevel = "low") -> EncodeError:
    """Transcode a file that must fail; return the error, after a look that it left nothing."""
    with pytest.raises(subprocess.CalledProcessError) as caught:
        cache.transcode_file(path, quality)
    assert isinstance(caught.value, EncodeError)
    assert repr(str(path)) in str(caught.value)
    assert files_of(cache.cache_dir) == []
    assert cache.get_cached_or_original(path, quality) == path
    return caught.value


def succeed(cache: AudioCache, path: Path, samples: int) -> None:
    made = cache.transcode_file(path, "low")
    assert cache.is_cached(path, "low")
    assert count_samples(made) == samples


def state_samples(flac: bytes, samples: int) -> bytes:
    """Return a FLAC whose header states another count of samples."""
    packed = int.from_bytes(flac[18:26], "big")
    packed = packed >> 36 << 36 | samples
    return flac[:18] + packed.to_bytes(8, "big") + flac[26:]


def test_flac_that_ends_within_a_frame_is_an_error_that_says_when(
    cache: AudioCache, sound: Path, tmp_path: Path
) -> None:
    content = (sound / "x.flac").read_bytes()
    starts = frame_starts(content)
    cut = (starts[20] + starts[21]) // 2
    error = fail(cache, save(tmp_path, "x.flac", content[:cut]))
    assert "is damaged at 1.9 s: it cannot be decoded (ffmpeg said: " in str(error)
    assert error.returncode != 0
    assert error.stderr.strip()


def test_flac_that_ends_between_frames_is_an_error_though_ffmpeg_is_content(
    cache: AudioCache, sound: Path, tmp_path: Path
) -> None:
    content = (sound / "x.flac").read_bytes()
    cut = frame_starts(content)[20]
    error = fail(cache, save(tmp_path, "x.flac", content[:cut]))
    assert error.returncode == 0
    assert "ends before its stated length of 4.537 s: 81,920 of 200,077 samples" in str(error)


@pytest.mark.parametrize("missing", [1, 10, 100, 100_000])
def test_pcm_that_ends_early_is_an_error_however_little_is_missing(
    cache: AudioCache, sound: Path, tmp_path: Path, missing: int
) -> None:
    for name in ("x.wav", "x.aiff"):
        content = (sound / name).read_bytes()
        error = fail(cache, save(tmp_path, name, content[: -4 * missing]))
        assert f"{SAMPLES - missing:,} of {SAMPLES:,} samples" in str(error)


@pytest.mark.parametrize("missing", [1, 10, 100, 5_000])
def test_flac_that_states_more_than_it_holds_is_an_error(
    cache: AudioCache, sound: Path, tmp_path: Path, missing: int
) -> None:
    content = state_samples((sound / "x.flac").read_bytes(), SAMPLES + missing)
    error = fail(cache, save(tmp_path, "x.flac", content))
    assert f": {SAMPLES:,} of {SAMPLES + missing:,} samples" in str(error)


@pytest.mark.parametrize("hidden", [1, 10, 5_000])
def test_flac_that_states_less_than_it_holds_is_an_error(
    cache: AudioCache, sound: Path, tmp_path: Path, hidden: int
) -> None:
    content = state_samples((sound / "x.flac").read_bytes(), SAMPLES - hidden)
    error = fail(cache, save(tmp_path, "x.flac", content))
    assert f"holds more than the {SAMPLES - hidden:,} samples that it states" in str(error)


@pytest.mark.parametrize("lie", [-5_000, -10, -1, 1, 10, 5_000])
@pytest.mark.parametrize("first", [49, 147])
def test_the_last_piece_alone_shows_that_a_header_lies(
    sound: Path, tmp_path: Path, lie: int, first: int
) -> None:
    content = state_samples((sound / "x.flac").read_bytes(), SAMPLES + lie)
    rendition = rendition_of(save(tmp_path, "x.flac", content))
    with pytest.raises(EncodeError, match="ends before" if lie > 0 else "holds more"):
        list(rendition.encode(first))


@pytest.mark.parametrize("missing", [3, 10, 100])
def test_the_last_piece_alone_shows_that_resampled_audio_is_missing(
    tmp_path: Path, missing: int
) -> None:
    path = make_noise(tmp_path / "x.wav", samples=300_000, rate=96_000, codec="pcm_s16le")
    os.truncate(path, path.stat().st_size - 4 * missing)
    rendition = rendition_of(path)
    with pytest.raises(EncodeError, match=f"{300_000 - missing:,} of 300,000 samples"):
        list(rendition.encode(98))


@pytest.mark.parametrize("name", ["x.flac", "x.wv", "x.tta"])
@pytest.mark.parametrize("flip", [b"\1", b"\xff" * 30], ids=["a bit", "some bytes"])
def test_damage_in_the_middle_is_an_error_where_the_format_has_checksums(
    cache: AudioCache, sound: Path, tmp_path: Path, name: str, flip: bytes
) -> None:
    content = bytearray((sound / name).read_bytes())
    middle = len(content) // 2
    for at, bits in enumerate(flip, middle):
        content[at] ^= bits
    error = fail(cache, save(tmp_path, name, content))
    assert re.search(r"is damaged at \d\.\d s: it cannot be decoded \(ffmpeg said: ", str(error))


def test_damage_in_the_middle_of_ape_is_an_error(cache: AudioCache, tmp_path: Path) -> None:
    content = bytearray((DATA / "long.ape").read_bytes())
    content[len(content) // 2] ^= 0xFF
    assert "cannot be decoded" in str(fail(cache, save(tmp_path, "x.ape", content)))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing.flac", "is an empty file"),
        ("text.flac", "is not an audio file, whatever its name says"),
        ("empty.flac", "holds no audio"),
        ("empty.wav", "holds no audio"),
        ("truncated.flac", "cannot be decoded"),
        ("truncated.wav", "ends before its stated length of 0.100 s: 3,410 of 4,410 samples"),
    ],
)
def test_files_without_sound_say_what_they_are(cache: AudioCache, name: str, words: str) -> None:
    assert words in str(fail(cache, DATA / name))


def test_a_header_alone_is_an_error(cache: AudioCache, sound: Path, tmp_path: Path) -> None:
    for name in ("x.flac", "x.wv", "x.tta"):
        fail(cache, save(tmp_path, name, (sound / name).read_bytes()[:42]))


def test_one_sample_is_music_enough(cache: AudioCache) -> None:
    succeed(cache, DATA / "one-sample.flac", 1)


@pytest.mark.parametrize("stated", [0, 0xFFFFFFFF])
@pytest.mark.parametrize("more", [b"", b"abc"], ids=["whole", "torn"])
def test_a_streamed_wav_is_counted(
    cache: AudioCache, tmp_path: Path, stated: int, more: bytes
) -> None:
    data = make_audio(tmp_path / "y.wav", samples=70_001, codec="pcm_s16le").read_bytes()
    fmt = handmade.wave_format(1, 44_100, 2, 16)
    content = handmade.wav(fmt, data[-4 * 70_001 :], stated=stated).removesuffix(b"\0") + more
    succeed(cache, save(tmp_path, "x.wav", content), 70_001)


def test_a_streamed_flac_is_counted(cache: AudioCache, sound: Path, tmp_path: Path) -> None:
    content = state_samples((sound / "x.flac").read_bytes(), 0)
    succeed(cache, save(tmp_path, "x.flac", content), SAMPLES)


def test_a_streamed_flac_that_is_damaged_is_an_error(
    cache: AudioCache, sound: Path, tmp_path: Path
) -> None:
    content = bytearray(state_samples((sound / "x.flac").read_bytes(), 0))
    content[len(content) // 2] ^= 1
    assert "cannot be decoded" in str(fail(cache, save(tmp_path, "x.flac", content)))


def make_id3v1() -> bytes:
    return b"TAG" + b"Title".ljust(125, b"\0")


def make_ape_tag(tmp_path: Path) -> bytes:
    tag = APEv2()
    tag["Title"] = "Behind"
    tag.save(tmp_path / "tag")
    return (tmp_path / "tag").read_bytes()


@pytest.mark.parametrize("name", ["x.flac", "x.wv", "x.tta", "x.wav", "x.aiff", "x.m4a"])
def test_tags_behind_the_audio_are_no_damage(
    cache: AudioCache, sound: Path, tmp_path: Path, name: str
) -> None:
    content = (sound / name).read_bytes()
    path = save(tmp_path, name, content + make_ape_tag(tmp_path) + make_id3v1())
    succeed(cache, path, SAMPLES)


@pytest.mark.parametrize("garbage", [bytes(5000), b"\xff\xf8garbage" * 50], ids=["zeros", "noise"])
def test_garbage_behind_flac_is_an_error_that_says_when(
    cache: AudioCache, sound: Path, tmp_path: Path, garbage: bytes
) -> None:
    content = (sound / "x.flac").read_bytes() + garbage
    assert "is damaged at 4.5 s: it cannot be decoded" in str(
        fail(cache, save(tmp_path, "x.flac", content))
    )


def test_what_a_wav_has_behind_its_sound_is_not_heard(
    cache: AudioCache, sound: Path, tmp_path: Path
) -> None:
    content = (sound / "x.wav").read_bytes() + b"junk" * 1000
    succeed(cache, save(tmp_path, "x.wav", content), SAMPLES)


def test_mp3_and_aac_under_lossless_names_are_left_alone(cache: AudioCache) -> None:
    for name in ("mp3-inside.flac", "aac-inside.flac", "opus-inside.flac", "mp3-inside.wav"):
        assert cache.transcode_file(DATA / name, "low") == DATA / name
        assert cache.is_cached(DATA / name, "low")
    assert files_of(cache.cache_dir) == []


PLAYLISTS: dict[str, Callable[[str], str]] = {
    "m3u8": lambda url: f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n",
    "ffconcat": lambda url: f"ffconcat version 1.0\nfile '{url}'\n",
    "concat": lambda url: f"file '{url}'\n",
    "sdp": lambda url: f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 5004 {url}\n",
    "dash": lambda url: (
        f'<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation><BaseURL>{url}'
        "</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ),
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("name", ["x.flac", "x.wav", "x.ape"])
def test_a_playlist_makes_ffmpeg_open_nothing(
    cache: AudioCache, sound: Path, tmp_path: Path, kind: str, name: str
) -> None:
    listed = save(tmp_path, "listed.wav", (sound / "x.wav").read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.flac"
        opened = watch_opening(listed)
        fail(cache, save(tmp_path, name, PLAYLISTS[kind](url).encode()))
        for way in (str(listed), listed.name, f"file:{listed}"):
            path = save(tmp_path, name, PLAYLISTS[kind](way).encode())
            fail(cache, path)
            # Nor would it if somebody let it guess what the file is.
            with pytest.raises(EncodeError):
                count_samples_of(find_ffmpeg(), read_source(path))
        assert not opened()
        with pytest.raises(BlockingIOError):
            server.accept()
        listed.read_bytes()
        assert opened(), "the watch sees nothing"


def watch_opening(path: Path) -> Callable[[], bool]:
    """Watch a file; return a function that says, once, whether anybody has opened it since."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert libc.inotify_add_watch(watch, os.fsencode(path), _IN_OPEN) >= 0

    def was_opened() -> bool:
        try:
            return bool(os.read(watch, 4096))
        except BlockingIOError:
            return False
        finally:
            if getattr(was_opened, "asked", False):
                os.close(watch)
            was_opened.asked = True  # type: ignore[attr-defined]

    return was_opened


@pytest.mark.parametrize(
    "name",
    [
        b"two  spaces .flac",
        b"new\nline.flac",
        b"-i.flac",
        b"100%d%n%s.flac",
        b"latin \xe4\xff\x80.flac",
        "Füße – 音楽 🎵.flac".encode(),
        b"quote'\"\\$(id)`id`;&|.flac",
        b"a:b,c,:subfile,,start,0,end,9,,:.flac",
        b"http:x.flac",
        b"{out}.flac",
        b"\x01\x1b[31m.flac",
    ],
    ids=ascii,
)
def test_names_of_any_bytes_are_encoded(cache: AudioCache, tmp_path: Path, name: bytes) -> None:
    directory = os.path.join(os.fsencode(tmp_path), b"-dir \n%\xff")
    os.mkdir(directory)
    content = (DATA / "stereo.flac").read_bytes()
    path = Path(os.fsdecode(os.path.join(directory, name)))
    for end in (b"", make_id3v1()):
        path.write_bytes(content + end)
        succeed(cache, path, 4410)


def test_a_relative_path_with_a_dash_is_no_option(
    cache: AudioCache, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, "-y.flac", (sound / "x.flac").read_bytes())
    monkeypatch.chdir(tmp_path)
    succeed(cache, Path("-y.flac"), SAMPLES)
    assert cache.is_cached(tmp_path / "-y.flac", "low")


def test_what_is_no_regular_file_is_an_error_and_waits_for_nothing(
    cache: AudioCache, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.flac")
    (tmp_path / "directory.flac").mkdir()
    for name in ("pipe.flac", "directory.flac"):
        with pytest.raises(OSError, match=r"Not a regular file|Is a directory"):
            cache.transcode_file(tmp_path / name, "low")
    assert files_of(cache.cache_dir) == []
