"""EAO, accuracy and robustness of a tracker as means over nine starts, with their spread.

    .venv/bin/python benchmarks/robust_eao.py DIR --tracker ARDiMP_lite --output WORK
    .venv/bin/python benchmarks/robust_eao.py DIR --starts 3 --output WORK       # quicker

A single run may tip over by the last bits of a number, so that one lost run more or less moves the
EAO of a few sequences by hundredths. Here every run of the VOT2020 multi-start baseline begins with
the true box and with the eight boxes that are half a pixel off. The tracker runs in this process,
answers as the server does, and the toolkit scores each of the nine sets of results in a workspace
of its own, below WORK. The unshifted start has the scores of `arvot run`. A run ends where the
measures count it as lost; the same command goes on where it was stopped.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from rich.console import Console
from vot.region import Special
from vot.region.io import write_trajectory

from alpharefine.build import build_tracker
from alpharefine.data.images import read_frame
from alpharefine.errors import UsageError
from alpharefine.types import Tracker
from vot_integration.evaluation.evaluate import ExperimentProgress
from vot_integration.pipeline.evaluate import prepare_trackers, select_workspace
from vot_integration.pipeline.init import InitOptions, init_workspace
from vot_integration.pipeline.results import analyze_tracker
from vot_integration.pipeline.workers import WorkerOptions
from vot_integration.regions.answers import Output, make_answer, resolve_output
from vot_integration.regions.shapes import Shape
from vot_integration.regions.targets import read_target
from vot_integration.sequences.folder import SequenceFolder, read_sequence_folder
from vot_integration.toolkit.regions import (
    absent_region,
    region_overlaps,
    region_shape,
    shape_region,
)
from vot_integration.toolkit.results import Run
from vot_integration.toolkit.scores import ExperimentScores
from vot_integration.workspaces.trackers_ini import TrackerSettings
from vot_integration.workspaces.workspace import Workspace

SHIFTS = (
    (0.0, 0.0),
    *((x, y) for y in (-0.5, 0.0, 0.5) for x in (-0.5, 0.0, 0.5) if (x, y) != (0, 0)),
)
"""Shift (x, y) of the initial box in px, the true one first."""

_LOST_OVERLAP, _LOST_FRAMES = 0.1, 10
"""A run is lost after so many frames with no more overlap: the stack's `threshold` and `grace`."""

_console = Console(highlight=False)


@dataclass(frozen=True)
class Options:
    """What is measured.

    Attributes:
        sequences: folder with list.txt.
        tracker: registered name.
        settings: weights, device and precision.
        interval: first and last frame of the EAO.
        starts: how many of `SHIFTS`.
        output: folder for a workspace a start.
    """

    sequences: Path
    tracker: str
    settings: TrackerSettings
    interval: tuple[int, int]
    starts: int
    output: Path


class _Silent:
    """A reporter of the pipeline that says nothing."""

    def stage(self, text: str) -> None:
        """See `vot_integration.pipeline.evaluate.Reporter`."""

    def progress(self, progress: ExperimentProgress) -> None:
        """See `vot_integration.pipeline.evaluate.Reporter`."""


def measure(options: Options) -> list[ExperimentScores]:
    """Scores of each start.

    Raises:
        UsageError: sequences, tracker or a setting are wrong, or the output holds something else.
        EvaluationError: the toolkit failed.
    """
    name, output = resolve_output(options.tracker)
    spaces = [_workspace(options, number) for number in range(options.starts)]
    settings = options.settings
    tracker = build_tracker(
        name,
        device=settings.device or "auto",
        precision=settings.precision or "auto",
        weights=settings.weights,
    )
    for entry in spaces[0].dataset.sequences:
        sequence = read_sequence_folder(entry.path)
        for run in (run for run in spaces[0].runs if run.sequence == entry.name):
            for space, shift in zip(spaces, SHIFTS, strict=False):
                results = space.results(options.tracker)
                if not run.is_whole(results):
                    _write(run, results, _track(tracker, sequence, run, shift, output))
            _console.print(f"{run.name}: {options.starts} starts")
    summaries = [analyze_tracker(space, options.tracker, _Silent()) for space in spaces]
    return [summary.experiments["baseline"].scores for summary in summaries]


def _workspace(options: Options, number: int) -> Workspace:
    folder = options.output / f"start-{number}"
    init_workspace(
        InitOptions(folder, "vot2020", sequences=options.sequences, eao_interval=options.interval)
    )
    baseline = select_workspace(folder, "baseline")
    prepared, _ = prepare_trackers(baseline, [options.tracker], options.settings, WorkerOptions())
    return prepared


def _track(
    tracker: Tracker,
    sequence: SequenceFolder,
    run: Run,
    shift: tuple[float, float],
    output: Output,
) -> list[Any]:
    """The toolkit's regions of one run, absent ones after it is lost."""
    numbers = _frames(sequence, run)
    answers = _answers(tracker, sequence, numbers, shift, output)
    size = sequence.size
    regions: list[Any] = [Special(1)]
    missed = 0
    for number, answer in zip(numbers[1:], answers, strict=False):
        regions.append(answer)
        truth = sequence.regions[number]
        overlap = region_overlaps([answer], [truth], size)[0]
        missed = missed + 1 if overlap <= _LOST_OVERLAP and not truth.is_empty() else 0
        if missed == _LOST_FRAMES:
            break
    return regions + [absent_region()] * (len(numbers) - len(regions))


def _frames(sequence: SequenceFolder, run: Run) -> Sequence[int]:
    """Numbers of a run's frames in their order."""
    start = int(run.name.rpartition("_")[2])
    if sequence.anchors[start] > 0:
        return range(start, sequence.length)
    return range(start, -1, -1)


def _answers(
    tracker: Tracker,
    sequence: SequenceFolder,
    numbers: Sequence[int],
    shift: tuple[float, float],
    output: Output,
) -> Iterator[Any]:
    """The tracker's regions from the second frame on, as the toolkit gets them from a server."""
    first, *others = (str(sequence.frames[number]) for number in numbers)
    image = read_frame(first)
    if image is None:
        raise UsageError(f"{first} cannot be read")
    shape = region_shape(sequence.regions[numbers[0]])
    if shape is None:
        raise UsageError(f"{first} has no target")
    target = read_target(shape, *image.shape[:2]).box
    tracker.initialize(image, target._replace(x=target.x + shift[0], y=target.y + shift[1]))
    last: Shape | None = None
    for path in others:
        image = read_frame(path)
        if image is None:
            raise UsageError(f"{path} cannot be read")
        answer = make_answer(tracker.track(image), output, *image.shape[:2])
        last = last if answer is None else answer
        yield absent_region() if last is None else shape_region(last)


def _write(run: Run, results: Path, regions: Sequence[Any]) -> None:
    folder = run.folder(results)
    folder.mkdir(parents=True, exist_ok=True)
    # The toolkit asks for times; they mean nothing here.
    (folder / f"{run.name}_time.value").write_text("0.0\n" * len(regions), encoding="ascii")
    with (folder / f"{run.name}.bin").open("wb") as stream:
        write_trajectory(stream, list(regions))


def summarize(scores: Sequence[ExperimentScores]) -> Mapping[str, tuple[float, float]]:
    """Mean and standard deviation over the starts, by measure."""
    summary = {}
    for measure_name in ("eao", "accuracy", "robustness"):
        found = [getattr(score, measure_name) for score in scores]
        values = [value for value in found if value is not None]
        if values:
            summary[measure_name] = fmean(values), pstdev(values)
    return summary


def _parse(arguments: Sequence[str]) -> tuple[Options, Path | None]:
    parser = argparse.ArgumentParser(description="EAO over nine starts, with its spread.")
    parser.add_argument("sequences", type=Path, help="folder with list.txt")
    parser.add_argument("--tracker", default="ARDiMP_lite")
    parser.add_argument("--weights")
    parser.add_argument("--device")
    parser.add_argument("--precision")
    parser.add_argument("--eao-interval", type=int, nargs=2, default=(30, 100))
    parser.add_argument("--starts", type=int, default=9, choices=range(1, len(SHIFTS) + 1))
    parser.add_argument("--output", type=Path, required=True, help="folder for the workspaces")
    parser.add_argument("--json", type=Path, help="file for the scores of each start")
    args = parser.parse_args(arguments)
    settings = TrackerSettings(args.weights, args.device, args.precision)
    low, high = args.eao_interval
    options = Options(args.sequences, args.tracker, settings, (low, high), args.starts, args.output)
    return options, args.json


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 2 for bad input, with one line that says what is wrong."""
    options, file = _parse(sys.argv[1:] if arguments is None else arguments)
    try:
        scores = measure(options)
    except UsageError as error:
        _console.print(f"error: {error}")
        return 2
    for name, (mean, spread) in summarize(scores).items():
        _console.print(f"{name:10s} {mean:.3f} +- {spread:.3f} over {len(scores)} starts")
    if file is not None:
        rows = [{"eao": s.eao, "accuracy": s.accuracy, "robustness": s.robustness} for s in scores]
        file.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
