"""`arvot analyze`: scores of the results in a workspace."""

import argparse
from pathlib import Path

from vot_integration.commands.options import (
    add_command,
    add_experiments,
    add_trackers,
    add_workspace,
)

_EXAMPLES = """\
  arvot analyze --workspace work
      every tracker that has results, in the experiments that are complete
  arvot analyze ARDiMP_lite --workspace work --experiments baseline --json scores.json
      one of them, with the document that `arvot run --json` writes
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `analyze` to those of `arvot`."""
    parser = add_command(
        subparsers, "analyze", run, "Compute scores with the official toolkit.", _EXAMPLES
    )
    add_trackers(parser, "trackers to analyze (default: all that have results)")
    add_workspace(parser)
    add_experiments(parser, "comma-separated experiments (default: those that are complete)")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the scores of the one tracker to FILE too"
    )


def run(args: argparse.Namespace) -> int:
    """Let the toolkit score results, and print the scores.

    Raises:
        UsageError: bad input, or nothing is complete.
        EvaluationError: the toolkit failed.
    """
    from alpharefine.errors import UsageError
    from vot_integration.commands.display import RunDisplay
    from vot_integration.commands.summary_table import summary_table
    from vot_integration.commands.terminal import plain_console
    from vot_integration.files import check_target, write_text
    from vot_integration.pipeline.evaluate import select_workspace
    from vot_integration.pipeline.results import (
        analyze_tracker,
        complete_part,
        complete_trackers,
        tell_left_out,
    )

    console = plain_console()
    workspace = select_workspace(args.workspace, args.experiments)
    with RunDisplay(console) as display:
        trackers = complete_trackers(workspace, args.trackers, args.experiments, display)
    if args.json is not None:
        check_target(args.json, "--json")
        if len(trackers) > 1:
            raise UsageError(f"--json takes one tracker, not {len(trackers)}: name the one")
    parts = [complete_part(workspace, tracker, args.experiments) for tracker in trackers]
    with RunDisplay(console) as display:
        for part, tracker in zip(parts, trackers, strict=True):
            tell_left_out(workspace, part, [tracker], display)
        summaries = [
            analyze_tracker(part, tracker, display)
            for part, tracker in zip(parts, trackers, strict=True)
        ]
    for summary in summaries:
        console.print()
        console.print(summary_table(summary))
        if args.json is not None:
            write_text(args.json, summary.to_json())
    return 0
