"""Where the targets are in the first frame: as the user says, or shows."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from alpharefine.data.images import FrameError
from alpharefine.data.mask_pictures import MaskSurvey, read_picture_of_masks
from alpharefine.errors import UsageError
from alpharefine.types import Box, Image
from vot_integration.regions.shapes import MaskCrop, Shape
from vot_integration.regions.targets import rectangle_to_box
from vot_integration.sequences.channels import find_frames
from vot_integration.sequences.folder import (
    PROPERTIES_FILE,
    followed_objects,
    is_sequence,
    read_properties_file,
    read_sequence_folder,
)
from vot_integration.toolkit.files import read_regions
from vot_integration.toolkit.regions import Region, region_shape

_ADVICE = "pass --box x,y,w,h or --mask FILE"


@dataclass(frozen=True)
class Target:
    """Something to follow.

    Attributes:
        name: for files and drawings, where there are several.
        shape: in the first frame.
    """

    name: str
    shape: Shape


@dataclass(frozen=True)
class Recorded:
    """A sequence in VOT format: frames and where the targets are in them.

    Attributes:
        name: of its folder.
        frames: image files in order.
        fps: frames a second.
        objects: ground truth of each target by its name.
    """

    name: str
    frames: Sequence[Path]
    fps: float | None
    objects: Mapping[str, Sequence[Region]]


def parse_box(text: str) -> Shape:
    """A rectangle from "x,y,w,h", with commas, semicolons or spaces between.

    Raises:
        UsageError: it is not one.
    """
    try:
        x, y, w, h = (float(number) for number in re.split(r"[,;\s]+", text.strip(" ,;")))
    except ValueError as error:
        raise UsageError(f"--box {text}: give x,y,w,h in pixels, such as 120,80,40,60") from error
    return rectangle_to_box(x, y, w, h)


def read_boxes(texts: Sequence[str]) -> list[Target]:
    """A target for each --box.

    Raises:
        UsageError: one is no rectangle.
    """
    return [Target(str(number), parse_box(text)) for number, text in enumerate(texts, start=1)]


def read_mask(
    file: Path, image: Image, labels: Sequence[int], threshold: int | None
) -> tuple[list[Target], Sequence[str]]:
    """Objects of a mask or label map, and what to know of how they were chosen, a line each.

    Args:
        file: the picture.
        image: the first frame.
        labels: the objects, where there are several, 0 for what is black; none stands for all.
        threshold: smallest gray value of the one object, None to leave it to the picture.

    Raises:
        UsageError: it cannot be read, has another size than the image, is empty or ambiguous.
    """
    if file.is_dir():
        raise UsageError(f"--mask {file} is a folder: name the mask of the first frame in it")
    try:
        picture = read_picture_of_masks(file)
    except FrameError as error:
        raise UsageError(f"--mask {error}") from error
    height, width = picture.values.shape
    if (height, width) != image.shape[:2]:
        raise UsageError(
            f"--mask {file} has {width} x {height} pixels, the first frame "
            f"{image.shape[1]} x {image.shape[0]}"
        )
    if not picture.values.any():
        raise UsageError(f"--mask {file} is empty: mark the target with any number but 0")
    survey = MaskSurvey(f"the pixels of --mask {file}")
    survey.add(picture)
    found = survey.find(labels, threshold)
    targets = []
    for choice in found.choices:
        mask = choice.mask(picture)
        if not mask.any():
            side = "below" if choice.is_dark else "from"
            raise UsageError(f"--mask {file} is empty {side} gray value {choice.threshold}")
        name = "1" if choice.label is None else str(choice.label)
        targets.append(Target(name, MaskCrop(mask, 0, 0)))
    return targets, found.notes


def sequence_at(source: str, *, wants_truth: bool) -> Recorded | None:
    """The sequence in VOT format that a source of frames is, if it is one.

    Args:
        source: as the user names it.
        wants_truth: whether its ground truth is needed; without, a folder of the old format is a
            folder of frames.

    Raises:
        UsageError: it is one, but cannot be read.
    """
    path = Path(source).expanduser()
    if not (path / PROPERTIES_FILE).is_file() and not (wants_truth and is_sequence(path)):
        return None
    objects = followed_objects(path)
    if objects:
        properties = read_properties_file(path)
        rate = properties.get("fps", "")
        truth = {name: read_regions(file) for name, file in objects.items()}
        fps = float(rate) if rate.isdecimal() else None
        return Recorded(path.resolve().name, find_frames(path, properties), fps, truth)
    sequence = read_sequence_folder(path)
    return Recorded(sequence.name, sequence.frames, float(sequence.fps), {"1": sequence.regions})


def truth_targets(sequence: Recorded | None, start: int) -> list[Target]:
    """Targets of a VOT sequence, by its ground truth in the first frame.

    Args:
        sequence: None where the source is none.
        start: number of the first frame, from 1.

    Raises:
        UsageError: the source has no ground truth, or no target in its first frame.
    """
    if sequence is None:
        raise UsageError(f"say where the target is in the first frame: {_ADVICE}, or --select")
    shapes = {
        name: region_shape(regions[start - 1])
        for name, regions in sequence.objects.items()
        if start <= len(regions)
    }
    targets = [Target(name, shape) for name, shape in shapes.items() if shape is not None]
    if not targets:
        first = "its first frame" if start == 1 else f"frame {start}"
        raise UsageError(f"{sequence.name} has no target in {first}: {_ADVICE}")
    return targets


def select_box(image: Image) -> Shape:
    """Let the user draw a box in a window.

    Raises:
        UsageError: there is no display, or nothing was drawn.
    """
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise UsageError(f"--select needs a display, and there is none here: {_ADVICE}")
    window = "draw a box around the target, then press Enter"
    try:
        x, y, w, h = cv2.selectROI(window, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        cv2.destroyWindow(window)
    except cv2.error as error:
        raise UsageError(f"--select cannot open a window (OpenCV has none): {_ADVICE}") from error
    if w <= 0 or h <= 0:
        raise UsageError(f"no box was drawn: try again, or {_ADVICE}")
    return Box(x, y, w, h)
