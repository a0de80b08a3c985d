"""`arvot run`: evaluate a tracker with the official toolkit and print its scores."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from vot_integration.commands.options import (
    DEFAULT_TRACKER,
    add_command,
    add_config,
    add_stack,
    add_tracker_settings,
    add_workers,
    add_workspace,
    interval,
    worker_options,
)

if TYPE_CHECKING:
    from vot_integration.evaluation.summary import RunSummary

_EXAMPLES = """\
  arvot run
      the default tracker on the built-in sequences: baseline and real-time
  arvot run --sequences ~/vot2020/sequences --tracker ARDiMP_v20 --experiments all
      official data, with what `arvot pack` needs for a submission
  arvot run --sequences my_sequences --eao-interval 30 100 --json scores.json
      your own sequences in VOT format
  arvot run --workspace work --tracker DiMPlite
      another tracker in a workspace that is there, with its stack and sequences

Finished runs are kept: the same command goes on where it was stopped.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `run` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "run",
        run,
        "Evaluate a tracker with the official VOT toolkit and print its scores.",
        _EXAMPLES,
    )
    parser.add_argument(
        "--tracker",
        default=DEFAULT_TRACKER,
        metavar="NAME",
        help="tracker as in trackers.ini; _rotated or _box names its answer (default: %(default)s)",
    )
    parser.add_argument(
        "--experiments",
        default="baseline,realtime",
        metavar="LIST",
        help="comma-separated experiments of the stack, or all (default: %(default)s)",
    )
    add_stack(parser)
    add_workspace(parser)
    add_workers(parser)
    add_tracker_settings(parser, "auto")
    add_config(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores to FILE too")


def run(args: argparse.Namespace) -> int:
    """Evaluate, analyze and report, and print the scores.

    Raises:
        UsageError: bad input.
        EvaluationError: the tracker or the toolkit failed.
    """
    from vot_integration.commands.display import RunDisplay
    from vot_integration.commands.summary_table import summary_table
    from vot_integration.commands.terminal import plain_console
    from vot_integration.pipeline.run import RunOptions, run_evaluation

    options = RunOptions(
        tracker=args.tracker,
        experiments=args.experiments,
        stack=args.stack,
        workspace=args.workspace,
        sequences=args.sequences,
        eao_interval=interval(args),
        weights=args.weights,
        json=args.json,
        device=args.device,
        precision=args.precision,
        config=args.config,
        workers=worker_options(args),
    )
    console = plain_console()
    with RunDisplay(console) as display:
        summary = run_evaluation(options, display)
    console.print()
    console.print(summary_table(summary))
    console.print(_what_now(summary, args.workspace))
    return 0


def _what_now(summary: "RunSummary", workspace: Path) -> str:
    """The line that says what can be done with the results."""
    place = f"--workspace {shlex.quote(str(workspace))}"
    if summary.random:
        return f"next: `arvot weights list` says where weights of {summary.tracker} are from"
    page = shlex.quote(str(summary.report))
    return (
        f"next: open {page}; `arvot run --tracker NAME {place}` runs another tracker, and "
        f"`arvot pack {summary.tracker} {place}` packs these results for a submission"
    )
