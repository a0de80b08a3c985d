"""What Alpha-Refine gains behind each base tracker, by quality and by time: the paper's main table.

    .venv/bin/python benchmarks/refinement_gain.py DIR DIR ... --output WORK
    .venv/bin/python benchmarks/refinement_gain.py DIR --output WORK --trackers ATOM_lite static
    .venv/bin/python benchmarks/refinement_gain.py DIR DIR ... --output WORK --latency 60

Base trackers are those whose weights are on this machine, OpenCV's MIL, and a box that stays where
it is; each runs alone and with its refinement. A DIR holds sequences and list.txt. EAO, accuracy
and robustness are those of the VOT2020 multi-start protocol, success is the area under the one-pass
success curve of boxes, over the runs that begin in the first frame. Gains have 95 % bootstrap
intervals over sequences. WORK keeps every finished sequence: the same command goes on where it was
stopped, and writes table.md, table.json, gain.svg and gain.png anew. Times, if asked for, need a
machine that does nothing else; U is the unit of `arvot bench`.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
from refinement_gain_report import KINDS, SequenceResult, write_report
from refinement_gain_times import measure_times

from alpharefine.build import build_refiner, build_tracker, has_random_weights
from alpharefine.catalogue import PAIRS, REFINEMENTS, TRACKERS, RefinementSpec, TrackerSpec, refine
from alpharefine.data.images import read_frame
from alpharefine.errors import UsageError
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.nets.registry import networks_with
from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.types import Box, Estimate, Image, Tracker
from vot_integration.commands.terminal import plain_console
from vot_integration.files import write_text
from vot_integration.regions.answers import Output, make_answer
from vot_integration.regions.targets import read_target
from vot_integration.report.measures import FailureRule
from vot_integration.sequences.folder import SequenceFolder, read_list, read_sequence_folder
from vot_integration.toolkit.regions import region_overlaps, region_shape, shape_region

_OWN = ("MIL", "static")
"""Trackers of `plug_and_play`."""

_console = plain_console()
_rule = FailureRule()


@dataclass(frozen=True)
class Pair:
    """A base tracker, alone and refined.

    Attributes:
        name: of the base tracker.
        refinement: network of Alpha-Refine.
        make: builds the tracker of a kind in `KINDS`; None where there is no such kind.
    """

    name: str
    refinement: str
    make: Callable[[str], Tracker | None]


def pairs(names: Sequence[str] | None, device: str) -> list[Pair]:
    """Base trackers that have their weights, with the refinements that the catalog has for them.

    Raises:
        UsageError: a name is unknown, or its weights are not on this machine.
    """
    bases = [spec.name for spec in TRACKERS.values() if spec.refinement is None]
    able = [name for name in bases if not has_random_weights(name)]
    known = [*able, *_OWN]
    for name in names or ():
        if name not in known:
            raise UsageError(f"no base tracker {name!r} with weights; choose of {', '.join(known)}")
    return [_pair(name, device) for name in names or known]


def _pair(name: str, device: str) -> Pair:
    if name in _OWN:
        return Pair(name, "ar_lite", partial(_make_own, name, device))
    named = [refinement for base, refinement in PAIRS.values() if base == name]
    able = [n for n in named if not has_random_weights(refine(TRACKERS[name], REFINEMENTS[n]))]
    refinement = able[0] if able else "ar_lite"
    spec = TRACKERS[name]
    return Pair(name, refinement, partial(_make, spec, REFINEMENTS[refinement], device))


def _make(base: TrackerSpec, refinement: RefinementSpec, device: str, kind: str) -> Tracker | None:
    if kind == "box" and not _has_box(refinement):
        return None
    spec = base if kind == "base" else refine(base, _of_kind(refinement, kind))
    return build_tracker(spec, device=device)


def _has_box(refinement: RefinementSpec) -> bool:
    return networks_with(RefineNetConfig)[refinement.network].box_head is not None


def _of_kind(refinement: RefinementSpec, kind: str) -> RefinementSpec:
    """A refinement that makes no mask, where none is wanted."""
    if kind == "mask":
        return refinement
    return replace(refinement, coupling=replace(refinement.coupling, outputs=("box",)))


def _make_own(name: str, device: str, kind: str) -> Tracker:
    bases: Mapping[str, Callable[[], Tracker]] = _plug_and_play().BASES
    if kind == "base":
        return bases[name]()
    coupling = _of_kind(REFINEMENTS["ar_lite"], kind).coupling
    return RefinedTracker(bases[name](), build_refiner(device=device), coupling)


def _plug_and_play() -> Any:
    file = Path(__file__).parent / "plug_and_play" / "plug_and_play.py"
    spec = spec_from_file_location("plug_and_play", file)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_pair(pair: Pair, sets: Sequence[Path], output: Path) -> None:
    """Run what is missing of a base tracker and of its refined form."""
    # The refined tracker with masks answers boxes, too: one run has both.
    for form in ("base", "mask"):
        make, tracker = partial(pair.make, form), None
        for folder in sets:
            for path in read_list(folder):
                file = output / folder.name / pair.name / form / f"{path.name}.json"
                if file.is_file():
                    continue
                tracker = tracker or make()
                assert tracker is not None
                answers = ("base",) if form == "base" else ("box", "mask")
                results = run_sequence(tracker, read_sequence_folder(path), answers)
                file.parent.mkdir(parents=True, exist_ok=True)
                text = json.dumps({kind: r.plain() for kind, r in results.items()})
                write_text(file, text)
                _console.print(f"{pair.name} {form}: {folder.name}/{path.name}")


def run_sequence(
    tracker: Tracker, sequence: SequenceFolder, kinds: Sequence[str]
) -> dict[str, SequenceResult]:
    """All runs of the multi-start protocol in one sequence, by the kinds of their answers."""
    runs: dict[str, list[list[float]]] = {kind: [] for kind in kinds}
    present: list[list[bool]] = []
    boxes: list[Sequence[float]] = []
    for number, numbers in enumerate(_starts(sequence)):
        # Success is that of one whole run: it goes on where the target was lost.
        whole = number == 0
        found, estimates = _run(tracker, sequence, numbers, kinds, whole)
        for kind in kinds:
            runs[kind].append(found[kind])
        present.append([not sequence.regions[n].is_empty() for n in numbers])
        if whole:
            boxes = [tuple(map(float, e.box)) for e in estimates]
    truth = [_truth_box(sequence, n) for n in _starts(sequence)[0]]
    return {
        kind: SequenceResult(sequence.name, sequence.length, runs[kind], present, boxes, truth)
        for kind in kinds
    }


def _starts(sequence: SequenceFolder) -> list[Sequence[int]]:
    """Frames of each run; the first one is the longest."""
    anchors = sequence.anchors or (1.0,)
    runs: list[Sequence[int]] = [
        range(n, sequence.length) if anchor > 0 else range(n, -1, -1)
        for n, anchor in enumerate(anchors)
        if anchor
    ]
    return sorted(runs, key=len, reverse=True)


def _run(
    tracker: Tracker,
    sequence: SequenceFolder,
    numbers: Sequence[int],
    kinds: Sequence[str],
    whole: bool,
) -> tuple[dict[str, list[float]], list[Estimate]]:
    """Overlaps of each kind of answer, 0 in the first frame; and estimates of the others."""
    first = _read(sequence, numbers[0])
    shape = region_shape(sequence.regions[numbers[0]])
    if shape is None:
        raise UsageError(f"{sequence.name}: no target in frame {numbers[0]}, where a run begins")
    tracker.initialize(first, read_target(shape, *first.shape[:2]).box)
    overlaps = {kind: [0.0] for kind in kinds}
    missed = dict.fromkeys(kinds, 0)
    estimates = []
    for number in numbers[1:]:
        image = _read(sequence, number)
        estimate = tracker.track(image)
        estimates.append(estimate)
        truth = sequence.regions[number]
        for kind in kinds:
            output = Output.MASK if kind == "mask" else Output.BOX
            answer = make_answer(estimate, output, *image.shape[:2])
            overlap = 0.0
            if answer is not None:
                regions = [shape_region(answer)]
                overlap = float(region_overlaps(regions, [truth], sequence.size)[0])
            overlaps[kind].append(overlap)
            lost = overlap <= _rule.threshold and not truth.is_empty()
            missed[kind] = missed[kind] + 1 if lost else 0
        if not whole and min(missed.values()) >= _rule.grace:
            break
    missing = len(numbers) - 1 - len(estimates)
    return {kind: values + [0.0] * missing for kind, values in overlaps.items()}, estimates


def _read(sequence: SequenceFolder, number: int) -> Image:
    image = read_frame(str(sequence.frames[number]))
    if image is None:
        raise UsageError(f"{sequence.frames[number]} cannot be read")
    return image


def _truth_box(sequence: SequenceFolder, number: int) -> Sequence[float]:
    region = sequence.regions[number]
    shape = None if region.is_empty() else region_shape(region)
    if shape is None:
        return (np.nan,) * 4
    width, height = sequence.size
    box: Box = read_target(shape, height, width).box
    return tuple(map(float, box))


def results_of(pair: Pair, sets: Sequence[Path], output: Path) -> Iterator[tuple[str, str, Any]]:
    """Set, kind and `SequenceResult` of all finished sequences."""
    for folder in sets:
        for path in read_list(folder):
            for form in ("base", "mask"):
                file = output / folder.name / pair.name / form / f"{path.name}.json"
                for kind, plain in json.loads(file.read_text(encoding="utf-8")).items():
                    yield folder.name, kind, SequenceResult(**plain)


def _measure_times(
    chosen: Sequence[Pair], folder: Path, output: Path, frames: int, device: str
) -> None:
    sequence = read_sequence_folder(read_list(folder)[0])
    for pair in chosen:
        file = output / "times" / f"{pair.name}.json"
        measure_times(pair.make, KINDS, sequence, frames, device, file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and write the table; 2 for bad input, with one line that says what is wrong."""
    parser = argparse.ArgumentParser(description="Base trackers, alone and refined.")
    parser.add_argument("sets", type=Path, nargs="+", help="folders with list.txt")
    parser.add_argument("--output", type=Path, required=True, help="folder for results and table")
    parser.add_argument("--trackers", nargs="+", help="base trackers; default: all with weights")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--eao-interval", type=int, nargs=2, default=(30, 100))
    parser.add_argument("--latency", type=int, metavar="FRAMES", help="measure times, too")
    args = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    try:
        chosen = pairs(args.trackers, args.device)
        for pair in chosen:
            run_pair(pair, args.sets, args.output)
        rows = {
            (pair.name, pair.refinement): list(results_of(pair, args.sets, args.output))
            for pair in chosen
        }
        low, high = args.eao_interval
        text = write_report(rows, (low, high), args.output)
        if args.latency:
            # Last: a busy machine leaves the scores.
            _measure_times(chosen, args.sets[0], args.output, args.latency, args.device)
            text = write_report(rows, (low, high), args.output)
    except UsageError as error:
        _console.print(f"error: {error}")
        return 2
    _console.print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
