"""Where the target is in the first frame: as the user says, or shows."""

import os
import sys
from pathlib import Path

import cv2
import numpy as np
from vot.region.shapes import Rectangle
from vot.tracker.trax import convert_region

from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import Box
from alpharefine.trackers.base import Image
from alpharefine.training.data.files import FrameError, read_labels
from vot_integration.regions.shapes import rectangle_to_box
from vot_integration.serving.protocol import read_target
from vot_integration.toolkit.regions import Region, mask_region
from vot_integration.track.footage import Footage

_ADVICE = "pass --box x,y,w,h or --mask FILE"


def parse_box(text: str) -> Region:
    """A rectangle from "x,y,w,h".

    Raises:
        UsageError: it is not one.
    """
    try:
        x, y, w, h = (float(number) for number in text.split(","))
    except ValueError as error:
        raise UsageError(f"--box {text}: give x,y,w,h in pixels, such as 120,80,40,60") from error
    return Rectangle(*rectangle_to_box(x, y, w, h))


def mask_file_region(file: Path, image: Image) -> Region:
    """The pixels of a mask file that are not 0.

    Raises:
        UsageError: it cannot be read, has another size than the image, or is empty.
    """
    try:
        mask = read_labels(file)
    except FrameError as error:
        raise UsageError(f"--mask {error}") from error
    if mask.shape != image.shape[:2]:
        raise UsageError(
            f"--mask {file} has {mask.shape[1]} x {mask.shape[0]} pixels, the first frame "
            f"{image.shape[1]} x {image.shape[0]}"
        )
    if not mask.any():
        raise UsageError(f"--mask {file} is empty: mark the target with any number but 0")
    return mask_region((mask > 0).astype(np.uint8))


def sequence_region(footage: Footage) -> Region:
    """Ground truth in the first frame of a VOT sequence.

    Raises:
        UsageError: the footage has no ground truth, or no target in its first frame.
    """
    if footage.sequence is None:
        raise UsageError(f"say where the target is in the first frame: {_ADVICE}, or --select")
    region: Region = footage.sequence.regions[0]
    if region.is_empty():
        raise UsageError(f"{footage.name} has no target in its first frame: {_ADVICE}")
    return region


def select_region(image: Image) -> Region:
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
    return Rectangle(x, y, w, h)


def target_box(region: Region, image: Image) -> Box:
    """The box to start on, by the rules of an evaluation (`vot_integration.regions.shapes`).

    Raises:
        UsageError: the region is not at least partly inside the frame.
    """
    return read_target(convert_region(region), *image.shape[:2]).box
