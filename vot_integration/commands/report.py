"""`arvot report`: one HTML file with numbers, curves and pictures."""

import argparse
from pathlib import Path

from vot_integration.commands.options import (
    add_command,
    add_experiments,
    add_trackers,
    add_workspace,
)

_EXAMPLES = """\
  arvot report --workspace work
      every tracker that has results, in one file
  arvot report ARDiMP_lite DiMPsuper --workspace work -o comparison.html
      two of them, into a file of your choice

The toolkit's own report is written beside it, into work/reports.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `report` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "report",
        run,
        "Write one HTML file with scores, their uncertainty, curves, and pictures of every "
        "sequence.",
        _EXAMPLES,
    )
    add_trackers(parser, "trackers to report on (default: all that have results)")
    add_workspace(parser)
    add_experiments(
        parser, "comma-separated experiments (default: those complete for all trackers)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.html",
        help="file to write (default: reports/TRACKERS/arvot.html in the workspace)",
    )


def run(args: argparse.Namespace) -> int:
    """Write the report, after the toolkit's own analysis of each tracker.

    Raises:
        UsageError: bad input, or nothing is complete.
        EvaluationError: the toolkit failed.
    """
    from vot_integration.commands.display import RunDisplay
    from vot_integration.commands.terminal import plain_console
    from vot_integration.files import check_target
    from vot_integration.pipeline.evaluate import select_workspace
    from vot_integration.pipeline.results import (
        analyze_tracker,
        common_part,
        complete_trackers,
        report_trackers,
        tell_left_out,
    )

    console = plain_console()
    if args.output is not None:
        check_target(args.output, "--output")
    workspace = select_workspace(args.workspace, args.experiments)
    with RunDisplay(console) as display:
        trackers = complete_trackers(workspace, args.trackers, args.experiments, display)
        part = common_part(workspace, trackers, args.experiments)
        tell_left_out(workspace, part, trackers, display)
        for tracker in trackers:
            analyze_tracker(part, tracker, display)
        file = report_trackers(part, trackers, display, args.output)
    console.print(f"report: {file}")
    return 0
