"""Frames by number are those that reading in order gives."""

from pathlib import Path

import numpy as np
import pytest

from alpharefine.errors import UsageError
from tests.demo.serving import SIZE, picture, write_video
from vot_integration.demo.clips import VideoClip
from vot_integration.demo.contract import Tools
from vot_integration.demo.studio import Studio
from vot_integration.demo.studios import LEFT_SECONDS, Studios
from vot_integration.demo.uploads import check_video_head, plain_stem

ORDER = [0, 1, 90, 3, 99, 98, 50, 51, 0, 77, 20]


@pytest.mark.parametrize(("suffix", "codec"), [("avi", "MJPG"), ("mp4", "mp4v"), ("webm", "VP80")])
def test_frames_in_any_order(tmp_path: Path, suffix: str, codec: str) -> None:
    file = write_video(tmp_path / f"video.{suffix}", 100, codec)
    check_video_head(file)
    clip = VideoClip(file, "video")
    assert (clip.count, clip.size, round(clip.fps), clip.note) == (100, SIZE, 25, "")
    in_order = clip.reader()
    frames = [in_order.frame(index) for index in range(100)]
    jumping = clip.reader()
    for index in ORDER:
        found, expected = jumping.frame(index), frames[index]
        assert found is not None and expected is not None
        np.testing.assert_array_equal(found, expected, f"frame {index}")
        assert np.abs(found.astype(int) - picture(index)).mean() < 6
    assert jumping.frame(100) is None and jumping.frame(-1) is None
    assert jumping.frame(7) is not None


def test_a_video_that_is_cut_off_says_so(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.avi", 100).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    clip = VideoClip(tmp_path / "cut.avi", "cut")
    assert 20 < clip.count < 80
    assert clip.note == f"the file speaks of 100 frames, {clip.count} could be read"
    (tmp_path / "no.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(100))
    with pytest.raises(UsageError, match="no "):
        VideoClip(tmp_path / "no.mp4", "no")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("walk.mp4", "walk"),
        ("C:\\videos\\my walk (2).MOV", "my_walk_2"),
        ("../../etc/passwd", "passwd"),
        ("名.webm", "名"),
        ("...", "video"),
        ("x" * 300 + ".avi", "x" * 60),
    ],
)
def test_names_of_uploads(name: str, stem: str) -> None:
    assert plain_stem(name) == stem


def nothing(*_: object) -> list[object]:
    return []


def test_pages_that_stay_away_are_closed() -> None:
    now = [0.0]
    tools = Tools(nothing, nothing)  # type: ignore[arg-type]
    studios = Studios(tools, 1000, lambda: now[0])
    stays, goes = studios.open(), studios.open()
    folder = studios.get(goes).files.folder
    for key in (stays, goes):
        assert isinstance(studios.connect(key), Studio)
    studios.disconnect(goes)
    now[0] = LEFT_SECONDS - 1
    studios.close_left()
    assert len(studios) == 2 and folder.is_dir()
    now[0] = LEFT_SECONDS + 1
    studios.close_left()
    assert len(studios) == 1 and not folder.exists()
    studios.close()
    assert not studios.folder.exists()
