"""Several objects: quality on sequences in VOTS format, and what a frame of more objects costs.

    python benchmarks/several_objects.py DIR [--frames N]
    python benchmarks/several_objects.py VIDEOS --scales 1 1.25 1.5 --frames 25

Quality is that of VOTS, which the official toolkit computes (`average_accuracy`, no burn-in): the
mean overlap over frames, objects and sequences, in which an object that is rightly said to be
absent counts 1 and the first frame counts 0. The cost is processor time of the tracker, in which
other work on the machine counts little: of all objects over that of one, frame by frame in turn.

With `--scales`, VIDEOS are training videos of one target each, and what is printed is the mean
overlap of its box where search regions have so many times their usual scale, as shared ones may.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from alpharefine.build import build_tracker, tracker_maker
from alpharefine.catalogue import find_tracker
from alpharefine.data.images import read_frame
from alpharefine.data.readers import read_source
from alpharefine.data.source import VideoSource
from alpharefine.multi.config import MultiConfig, multi_config
from alpharefine.multi.tracker import MultiObjectTracker
from alpharefine.onepass.measures import overlaps
from alpharefine.overrides import get_setting, replace_setting
from alpharefine.types import Box, Estimate, Image, Tracker
from vot_integration.commands.terminal import plain_console
from vot_integration.regions.answers import Output, make_answer
from vot_integration.regions.targets import read_target
from vot_integration.sequences.folder import SequenceFolder, read_list, read_sequence_folder
from vot_integration.toolkit.regions import (
    region_overlaps,
    region_shape,
    shape_region,
)

TRACKER = "ARDiMP_lite"
_SEARCH_SCALE = "config.search_area_scale"

_console = plain_console()
Answers = Sequence[Sequence[Estimate]]
"""Of each frame but the first, of each object."""


def main() -> None:
    """Print a line a configuration, and the cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, help="of each sequence (default: all)")
    parser.add_argument("--cost-frames", type=int, default=30)
    parser.add_argument("--scales", type=float, nargs="+", help="measure these scales instead")
    options = parser.parse_args()
    if options.scales is not None:
        print_scales(options.folder, options.scales, options.frames or 25)
        return
    sequences = [read_sequence_folder(path, several=True) for path in read_list(options.folder)]
    make = tracker_maker(TRACKER, device="cpu", precision="float32")
    configs = {
        "apart": MultiConfig(sharing=None),
        "shared": MultiConfig(),
        "shared, presence": multi_config(TRACKER, presence=True),
    }
    runs: dict[str, Callable[[SequenceFolder, int], Answers]] = {
        "one by one": partial(one_by_one, make()),
        **{name: partial(together, MultiObjectTracker(make, c)) for name, c in configs.items()},
    }
    for name, run in runs.items():
        scores = []
        for sequence in sequences:
            count = min(options.frames or sequence.length, sequence.length)
            scores.append(quality(sequence, run(sequence, count), count))
        objects = ", ".join(f"{value:.4f}" for values in scores for value in values)
        mean = np.mean([np.mean(values) for values in scores])
        _console.print(f"{name:20} quality {mean:.4f} (objects {objects})")
    for sequence in sequences:
        _console.print(sequence.name, cost(make, sequence, options.cost_frames))


def print_scales(folder: Path, scales: Sequence[float], frames: int) -> None:
    """Mean overlap of boxes, a line a scale."""
    source, spec = read_source(folder, "video"), find_tracker(TRACKER)
    usual = get_setting(spec, _SEARCH_SCALE)
    for scale in scales:
        changed = replace_setting(spec, _SEARCH_SCALE, usual * scale)
        tracker = build_tracker(changed, device="cpu", precision="float32")
        values = [video_overlap(tracker, source, n, frames) for n in range(len(source))]
        _console.print(f"scale {scale}: {np.mean(values):.3f}, {len(values)} videos")


def video_overlap(tracker: Tracker, source: VideoSource, index: int, frames: int) -> float:
    """Mean overlap of the boxes of one run, without the first frame."""
    first, *others = np.flatnonzero(source.sequence(index).visible)[:frames]
    begin = source.frame(index, int(first))
    tracker.initialize(begin.image, begin.box)
    truths = [source.frame(index, int(t)) for t in others]
    found = [tracker.track(truth.image).box for truth in truths]
    return float(overlaps(np.array(found), np.array([truth.box for truth in truths])).mean())


def targets(sequence: SequenceFolder) -> tuple[Image, list[Box]]:
    """The first frame, and the box of every object in it."""
    image = frame(sequence, 0)
    shapes = [region_shape(regions[0]) for regions in sequence.objects.values()]
    return image, [
        read_target(shape, *image.shape[:2]).box for shape in shapes if shape is not None
    ]


def frame(sequence: SequenceFolder, number: int) -> Image:
    """An image of a sequence."""
    image = read_frame(str(sequence.frames[number]))
    assert image is not None
    return image


def one_by_one(tracker: Tracker, sequence: SequenceFolder, count: int) -> Answers:
    """A run of the single-object tracker for each object."""
    first, boxes = targets(sequence)
    runs = []
    for box in boxes:
        tracker.initialize(first, box)
        runs.append([tracker.track(frame(sequence, n)) for n in range(1, count)])
    return list(zip(*runs, strict=True))


def together(tracker: MultiObjectTracker, sequence: SequenceFolder, count: int) -> Answers:
    """One run of all objects."""
    tracker.initialize(*targets(sequence))
    return [tracker.track(frame(sequence, n)) for n in range(1, count)]


def quality(sequence: SequenceFolder, answers: Answers, count: int) -> list[float]:
    """Mean overlap of each object."""
    width, height = sequence.size
    found = []
    for number, truth in enumerate(sequence.objects.values()):
        shapes = [make_answer(each[number], Output.MASK, height, width) for each in answers]
        regions = list(map(shape_region, shapes))
        overlaps = region_overlaps(regions, truth[1:count], sequence.size)
        found.append(float(overlaps.sum() / count))
    return found


def cost(make: Callable[[], Tracker], sequence: SequenceFolder, frames: int) -> str:
    """Time of a frame with all objects over that of one with the first alone."""
    first, boxes = targets(sequence)
    one, several = (MultiObjectTracker(make, MultiConfig()) for _ in range(2))
    one.initialize(first, boxes[:1])
    several.initialize(first, boxes)
    seconds: dict[int, list[float]] = {1: [], len(boxes): []}
    for number in range(1, min(frames, sequence.length - 1) + 1):
        for tracker, count in ((one, 1), (several, len(boxes))):
            start = time.process_time()
            tracker.track(frame(sequence, number))
            seconds[count].append(time.process_time() - start)
    means = {count: 1000 * float(np.mean(values)) for count, values in seconds.items()}
    medians = {count: 1000 * float(np.median(values)) for count, values in seconds.items()}
    many = len(boxes)
    return (
        f"{many} objects {means[many]:.1f} ms, one {means[1]:.1f} ms: {means[many] / means[1]:.2f} "
        f"(medians {medians[many] / medians[1]:.2f})"
    )


if __name__ == "__main__":
    main()
