"""What runs in a sandbox: pictures and tags of strangers are read here, within limits.

`sandbox.py` starts it as a program. It ends when nothing was asked for a while or its parent has
gone.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import select
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from ..errors import AudioFileError, PictureError

# A decoded picture of the most pixels takes 160 MB, and up to four of its kind are there at once
# while it is turned and put on white.
MEMORY_BYTES: Final = 1280 << 20
_IDLE_MS: Final = 30_000
_LENGTHS: Final = struct.Struct(">II")
_MAX_WORDS_BYTES: Final = 1 << 20
_MAX_CONTENT_BYTES: Final = 32 << 20

Words = dict[str, Any]
Answer = tuple[Words, bytes]
_ERRORS: Final = (AudioFileError, OSError)


def send(pipe: IO[bytes], words: Words, content: bytes = b"") -> None:
    """Write a message: words as JSON, and bytes."""
    said = json.dumps(words, default=str).encode("ascii")
    pipe.write(_LENGTHS.pack(len(said), len(content)) + said)
    pipe.write(content)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Answer | None:
    """Return the next message; None where there is none, or no whole one.

    Raises:
        ValueError: it is longer than any message, or not one.
    """
    lengths = pipe.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    words_bytes, content_bytes = _LENGTHS.unpack(lengths)
    if words_bytes > _MAX_WORDS_BYTES or content_bytes > _MAX_CONTENT_BYTES:
        raise ValueError(f"a message of {words_bytes} and {content_bytes} bytes is none of ours")
    said, content = pipe.read(words_bytes), pipe.read(content_bytes)
    if len(said) < words_bytes or len(content) < content_bytes:
        return None
    words: Words = json.loads(said)
    return words, content


def _shrink(words: Words, picture: bytes) -> Answer:
    from .picture_coding import encode

    return {}, encode(picture, words["edge"], tuple(words["formats"]), min_edge=words["min_edge"])


def _compose(words: Words, pictures: bytes) -> Answer:
    from .collage import compose

    return {}, compose(pictures, words["lengths"], tuple(words["size"]), is_card=words["is_card"])


def _icon(words: Words, picture: bytes) -> Answer:
    from .icon_drawing import draw

    return {}, draw(picture, words["edge"], is_maskable=words["is_maskable"])


def _picture(words: Words, _: bytes) -> Answer:
    from .pictures import read_picture_here

    return {}, read_picture_here(Path(words["path"]), _known(words)) or b""


def _lossy(words: Words, _: bytes) -> Answer:
    from .audio_file import read_lossy_here, without_picture

    found = read_lossy_here(Path(words["path"]), _known(words))
    return without_picture(found), found.picture or b""


def _lyrics(words: Words, _: bytes) -> Answer:
    from .lyrics_tags import read_lyrics_here

    return {}, read_lyrics_here(Path(words["path"]), _known(words))


def _known(words: Words) -> tuple[int, int] | None:
    known = words.get("known")
    return (known[0], known[1]) if known else None


# What each imports is loaded when it is first asked for: a picture needs no tags.
_TASKS: Final[dict[str, Callable[[Words, bytes], Answer]]] = {
    "shrink": _shrink,
    "compose": _compose,
    "icon": _icon,
    "picture": _picture,
    "lossy": _lossy,
    "lyrics": _lyrics,
}


def work(words: Words, content: bytes) -> Answer:
    """Return the answer to a question, or what went wrong under the name of its error."""
    try:
        return _TASKS[words["task"]](words, content)
    except MemoryError:
        return {"error": MemoryError.__name__, "said": "it takes too much memory to read"}, b""
    except PictureError as error:
        said, values = error.message.english, dict(error.message.values)
        return {"error": PictureError.__name__, "said": said, "values": values}, b""
    except Exception as error:
        kind = next((each for each in _ERRORS if isinstance(error, each)), Exception)
        said = f"{error or type(error).__name__}"
        return {"error": kind.__name__, "errno": getattr(error, "errno", None), "said": said}, b""


def _limit_time(cpu_s: int, real_s: int) -> None:
    """Let the kernel end this process, whatever code is stuck in it, once its time is up."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + cpu_s
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
    signal.alarm(real_s)


def _limit_memory() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    for kind, limit in (
        (resource.RLIMIT_AS, most),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        # Systems without such a limit, macOS for one, have to do with the limits of time.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (limit, limit))


def main() -> None:
    """Answer questions from standard input until there are no more."""
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit_memory()
    questions = sys.stdin.buffer
    poll = select.poll()
    poll.register(questions, select.POLLIN)
    while poll.poll(_IDLE_MS):
        message = receive(questions)
        if message is None:
            return
        words, content = message
        _limit_time(words["cpu_s"], words["real_s"])
        answer = work(words, content)
        signal.alarm(0)
        send(answers, *answer)


if __name__ == "__main__":
    main()
