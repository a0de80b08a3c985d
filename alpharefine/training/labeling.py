"""Masks for images without annotation, from a published salient-object network.

A refinement network needs to see many kinds of objects; masks drawn by hand are few. A network
trained for salient objects finds the one that stands out in an image, and where it is sure of
itself its mask is as good as a drawn one.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from alpharefine.data.images import FrameError, list_images, read_image, walk_folders
from alpharefine.data.label_maps import ObjectFilter
from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.nets.spec import IMAGENET
from alpharefine.runtime import Runtime
from alpharefine.training.checkpoint import write_atomically
from alpharefine.types import Image, Mask

INPUT_SIZE = 320
"""Side of the network's square input, px."""

_OBJECT = 255


@dataclass(frozen=True)
class LabelFilter:
    """Which predicted masks are trusted.

    Attributes:
        objects: size of the object, and how much of it is one piece.
        max_doubt: largest share of the predicted object's area that is neither clearly object nor
            clearly background, probability 0.2..0.8.
        max_border: largest share of the image's border that the object may touch.
    """

    objects: ObjectFilter = field(
        default_factory=lambda: ObjectFilter(min_area=0.02, max_area=0.7, min_extent=0.9)
    )
    max_doubt: float = 0.15
    max_border: float = 0.3

    def accepts(self, probability: NDArray[np.float32]) -> bool:
        """Whether the mask of these H x W probabilities is trusted."""
        mask = (probability > 0.5).astype(np.uint8)
        if not self.objects.accepts(mask):
            return False
        doubtful = ((probability > 0.2) & (probability < 0.8)).sum()
        border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        return bool(doubtful <= self.max_doubt * mask.sum() and border.mean() <= self.max_border)


class SaliencyNetwork:
    """A salient-object network of the U2-Net family, read from an ONNX file.

    Args:
        path: the ONNX file; its first output is the saliency map, N x 1 x 320 x 320 in 0..1.
        runtime: device and precision.

    Raises:
        UsageError: the file cannot be read, or the packages for it are missing.

    Source: Qin et al., "U2-Net" (Pattern Recognition 2020).
    """

    def __init__(self, path: Path, runtime: Runtime) -> None:
        network = _read_onnx(path)
        self._network = network.eval().requires_grad_(False).to(runtime.device)
        self._runtime = runtime

    @torch.inference_mode()
    def probability(self, image: Image) -> NDArray[np.float32]:
        """Probability of the salient object at each pixel, stretched to 0..1.

        Args:
            image: H x W x 3 uint8 RGB.

        Returns:
            H x W.
        """
        height, width = image.shape[:2]
        small = cv2.resize(image, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA)
        scaled = small.astype(np.float32) / max(1, int(small.max()))
        normalized = (scaled - np.array(IMAGENET.mean)) / np.array(IMAGENET.std)
        x = torch.from_numpy(normalized).float().permute(2, 0, 1)[None].to(self._runtime.device)
        x = x.contiguous(memory_format=torch.channels_last)
        mixed = self._runtime.dtype != torch.float32
        with torch.autocast(self._runtime.device.type, self._runtime.dtype, enabled=mixed):
            answer = self._network(x)
        saliency = (answer[0] if isinstance(answer, list | tuple) else answer)[0, 0].float()
        low, high = saliency.min(), saliency.max()
        stretched = ((saliency - low) / (high - low).clamp(min=1e-6)).cpu().numpy()
        resized: NDArray[np.float32] = cv2.resize(stretched, (width, height)).astype(np.float32)
        return resized


def _read_onnx(path: Path) -> nn.Module:
    try:
        onnx, converter = (importlib.import_module(name) for name in ("onnx", "onnx2torch"))
    except ImportError as error:
        raise UsageError(
            f"{error.name} is missing; install the extra: pip install 'arvot[labels]'"
        ) from error
    try:
        network: nn.Module = converter.convert(onnx.load(path))
    except Exception as error:
        # Whatever a parser raises at a file that is not ONNX.
        raise UsageError(f"{path}: not a readable ONNX network ({error})") from error
    return network


def label_images(
    probability: Callable[[Image], NDArray[np.float32]],
    images: Path,
    output: Path,
    limit: int,
    trust: LabelFilter = LabelFilter(),
    observer: Callable[[int, int], None] = lambda done, kept: None,
) -> int:
    """Write trusted masks as a folder that the data source "masks" reads.

    Images are taken in an order that does not depend on their names, the same every time. A
    folder that is there already is continued.

    Args:
        probability: of the object in an H x W x 3 uint8 RGB image, H x W.
        images: folder of images, sub-folders included.
        output: gets images/, masks/ (0 and 255) and rejected.txt.
        limit: images to look at, at most.
        trust: which masks are kept.
        observer: told of images looked at and masks kept.

    Returns:
        Number of masks.

    Raises:
        UsageError: there is no image.
    """
    files = [file for folder in walk_folders(images) for file in list_images(folder)]
    if not files:
        raise UsageError(f"{images}: no image found; expected a folder of .jpg or .png files")
    for folder in (output / "images", output / "masks"):
        folder.mkdir(parents=True, exist_ok=True)
    note = output / "rejected.txt"
    rejected = set(note.read_text(encoding="utf-8").splitlines()) if note.is_file() else set()
    kept = 0
    order = np.random.default_rng(0).permutation(len(files))[:limit]
    for done, index in enumerate(order, 1):
        file = files[index]
        name = "_".join(file.relative_to(images).with_suffix("").parts)
        target = output / "masks" / f"{name}.png"
        if target.is_file():
            kept += 1
        elif name not in rejected:
            mask = _trusted_mask(file, probability, trust)
            if mask is None:
                with note.open("a", encoding="utf-8") as stream:
                    stream.write(f"{name}\n")
            else:
                picture = output / "images" / f"{name}{file.suffix}"
                write_atomically(picture, file.read_bytes())
                write_atomically(target, cv2.imencode(".png", mask * _OBJECT)[1].tobytes())
                kept += 1
        observer(done, kept)
    return kept


def _trusted_mask(
    file: Path, probability: Callable[[Image], NDArray[np.float32]], trust: LabelFilter
) -> Mask | None:
    try:
        likely = probability(read_image(file))
    except FrameError:
        return None
    if not trust.accepts(likely):
        return None
    mask: Mask = (likely > 0.5).astype(np.uint8)
    return mask if mask_to_box(mask) is not None else None
