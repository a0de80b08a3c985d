"""Whole data sets with boxes, each in its own layout: converted, and read for training."""

from collections.abc import Callable
from pathlib import Path

import pytest

from alpharefine.data.box_layouts import BOX_LAYOUTS
from alpharefine.data.readers import READERS
from alpharefine.errors import UsageError
from tests.sequences.make import LENGTH, stems, write_boxes, write_images
from vot_integration.convert.convert import convert
from vot_integration.convert.source import ConvertOptions
from vot_integration.sequences.folder import SequenceFolder, read_list, read_sequence_folder

DEFAULT = ConvertOptions()


def converted(source: Path, options: ConvertOptions = DEFAULT) -> dict[str, SequenceFolder]:
    out = source.parent / "out"
    done = convert(source, out, options)
    assert not done.skipped
    return {path.name: read_sequence_folder(path) for path in read_list(out)}


def write_uav(root: Path, kind: str = "UAV123") -> None:
    """bird1 with two windows, and bike1."""
    frames = root / "data_seq" / kind
    step = 3 if kind.endswith("10fps") else 1
    write_images(frames / "bird1", stems("%06d", 1, 774 // step + LENGTH + 2))
    write_images(frames / "bike1", stems("%06d"))
    (root / "anno" / kind).mkdir(parents=True)
    for name in ("bird1_1", "bird1_2", "bike1"):
        write_boxes(root / "anno" / kind / f"{name}.txt")


def write_trackingnet(root: Path) -> None:
    for part, name in (("TRAIN_0", "a_0"), ("TRAIN_11", "b_1"), ("TEST", "c_0")):
        write_images(root / part / "frames" / name, stems("%d", 0, 12))
        (root / part / "anno").mkdir()
        write_boxes(root / part / "anno" / f"{name}.txt", count=1 if part == "TEST" else 12)


def write_tc128(root: Path) -> None:
    write_images(root / "Ball_ce" / "img", stems("%04d", 1, LENGTH + 4))
    write_boxes(root / "Ball_ce" / "Ball_ce_gt.txt")
    (root / "Ball_ce" / "Ball_ce_frames.txt").write_text(f"3,{LENGTH + 2}\n")


def write_nfs(root: Path) -> None:
    """Both rates, with the boxes of the high one; the target is lost in its 9th frame."""
    lines = [f'0 {4 + n} 5 {14 + n} 13 {n} {int(n == 8)} 0 1 "red ball"' for n in range(8 * LENGTH)]
    for rate, count in ((240, 8 * LENGTH), (30, LENGTH)):
        write_images(root / "ball" / f"{rate}" / "ball", stems("%05d", 1, count))
        (root / "ball" / f"{rate}" / "ball.txt").write_text("\n".join(lines))


def write_nfs_flat(root: Path) -> None:
    write_images(root / "sequences" / "ball", stems("%05d"))
    (root / "anno").mkdir()
    write_boxes(root / "anno" / "nfs_ball.txt", "\t", LENGTH + 1)


def write_vot(root: Path) -> None:
    corners = [f"{4 + n},5,{14 + n}.5,6,{13 + n},13,{3 + n},12" for n in range(LENGTH)]
    for name, folder, lines in (("ants", ".", corners), ("bag", "color", ["4,5,10,8"] * LENGTH)):
        write_images(root / name / folder, stems("%08d"))
        (root / name / "groundtruth.txt").write_text("\n".join(lines))
    (root / "list.txt").write_text("ants\nbag\n")


def test_uav123_has_windows_of_one_folder(tmp_path: Path) -> None:
    write_uav(tmp_path / "UAV")
    found = converted(tmp_path / "UAV")
    assert list(found) == ["bike1", "bird1_1", "bird1_2"]
    assert {sequence.length for sequence in found.values()} == {LENGTH}
    frame = tmp_path / "UAV/data_seq/UAV123/bird1/000775.jpg"
    assert found["bird1_2"].frames[0].read_bytes() == frame.read_bytes()


def test_uav123_at_10_fps_has_its_own_windows(tmp_path: Path) -> None:
    write_uav(tmp_path / "UAV", "UAV123_10fps")
    sequence = converted(tmp_path / "UAV")["bird1_2"]
    frame = tmp_path / "UAV/data_seq/UAV123_10fps/bird1/000259.jpg"
    assert sequence.frames[0].read_bytes() == frame.read_bytes() and sequence.fps == 10


def test_a_window_behind_the_frames_is_said(tmp_path: Path) -> None:
    write_uav(tmp_path / "UAV")
    for file in sorted((tmp_path / "UAV/data_seq/UAV123/bird1").iterdir())[20:]:
        file.unlink()
    done = convert(tmp_path / "UAV", tmp_path / "out", DEFAULT)
    assert [written.path.name for written in done.written] == ["bike1"]
    [line] = done.left_out()
    assert "from 775 on in UAV123" in line and "from 1 to 20" in line


def test_windows_that_the_data_set_lists_itself(tmp_path: Path) -> None:
    write_uav(tmp_path / "UAV")
    entry = "struct('name','bird1_2','path','D:\\UAV\\data_seq\\{}\\bird1\\','startFrame',{},...\n"
    text = entry.format("UAV123_10fps", 3) + entry.format("UAV123", 9)
    (tmp_path / "UAV/configSeqs.m").write_text(f"seqs = {{{text}}};")
    sequence = converted(tmp_path / "UAV")["bird1_2"]
    frame = tmp_path / "UAV/data_seq/UAV123/bird1/000009.jpg"
    assert sequence.frames[0].read_bytes() == frame.read_bytes()


def test_trackingnet_counts_without_padding(tmp_path: Path) -> None:
    write_trackingnet(tmp_path / "TN")
    done = convert(tmp_path / "TN", tmp_path / "out", DEFAULT)
    assert [written.path.name for written in done.written] == ["a_0", "b_1"] and done.is_complete
    sequence = read_sequence_folder(tmp_path / "out" / "a_0")
    for number in (2, 10):
        source = tmp_path / "TN/TRAIN_0/frames/a_0" / f"{number}.jpg"
        assert sequence.frames[number].read_bytes() == source.read_bytes()


def test_tc128_says_which_frames_have_boxes(tmp_path: Path) -> None:
    write_tc128(tmp_path / "TC")
    sequence = converted(tmp_path / "TC")["Ball_ce"]
    frame = tmp_path / "TC/Ball_ce/img/0003.jpg"
    assert sequence.length == LENGTH and sequence.frames[0].read_bytes() == frame.read_bytes()


@pytest.mark.parametrize(("rate", "lost"), [(240, 8), (30, 1)])
def test_nfs_at_both_rates(rate: int, lost: int, tmp_path: Path) -> None:
    write_nfs(tmp_path / "NfS")
    sequence = converted(tmp_path / "NfS" / "ball" / str(rate))["ball"]
    assert sequence.fps == rate
    assert [n for n, region in enumerate(sequence.regions) if region.is_empty()] == [lost]
    region = sequence.regions[2]
    assert (region.x, region.y, region.width, region.height) == (4 + 2 * 240 // rate, 5, 10, 8)


def test_nfs_whole_has_names_for_both_rates(tmp_path: Path) -> None:
    write_nfs(tmp_path / "NfS")
    found = converted(tmp_path / "NfS")
    assert {name: sequence.fps for name, sequence in found.items()} == {
        "ball_240": 240,
        "ball_30": 30,
    }


def test_nfs_as_it_is_passed_on(tmp_path: Path) -> None:
    write_nfs_flat(tmp_path / "NfS")
    assert converted(tmp_path / "NfS")["ball"].length == LENGTH


def test_vot_keeps_rotated_boxes_and_gets_anchors(tmp_path: Path) -> None:
    write_vot(tmp_path / "VOT2018")
    found = converted(tmp_path / "VOT2018")
    assert str(found["ants"].regions[1]).startswith("5.0,5.0,15.5,6.0,14.0,13.0")
    assert found["bag"].regions[0].width == 10
    assert all(any(sequence.anchors) for sequence in found.values())


MAKERS: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "uav123": (write_uav, ["bike1", "bird1_1", "bird1_2"]),
    "trackingnet": (write_trackingnet, ["a_0", "b_1"]),
    "tc128": (write_tc128, ["Ball_ce"]),
    "nfs": (write_nfs, ["ball"]),
    "nfs-flat": (write_nfs_flat, ["ball"]),
    "vot": (write_vot, ["ants", "bag"]),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_training_reads_them_too(kind: str, tmp_path: Path) -> None:
    make, names = MAKERS[kind]
    make(tmp_path)
    source = READERS[kind](tmp_path)
    assert [source.sequence(index).name for index in range(len(source))] == names
    frame = source.frame(len(source) - 1, 0)
    assert frame.box == (4, 5, 10, 8)


def test_training_takes_the_box_around_a_polygon(tmp_path: Path) -> None:
    write_vot(tmp_path)
    assert READERS["vot"](tmp_path).frame(0, 1).box == (4, 5, 11.5, 8)


@pytest.mark.parametrize("kind", BOX_LAYOUTS)
def test_another_layout_is_refused_with_the_right_one(kind: str, tmp_path: Path) -> None:
    write_images(tmp_path / "somewhere", ["a"])
    with pytest.raises(UsageError, match=r"expected .*<"):
        READERS[kind](tmp_path)


def test_copies_beside_the_boxes_of_otb_are_no_targets(tmp_path: Path) -> None:
    folder = tmp_path / "OTB" / "Jogging"
    write_images(folder / "img", stems("%04d"))
    for name in ("groundtruth_rect.1", "groundtruth_rect.2", "groundtruth_rect copy"):
        write_boxes(folder / f"{name}.txt")
    write_boxes(folder / "groundtruth_rect.10.txt")
    assert list(converted(tmp_path / "OTB")) == ["Jogging_1", "Jogging_2", "Jogging_3"]


def test_starts_of_otb_go_by_the_numbers_in_names(tmp_path: Path) -> None:
    folder = tmp_path / "OTB" / "BlurCar1"
    write_images(folder / "img", stems("%04d", 247))
    write_boxes(folder / "groundtruth_rect.txt")
    assert converted(tmp_path / "OTB")["BlurCar1"].length == LENGTH


def test_boxes_without_frames_are_told_of(tmp_path: Path) -> None:
    write_trackingnet(tmp_path / "TN")
    write_boxes(tmp_path / "TN/TRAIN_0/anno/gone_7.txt")
    done = convert(tmp_path / "TN", tmp_path / "out", DEFAULT)
    assert [skipped.name for skipped in done.skipped if skipped.is_flaw] == ["gone_7"]
    assert not done.is_complete


def test_a_part_without_any_frames_is_told_of(tmp_path: Path) -> None:
    write_trackingnet(tmp_path / "TN")
    (tmp_path / "TN/TRAIN_5/anno").mkdir(parents=True)
    write_boxes(tmp_path / "TN/TRAIN_5/anno/gone_7.txt")
    done = convert(tmp_path / "TN", tmp_path / "out", DEFAULT)
    [flaw] = [skipped for skipped in done.skipped if skipped.is_flaw]
    assert flaw.name.endswith("TRAIN_5/anno") and "no folder of frames" in flaw.reason


def test_the_folder_of_boxes_tells_which_set_is_meant(tmp_path: Path) -> None:
    """UAV20L has boxes for the same folders of frames as UAV123."""
    write_uav(tmp_path / "UAV")
    (tmp_path / "UAV/anno/UAV20L").mkdir()
    write_boxes(tmp_path / "UAV/anno/UAV20L/bird1.txt", count=20)
    assert list(converted(tmp_path / "UAV")) == ["bike1", "bird1_1", "bird1_2"]
    done = convert(tmp_path / "UAV/anno/UAV20L", tmp_path / "long", DEFAULT)
    assert [(written.path.name, written.frames) for written in done.written] == [("bird1", 20)]
    again = convert(tmp_path / "UAV/anno/UAV123", tmp_path / "short", DEFAULT)
    assert len(again.written) == 3
