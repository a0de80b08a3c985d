"""Strips of frames: what a tracker answered in a few frames of a run, over the ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from alpharefine.data.images import read_frame
from alpharefine.types import Image
from vot_integration.regions.drawing import TRUTH, Color, draw_contour, draw_shape
from vot_integration.regions.shapes import Shape
from vot_integration.report.collect import ExperimentResults
from vot_integration.report.trajectories import read_run_regions, truth_of
from vot_integration.sequences.folder import SequenceFolder
from vot_integration.toolkit.regions import Region, region_mask, region_shape
from vot_integration.workspaces.workspace import Workspace

FRAMES = 6
"""Pictures of a strip."""

_HEIGHT = 150
_QUALITY = 80


@dataclass(frozen=True)
class Picture:
    """One frame of a strip.

    Attributes:
        jpeg: the picture.
        frame: index of the sequence's frame, 0-based.
        overlap: with the ground truth, 0..1, of several objects their mean; None in the frame of
            initialization.
        failed: whether the run has failed here or before.
    """

    jpeg: bytes
    frame: int
    overlap: float | None
    failed: bool


def make_strip(
    workspace: Workspace,
    tracker: str,
    results: ExperimentResults,
    sequence: SequenceFolder,
    color: Color,
) -> list[Picture]:
    """Pictures of the longest run of a tracker in a sequence, evenly spread; a failure is in them.

    Of a sequence with several objects, a run of each of them.

    Args:
        workspace: the workspace.
        tracker: registered name.
        results: of one of its experiments.
        sequence: the sequence.
        color: of the tracker.
    """
    runs = results.runs[sequence.name]
    if not runs:
        return []
    run = max(runs, key=lambda entry: len(entry.frames))
    together = list({entry.run.target: entry for entry in reversed(runs)}.values())
    drawn = [run] if run.run.target is None else together
    regions = [read_run_regions(workspace.results(tracker), entry.run) for entry in drawn]
    failures = results.failures[run.run.name]
    pictures = []
    for index in choose_frames(len(run.frames), failures):
        frame = int(run.frames[index])
        image = read_frame(str(sequence.frames[frame]))
        if image is None:
            continue
        for entry, answers in zip(drawn, regions, strict=True):
            shape = region_shape(answers[index]) if entry.reported[index] else None
            _draw(image, truth_of(entry.run, sequence)[frame], shape, color)
        overlap = float(np.mean([entry.overlaps[index] for entry in drawn])) if index else None
        has_failed = bool(failures) and index >= failures[0]
        pictures.append(Picture(_jpeg(image), frame, overlap, has_failed))
    return pictures


def choose_frames(length: int, failures: Sequence[int]) -> list[int]:
    """Indices for a strip: evenly spread, the nearest one moved to the first failure.

    Args:
        length: frames of the run.
        failures: indices of failures in it.
    """
    chosen = np.unique(np.linspace(0, length - 1, FRAMES).round().astype(int)).tolist()
    if failures and failures[0] not in chosen:
        # The first frame shows the target, so it stays.
        nearest = min(range(1, len(chosen)), key=lambda at: abs(chosen[at] - failures[0]))
        chosen[nearest] = failures[0]
    return sorted(chosen)


def _draw(image: Image, truth: Region, shape: Shape | None, color: Color) -> None:
    if shape is not None:
        draw_shape(image, shape, color)
    if not truth.is_empty():
        draw_contour(image, region_mask(truth, *image.shape[:2]), TRUTH)


def _jpeg(image: Image) -> bytes:
    height, width = image.shape[:2]
    small = cv2.resize(
        image, (max(1, round(width * _HEIGHT / height)), _HEIGHT), interpolation=cv2.INTER_AREA
    )
    quality = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), quality)
    content: bytes = data.tobytes()
    return content
