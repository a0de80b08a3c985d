"""Sources that are not as they should be: read where that can be, and what is odd is said."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alpharefine.errors import UsageError
from tests.sequences.make import (
    HEIGHT,
    LENGTH,
    WIDTH,
    sound_sequences,
    stems,
    write_boxes,
    write_got,
    write_images,
    write_lasot,
    write_video,
)
from vot_integration.cli import main
from vot_integration.convert.convert import convert
from vot_integration.convert.source import ConvertOptions
from vot_integration.sequences.folder import SequenceFolder, read_sequence_folder

POLYGON = "4,5,14.5,6,14,13,3,12"


def with_boxes(tmp_path: Path, text: str, start: int | None = None) -> SequenceFolder:
    write_images(tmp_path / "frames", stems("%02d"))
    (tmp_path / "boxes.txt").write_text(text)
    options = ConvertOptions(boxes=tmp_path / "boxes.txt", start=start)
    [written] = convert(tmp_path / "frames", tmp_path / "out", options).written
    return read_sequence_folder(written.path)


def test_polygons_absent_targets_and_rectangles_in_one_file(tmp_path: Path) -> None:
    lines = [POLYGON, "0", "4,5,10,8", "nan,nan,nan,nan", POLYGON, "1 2 3 4 5 8"]
    regions = with_boxes(tmp_path, "\n".join(lines)).regions
    assert [region.is_empty() for region in regions] == [0, 1, 0, 1, 0, 0]
    assert str(regions[4]) == "4.0,5.0,14.5,6.0,14.0,13.0,3.0,12.0"
    assert regions[2].width == 10 and regions[5].size == 3


def test_masks_in_lines(tmp_path: Path) -> None:
    regions = with_boxes(tmp_path, "m4,5,2,2,0,4\n" * LENGTH).regions
    assert regions[0].mask.sum() == 4


ODD_BOXES = {
    "1e400,2,3,4\n": "1e400 in line 1 is too large a number",
    "1,2,-1e39,4\n": "-1e39 in line 1 is too large a number",
    "1,2,3,4,5\n": "5 numbers in line 1, expected x,y,w,h or the corners",
    "1\n": "1 number in a row",
    "1,1,4,5,10,8,0.9,-1,-1,-1\n": "end in -1, as of detections in MOT's format",
}


@pytest.mark.parametrize("line", ODD_BOXES)
def test_rows_that_are_no_regions(line: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=ODD_BOXES[line]):
        with_boxes(tmp_path, line * LENGTH)


@pytest.mark.parametrize("suffix", [".tif", ".gif", ".pgm"])
def test_masks_of_every_kind_of_file(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames, masks = tmp_path / "frames", tmp_path / "masks"
    write_images(frames, ["01", "02", "04", "05"])
    masks.mkdir()
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    picture[5:13, 4:14] = 255
    for frame in frames.iterdir():
        Image.fromarray(picture).save(masks / f"{frame.stem}{suffix}")
    command = ["sequences", "convert", str(frames), str(tmp_path / "out"), "--masks"]
    assert main([*command, str(masks)]) == 0
    gap = f"note: 1 frame seems to be missing in {frames}, the first after 02.jpg: "
    assert capsys.readouterr().err.startswith(gap)
    assert read_sequence_folder(tmp_path / "out" / "frames").regions[0].mask.sum() == 80

    (tmp_path / "arrays").mkdir()
    (tmp_path / "arrays" / "01.npy").write_bytes(b"x")
    assert main([*command, str(tmp_path / "arrays"), "--name", "n"]) == 2
    assert "arrays holds no masks, only .npy: save them as .png" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["folder", "video"])
def test_boxes_for_a_part_of_the_frames(kind: str, tmp_path: Path) -> None:
    if kind == "folder":
        write_images(tmp_path / "walk", stems("%02d", 1, LENGTH + 4))
    else:
        write_video(tmp_path / "walk.avi", LENGTH + 4)
    write_boxes(tmp_path / "boxes.txt")
    source = tmp_path / ("walk" if kind == "folder" else "walk.avi")
    with pytest.raises(UsageError, match=r"6 boxes for 10 frames.*--start N"):
        convert(source, tmp_path / "out", ConvertOptions(boxes=tmp_path / "boxes.txt"))
    done = convert(source, tmp_path / "out", ConvertOptions(boxes=tmp_path / "boxes.txt", start=3))
    [written] = done.written
    assert (written.frames, written.total) == (LENGTH, LENGTH + 4)
    if kind == "folder":
        frame = read_sequence_folder(written.path).frames[0]
        assert frame.read_bytes() == (source / "03.jpg").read_bytes()
    for start in (0, 6):
        options = ConvertOptions(boxes=tmp_path / "boxes.txt", start=start, name="other")
        with pytest.raises(UsageError, match=f"--start {start}: 6 boxes"):
            convert(source, tmp_path / "out", options)


def test_start_is_about_boxes(tmp_path: Path) -> None:
    write_images(tmp_path / "walk", stems("%02d"))
    with pytest.raises(UsageError, match="give --boxes FILE, too"):
        convert(tmp_path / "walk", tmp_path / "out", ConvertOptions(start=2))


def test_unpadded_numbers_are_in_the_order_of_their_values(tmp_path: Path) -> None:
    write_images(tmp_path / "frames", stems("f%d", 1, 12))
    write_boxes(tmp_path / "boxes.txt", count=12)
    options = ConvertOptions(boxes=tmp_path / "boxes.txt")
    [written] = convert(tmp_path / "frames", tmp_path / "out", options).written
    frames = read_sequence_folder(written.path).frames
    for number in (2, 10, 12):
        source = tmp_path / "frames" / f"f{number}.jpg"
        assert frames[number - 1].read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("fps", "written", "note"), [(0.5, 1, "0.5 frames a second"), (7.5, 8, "7.5"), (29.97, 30, "")]
)
def test_a_rate_that_no_sequence_can_have_is_said(
    fps: float, written: int, note: str, tmp_path: Path
) -> None:
    write_video(tmp_path / "v.avi", fps=fps)
    write_boxes(tmp_path / "boxes.txt")
    options = ConvertOptions(boxes=tmp_path / "boxes.txt")
    done = convert(tmp_path / "v.avi", tmp_path / "out", options)
    assert read_sequence_folder(done.written[0].path).fps == written
    assert len(done.notes()) == bool(note) and note in "".join(done.notes())
    given = ConvertOptions(boxes=tmp_path / "boxes.txt", fps=25, name="given")
    assert not convert(tmp_path / "v.avi", tmp_path / "out", given).notes()


def test_a_video_that_stops_early_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "v.avi", 40)
    content = (tmp_path / "v.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(content[: len(content) // 2])
    write_boxes(tmp_path / "boxes.txt", count=40)
    command = ["sequences", "convert", str(tmp_path / "cut.avi"), str(tmp_path / "out")]
    assert main([*command, "--boxes", str(tmp_path / "boxes.txt")]) == 2
    error = capsys.readouterr().err
    assert "cut.avi speaks of 40 frames" in error and "damaged; " in error and "40 boxes" in error
    found = int(error.split("frames, ")[1].split()[0])
    write_boxes(tmp_path / "boxes.txt", count=found)
    assert main([*command, "--boxes", str(tmp_path / "boxes.txt")]) == 1
    assert f"cut.avi speaks of 40 frames, {found} could be read" in capsys.readouterr().err
    assert sound_sequences(tmp_path / "out")


def test_a_video_without_its_index_is_said(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\1\0\0mdat" * 9)
    (tmp_path / "empty.mp4").write_bytes(b"")
    write_boxes(tmp_path / "boxes.txt")
    for name, words in (("v", "is cut off, its index"), ("empty", r"is empty \(0 bytes\)")):
        options = ConvertOptions(boxes=tmp_path / "boxes.txt")
        with pytest.raises(UsageError, match=words):
            convert(tmp_path / f"{name}.mp4", tmp_path / "out", options)


def test_meta_info_without_a_rate_is_said(tmp_path: Path) -> None:
    write_got(tmp_path / "one")
    (tmp_path / "one" / "meta_info.ini").write_text("[METAINFO]\nurl: x\n")
    with pytest.raises(UsageError, match=r"meta_info\.ini has no line anno_fps: write one"):
        convert(tmp_path / "one", tmp_path / "out", ConvertOptions())


def test_broken_absence_label_gets_its_own_advice(tmp_path: Path) -> None:
    write_got(tmp_path / "one")
    (tmp_path / "one" / "absence.label").write_text("no\n" * LENGTH)
    with pytest.raises(UsageError, match=r"absence\.label.*write 0 where the target can be seen"):
        convert(tmp_path / "one", tmp_path / "out", ConvertOptions())


def write_vots(folder: Path, tmp_path: Path) -> None:
    """A sequence in VOT format with two objects."""
    write_images(tmp_path / "sq", stems("%02d"))
    write_boxes(tmp_path / "boxes.txt")
    options = ConvertOptions(boxes=tmp_path / "boxes.txt", fps=12)
    convert(tmp_path / "sq", folder, options)
    truth = folder / "sq" / "groundtruth.txt"
    for name in ("1", "red"):
        (folder / "sq" / f"groundtruth_{name}.txt").write_text(truth.read_text())
    truth.unlink()


def test_objects_of_vots_become_sequences(tmp_path: Path) -> None:
    write_vots(tmp_path / "vots", tmp_path)
    done = convert(tmp_path / "vots", tmp_path / "out", ConvertOptions())
    assert [path.name for path in sound_sequences(tmp_path / "out")] == ["sq_1", "sq_red"]
    assert done.is_complete and read_sequence_folder(done.written[0].path).fps == 12
    one = convert(tmp_path / "vots" / "sq", tmp_path / "one", ConvertOptions(label=1))
    assert [written.path.name for written in one.written] == ["sq_1"]
    with pytest.raises(UsageError, match=r"object 7 is not in .*there are 1, red"):
        convert(tmp_path / "vots" / "sq", tmp_path / "two", ConvertOptions(label=7))


def test_anchors_of_a_sequence_in_the_old_format(tmp_path: Path) -> None:
    write_images(tmp_path / "ants", stems("%08d"))
    (tmp_path / "ants" / "groundtruth.txt").write_text(f"{POLYGON}\n" * LENGTH)
    assert main(["sequences", "anchors", str(tmp_path / "ants")]) == 0
    assert (tmp_path / "ants" / "anchor.value").read_text().split()[0] == "1"


def test_sequences_in_vot_format_among_others_are_named(tmp_path: Path) -> None:
    write_lasot(tmp_path / "set" / "car-1")
    convert(tmp_path / "set" / "car-1", tmp_path / "set2", ConvertOptions())
    (tmp_path / "set2" / "car-1").rename(tmp_path / "set" / "done")
    done = convert(tmp_path / "set", tmp_path / "out", ConvertOptions())
    assert [written.path.name for written in done.written] == ["car-1"] and done.is_complete
    assert done.left_out()[0].startswith("skipped done: in VOT format already")
