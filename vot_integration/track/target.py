"""Where the target is in the first frame: as the user says, or shows."""

import os
import sys
from pathlib import Path

import cv2

from alpharefine.data.images import FrameError
from alpharefine.data.mask_pictures import MaskSurvey, read_picture_of_masks
from alpharefine.errors import UsageError
from alpharefine.types import Box, Image
from vot_integration.regions.shapes import MaskCrop, Shape
from vot_integration.regions.targets import rectangle_to_box
from vot_integration.sequences.folder import (
    PROPERTIES_FILE,
    SequenceFolder,
    read_sequence_folder,
)
from vot_integration.toolkit.regions import region_shape

_ADVICE = "pass --box x,y,w,h or --mask FILE"


def parse_box(text: str) -> Shape:
    """A rectangle from "x,y,w,h".

    Raises:
        UsageError: it is not one.
    """
    try:
        x, y, w, h = (float(number) for number in text.split(","))
    except ValueError as error:
        raise UsageError(f"--box {text}: give x,y,w,h in pixels, such as 120,80,40,60") from error
    return rectangle_to_box(x, y, w, h)


def read_mask(file: Path, image: Image, label: int | None, threshold: int | None) -> Shape:
    """An object of a mask or label map.

    Args:
        file: the picture.
        image: the first frame.
        label: the object, where there are several; None for the only one.
        threshold: smallest gray value of the object, None to leave it to the picture.

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
    survey = MaskSurvey(f"--mask {file}: its pixels")
    survey.add(picture)
    choices = survey.choose(label, threshold)
    if len(choices) > 1:
        known = ", ".join(str(choice.label) for choice in choices)
        raise UsageError(f"--mask {file} shows objects {known}: choose one with --object K")
    mask = choices[0].mask(picture)
    if not mask.any():
        raise UsageError(f"--mask {file} is empty from gray value {choices[0].threshold} on")
    return MaskCrop(mask, 0, 0)


def sequence_at(source: str) -> SequenceFolder | None:
    """The sequence in VOT format that a source of frames is, if it is one."""
    path = Path(source).expanduser()
    return read_sequence_folder(path) if (path / PROPERTIES_FILE).is_file() else None


def first_truth(sequence: SequenceFolder | None) -> Shape:
    """Ground truth in the first frame of a VOT sequence.

    Raises:
        UsageError: the source has no ground truth, or no target in its first frame.
    """
    if sequence is None:
        raise UsageError(f"say where the target is in the first frame: {_ADVICE}, or --select")
    shape = region_shape(sequence.regions[0])
    if shape is None:
        raise UsageError(f"{sequence.name} has no target in its first frame: {_ADVICE}")
    return shape


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
