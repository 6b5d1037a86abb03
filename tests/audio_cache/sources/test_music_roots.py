from __future__ import annotations

import itertools
import os
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from audio_cache import ConfigError, MusicRoots, split_roots
from audio_cache.sources.music_roots import name_roots


@pytest.mark.parametrize(
    ("places", "names"),
    [
        (["/srv/music", "/mnt/more"], ["music", "more"]),
        (["/srv/a/music", "/srv/b/music"], ["music (a)", "music (b)"]),
        (["/srv/a/x/music", "/srv/b/x/music"], ["music (a)", "music (b)"]),
        (["/music", "/mnt/music"], ["music", "music (mnt)"]),
        (["/a/x/m", "/a/y/m", "/b/x/m"], ["m (1)", "m (2)", "m (3)"]),
        (["/a/m", "/b/m", "/c/m (a)"], ["m (a 2)", "m (b)", "m (a)"]),
        (["/srv/.music", "/srv/..."], ["music (2)", "music (1)"]),
        (["/srv/caf\udce9", "/srv/more"], ["caf\udce9", "more"]),
    ],
)
def test_names_tell_folders_apart_whatever_their_order(places: list[str], names: list[str]) -> None:
    wanted = dict(zip(places, names, strict=True))
    for order in itertools.permutations(places):
        assert dict(zip(order, name_roots(order), strict=True)) == wanted


def test_paths_of_one_folder_are_relative_to_it(tmp_path: Path) -> None:
    roots = MusicRoots(tmp_path)
    assert roots.find("a/b.flac") == tmp_path / "a" / "b.flac"
    assert roots.path_of(tmp_path / "a" / "b.flac") == "a/b.flac"
    assert roots.path_of(tmp_path.parent / "b.flac") is None


def test_paths_of_several_begin_with_the_name_of_one(tmp_path: Path) -> None:
    roots = MusicRoots(tmp_path / "a", tmp_path / "b")
    assert roots.find(b"b/x/\xff.flac") == tmp_path / "b" / "x" / os.fsdecode(b"\xff.flac")
    assert roots.path_of(tmp_path / "b" / "x.flac") == "b/x.flac"
    assert roots.path_of(tmp_path / "b2" / "x.flac") is None
    for nowhere in ("x.flac", "c/x.flac", "", "../b/x.flac", "/b/x.flac"):
        assert roots.find(nowhere) is None
        with pytest.raises(FileNotFoundError):
            roots.get(nowhere)


def test_a_second_slash_leads_to_no_other_place(tmp_path: Path) -> None:
    roots = MusicRoots(tmp_path / "a", tmp_path / "b")
    assert os.path.normpath(roots.get(f"a/{tmp_path}/b/x.flac")).startswith(str(tmp_path / "a"))


@pytest.mark.parametrize("path", ["a/x.flac", "b/in.flac"])
def test_a_file_of_any_of_the_folders_is_opened(tmp_path: Path, path: str) -> None:
    roots = make_linked(tmp_path)
    with roots.opened(path) as (place, descriptor):
        assert place == tmp_path / path
        assert os.pread(descriptor, 9, 0) == b"inside"


@pytest.mark.parametrize(
    "path", ["a/out.flac", "b/way out/secret.flac", "a/../secret.flac", "b/gone.flac", "a", "b/"]
)
def test_a_file_outside_of_all_of_them_is_not(tmp_path: Path, path: str) -> None:
    with pytest.raises(OSError), make_linked(tmp_path).opened(path):  # noqa: PT011
        pass


def make_linked(tmp_path: Path) -> MusicRoots:
    """Return two folders with links between them and out of them."""
    for name in ("a", "b", "outside"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "x.flac").write_bytes(b"inside")
    (tmp_path / "outside" / "secret.flac").write_bytes(b"secret")
    (tmp_path / "secret.flac").write_bytes(b"secret")
    (tmp_path / "b" / "in.flac").symlink_to(tmp_path / "a" / "x.flac")
    (tmp_path / "a" / "out.flac").symlink_to(tmp_path / "outside" / "secret.flac")
    (tmp_path / "b" / "way out").symlink_to(tmp_path / "outside")
    return MusicRoots(tmp_path / "a", tmp_path / "b")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the paths that are opened from now on to see where they lie."""
    paths = []
    opened = MusicRoots.opened

    def noted(roots: MusicRoots, path: str) -> AbstractContextManager[tuple[Path, int]]:
        paths.append(path)
        return opened(roots, path)

    monkeypatch.setattr(MusicRoots, "opened", noted)
    monkeypatch.setattr("time.monotonic", lambda: 1.0)
    return paths


def test_where_a_file_lies_is_looked_up_once_a_second(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = make_linked(tmp_path)
    for _ in range(3):
        place, status = roots.look_up("b/in.flac")
        assert place == tmp_path / "b" / "in.flac"
        assert status.st_size == 6
    assert opened == ["b/in.flac"]
    monkeypatch.setattr("time.monotonic", lambda: 2.0)
    roots.look_up("b/in.flac")
    assert opened == ["b/in.flac"] * 2


def test_whatever_becomes_of_the_file_it_is_looked_up_at_once(
    tmp_path: Path, opened: list[str]
) -> None:
    roots = make_linked(tmp_path)
    path = tmp_path / "a" / "x.flac"
    roots.look_up("a/x.flac")
    path.write_bytes(b"longer than before")
    assert roots.look_up("a/x.flac")[1].st_size == 18
    assert len(opened) == 2
    path.unlink()
    with pytest.raises(FileNotFoundError):
        roots.look_up("a/x.flac")


def test_a_link_to_a_file_that_is_like_it_is_refused_at_once(
    tmp_path: Path, opened: list[str]
) -> None:
    roots = make_linked(tmp_path)
    path, other = tmp_path / "a" / "x.flac", tmp_path / "outside" / "secret.flac"
    when = path.stat()
    os.utime(other, ns=(when.st_atime_ns, when.st_mtime_ns))
    assert other.stat().st_size == when.st_size
    roots.look_up("a/x.flac")
    path.unlink()
    path.symlink_to(other)
    with pytest.raises(FileNotFoundError):
        roots.look_up("a/x.flac")


def test_a_file_that_was_moved_out_with_a_link_in_its_place_is_refused_at_once(
    tmp_path: Path, opened: list[str]
) -> None:
    roots = make_linked(tmp_path)
    path, moved = tmp_path / "a" / "x.flac", tmp_path / "outside" / "x.flac"
    before = roots.look_up("a/x.flac")[1]
    # The time of an inode's change is told in steps of some milliseconds.
    time.sleep(0.1)
    path.rename(moved)
    path.symlink_to(moved)
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    with pytest.raises(FileNotFoundError):
        roots.look_up("a/x.flac")


def test_a_folder_that_leads_out_by_now_is_left_within_a_second(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = MusicRoots(tmp_path / "a")
    (tmp_path / "a" / "folder").mkdir(parents=True)
    (tmp_path / "a" / "folder" / "x.flac").write_bytes(b"x")
    roots.look_up("folder/x.flac")
    (tmp_path / "a" / "folder").rename(tmp_path / "elsewhere")
    (tmp_path / "a" / "folder").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr("time.monotonic", lambda: 2.0)
    with pytest.raises(FileNotFoundError):
        roots.look_up("folder/x.flac")


@pytest.mark.parametrize("path", ["a/out.flac", "b/way out/secret.flac", "a/../secret.flac", "a"])
def test_nothing_outside_is_ever_looked_up(tmp_path: Path, path: str) -> None:
    roots = make_linked(tmp_path)
    for _ in range(3):
        with pytest.raises(OSError):  # noqa: PT011
            roots.look_up(path)


def test_a_folder_behind_a_link_holds_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "x.flac").write_bytes(b"x")
    (tmp_path / "b").mkdir()
    (tmp_path / "a").symlink_to("disk")
    roots = MusicRoots(tmp_path / "a", tmp_path / "b")
    with roots.opened("a/x.flac") as (place, _):
        assert place == tmp_path / "a" / "x.flac"
    assert roots.path_of_real(tmp_path / "disk" / "x.flac") == "a/x.flac"


def test_one_inside_another_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a/b")
    for inner in ("a/b", "link"):
        for pair in ((inner, "a"), ("a", inner)):
            with pytest.raises(ConfigError, match=rf"{inner} lies inside .*/a,"):
                MusicRoots(*(tmp_path / name for name in pair))


def test_one_named_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(ConfigError, match="are the same folder: name it once"):
        MusicRoots(tmp_path / "a", tmp_path / "link")
    MusicRoots(tmp_path / "a", tmp_path / "ab")


def test_a_setting_names_several_as_path_does(tmp_path: Path) -> None:
    assert split_roots("/a:/b") == ["/a", "/b"]
    assert split_roots("/a:") == ["/a"]
    assert split_roots("music") == ["music"]
    assert split_roots("~/a:~/b") == [os.path.expanduser("~/a"), os.path.expanduser("~/b")]


def test_a_folder_with_a_colon_in_its_name_is_one(tmp_path: Path) -> None:
    folder = tmp_path / "Bach: Cantatas"
    with pytest.raises(ConfigError, match="each takes its whole path, which ' Cantatas' is not"):
        split_roots(str(folder))
    folder.mkdir()
    assert split_roots(str(folder)) == [str(folder)]
