"""Videos and other data sets become VOT sequences."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PilImage

from alpharefine.errors import UsageError
from tests.sequences.make import (
    HEIGHT,
    LENGTH,
    WIDTH,
    sound_sequences,
    stems,
    write_boxes,
    write_davis,
    write_got,
    write_images,
    write_lasot,
    write_masks,
    write_video,
)
from vot_integration.convert.convert import convert
from vot_integration.convert.source import ConvertOptions
from vot_integration.sequences.checks import check_sequences
from vot_integration.sequences.folder import (
    SequenceFolder,
    read_sequence_folder,
)

DEFAULT = ConvertOptions()


def converted(source: Path, options: ConvertOptions = DEFAULT) -> dict[str, SequenceFolder]:
    destination = source.parent / "converted"
    convert(source, destination, options)
    return {path.name: read_sequence_folder(path) for path in sound_sequences(destination)}


def test_davis(tmp_path: Path) -> None:
    write_davis(tmp_path / "DAVIS", {"dog": [1], "pair": [1, 2]})
    found = converted(tmp_path / "DAVIS")
    assert list(found) == ["dog", "pair_1", "pair_2"]
    box = found["pair_2"].regions[2].bounds()
    assert tuple(box) == (5, 18, 14, 27)
    assert found["dog"].anchors == (1, 0, 0, 0, 0, -1)
    assert found["dog"].fps == 30 and found["dog"].size == (WIDTH, HEIGHT)


def test_all_objects_of_label_maps_in_one_sequence(tmp_path: Path) -> None:
    write_davis(tmp_path / "DAVIS", {"dog": [1], "pair": [1, 2]})
    destination = tmp_path / "converted"
    convert(tmp_path / "DAVIS", destination, replace(DEFAULT, together=True))
    [dog, pair] = (
        read_sequence_folder(destination / name, several=True) for name in ("dog", "pair")
    )
    assert list(dog.objects) == ["1"] and list(pair.objects) == ["1", "2"]
    assert tuple(pair.objects["2"][2].bounds()) == (5, 18, 14, 27)
    assert not (destination / "pair" / "groundtruth.txt").exists() and pair.anchors == ()
    assert check_sequences(destination).problems == ()


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("JPEGImages/480p/pair", ["pair_1", "pair_2"]),
        ("JPEGImages/480p", ["dog", "pair_1", "pair_2"]),
        ("JPEGImages", ["dog", "pair_1", "pair_2"]),
    ],
)
def test_part_of_davis(part: str, names: list[str], tmp_path: Path) -> None:
    write_davis(tmp_path / "DAVIS", {"dog": [1], "pair": [1, 2]})
    convert(tmp_path / "DAVIS" / part, tmp_path / "out", DEFAULT)
    assert [path.name for path in sound_sequences(tmp_path / "out")] == names


def test_sequence_of_davis_from_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_davis(tmp_path / "DAVIS", {"dog": [1], "pair": [1, 2]})
    monkeypatch.chdir(tmp_path / "DAVIS" / "JPEGImages" / "480p" / "dog")
    convert(Path(), tmp_path / "out", DEFAULT)
    assert sound_sequences(tmp_path / "out") == [tmp_path / "out" / "dog"]


def test_videos_of_a_resolution_without_masks_are_no_sequences(tmp_path: Path) -> None:
    write_davis(tmp_path / "DAVIS", {"dog": [1]})
    write_images(tmp_path / "DAVIS" / "JPEGImages" / "1080p" / "dog", stems("%05d", 0))
    assert list(converted(tmp_path / "DAVIS")) == ["dog"]


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
    write_lasot(folder)
    (folder / "full_occlusion.txt").write_text("0,0,1,0,0,0")
    (folder / "out_of_view.txt").write_text("0,0,0,1,0,0")
    sequence = converted(tmp_path / "LaSOT")["car-2"]
    assert [region.is_empty() for region in sequence.regions] == [0, 0, 1, 1, 0, 0]


def test_got10k_drops_frames_before_the_target(tmp_path: Path) -> None:
    folder = tmp_path / "GOT-10k_Val_000001"
    write_got(folder)
    (folder / "absence.label").write_text("1\n0\n0\n1\n0\n0\n")
    sequence = converted(folder)["GOT-10k_Val_000001"]
    assert [region.is_empty() for region in sequence.regions] == [0, 0, 1, 0, 0]
    assert sequence.frames[0].read_bytes() == (folder / "00000002.jpg").read_bytes()


@pytest.mark.parametrize(
    ("rate", "option", "fps"),
    [
        ("10Hz", None, 10),
        ("12.5 fps", None, 12),
        ("10Hz", 25, 25),
        ("odd", 25, 25),
        (None, None, 30),
        ("60fps", None, 60),
    ],
)
def test_rate_of_got10k(rate: str | None, option: float | None, fps: int, tmp_path: Path) -> None:
    write_got(tmp_path / "one", rate=rate)
    assert converted(tmp_path / "one", ConvertOptions(fps=option))["one"].fps == fps


@pytest.mark.parametrize("rate", ["", "ten", "0Hz", "1e9"])
def test_rate_that_is_none(rate: str, tmp_path: Path) -> None:
    write_got(tmp_path / "one", rate=rate)
    with pytest.raises(UsageError, match=r"meta_info\.ini says anno_fps.* or give --fps"):
        converted(tmp_path / "one")


def test_frames_that_the_target_is_outside_of_come_before_it(tmp_path: Path) -> None:
    write_lasot(tmp_path / "car-2")
    (tmp_path / "car-2" / "groundtruth.txt").write_text("90,5,9,9\n" * 2 + "4,5,9,9\n" * 4)
    sequence = converted(tmp_path / "car-2")["car-2"]
    assert sequence.length == 4 and sequence.anchors[0] == 1


def test_name_of_a_link(tmp_path: Path) -> None:
    write_lasot(tmp_path / "disk" / "0001")
    (tmp_path / "car-2").symlink_to(tmp_path / "disk" / "0001")
    assert list(converted(tmp_path / "car-2")) == ["car-2"]


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


def bad_later_image(folder: Path) -> ConvertOptions:
    write_boxes(folder / "boxes.txt")
    (folder / "frames" / "04.jpg").write_text("<html>")
    return ConvertOptions(boxes=folder / "boxes.txt")


def empty_image(folder: Path) -> ConvertOptions:
    write_boxes(folder / "boxes.txt")
    (folder / "frames" / "04.jpg").write_bytes(b"")
    return ConvertOptions(boxes=folder / "boxes.txt", link=True)


def lost_image(folder: Path) -> ConvertOptions:
    write_boxes(folder / "boxes.txt")
    (folder / "frames" / "04.jpg").unlink()
    (folder / "frames" / "04.jpg").symlink_to("nowhere.jpg")
    return ConvertOptions(boxes=folder / "boxes.txt", link=True)


def unlike_masks(folder: Path) -> ConvertOptions:
    write_masks(folder / "masks", stems("%02d"), [1])
    PilImage.new("L", (WIDTH + 2, HEIGHT), 1).save(folder / "masks" / "03.png")
    return ConvertOptions(masks=folder / "masks")


def small_masks(folder: Path) -> ConvertOptions:
    (folder / "masks").mkdir()
    for stem in stems("%02d"):
        mask = PilImage.new("L", (WIDTH // 2, HEIGHT // 2))
        mask.paste(1, (5, 5, 10, 10))
        mask.save(folder / "masks" / f"{stem}.png")
    return ConvertOptions(masks=folder / "masks")


def one_mask(folder: Path) -> ConvertOptions:
    write_masks(folder / "masks", ["01"], [1])
    return ConvertOptions(masks=folder / "masks")


def no_file(folder: Path) -> ConvertOptions:
    return ConvertOptions(boxes=folder / "boxes.txt")


def no_annotation(folder: Path) -> ConvertOptions:
    return DEFAULT


def bad_option(folder: Path) -> ConvertOptions:
    write_boxes(folder / "boxes.txt")
    return ConvertOptions(boxes=folder / "boxes.txt", label=1)


def bad_rate(folder: Path) -> ConvertOptions:
    write_boxes(folder / "boxes.txt")
    return ConvertOptions(boxes=folder / "boxes.txt", fps=float("nan"))


def list_name(folder: Path) -> ConvertOptions:
    write_boxes(folder / "boxes.txt")
    return ConvertOptions(boxes=folder / "boxes.txt", name="list.txt")


def spaced_name(folder: Path) -> ConvertOptions:
    write_boxes(folder / "boxes.txt")
    return ConvertOptions(boxes=folder / "boxes.txt", name="dog ")


def long_name(folder: Path) -> ConvertOptions:
    write_boxes(folder / "boxes.txt")
    return ConvertOptions(boxes=folder / "boxes.txt", name="dog" * 99)


def bad_target(folder: Path) -> ConvertOptions:
    (folder / "boxes.txt").write_text("0,0,0,0\n" * LENGTH)
    return ConvertOptions(boxes=folder / "boxes.txt")


def bad_name(folder: Path) -> ConvertOptions:
    write_boxes(folder / "boxes.txt")
    return ConvertOptions(boxes=folder / "boxes.txt", name="../up")


def bad_both(folder: Path) -> ConvertOptions:
    return ConvertOptions(boxes=folder / "boxes.txt", masks=folder)


BAD = {
    bad_count: "4 boxes for 6 frames",
    bad_numbers: "3 numbers in line 1",
    bad_object: "object 9 is not in .* there are 1, 2",
    bad_names: "has the name of a frame",
    bad_image: "01.jpg cannot be read as an image",
    bad_later_image: "04.jpg cannot be read as an image",
    empty_image: "04.jpg is empty",
    lost_image: "04.jpg cannot be read as an image",
    unlike_masks: "differ in size: 01.png has 48 x 36 but 03.png has 50 x 36",
    small_masks: "masks have 24 x 18 pixels but the frames 48 x 36",
    one_mask: "ground truth of one frame only",
    no_file: "there is no file of boxes",
    no_annotation: "is a folder of frames: say where the target is",
    bad_option: "--object chooses from label maps",
    bad_rate: "--fps nan",
    list_name: "cannot be a sequence's name",
    spaced_name: "cannot be a sequence's name",
    long_name: "cannot be a sequence's name",
    bad_target: "in no frame, or in the last alone",
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


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_boxes_of_every_encoding(encoding: str, end: str, tmp_path: Path) -> None:
    write_images(tmp_path / "frames", stems("%02d"))
    write_boxes(tmp_path / "boxes.txt")
    text = f"# Gr\xf6\xdfe: x,y,w,h\n{(tmp_path / 'boxes.txt').read_text()}\n"
    (tmp_path / "boxes.txt").write_bytes(text.replace("\n", end).encode(encoding))
    sequence = converted(tmp_path / "frames", ConvertOptions(boxes=tmp_path / "boxes.txt"))[
        "frames"
    ]
    assert sequence.length == LENGTH
    region = sequence.regions[1]
    assert (region.x, region.y, region.width, region.height) == (5, 5, 10, 8)


def test_a_folder_of_masks_for_each_object(tmp_path: Path) -> None:
    write_images(tmp_path / "walk", stems("%02d"))
    for name in ("1", "2"):
        write_masks(tmp_path / "masks" / name, stems("%02d"), [255] * int(name))
    found = converted(tmp_path / "walk", ConvertOptions(masks=tmp_path / "masks"))
    assert list(found) == ["walk_1", "walk_2"]
    assert int(found["walk_2"].regions[0].mask.sum()) == 200
    options = ConvertOptions(masks=tmp_path / "masks", label=2)
    convert(tmp_path / "walk", tmp_path / "one", options)
    assert [path.name for path in sound_sequences(tmp_path / "one")] == ["walk_2"]
    with pytest.raises(UsageError, match="a folder an object: 1, 2"):
        convert(tmp_path / "walk", tmp_path / "three", replace(options, label=3))


def test_two_masks_of_a_frame(tmp_path: Path) -> None:
    write_images(tmp_path / "walk", stems("%02d"))
    write_masks(tmp_path / "masks", stems("%02d"), [1])
    write_images(tmp_path / "masks", ["03"])
    with pytest.raises(UsageError, match="are masks of one frame: keep one"):
        convert(tmp_path / "walk", tmp_path / "out", ConvertOptions(masks=tmp_path / "masks"))


def test_numbers_of_16_bits(tmp_path: Path) -> None:
    write_images(tmp_path / "walk", stems("%02d"))
    (tmp_path / "masks").mkdir()
    labels = np.zeros((HEIGHT, WIDTH), np.uint16)
    labels[4:14, 3:13], labels[20:25, 30:40] = 1001, 2025
    for stem in stems("%02d"):
        PilImage.fromarray(labels).save(tmp_path / "masks" / f"{stem}.png")
    found = converted(tmp_path / "walk", ConvertOptions(masks=tmp_path / "masks"))
    sizes = {name: int(sequence.regions[0].mask.sum()) for name, sequence in found.items()}
    assert sizes == {"walk_1001": 100, "walk_2025": 50}
