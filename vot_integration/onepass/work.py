"""A process that runs a tracker through sequences, one after the other."""

import pickle
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from alpharefine.data.frames import FrameSource, first_frame
from alpharefine.data.images import read_frame
from vot_integration.child import run_module
from vot_integration.evaluation.jobs import Outcome
from vot_integration.files import absolute
from vot_integration.onepass.masks import MadeMasks
from vot_integration.onepass.results import ResultFiles, ResultFolder, TimedFollower
from vot_integration.onepass.sequences import OnePassSequence
from vot_integration.track.choice import Choice, choose_follower
from vot_integration.track.follow import follow
from vot_integration.track.follower import Follower
from vot_integration.track.group import OneEach
from vot_integration.track.outputs import Sink
from vot_integration.workspaces.trackers_ini import registrations


@dataclass(frozen=True)
class Work:
    """What a process is to do.

    Attributes:
        choice: the tracker.
        sequences: to run through, those that are done left out.
        results: folder to write to.
        keep_masks: whether masks are written, where the tracker makes them.
    """

    choice: Choice
    sequences: tuple[OnePassSequence, ...]
    results: Path
    keep_masks: bool


MODULE = "vot_integration.onepass"
"""What the process runs."""


def start_work(
    work: Work, environment: Mapping[str, str], log: Path, on_tick: Callable[[], None]
) -> Outcome:
    """Do work in a process of its own.

    Args:
        work: what to do.
        environment: variables for the process.
        log: file for its output.
        on_tick: called about twice a second meanwhile.
    """
    # The process works in the log's folder.
    log = absolute(log)
    log.parent.mkdir(parents=True, exist_ok=True)
    file = log.with_suffix(".job")
    file.write_bytes(pickle.dumps(work))
    try:
        status, output = run_module(
            MODULE,
            [str(file)],
            cwd=log.parent,
            log=log,
            on_tick=on_tick,
            environment=environment,
        )
    finally:
        file.unlink(missing_ok=True)
    return Outcome(status == 0, output)


def do_work(work: Work) -> None:
    """Run through the sequences; each is there whole or not at all.

    Raises:
        UsageError: the tracker cannot be had, or a first frame cannot be read.
        EvaluationError: the tracker failed.
    """
    folder = ResultFolder(work.results)
    folder.path.mkdir(parents=True, exist_ok=True)
    chosen = choose_follower(work.choice)
    keep_masks = work.keep_masks and chosen.answers_masks
    built: Follower | None = None
    for sequence in work.sequences:
        if folder.is_done(sequence):
            continue
        # One of the catalog starts anew by itself; another one has a process for each sequence.
        is_reused = built is not None and work.choice.tracker in registrations()
        built = built if is_reused and built is not None else chosen.build()
        run_sequence(TimedFollower(built, time.perf_counter), sequence, folder, keep_masks)


def run_sequence(
    follower: TimedFollower, sequence: OnePassSequence, folder: ResultFolder, keep_masks: bool
) -> None:
    """Run a tracker through one sequence and write what it answers.

    Raises:
        UsageError: the first frame cannot be read.
    """
    files = (sequence.frames[number] for number in range(sequence.count))
    source = FrameSource(
        str(sequence.frames[0]), lambda: (read_frame(str(file)) for file in files), sequence.count
    )
    _, frames = first_frame(source)
    # What is entered last ends first: boxes are written after the masks.
    sinks: list[Sink] = [ResultFiles(folder, sequence, follower)]
    if keep_masks:
        masks = folder.masks(sequence)
        # Of a run that was interrupted between its masks and its boxes.
        shutil.rmtree(masks, ignore_errors=True)
        sinks.append(MadeMasks(masks))
    follow(OneEach([follower]), frames, [sequence.box], sinks)
