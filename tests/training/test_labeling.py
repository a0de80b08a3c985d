from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from alpharefine.data.stills import read_mask_folder
from alpharefine.errors import UsageError
from alpharefine.runtime import resolve_runtime
from alpharefine.training.labeling import LabelFilter, SaliencyNetwork, label_images
from alpharefine.types import Image


def _disc(radius: float, softness: float = 1.0, size: int = 100) -> NDArray[np.float32]:
    """Probabilities of a disc in the middle, falling from 1 to 0 within `softness` px."""
    y, x = np.mgrid[:size, :size] - size / 2
    edge = (radius - np.hypot(x, y)) / softness
    return np.clip(edge + 0.5, 0, 1).astype(np.float32)


@pytest.mark.parametrize(
    ("probability", "trusted"),
    [
        (_disc(30), True),
        (_disc(3), False),  # too small
        (_disc(70), False),  # nearly all of the image
        (_disc(30, softness=20), False),  # unsure where it ends
        (np.roll(_disc(30), 50, axis=1), False),  # in two pieces, cut by the border
        (np.zeros((100, 100), np.float32), False),
    ],
)
def test_only_clear_objects_are_trusted(probability: NDArray[np.float32], trusted: bool) -> None:
    assert LabelFilter().accepts(probability) is trusted


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for number in range(6):
        level = 200 if number % 3 else 20
        picture = np.full((100, 100, 3), level, np.uint8)
        path = tmp_path / f"in/class{number % 2}/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), picture)
    (tmp_path / "in/broken.jpg").write_bytes(b"<html>")
    return tmp_path / "in"


def _bright(image: Image) -> NDArray[np.float32]:
    return _disc(30) if image.mean() > 100 else np.zeros(image.shape[:2], np.float32)


def test_labels_are_a_data_set_and_are_not_made_twice(images: Path, tmp_path: Path) -> None:
    calls: list[int] = []

    def counted(image: Image) -> NDArray[np.float32]:
        calls.append(1)
        return _bright(image)

    assert label_images(counted, images, tmp_path / "out", limit=100) == 4
    assert len(calls) == 6
    assert label_images(counted, images, tmp_path / "out", limit=100) == 4
    assert len(calls) == 6
    source = read_mask_folder(tmp_path / "out")
    assert len(source) == 4
    mask = source.frame(0, 0).mask
    assert mask is not None and mask.sum() == (_disc(30) > 0.5).sum()


def test_the_limit_counts_images_looked_at(images: Path, tmp_path: Path) -> None:
    some = label_images(_bright, images, tmp_path / "some", limit=5)
    rejected = (tmp_path / "some/rejected.txt").read_text().splitlines()
    assert some + len(rejected) == 5


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no image found"):
        label_images(_bright, tmp_path, tmp_path / "out", limit=3)
    (tmp_path / "net.onnx").write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"install the extra|not a readable ONNX"):
        SaliencyNetwork(tmp_path / "net.onnx", resolve_runtime("cpu"))
