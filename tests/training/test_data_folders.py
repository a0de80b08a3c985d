"""Readers of plain folders: images with masks, videos, unlabelled images."""

import logging
import os
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PilImage

from alpharefine.data.folders import read_video_folder
from alpharefine.data.images import FrameError, list_folders, list_images, read_image
from alpharefine.data.label_maps import ObjectFilter
from alpharefine.data.mask_pictures import read_picture_of_masks
from alpharefine.data.regions import parse_box, parse_mask
from alpharefine.data.stills import ImageFolder, read_mask_folder
from alpharefine.errors import UsageError
from tests.training.layouts import blank_labels, write_image, write_labels, write_text

DATA = Path(os.environ.get("ARVOT_DATA", Path(__file__).parents[2] / "../shared/data"))

Labels = NDArray[np.uint8]


def make_mask_set(root: Path) -> Path:
    for k in range(3):
        write_image(root / f"images/{k}.jpg", 90, 120, k)
        labels = blank_labels(90, 120)
        labels[10:50, 20:60] = 1
        labels[60:85, 70:110] = 2
        labels[0:3, 0:3] = 3
        write_labels(root / f"masks/{k}.png", labels, palette=k == 0)
    return root


def test_mask_folder_makes_every_worthwhile_object_a_sequence(tmp_path: Path) -> None:
    source = read_mask_folder(make_mask_set(tmp_path))
    assert len(source) == 6, "two objects in each of three images, the speck left out"
    frames = [source.frame(i, 0) for i in range(6)]
    assert all(len(source.sequence(i)) == 1 for i in range(6))
    assert frames[0].box == (20, 10, 40, 40)
    assert frames[1].box == (70, 60, 40, 25)
    for frame in frames:
        assert frame.image.shape == (90, 120, 3) and frame.image.dtype == np.uint8
        assert frame.mask is not None and frame.mask.dtype == np.uint8
        assert frame.mask.sum() == frame.box.w * frame.box.h


def test_mask_folder_counts_what_it_skips(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_mask_set(tmp_path)
    (tmp_path / "masks/1.png").write_bytes(b"not a picture")
    write_image(tmp_path / "images/lonely.jpg", 90, 120, 7)
    with caplog.at_level(logging.WARNING):
        source = read_mask_folder(tmp_path)
    assert len(source) == 4
    assert any("2 skipped, 4 usable" in record.getMessage() for record in caplog.records)


def test_broken_image_is_a_frame_error(tmp_path: Path) -> None:
    source = read_mask_folder(make_mask_set(tmp_path))
    (tmp_path / "images/0.jpg").write_bytes(b"")
    with pytest.raises(FrameError, match=r"0\.jpg"):
        source.frame(0, 0)
    write_image(tmp_path / "images/1.jpg", 45, 60, 1)
    with pytest.raises(FrameError, match="mask"):
        source.frame(2, 0)


@pytest.mark.parametrize("reader", [read_mask_folder, read_video_folder])
def test_wrong_layout_names_the_expected_one(reader: object, tmp_path: Path) -> None:
    assert callable(reader)
    for root in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UsageError, match="expected") as caught:
            reader(root)
        assert "\n" not in str(caught.value)


def test_binary_masks_in_the_image_folder(tmp_path: Path) -> None:
    """MSRA10K's way: one folder, gray masks with soft edges."""
    write_image(tmp_path / "Imgs/a.jpg", 40, 50, 0)
    labels = blank_labels(40, 50)
    labels[10:20, 10:30] = 255
    labels[9, 10:30] = 40
    write_labels(tmp_path / "Imgs/a.png", labels)
    source = read_mask_folder(tmp_path, images="Imgs", masks="Imgs", binary=True)
    assert len(source) == 1
    assert source.frame(0, 0).box == (10, 10, 20, 10)


@pytest.mark.parametrize(
    ("change", "kept"),
    [({}, True), ({"min_area": 0.5}, False), ({"max_area": 0.1}, False), ({"min_side": 41}, False)],
)
def test_object_filter(change: dict[str, float], kept: bool) -> None:
    mask = blank_labels(100, 100)
    mask[10:50, 10:50] = 1
    assert ObjectFilter(**change).accepts(mask) is kept  # type: ignore[arg-type]


def test_object_filter_refuses_scattered_objects() -> None:
    mask = blank_labels(100, 100)
    mask[10:30, 10:30] = 1
    assert ObjectFilter().accepts(mask)
    mask[60:80, 60:80] = 1
    assert not ObjectFilter().accepts(mask)


def make_videos(root: Path) -> Path:
    for t in range(1, 5):
        for name in ("boxes", "masks", "regions"):
            write_image(root / name / f"color/{t:08d}.jpg", 60, 80, t)
        labels = blank_labels(60, 80)
        if t != 3:
            labels[10 : 20 + t, 5:30] = 255
        write_labels(root / f"masks/masks/{t:08d}.png", labels)
    write_text(root / "boxes/groundtruth.txt", "1,2,10,12", "nan,nan,nan,nan", "0", "70,50,20,20")
    write_text(
        root / "regions/groundtruth.txt", "m5,6,3,2,1,2,2,1", "m0,0,4,4,16", "0", "1,1,9,1,9,9,1,9"
    )
    return root


def test_video_folder(tmp_path: Path) -> None:
    source = read_video_folder(make_videos(tmp_path))
    found = {source.sequence(i).name: i for i in range(len(source))}
    boxes, masks, regions = (source.sequence(found[n]) for n in ("boxes", "masks", "regions"))
    assert boxes.visible.tolist() == [True, False, False, True]
    assert masks.visible.tolist() == [True, True, False, True] and masks.has_masks
    assert regions.visible.tolist() == [True, False, False, True]
    assert source.frame(found["masks"], 1).box == (5, 10, 25, 12)
    frame = source.frame(found["regions"], 0)
    assert frame.mask is not None
    assert np.argwhere(frame.mask).tolist() == [[6, 6], [6, 7], [7, 7]]
    assert source.frame(found["regions"], 3).box == (1, 1, 8, 8)
    assert source.frame(found["boxes"], 3).mask is None


def labels_with(
    values: dict[int, tuple[slice, slice]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    labels = blank_labels(90, 120)
    for value, place in values.items():
        labels[place] = value
    return labels


LEFT, RIGHT = (slice(10, 50), slice(20, 60)), (slice(20, 70), slice(70, 110))


def soft_square() -> Labels:
    return np.asarray(cv2.GaussianBlur(labels_with({255: LEFT}), (9, 9), 0), np.uint8)


@pytest.mark.parametrize("kind", ["stills", "video"])
@pytest.mark.parametrize(
    ("labels", "boxes"),
    [
        (labels_with({1: LEFT, 255: RIGHT}), [(20, 10, 40, 40)]),
        (labels_with({255: LEFT}), [(20, 10, 40, 40)]),
        (labels_with({100: LEFT, 255: RIGHT}), [(20, 10, 40, 40), (70, 20, 40, 50)]),
        (soft_square(), [(20, 10, 40, 40)]),
        (labels_with({50: LEFT, 255: RIGHT}), []),
    ],
    ids=["ignore", "one", "gray", "soft", "ambiguous"],
)
def test_objects_are_those_that_the_shared_reader_finds(
    kind: str,
    labels: Labels,
    boxes: list[tuple[int, ...]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in range(1 if kind == "stills" else 6):
        folders = ("images", "masks") if kind == "stills" else ("v/color", "v/masks")
        write_image(tmp_path / folders[0] / f"{number}.jpg", 90, 120, number)
        write_labels(tmp_path / folders[1] / f"{number}.png", labels)
    reader = read_mask_folder if kind == "stills" else read_video_folder
    if not boxes:
        with caplog.at_level(logging.WARNING), pytest.raises(UsageError, match="no usable"):
            reader(tmp_path)
        assert "have 255, which may be an object or 'ignore', beside 50" in caplog.text
        return
    source = reader(tmp_path)
    assert [source.frame(index, 0).box for index in range(len(source))] == boxes
    assert source.sequence(0).visible.all()


def test_frames_of_videos_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in range(1, 13):
        write_image(tmp_path / f"v/{number}.jpg", 60, 80, number)
    write_text(tmp_path / "v/groundtruth.txt", *[f"{number},2,10,12" for number in range(1, 13)])
    source = read_video_folder(tmp_path)
    for number in (2, 10):
        written = read_image(tmp_path / f"v/{number}.jpg")
        assert np.array_equal(source.frame(0, number - 1).image, written)


def test_video_folder_obeys_its_list(tmp_path: Path) -> None:
    make_videos(tmp_path)
    write_text(tmp_path / "list.txt", "regions")
    assert len(read_video_folder(tmp_path)) == 1
    write_text(tmp_path / "list.txt", "regions", "gone")
    with pytest.raises(UsageError, match="gone"):
        read_video_folder(tmp_path)


def test_video_with_too_few_lines_is_skipped(tmp_path: Path) -> None:
    make_videos(tmp_path)
    write_text(tmp_path / "boxes/groundtruth.txt", "1,2,10,12")
    write_text(tmp_path / "regions/groundtruth.txt", "1,2,x,12")
    assert len(read_video_folder(tmp_path)) == 1


def test_sources_are_picklable(tmp_path: Path) -> None:
    source = pickle.loads(pickle.dumps(read_video_folder(make_videos(tmp_path))))
    assert source.frame(0, 0).image.shape == (60, 80, 3)


def test_regions_outside_the_image_are_cut() -> None:
    mask = parse_mask("m-1,-1,3,3,0,9", 4, 4)
    assert np.argwhere(mask).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert parse_box("0") is None
    with pytest.raises(ValueError, match="5 numbers"):
        parse_box("1,2,3,4,5")


def test_color_mask_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    PilImage.fromarray(np.random.default_rng(0).integers(0, 255, (9, 9, 3), np.uint8)).save(path)
    with pytest.raises(FrameError, match="color"):
        read_picture_of_masks(path)


def test_image_is_rgb_and_ignores_orientation(tmp_path: Path) -> None:
    picture = PilImage.new("RGB", (20, 10), (255, 0, 0))
    exif = PilImage.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    image = read_image(tmp_path / "a.jpg")
    assert image.shape == (10, 20, 3)
    assert image[5, 5, 0] > 200 and image[5, 5, 2] < 50


def test_image_folder(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg", 8, 9, 0)
    write_image(tmp_path / "sub/b.png", 8, 9, 1)
    (tmp_path / "sub/c.jpg").write_bytes(b"x")
    folder = ImageFolder(tmp_path)
    assert len(folder) == 3
    assert folder.image(1).shape == (8, 9, 3)
    with pytest.raises(FrameError):
        folder.image(2)
    with pytest.raises(UsageError, match="no image"):
        ImageFolder(tmp_path / "none")


LEFT_BY_SYSTEMS = ("._a.jpg", ".hidden.png", "Thumbs.db", ".DS_Store", "notes.txt")


def test_what_systems_leave_is_not_data(tmp_path: Path) -> None:
    """AppleDouble files have the suffix of what they belong to."""
    for folder in ("", "sub", "__MACOSX", "sub/@eaDir", ".cache"):
        write_image(tmp_path / folder / "a.jpg", 8, 9, 0)
        for name in LEFT_BY_SYSTEMS:
            (tmp_path / folder / name).write_bytes(b"\0\5\x16\7")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "lost.jpg").symlink_to("nowhere.jpg")
    assert [path.name for path in list_images(tmp_path)] == ["a.jpg", "lost.jpg"]
    assert [path.name for path in list_folders(tmp_path)] == ["folder.png", "sub"]
    assert len(ImageFolder(tmp_path)) == 3


@pytest.mark.skipif(not (DATA / "train_masks").is_dir(), reason="no local data ($ARVOT_DATA)")
def test_local_data() -> None:
    sets = {p.name: read_mask_folder(p) for p in sorted((DATA / "train_masks").iterdir())}
    assert all(len(images) > 0 for images in sets.values())
    videos = read_video_folder(DATA / "train_video")
    assert len(videos) == sum(path.is_dir() for path in (DATA / "train_video").iterdir())
    with_masks = sum(path.is_dir() for path in (DATA / "train_video").glob("*/masks"))
    assert sum(videos.sequence(i).has_masks for i in range(len(videos))) == with_masks > 0
    for i in range(len(videos)):
        frame = videos.frame(i, 0)
        assert frame.box.is_valid
        assert cv2.countNonZero(frame.mask) > 100 if frame.mask is not None else True
