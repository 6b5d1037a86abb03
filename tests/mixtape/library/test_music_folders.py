from __future__ import annotations

from mixtape.library.music_folders import music_folders


def test_a_single_folder_is_the_whole_library() -> None:
    [folder] = music_folders({"": "/srv/My Music/"})
    assert (folder.id, folder.name, folder.path) == (1, "My Music", b"")
    assert folder.is_all
    assert music_folders({"": "/"})[0].name == "/"


def test_several_folders_keep_their_numbers_when_another_comes() -> None:
    two = music_folders({"jazz": "/srv/jazz", "b\udcff": "/mnt/b"})
    assert [(one.name, one.path) for one in two] == [("b\ufffd", b"b\xff"), ("jazz", b"jazz")]
    assert all(0 <= one.id < 2**31 and not one.is_all for one in two)
    three = music_folders({"a": "/a", "jazz": "/srv/jazz", "b\udcff": "/mnt/b"})
    assert set(two) < set(three)
    assert len({one.id for one in three}) == 3
