"""Videos and other data sets become VOT sequences."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PilImage

from alpharefine.errors import UsageError
from vot_integration.cli import main
from vot_integration.convert.convert import convert
from vot_integration.convert.source import ConvertOptions
from vot_integration.vot_folder import SequenceFolder, read_sequence_folder, validate_sequences

LENGTH = 6
WIDTH, HEIGHT = 48, 36
DEFAULT = ConvertOptions()


def write_images(folder: Path, stems: Sequence[str], suffix: str = ".jpg") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, stem in enumerate(stems):
        image = np.full((HEIGHT, WIDTH, 3), 40 + 10 * number % 200, np.uint8)
        cv2.imwrite(str(folder / f"{stem}{suffix}"), image)


def stems(pattern: str, first: int = 1, count: int = LENGTH) -> list[str]:
    return [pattern % number for number in range(first, first + count)]


def write_boxes(file: Path, separator: str = ",", count: int = LENGTH) -> None:
    lines = (separator.join(map(str, (4 + n, 5, 10, 8))) for n in range(count))
    file.write_text("\n".join(lines) + "\n")


def write_masks(folder: Path, names: Sequence[str], values: Sequence[int], empty: int = -1) -> None:
    """Masks with a square for each value; none in frame `empty`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        for place, value in enumerate(values):
            if number != empty:
                labels[4 + 14 * place : 14 + 14 * place, 3 + number : 13 + number] = value
        PilImage.fromarray(labels).save(folder / f"{name}.png")


def write_video(file: Path, count: int = LENGTH, fps: float = 12) -> None:
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), fps, (WIDTH, HEIGHT))
    for number in range(count):
        writer.write(np.full((HEIGHT, WIDTH, 3), 30 * number, np.uint8))
    writer.release()


def converted(source: Path, options: ConvertOptions = DEFAULT) -> dict[str, SequenceFolder]:
    destination = source.parent / "converted"
    convert(source, destination, options)
    return {path.name: read_sequence_folder(path) for path in validate_sequences(destination)}


def test_davis(tmp_path: Path) -> None:
    root = tmp_path / "DAVIS"
    for name, values in (("dog", [1]), ("pair", [1, 2])):
        write_images(root / "JPEGImages" / "480p" / name, stems("%05d", 0))
        write_masks(root / "Annotations" / "480p" / name, stems("%05d", 0), values)
    found = converted(root)
    assert list(found) == ["dog", "pair_1", "pair_2"]
    box = found["pair_2"].regions[2].bounds()
    assert tuple(box) == (5, 18, 14, 27)
    assert found["dog"].anchors == (1, 0, 0, 0, 0, -1)
    assert found["dog"].fps == 30 and found["dog"].size == (WIDTH, HEIGHT)


def test_masks_of_few_frames(tmp_path: Path) -> None:
    """YouTube-VOS and its kin have no folder of resolutions, and a mask in every fifth frame."""
    write_images(tmp_path / "set" / "JPEGImages" / "cat", stems("%05d", 0, 11))
    write_masks(tmp_path / "set" / "Annotations" / "cat", ["00000", "00005", "00010"], [255])
    assert converted(tmp_path / "set")["cat"].length == 3


def test_otb(tmp_path: Path) -> None:
    root = tmp_path / "OTB"
    for name, count in (("Deer", LENGTH), ("Jogging", LENGTH + 2), ("David", LENGTH + 299)):
        write_images(root / name / "img", stems("%04d", 1, count))
    write_boxes(root / "Deer" / "groundtruth_rect.txt", "\t")
    for number in (1, 2):
        write_boxes(root / "Jogging" / f"groundtruth_rect.{number}.txt")
    write_boxes(root / "David" / "groundtruth_rect.txt")
    found = converted(root)
    assert list(found) == ["David", "Deer", "Jogging_1", "Jogging_2"]
    assert {name: sequence.length for name, sequence in found.items()} == dict.fromkeys(found, 6)
    assert found["David"].frames[0].read_bytes() == (root / "David/img/0300.jpg").read_bytes()
    region = found["Deer"].regions[3]
    assert (region.x, region.y, region.width, region.height) == (7, 5, 10, 8)


def test_lasot_in_its_folder_of_classes(tmp_path: Path) -> None:
    folder = tmp_path / "LaSOT" / "car" / "car-2"
    write_images(folder / "img", stems("%08d"))
    write_boxes(folder / "groundtruth.txt")
    (folder / "full_occlusion.txt").write_text("0,0,1,0,0,0")
    (folder / "out_of_view.txt").write_text("0,0,0,1,0,0")
    sequence = converted(tmp_path / "LaSOT")["car-2"]
    assert [region.is_empty() for region in sequence.regions] == [0, 0, 1, 1, 0, 0]


def test_got10k_drops_frames_before_the_target(tmp_path: Path) -> None:
    folder = tmp_path / "GOT-10k_Val_000001"
    write_images(folder, stems("%08d"))
    write_boxes(folder / "groundtruth.txt")
    (folder / "absence.label").write_text("1\n0\n0\n1\n0\n0\n")
    sequence = converted(folder)["GOT-10k_Val_000001"]
    assert [region.is_empty() for region in sequence.regions] == [0, 0, 1, 0, 0]
    assert sequence.frames[0].read_bytes() == (folder / "00000002.jpg").read_bytes()


def test_plain_folder_with_masks_and_links(tmp_path: Path) -> None:
    write_images(tmp_path / "frames", stems("f%d"), ".png")
    write_masks(tmp_path / "masks", stems("f%d"), [255], empty=3)
    options = ConvertOptions(masks=tmp_path / "masks", name="thing", fps=24.6, link=True)
    sequence = converted(tmp_path / "frames", options)["thing"]
    assert sequence.fps == 25 and sequence.frames[0].suffix == ".png"
    assert all(frame.is_symlink() for frame in sequence.frames)
    assert [region.is_empty() for region in sequence.regions] == [0, 0, 0, 1, 0, 0]


def test_plain_folder_of_other_pictures_with_boxes(tmp_path: Path) -> None:
    write_images(tmp_path / "frames", stems("%02d"), ".bmp")
    (tmp_path / "boxes.txt").write_text("1 2 9 9\nnan nan nan nan\n0 0 0 0\n" + "1 2 9 9\n" * 3)
    sequence = converted(tmp_path / "frames", ConvertOptions(boxes=tmp_path / "boxes.txt"))[
        "frames"
    ]
    assert [region.is_empty() for region in sequence.regions] == [0, 1, 1, 0, 0, 0]
    written = cv2.imread(str(sequence.frames[2]))
    assert (written == cv2.imread(str(tmp_path / "frames" / "03.bmp"))).all()


def test_one_object_of_a_folder_with_masks(tmp_path: Path) -> None:
    write_images(tmp_path / "walk" / "color", stems("%08d"))
    write_masks(tmp_path / "walk" / "masks", stems("%08d"), [3, 7])
    sequence = converted(tmp_path / "walk", ConvertOptions(label=7))["walk"]
    assert tuple(sequence.regions[0].bounds()) == (3, 18, 12, 27)


@pytest.mark.parametrize("truth", ["masks", "boxes"])
def test_video(truth: str, tmp_path: Path) -> None:
    write_video(tmp_path / "walk.avi")
    write_masks(tmp_path / "masks", stems("%03d"), [1])
    write_boxes(tmp_path / "boxes")
    sequence = converted(tmp_path / "walk.avi", ConvertOptions(**{truth: tmp_path / truth}))["walk"]
    assert (sequence.length, sequence.fps) == (LENGTH, 12)
    assert cv2.imread(str(sequence.frames[3])).mean() == pytest.approx(90, abs=3)


def test_sequences_are_added_to_a_folder(tmp_path: Path) -> None:
    write_images(tmp_path / "frames", stems("%02d"))
    write_boxes(tmp_path / "boxes.txt")
    for name in ("one", "two"):
        found = converted(
            tmp_path / "frames", ConvertOptions(boxes=tmp_path / "boxes.txt", name=name)
        )
    assert list(found) == ["one", "two"]


def bad_count(folder: Path) -> ConvertOptions:
    write_boxes(folder / "boxes.txt", count=4)
    return ConvertOptions(boxes=folder / "boxes.txt")


def bad_numbers(folder: Path) -> ConvertOptions:
    (folder / "boxes.txt").write_text("1,2,3\n" * LENGTH)
    return ConvertOptions(boxes=folder / "boxes.txt")


def bad_object(folder: Path) -> ConvertOptions:
    write_masks(folder / "masks", stems("%02d"), [1, 2])
    return ConvertOptions(masks=folder / "masks", label=9)


def bad_names(folder: Path) -> ConvertOptions:
    write_masks(folder / "masks", stems("mask%02d"), [1])
    return ConvertOptions(masks=folder / "masks")


def bad_image(folder: Path) -> ConvertOptions:
    write_boxes(folder / "boxes.txt")
    (folder / "frames" / "01.jpg").write_text("<html>")
    return ConvertOptions(boxes=folder / "boxes.txt")


def bad_target(folder: Path) -> ConvertOptions:
    (folder / "boxes.txt").write_text("0,0,0,0\n" * LENGTH)
    return ConvertOptions(boxes=folder / "boxes.txt")


def bad_name(folder: Path) -> ConvertOptions:
    write_boxes(folder / "boxes.txt")
    return ConvertOptions(boxes=folder / "boxes.txt", name="../up")


def bad_both(folder: Path) -> ConvertOptions:
    return ConvertOptions(boxes=folder / "boxes.txt", masks=folder)


BAD = {
    bad_count: "4 boxes for the 6 frames",
    bad_numbers: "3 numbers in a row",
    bad_object: "object 9 is not in .* there are 1, 2",
    bad_names: "has the name of a frame",
    bad_image: "01.jpg cannot be read as an image",
    bad_target: "no frame but the last",
    bad_name: "cannot be a sequence's name",
    bad_both: "give one of them",
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__)
def test_bad_input_leaves_nothing(spoil, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    write_images(tmp_path / "frames", stems("%02d"))
    options = spoil(tmp_path)
    with pytest.raises(UsageError, match=BAD[spoil]) as error:
        convert(tmp_path / "frames", tmp_path / "converted", options)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "converted").exists()


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_images(tmp_path / "frames", stems("%02d"))
    write_boxes(tmp_path / "boxes.txt")
    arguments = ["sequences", "convert", str(tmp_path / "frames"), str(tmp_path / "out")]
    assert main([*arguments, "--boxes", str(tmp_path / "boxes.txt"), "--name", "mine"]) == 0
    assert f"wrote {tmp_path / 'out' / 'mine'}" in capsys.readouterr().out
    assert main(["sequences", "check", str(tmp_path / "out")]) == 0
    assert "good: 1 sequences" in capsys.readouterr().out
    for wrong in (["--name", "mine", "--boxes", str(tmp_path / "boxes.txt")], [], ["--fps", "0"]):
        assert main([*arguments, *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1
