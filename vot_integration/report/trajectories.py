"""Results read back: regions, times, and overlaps with the ground truth, run by run."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vot_integration.files import write_bytes
from vot_integration.sequences.folder import SequenceFolder
from vot_integration.toolkit.files import read_trajectory
from vot_integration.toolkit.regions import Region, region_overlaps, special_code
from vot_integration.toolkit.results import Run
from vot_integration.workspaces.workspace import Workspace

FAILURE_CODE = 2
"""Special region that the supervised experiment writes where a tracker has failed."""

_ANCHOR_DIGITS = 8
"""The toolkit writes anchors with eight digits and repetitions with three."""

_CACHE = Path("cache") / "overlaps"


@dataclass(frozen=True)
class TrackedRun:
    """One run of a tracker in one sequence.

    Attributes:
        run: what was run.
        frames: index of the sequence's frame for each of the run's N frames, 0-based; a run that
            goes backward has descending ones.
        overlaps: N float, 0..1, region overlap with the ground truth as the toolkit computes it;
            0 in the frame of initialization.
        present: N bool, whether the target is in the frame.
        reported: N bool, False where the tracker has answered nothing: the frame of
            initialization, and what follows a failure under supervision.
        failed: N bool, the frames in which the supervised experiment noted a failure.
        seconds: N float, time that the tracker took; NaN where none was measured.
    """

    run: Run
    frames: NDArray[np.int64]
    overlaps: NDArray[np.float64]
    present: NDArray[np.bool_]
    reported: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    seconds: NDArray[np.float64]


def read_runs(
    workspace: Workspace, tracker: str, experiment: str, sequence: SequenceFolder
) -> Iterator[TrackedRun]:
    """Read a tracker's finished runs in one sequence.

    Args:
        workspace: the workspace.
        tracker: registered name.
        experiment: name of one of its experiments.
        sequence: one of its sequences.
    """
    results, foreign = workspace.results(tracker), workspace.has_foreign_results(tracker)
    for run in workspace.runs_of(experiment):
        if run.sequence == sequence.name and run.is_whole(results, foreign=foreign):
            yield _read_run(workspace.folder / _CACHE, results, run, sequence)


def read_run_regions(results: Path, run: Run) -> list[Region]:
    """A run's regions, a toolkit object a frame."""
    return read_trajectory(run.regions_file(results))


def frames_of(run: Run, sequence: SequenceFolder) -> NDArray[np.int64]:
    """Index of the sequence's frame for each frame of a run."""
    start = anchor_of(run)
    step = -1 if start is not None and sequence.anchors[start] < 0 else 1
    return (start or 0) + step * np.arange(run.frames)


def truth_of(run: Run, sequence: SequenceFolder) -> Sequence[Region]:
    """Ground truth of a run's target, a region a frame of the sequence."""
    return sequence.regions if run.target is None else sequence.objects[run.target]


def anchor_of(run: Run) -> int | None:
    """Frame in which a multi-start run begins; None for runs over a whole sequence."""
    if run.target is not None:
        return None
    digits = run.name.removeprefix(f"{run.sequence}_")
    return int(digits) if len(digits) == _ANCHOR_DIGITS else None


def _read_run(cache: Path, results: Path, run: Run, sequence: SequenceFolder) -> TrackedRun:
    regions = read_run_regions(results, run)
    frames = frames_of(run, sequence)
    truth = [truth_of(run, sequence)[frame] for frame in frames]
    special = np.array([special_code(region) for region in regions])
    return TrackedRun(
        run,
        frames,
        _overlaps(cache, run, run.regions_file(results), regions, truth, sequence),
        np.array([not region.is_empty() for region in truth]),
        special < 0,
        special == FAILURE_CODE,
        np.array(run.all_times(results)),
    )


def _overlaps(
    cache: Path,
    run: Run,
    file: Path,
    regions: Sequence[Region],
    truth: Sequence[Region],
    sequence: SequenceFolder,
) -> NDArray[np.float64]:
    """Overlaps, kept under a hash of all that they depend on: masks take long to compare."""
    digest = hashlib.sha256(file.read_bytes())
    digest.update(sequence.truth_file(run.target).read_bytes())
    digest.update(f"{file.name} {sequence.size}".encode())
    kept = cache / f"{digest.hexdigest()}.npy"
    if kept.is_file():
        return np.asarray(np.load(kept), dtype=np.float64)
    overlaps = region_overlaps(regions, truth, sequence.size)
    cache.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    np.save(content, overlaps)
    write_bytes(kept, content.getvalue())
    return overlaps
