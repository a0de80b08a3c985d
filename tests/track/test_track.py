"""`arvot track`: sources, targets, outputs, and what is refused."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import (
    BaseHTTPRequestHandler,
    SimpleHTTPRequestHandler,
    ThreadingHTTPServer,
)
from pathlib import Path

import cv2
import numpy as np
import pytest

from alpharefine.multi.config import MultiConfig
from alpharefine.multi.tracker import MultiObjectTracker
from alpharefine.types import Box, Estimate, Image
from tests.convert.test_convert import write_images, write_video
from tests.toolkit.make import make_sequences, write_registry
from vot_integration.cli import main
from vot_integration.regions.answers import Output
from vot_integration.regions.drawing import ANSWER, TRUTH, answer_color, draw_shape
from vot_integration.track.follow import follow
from vot_integration.track.follower import CatalogFollower
from vot_integration.track.group import OneEach, Together
from vot_integration.track.outputs import BoxFiles, MaskFolder, OverlayVideo, box_paths

SIZE = (64, 48)
TARGET = Box(10, 10, 12, 8)


class Slides:
    """A tracker that moves a pixel to the right each frame, with a mask as large as its box."""

    def initialize(self, image: Image, target: Box) -> None:
        self.box = target

    def track(self, image: Image) -> Estimate:
        self.box = self.box._replace(x=self.box.x + 1)
        mask = np.zeros(image.shape[:2], np.uint8)
        x, y, w, h = map(int, self.box)
        mask[y : y + h, x : x + w] = 1
        return Estimate(self.box, mask, confidence=0.5)

    def set_state(self, box: Box) -> None:
        self.box = box


def slides_follower(output: Output = Output.MASK) -> CatalogFollower:
    return CatalogFollower(Slides(), output)


def slides_group(count: int = 1) -> OneEach:
    return OneEach([slides_follower() for _ in range(count)])


def gray(count: int, holes: tuple[int, ...] = ()) -> Iterator[Image | None]:
    for number in range(count):
        yield None if number in holes else np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)


def read_video(file: Path) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(file))
    frames = []
    while (read := video.read())[0]:
        frames.append(read[1])
    return frames


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
def test_overlay_follows_the_target(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"out{suffix}"
    done = follow(slides_group(), gray(8), [TARGET], [OverlayVideo(file, 25)])
    frames = read_video(file)
    assert (done.frames, done.unreadable, len(frames)) == (8, [], 8)
    assert frames[0].shape == (SIZE[1], SIZE[0], 3)
    inside = frames[7][12:16, 20:26].reshape(-1, 3).mean(axis=0)
    assert inside[2] - inside[0] > 40, "the mask is tinted orange"
    assert abs(frames[7][40, 50].astype(int) - 128).max() < 12
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_masks_and_boxes(tmp_path: Path) -> None:
    sinks = [MaskFolder(tmp_path / "masks"), BoxFiles([tmp_path / "boxes.txt"])]
    follow(slides_group(), gray(3), [TARGET], sinks)
    masks = sorted((tmp_path / "masks").iterdir())
    assert [path.name for path in masks] == ["00000001.png", "00000002.png", "00000003.png"]
    mask = cv2.imread(str(masks[2]), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (SIZE[1], SIZE[0]) and set(np.unique(mask)) == {0, 255}
    assert mask[10, 12] == 255 and mask[10, 11] == 0
    assert (tmp_path / "boxes.txt").read_text().splitlines()[2] == "12.00,10.00,12.00,8.00"


def test_unreadable_frames_keep_the_answer(tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.txt"
    done = follow(slides_group(), gray(4, holes=(2,)), [TARGET], [BoxFiles([boxes])], limit=4)
    assert (done.frames, done.unreadable) == (4, [2])
    assert [line.split(",")[0] for line in boxes.read_text().splitlines()] == [
        "10.00",
        "11.00",
        "11.00",
        "12.00",
    ]


@pytest.mark.parametrize("is_live", [True, False])
def test_interruption_ends_a_camera_in_order(tmp_path: Path, is_live: bool) -> None:
    def interrupted() -> Iterator[Image | None]:
        yield from gray(3)
        raise KeyboardInterrupt

    file = tmp_path / "out.avi"
    sinks = [OverlayVideo(file, 25), MaskFolder(tmp_path / "masks")]
    if is_live:
        assert follow(slides_group(), interrupted(), [TARGET], sinks, is_live=True).frames == 3
        assert len(read_video(file)) == 3
    else:
        with pytest.raises(KeyboardInterrupt):
            follow(slides_group(), interrupted(), [TARGET], sinks)
        assert list(tmp_path.iterdir()) == []


def test_frames_of_another_size_are_fitted(tmp_path: Path) -> None:
    def growing() -> Iterator[Image]:
        yield from (np.full((48, 64, 3), 200, np.uint8) for _ in range(2))
        yield np.full((48, 32, 3), 200, np.uint8)

    file = tmp_path / "out.avi"
    follow(slides_group(), growing(), [TARGET], [OverlayVideo(file, 25)])
    frames = read_video(file)
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    assert frames[2][40, 4].max() < 40 and frames[2][40, 60].max() < 40, "black beside it"
    assert frames[2][40, 24].min() > 160


def test_drawing_by_output() -> None:
    image = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    pictures = {}
    for output in Output:
        follower = slides_follower(output)
        follower.initialize(image, TARGET)
        answer = follower.track(image)
        pictures[output] = image.copy()
        draw_shape(pictures[output], answer.shape, ANSWER, answer.box)
    center = 14, 17
    assert tuple(pictures[Output.BOX][center]) == (128, 128, 128)
    assert tuple(pictures[Output.ROTATED][center]) == (128, 128, 128)
    assert tuple(pictures[Output.MASK][center]) != (128, 128, 128)
    # The lines are smoothed: at a gray place they are nearly as red and as little blue.
    drawn = pictures[Output.BOX][(pictures[Output.BOX] != 128).any(axis=2)]
    assert len(drawn) and (drawn[:, 0] >= drawn[:, 1]).all() and (drawn[:, 1] >= drawn[:, 2]).all()
    assert np.abs(drawn.astype(int) - ANSWER).max(axis=1).min() < 40


def test_an_answer_that_is_not_finite_keeps_the_last_one() -> None:
    class Lost(Slides):
        def track(self, image: Image) -> Estimate:
            return Estimate(Box(float("nan"), 0, 1, 1), None, 0.7)

    image = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    follower = CatalogFollower(Lost(), Output.BOX)
    first = follower.initialize(image, TARGET)
    answer = follower.track(image)
    assert (answer.shape, answer.box, answer.confidence) == (first.shape, first.box, 0.0)


@pytest.fixture
def slides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The quick tracker in the place of any other; works in an empty folder."""
    monkeypatch.setattr("alpharefine.build.build_tracker", lambda *_, **__: Slides())
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_command_on_a_video(
    slides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "walk.avi")
    assert main(["track", str(tmp_path / "walk.avi"), "--box", "10,10,12,8"]) == 0
    assert "6 frames: walk-ARDiMP_lite.mp4" in capsys.readouterr().out
    assert len(read_video(slides / "walk-ARDiMP_lite.mp4")) == 6


def test_a_video_that_is_cut_off(
    slides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "walk.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, SIZE)
    random = np.random.default_rng(0)
    for _ in range(40):
        writer.write(random.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8))
    writer.release()
    data = (tmp_path / "walk.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) * 2 // 3])
    assert main(["track", str(tmp_path / "cut.avi"), "--box", "10,10,12,8"]) == 1
    words = capsys.readouterr().out
    read = len(read_video(slides / "cut-ARDiMP_lite.mp4"))
    assert 0 < read < 40 and f"cut.avi speaks of 40 frames, {read} could be read" in words


def test_command_on_a_folder_with_a_mask(slides: Path, tmp_path: Path) -> None:
    write_images(tmp_path / "frames", ["a", "b", "c"])
    mask = np.zeros((36, 48), np.uint8)
    mask[5:15, 8:20] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    arguments = ["--mask", str(tmp_path / "mask.png"), "--out", "x.avi", "--save-boxes", "b.txt"]
    assert main(["track", str(tmp_path / "frames"), *arguments, "--max-frames", "2"]) == 0
    assert (slides / "b.txt").read_text().splitlines() == [
        "8.00,5.00,12.00,10.00",
        "9.00,5.00,12.00,10.00",
    ]


@pytest.mark.parametrize(
    ("values", "arguments", "box"),
    [
        ((1, 2), ["--object", "2"], "30.00,20.00,6.00,9.00"),
        ((1, 255), [], "8.00,5.00,12.00,10.00"),
        ((90, 200), ["--threshold", "128"], "30.00,20.00,6.00,9.00"),
    ],
)
def test_command_with_a_label_map(
    values: tuple[int, int],
    arguments: list[str],
    box: str,
    slides: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_images(tmp_path / "frames", ["1", "2", "5"])
    write_pair(tmp_path / "mask.png", values)
    arguments = ["--mask", str(tmp_path / "mask.png"), "--save-boxes", "b.txt", *arguments]
    assert main(["track", str(tmp_path / "frames"), *arguments]) == 0
    assert (slides / "b.txt").read_text().splitlines()[0] == box
    said = capsys.readouterr().out
    assert "note: 2 frames seem to be missing in " in said and "the first after 2.jpg" in said
    assert ("taken for 'ignore': --object 255 follows it" in said) == (values == (1, 255))


def write_pair(file: Path, values: tuple[int, int]) -> None:
    mask = np.zeros((36, 48), np.uint8)
    mask[5:15, 8:20], mask[20:29, 30:36] = values
    cv2.imwrite(str(file), mask)


def test_command_on_a_sequence(slides: Path, tmp_path: Path) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    assert main(["track", str(sequences / "dark"), "--save-boxes", "b.txt"]) == 0
    assert (slides / "b.txt").read_text().startswith("8.00,10.00,16.00,16.00\n")


def test_the_source_is_never_replaced(
    slides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(slides / "walk.avi")
    before = (slides / "walk.avi").read_bytes()
    for option in ("--out", "--save-boxes"):
        arguments = ["--box", "10,10,12,8", option, "../here/walk.avi"]
        assert main(["track", "walk.avi", *arguments]) == 2
        assert "would replace the source" in capsys.readouterr().err
    assert (slides / "walk.avi").read_bytes() == before


def own_registry(tmp_path: Path) -> Path:
    return write_registry(tmp_path / "mine.ini", tmp_path / "logs")


def test_own_tracker_of_an_ini_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    arguments = ["--tracker", "wanders", "--trackers", str(own_registry(tmp_path))]
    outputs = ["--save-boxes", "b.txt", "--save-masks", "m", "--max-frames", "4"]
    assert main(["track", str(sequences / "bright"), *arguments, *outputs]) == 0
    assert "4 frames: bright-wanders.mp4" in capsys.readouterr().out
    lines = (tmp_path / "here" / "b.txt").read_text().splitlines()
    assert len(lines) == 4 and len(set(lines)) > 1
    assert len(read_video(tmp_path / "here" / "bright-wanders.mp4")) == 4
    assert cv2.imread(str(tmp_path / "here" / "m" / "00000004.png")).any()
    assert not (tmp_path / "here" / "vot-workspace").exists()


def test_own_tracker_of_a_workspace(tmp_path: Path) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    workspace = tmp_path / "work"
    init = ["init", str(workspace), "--sequences", str(sequences), "--eao-interval", "2", "8"]
    assert main([*init, "--trackers", str(own_registry(tmp_path))]) == 0
    arguments = ["--tracker", "wanders", "--workspace", str(workspace)]
    out = ["--out", str(tmp_path / "x.avi")]
    assert main(["track", str(sequences / "dark"), *arguments, *out]) == 0
    assert len(read_video(tmp_path / "x.avi")) == 12


@pytest.mark.parametrize(
    ("name", "words"),
    [("explodes", "the network exploded"), ("unloadable", "no weights under the sofa")],
)
def test_own_tracker_that_fails(
    name: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    arguments = ["--tracker", name, "--trackers", str(own_registry(tmp_path))]
    out = ["--out", str(tmp_path / "x.avi")]
    assert main(["track", str(sequences / "bright"), *arguments, *out]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"arvot: {name} failed") and words in error
    if name == "unloadable":
        [log] = (tmp_path / "logs").glob("*.log")
        assert f"The tracker's own log ends so ({log}):" in error
    assert not (tmp_path / "x.avi").exists()


def test_answers_that_are_none_are_told_with_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    arguments = ["--tracker", "nowhere", "--trackers", str(own_registry(tmp_path))]
    out = ["--out", str(tmp_path / "x.avi"), "--max-frames", "3"]
    assert main(["track", str(sequences / "bright"), *arguments, *out]) == 0
    [log] = (tmp_path / "logs").glob("*.log")
    note = "note: nowhere had 2 invalid estimates, for which its last answer was kept"
    assert f"{note}; its log is {log}" in capsys.readouterr().out


BAD = {
    "no target": ([], "--box x,y,w,h"),
    "box text": (["--box", "1,2,3"], "--box 1,2,3"),
    "empty box": (["--box", "1,2,0,3"], "empty or not finite"),
    "outside": (["--box", "500,2,9,9"], "outside the 48x36 frame"),
    "mask": (["--mask", "nothing.png"], "--mask nothing.png"),
    "two targets": (["--box", "1,2,3,4", "--select"], "not allowed with"),
    "no display": (["--select"], "pass --box x,y,w,h or --mask FILE"),
    "video name": (["--box", "1,2,9,9", "--out", "x.gif"], ".mp4, .avi"),
    "no folder": (["--box", "1,2,9,9", "--out", "no/x.mp4"], "there is no folder"),
    "twice": (["--box", "1,2,9,9", "--out", "x.mp4", "--save-boxes", "x.mp4"], "another output"),
    "masks there": (["--box", "1,2,9,9", "--save-masks", "."], "is there already"),
    "no masks": (["--box", "1,2,9,9", "--tracker", "DiMPsuper", "--save-masks", "m"], "no masks"),
    "tracker": (["--box", "1,2,9,9", "--tracker", "Nobody"], "unknown tracker 'Nobody'"),
    "frames": (["--box", "1,2,9,9", "--max-frames", "0"], "--max-frames 0"),
    "empty mask": (["--mask", "../empty.png"], "is empty"),
    "start": (["--box", "1,2,9,9", "--start", "3"], "has no frame 3: give a number from 1 to 2"),
    "start at zero": (["--box", "1,2,9,9", "--start", "0"], "--start 0: give the number of a"),
    "a box outside": (["--box", "1,2,9,9", "--box", "99,2,9,9"], "(99, 2, 9, 9) is outside"),
    "no object": (["--mask", "../pair.png", "--object", "3"], "object 3 is not in"),
    "mask folder": (["--mask", "../frames"], "is a folder: name the mask of the first frame"),
    "object of a box": (["--box", "1,2,9,9", "--object", "1"], "give --mask FILE, too"),
    "trackers": (["--box", "1,2,9,9", "--trackers", "nothing.ini"], "there is no file nothing.ini"),
    "weights": (["--box", "1,2,9,9", "--weights", "nothing"], "unknown weights"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_writes_nothing(
    case: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_images(tmp_path / "frames", ["a", "b"])
    cv2.imwrite(str(tmp_path / "empty.png"), np.zeros((36, 48), np.uint8))
    write_pair(tmp_path / "pair.png", (1, 2))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    arguments, words = BAD[case]
    assert main(["track", str(tmp_path / "frames"), *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("source", ["nowhere.mp4", "empty", "text.mp4", "7"])
def test_bad_source(source: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("not a video")
    # A process of its own: FFmpeg reads once how much it may write.
    command = [sys.executable, "-m", "vot_integration", "track", source, "--box", "1,2,9,9"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    [error] = done.stderr.splitlines()
    assert done.returncode == 2 and error.startswith("arvot: ") and source in error


def test_several_targets_have_colors_masks_and_boxes_of_their_own(tmp_path: Path) -> None:
    names = ["1", "2"]
    targets = [Box(10, 10, 12, 8), Box(30, 30, 12, 8)]
    sinks = [
        OverlayVideo(tmp_path / "out.avi", 25, names),
        MaskFolder(tmp_path / "masks", names, start=7),
        BoxFiles(box_paths(tmp_path / "b.txt", names)),
    ]
    follow(slides_group(2), gray(3), targets, sinks)
    first, second = (
        read_video(tmp_path / "out.avi")[2][y + 4 : y + 7, x + 4 : x + 8]
        .reshape(-1, 3)
        .mean(axis=0)
        for x, y in ((12, 10), (32, 30))
    )
    assert first[2] - first[0] > 40 and second[0] - second[2] > 40, "orange and blue (BGR)"
    for name, x, y in (("1", 12, 10), ("2", 32, 30)):
        mask = cv2.imread(str(tmp_path / "masks" / name / "00000009.png"), cv2.IMREAD_UNCHANGED)
        assert mask.sum() == 255 * 12 * 8 and mask[y, x] == 255
        line = (tmp_path / f"b_{name}.txt").read_text().splitlines()[2]
        assert line == f"{x}.00,{y}.00,12.00,8.00"


def test_colors_of_many_targets_are_distinct() -> None:
    colors = [answer_color(number) for number in range(24)]
    assert len(set(colors)) == 24 and TRUTH not in colors and colors[0] == ANSWER


@pytest.mark.parametrize(
    "words",
    [
        ["--box", "10,10,12,8", "--box", "20,20,9,9"],
        ["--box", "10", "10", "12", "8", "--box", "20 20 9 9"],
        ["--box", "10,", "10,", "12,", "8", "--box=20;20;9;9"],
    ],
)
def test_command_with_several_boxes(
    words: list[str], slides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / "frames", ["a", "b", "c"])
    assert main(["track", *words, str(tmp_path / "frames"), "--save-boxes", "b.txt"]) == 0
    assert "3 frames, targets 1, 2: " in capsys.readouterr().out
    assert (slides / "b_1.txt").read_text().splitlines()[2].startswith("12.00,10.00")
    assert (slides / "b_2.txt").read_text().splitlines()[2].startswith("22.00,20.00")
    assert not (slides / "b.txt").exists()


def test_a_box_that_begins_with_a_minus(slides: Path, tmp_path: Path) -> None:
    write_images(tmp_path / "frames", ["a", "b"])
    for words in (["-5,3,20,20"], ["-5", "3", "20", "20"]):
        command = ["track", str(tmp_path / "frames"), "--save-boxes", "b.txt", "--box", *words]
        assert main(command) == 0
        assert (slides / "b.txt").read_text().startswith("-5.00,3.00,20.00,20.00\n")


@pytest.mark.parametrize(("labels", "names"), [([], "1 2 5"), (["5", "1"], "5 1"), (["2"], "")])
def test_all_objects_of_a_label_map_are_followed(
    labels: list[str], names: str, slides: Path, tmp_path: Path
) -> None:
    write_images(tmp_path / "frames", ["a", "b"])
    mask = np.zeros((36, 48), np.uint8)
    mask[2:12, 2:12], mask[14:24, 2:12], mask[2:12, 20:32] = 1, 2, 5
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    options = [word for label in labels for word in ("--object", label)]
    command = ["track", str(tmp_path / "frames"), "--mask", str(tmp_path / "mask.png")]
    assert main([*command, *options, "--save-boxes", "b.txt", "--save-masks", "m"]) == 0
    files = [f"b_{name}.txt" for name in names.split()] or ["b.txt"]
    assert {path.name for path in slides.glob("b*.txt")} == set(files)
    folders = [slides / "m" / name for name in names.split()] or [slides / "m"]
    assert all((folder / "00000002.png").is_file() for folder in folders)


def test_objects_of_a_vots_sequence_are_followed(slides: Path, tmp_path: Path) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    truth = sequences / "dark" / "groundtruth.txt"
    lines = truth.read_text().splitlines()
    truth.with_stem("groundtruth_a").write_text("\n".join(lines))
    truth.with_stem("groundtruth_late").write_text("\n".join(["0", *lines[1:]]))
    truth.unlink()
    assert main(["track", str(sequences / "dark"), "--save-boxes", "b.txt"]) == 0
    assert (slides / "b.txt").read_text().startswith("8.00,10.00,16.00,16.00\n")
    assert main(["track", str(sequences / "dark"), "--save-boxes", "b.txt", "--start", "2"]) == 0
    assert (slides / "b_late.txt").is_file() and (slides / "b_a.txt").is_file()


@pytest.mark.parametrize("kind", ["folder", "video"])
def test_track_from_a_later_frame(kind: str, slides: Path, tmp_path: Path) -> None:
    write_images(tmp_path / "walk", [f"{number}" for number in range(1, 13)])
    write_video(tmp_path / "walk.avi", 12)
    source = tmp_path / ("walk" if kind == "folder" else "walk.avi")
    options = ["--start", "10", "--save-boxes", "b.txt", "--save-masks", "m", "--out", "x.avi"]
    assert main(["track", str(source), "--box", "10,10,12,8", *options]) == 0
    assert len((slides / "b.txt").read_text().splitlines()) == 3
    names = sorted(path.name for path in (slides / "m").iterdir())
    assert names == ["00000010.png", "00000011.png", "00000012.png"]
    # Gray levels of the frames rise from the first to the last.
    level = read_video(slides / "x.avi")[0][30, 40].mean()
    expected = 40 + 10 * 9 if kind == "folder" else 30 * 9 % 240
    assert abs(level - expected) < 12


def test_start_behind_the_end_of_a_video(
    slides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "walk.avi")
    command = ["track", str(tmp_path / "walk.avi"), "--box", "10,10,12,8", "--start", "7"]
    assert main(command) == 2
    assert "walk.avi has no frame 7: give a number from 1 to 6, the last" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("f%05d.jpg", ["f00003", "f00004", "f00005"]),
        ("f%d.jpg", ["f8", "f9", "f10"]),
        ("f_%03d_x.jpg", ["f_010_x", "f_020_x", "f_030_x"]),
        ("f*.jpg", ["f2", "f9", "f10"]),
    ],
)
def test_patterns_of_names(pattern: str, names: list[str], slides: Path, tmp_path: Path) -> None:
    write_images(tmp_path / "walk", names)
    write_images(tmp_path / "walk", ["other"])
    command = ["track", str(tmp_path / "walk" / pattern), "--box", "10,10,12,8", "--out", "x.avi"]
    assert main(command) == 0
    levels = [frame[30, 40].mean() for frame in read_video(slides / "x.avi")]
    assert levels == pytest.approx([40, 50, 60], abs=6)


def test_a_pattern_with_a_hole(
    slides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / "walk", ["1", "2", "4"])
    for name, words in (("%d.jpg", "number 3 is missing between 1 and 4"), ("%04d.png", "called")):
        assert main(["track", str(tmp_path / "walk" / name), "--box", "10,10,12,8"]) == 2
        error = capsys.readouterr().err
        assert words in error and error.count("\n") == 1


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serves the temporary folder on this machine."""
    handler = partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://user:secret@127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


class CameraHandler(BaseHTTPRequestHandler):
    """Sends one JPEG after the other, as cameras do; counts its viewers."""

    viewers = 0

    def do_GET(self) -> None:
        type(self).viewers += 1
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        picture = cv2.imencode(".jpg", np.full((36, 48, 3), 128, np.uint8))[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
        for _ in range(12):
            self.wfile.write(head.encode() + picture + b"\r\n")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_a_camera_in_the_network_has_one_viewer(
    slides: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), CameraHandler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{serving.server_address[1]}/live.mjpg"
        assert main(["track", address, "--box", "10,10,12,8", "--save-boxes", "b.txt"]) == 0
        serving.shutdown()
    assert "live.mjpg gave no more frames" in capsys.readouterr().out
    assert len((slides / "b.txt").read_text().splitlines()) >= 10
    assert CameraHandler.viewers == 1


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_a_stream(
    server: str, slides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "walk.avi")
    assert main(["track", f"{server}/walk.avi", "--box", "10,10,12,8"]) == 0
    assert "6 frames: walk-ARDiMP_lite.mp4" in capsys.readouterr().out
    assert main(["track", f"{server}/gone.avi", "--box", "10,10,12,8"]) == 2
    error = capsys.readouterr().err
    assert "gone.avi cannot be opened: check the address" in error
    assert "secret" not in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("rtsp://127.0.0.1:9/live", "rtsp://127.0.0.1:9/live cannot be opened: check the address"),
        ("/dev/video87", "camera 87 cannot be opened"),
        ("frames/a.jpg", "is a picture: give the folder"),
        ("outer", "holds no .jpg, .png, .bmp or .webp frames; give a folder in it, such as inner"),
        ("cut.mp4", "is cut off, its index (moov) at the end is missing"),
        ("none.mp4", "is empty (0 bytes)"),
        ("frames/%05d.jpg", "no picture is called frames/%05d.jpg with a number"),
    ],
)
def test_sources_that_cannot_be_read(
    source: str, words: str, slides: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(slides / "frames", ["a"])
    write_images(slides / "outer" / "inner", ["a"])
    (slides / "cut.mp4").write_bytes(b"\0\0\0\x10ftypmp42\0\0\0\0" + b"\0\1\0\0mdat" * 9)
    (slides / "none.mp4").touch()
    assert main(["track", source, "--box", "10,10,12,8"]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_frames_that_cannot_be_read_are_named(
    slides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / "walk", [f"{number}" for number in range(1, 7)])
    (tmp_path / "walk" / "3.jpg").write_bytes(b"<html>")
    cut = tmp_path / "walk" / "5.jpg"
    cut.write_bytes(cut.read_bytes()[:-20])
    assert main(["track", str(tmp_path / "walk"), "--box", "10,10,12,8"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("unreadable frames: 1 (") and lines[0].count("3.jpg") == 1
    assert lines[1].startswith("cut off or damaged frames: 1 (") and "5.jpg" in lines[1]
    (tmp_path / "walk" / "1.jpg").write_bytes(b"")
    assert main(["track", str(tmp_path / "walk"), "--box", "10,10,12,8"]) == 2
    assert "1.jpg) cannot be read" in capsys.readouterr().err


def test_own_trackers_for_several_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    monkeypatch.chdir(tmp_path)
    arguments = ["--tracker", "wanders", "--trackers", str(own_registry(tmp_path))]
    boxes = ["--box", "8,10,16,16", "--box", "20,10,9,9", "--save-boxes", "b.txt"]
    command = ["track", str(sequences / "bright"), *arguments, *boxes, "--max-frames", "3"]
    assert main(command) == 0
    assert (tmp_path / "b_2.txt").read_text().startswith("20.00,10.00,9.00,9.00\n")


def test_a_tracker_of_several_targets_follows_them_all(
    slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*_: object, config: MultiConfig, **__: object) -> MultiObjectTracker:
        assert config.presence is not None
        return MultiObjectTracker(Slides, MultiConfig())

    monkeypatch.setattr("alpharefine.build.build_multi_tracker", build)
    write_images(tmp_path / "frames", ["a", "b", "c"])
    boxes = ["--box", "10,10,12,8", "--box", "20,20,9,9", "--save-boxes", "b.txt"]
    command = ["track", str(tmp_path / "frames"), *boxes, "--tracker", "ARDiMP_lite_multi"]
    assert main(command) == 0
    assert (slides / "b_1.txt").read_text().splitlines()[2].startswith("12.00,10.00")
    assert (slides / "b_2.txt").read_text().splitlines()[2].startswith("22.00,20.00")


def test_an_absent_target_is_not_drawn() -> None:
    class Goes(MultiObjectTracker):
        def track(self, image: Image) -> list[Estimate]:
            return [Estimate(TARGET, confidence=0.1, absent=True)]

    image = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    group = Together(Goes(Slides), Output.BOX)
    assert group.initialize(image, [TARGET])[0].shape == TARGET
    [answer] = group.track(image)
    assert answer.shape is None
