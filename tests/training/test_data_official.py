"""Readers of the official data sets, on tiny folders in their layouts."""

import logging
import pickle
from pathlib import Path

import numpy as np
import pytest

from alpharefine.data.coco import CocoSource
from alpharefine.data.imagenet import read_imagenet_det, read_imagenet_vid
from alpharefine.data.images import FrameError
from alpharefine.data.mask_videos import read_davis, read_youtube_vos
from alpharefine.data.readers import READERS, SALIENCY_FOLDERS
from alpharefine.data.source import VideoSource
from alpharefine.errors import UsageError
from alpharefine.types import Box
from tests.training.layouts import blank_labels, write_image, write_json, write_labels, write_text

H, W = 48, 64


def make_lasot(root: Path, name: str = "cat/cat-3") -> Path:
    for t in range(1, 5):
        write_image(root / name / f"img/{t:08d}.jpg", H, W, t)
    write_text(root / name / "groundtruth.txt", *[f"{t},2,10,12" for t in range(4)])
    write_text(root / name / "full_occlusion.txt", "0,1,0,0")
    write_text(root / name / "out_of_view.txt", "0,0,0,1")
    return root


def make_got10k(root: Path, name: str = "GOT-10k_Train_000001") -> Path:
    folder = root / "train" / name
    for t in range(1, 4):
        write_image(folder / f"{t:08d}.jpg", H, W, t)
    write_text(folder / "groundtruth.txt", *[f"{t}.5000,2.0000,10.0,12.0" for t in range(3)])
    write_text(folder / "absence.label", "0", "1", "0")
    write_text(folder / "cover.label", "8", "8", "0")
    write_text(root / "train/list.txt", name)
    return root


def make_trackingnet(root: Path) -> Path:
    for part, name in (("TRAIN_0", "aaa_0"), ("TRAIN_11", "bbb_1")):
        for t in range(3):
            write_image(root / part / f"frames/{name}/{t}.jpg", H, W, t)
        write_text(root / part / f"anno/{name}.txt", "1,2,10,12", "2,2,10,12", "3,2,10,12")
    return root


def xml(*objects: tuple[str | None, Box, int]) -> str:
    items = []
    for track, box, occluded in objects:
        sides = {"xmin": box.x, "ymin": box.y, "xmax": box.x + box.w, "ymax": box.y + box.h}
        bounds = "".join(f"<{k}>{int(v)}</{k}>" for k, v in sides.items())
        number = "" if track is None else f"<trackid>{track}</trackid>"
        items.append(
            f"<object>{number}<name>n02</name><bndbox>{bounds}</bndbox>"
            f"<occluded>{occluded}</occluded></object>"
        )
    return f"<annotation><size><width>{W}</width></size>{''.join(items)}</annotation>"


def make_vid(root: Path) -> Path:
    clip = "VID/train/ILSVRC2015_VID_train_0000/ILSVRC2015_train_00010001"
    first, second = Box(1, 2, 10, 12), Box(30, 20, 20, 15)
    contents = [
        xml(("0", first, 0), ("1", second, 0)),
        xml(("1", second, 1)),
        xml(("0", first, 0)),
    ]
    for t, content in enumerate(contents):
        write_image(root / "Data" / clip / f"{t:06d}.JPEG", H, W, t)
        write_text(root / "Annotations" / clip / f"{t:06d}.xml", content)
    return root


def make_det(root: Path) -> Path:
    for part, stem in (("ILSVRC2013_train/n01", "n01_1"), ("ILSVRC2014_train_0000", "x_7")):
        write_image(root / f"Data/DET/train/{part}/{stem}.JPEG", H, W, 0)
        objects = ((None, Box(1, 2, 10, 12), 0), (None, Box(20, 20, 30, 15), 0))
        write_text(root / f"Annotations/DET/train/{part}/{stem}.xml", xml(*objects))
    return root


def make_coco(root: Path) -> Path:
    polygon = [10, 8, 40, 8, 40, 32, 10, 32]
    runs = {"counts": [H * 20, 1, H * W - H * 20 - 1], "size": [H, W]}
    common = {"image_id": 9, "category_id": 1, "bbox": [10, 8, 30, 24]}
    annotations = [
        {"id": 1, "area": 720, "iscrowd": 0, "segmentation": [polygon], **common},
        {"id": 2, "area": 720, "iscrowd": 1, "segmentation": runs, **common},
        {"id": 3, "area": 2, "iscrowd": 0, "segmentation": [polygon], **common},
        {"id": 4, "area": 720, "iscrowd": 0, "segmentation": [polygon], **common, "image_id": 10},
    ]
    images = [{"id": k, "file_name": f"{k:012d}.jpg", "height": H, "width": W} for k in (9, 10)]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "a"}]}
    write_json(root / "annotations/instances_train2017.json", content)
    write_image(root / "train2017/000000000009.jpg", H, W, 0)
    return root


def two_objects(shift: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    labels = blank_labels(H, W)
    labels[5:20, 5 + shift : 25 + shift] = 1
    labels[30:45, 30:50] = 2
    return labels


def make_youtube_vos(root: Path) -> Path:
    for t in (0, 5, 10):
        write_image(root / f"train/JPEGImages/0a/{t:05d}.jpg", H, W, t)
        write_labels(root / f"train/Annotations/0a/{t:05d}.png", two_objects(t), palette=True)
    objects = {
        "1": {"category": "cat", "frames": ["00000", "00005", "00010"]},
        "2": {"category": "dog", "frames": ["00005"]},
    }
    write_json(root / "train/meta.json", {"videos": {"0a": {"objects": objects}}})
    return root


def make_davis(root: Path) -> Path:
    for t in range(3):
        write_image(root / f"JPEGImages/480p/bear/{t:05d}.jpg", H, W, t)
        labels = two_objects(t)
        if t == 1:
            labels[labels == 2] = 0
        write_labels(root / f"Annotations/480p/bear/{t:05d}.png", labels, palette=True)
    write_text(root / "ImageSets/2017/train.txt", "bear")
    lines = [
        f"/JPEGImages/480p/bear/0000{t}.jpg /Annotations/480p/bear/0000{t}.png" for t in (0, 1)
    ]
    write_text(root / "ImageSets/480p/train.txt", *lines)
    return root


MAKERS = {
    "lasot": make_lasot,
    "got10k": make_got10k,
    "trackingnet": make_trackingnet,
    "imagenet-vid": make_vid,
    "imagenet-det": make_det,
    "coco": make_coco,
    "youtube-vos": make_youtube_vos,
    "davis": make_davis,
}


def read(kind: str, root: Path) -> VideoSource:
    return READERS[kind](root)


@pytest.mark.parametrize(
    ("kind", "count", "visible", "box"),
    [
        ("lasot", 1, [[1, 0, 1, 0]], Box(2, 2, 10, 12)),
        ("got10k", 1, [[1, 0, 0]], Box(0.5, 2, 10, 12)),
        ("trackingnet", 2, [[1, 1, 1]] * 2, Box(3, 2, 10, 12)),
        ("imagenet-vid", 2, [[1, 0, 1], [1, 0, 0]], Box(1, 2, 10, 12)),
        ("imagenet-det", 4, [[1]] * 4, Box(1, 2, 10, 12)),
        ("coco", 2, [[1]] * 2, Box(10, 8, 30, 24)),
        ("youtube-vos", 2, [[1, 1, 1], [1]], Box(15, 5, 20, 15)),
        ("davis", 2, [[1, 1, 1], [1, 0, 1]], Box(7, 5, 20, 15)),
    ],
)
def test_official_layout(
    kind: str, count: int, visible: list[list[int]], box: Box, tmp_path: Path
) -> None:
    source = pickle.loads(pickle.dumps(read(kind, MAKERS[kind](tmp_path))))
    assert len(source) == count
    infos = [source.sequence(i) for i in range(count)]
    assert [list(map(int, info.visible)) for info in infos] == visible
    last = int(np.flatnonzero(infos[0].visible)[-1])
    frame = source.frame(0, last)
    assert frame.box == pytest.approx(box)
    assert frame.image.shape == (H, W, 3)
    assert (frame.mask is not None) == infos[0].has_masks
    if frame.mask is not None:
        assert frame.mask.sum() == pytest.approx(box.w * box.h, rel=0.1)
        assert frame.mask.shape == (H, W) and set(np.unique(frame.mask)) == {0, 1}


@pytest.mark.parametrize("kind", [*MAKERS, *SALIENCY_FOLDERS])
def test_wrong_layout_shows_the_expected_one(kind: str, tmp_path: Path) -> None:
    write_image(tmp_path / "somewhere/a.jpg", H, W, 0)
    for root in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UsageError, match=r"expected .*<") as caught:
            read(kind, root)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", SALIENCY_FOLDERS)
def test_saliency_sets(kind: str, tmp_path: Path) -> None:
    images, masks = SALIENCY_FOLDERS[kind]
    labels = blank_labels(H, W)
    labels[5:20, 5:25] = 255
    write_image(tmp_path / images / "0001.jpg", H, W, 0)
    write_labels(tmp_path / masks / "0001.png", labels)
    source = read(kind, tmp_path)
    assert len(source) == 1 and source.frame(0, 0).box == (5, 5, 20, 15)


def warnings(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)


def test_broken_sequences_are_skipped_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_lasot(tmp_path)
    make_lasot(tmp_path, "cat/cat-4")
    make_lasot(tmp_path, "dog/dog-1")
    write_text(tmp_path / "cat/cat-4/groundtruth.txt", "1,2,3,4")
    (tmp_path / "dog/dog-1/img/00000004.jpg").unlink()
    assert len(read("lasot", tmp_path)) == 1
    assert "LaSOT: 2 skipped, 1 usable" in warnings(caplog)
    (tmp_path / "cat/cat-3/out_of_view.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="LaSOT"):
        read("lasot", tmp_path)


def test_broken_xml_is_skipped_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_vid(tmp_path)
    clip = "VID/train/ILSVRC2015_VID_train_0000/ILSVRC2015_train_00010001"
    write_text(tmp_path / "Annotations" / clip / "000000.xml", "<annotation><object>")
    (tmp_path / "Data" / clip / "000001.JPEG").unlink()
    source = read_imagenet_vid(tmp_path)
    assert "2 skipped, 1 usable" in warnings(caplog)
    assert len(source) == 1 and len(source.sequence(0)) == 1
    assert source.frame(0, 0).box == (1, 2, 10, 12)


def test_objects_of_a_picture_share_its_name(tmp_path: Path) -> None:
    source = read_imagenet_det(make_det(tmp_path))
    assert [source.sequence(i).name for i in range(4)] == ["n01_1", "n01_1", "x_7", "x_7"]


def test_coco_in_the_other_usual_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_coco(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "train2017").rename(tmp_path / "images/train2017")
    source = CocoSource(tmp_path)
    assert source.frame(0, 0).box == (10, 8, 30, 24)
    assert source.sequence(0).name == "000000000009.jpg"
    with pytest.raises(FrameError, match="000000000010"):
        source.frame(1, 0)
    assert capsys.readouterr().out == "", "libraries do not print"


def test_broken_coco_file(tmp_path: Path) -> None:
    make_coco(tmp_path)
    write_text(tmp_path / "annotations/instances_train2017.json", "{")
    with pytest.raises(UsageError, match="get it again"):
        CocoSource(tmp_path)


def test_youtube_vos_skips_missing_videos(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_youtube_vos(tmp_path)
    (tmp_path / "train/Annotations/0a/00005.png").unlink()
    source = read_youtube_vos(tmp_path)
    assert len(source) == 1 and "1 skipped" in warnings(caplog)
    with pytest.raises(FrameError, match=r"00005\.png"):
        source.frame(0, 1)
    write_json(tmp_path / "train/meta.json", {"videos": {"0a": {"objects": {"one": 3}}}})
    with pytest.raises(UsageError, match="expected"):
        read_youtube_vos(tmp_path)


def test_davis_2016_listing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_davis(tmp_path)
    assert len(read_davis(tmp_path, listing="480p/train")) == 2
    write_text(tmp_path / "ImageSets/2017/train.txt", "bear", "goat")
    assert len(read_davis(tmp_path)) == 2
    assert "1 skipped, 2 usable" in warnings(caplog)
