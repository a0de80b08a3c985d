"""`arvot compare`: the difference of two trackers, and whether it may be chance."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vot_integration.commands.options import add_command, add_experiments, add_workspace

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from vot_integration.report.compare import Difference

_EXAMPLES = """\
  arvot compare ARDiMP_lite DiMPsuper --workspace work
      differences of EAO, accuracy and robustness with 95 % intervals over sequences
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `compare` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "compare",
        run,
        "Compare two trackers that were evaluated in one workspace.",
        _EXAMPLES,
    )
    parser.add_argument("first", metavar="A", help="a tracker")
    parser.add_argument("second", metavar="B", help="the tracker to compare it with")
    add_workspace(parser)
    add_experiments(parser, "comma-separated experiments (default: those complete for both)")


def run(args: argparse.Namespace) -> int:
    """Print the differences of two trackers, a table an experiment.

    Raises:
        UsageError: bad input, or nothing is complete.
    """
    from alpharefine.errors import UsageError
    from vot_integration.commands.display import RunDisplay
    from vot_integration.commands.terminal import plain_console
    from vot_integration.pipeline.evaluate import select_workspace
    from vot_integration.pipeline.results import analyze_tracker, common_part, evaluated_trackers
    from vot_integration.report.compare import FEW_SEQUENCES, analyzed_experiments, compare_trackers

    if args.first == args.second:
        raise UsageError(f"compare takes two different trackers, not {args.first} twice")
    console = plain_console()
    workspace = select_workspace(args.workspace, args.experiments)
    trackers = evaluated_trackers(workspace, [args.first, args.second])
    part = common_part(workspace, trackers, args.experiments)
    analyzed = analyzed_experiments(part)
    if analyzed:
        with RunDisplay(console) as display:
            for tracker in trackers:
                analyze_tracker(replace(part, stack=part.stack.select(analyzed)), tracker, display)
    comparisons = compare_trackers(part, args.first, args.second)
    for experiment, comparison in comparisons.items():
        console.print(comparison_table(experiment, trackers, comparison.differences))
        for remark in comparison.remarks:
            console.print(remark)
    sequences = len(part.dataset.sequences)
    console.print(f"Difference: {args.first} minus {args.second}")
    if len(analyzed) == len(comparisons):
        console.print("No intervals: these experiments are not multi-start")
        return 0
    console.print(f"Intervals: bootstrap over the {sequences} sequences, the same for both")
    if sequences <= FEW_SEQUENCES:
        console.print("With so few sequences even a difference called clear may be chance")
    return 0


def comparison_table(
    experiment: str, trackers: Sequence[str], differences: "Sequence[Difference]"
) -> "Table":
    """Two trackers in one experiment: a column a measure, so that names may be long."""
    from rich.table import Table

    from vot_integration.commands.terminal import number_cell

    table = Table(title=experiment, title_justify="left")
    table.add_column("")
    for entry in differences:
        table.add_column(entry.measure, justify="right")
    first, second = trackers
    table.add_row(first, *(number_cell(entry.first) for entry in differences))
    table.add_row(second, *(number_cell(entry.second) for entry in differences))
    table.add_row("difference", *(number_cell(entry.value, "+.3f") for entry in differences))
    table.add_row("95 % interval", *(_bounds(entry) for entry in differences))
    table.add_row("verdict", *(_verdict(entry) for entry in differences))
    return table


def _bounds(entry: "Difference") -> "RenderableType":
    from vot_integration.commands.terminal import Dash

    if entry.interval is None:
        return Dash()
    return f"{entry.interval.low:+.3f} to {entry.interval.high:+.3f}"


def _verdict(entry: "Difference") -> "RenderableType":
    from vot_integration.commands.terminal import Dash

    if entry.interval is None:
        return Dash()
    if entry.interval.low == entry.interval.high == 0:
        return "equal"
    return "clear" if entry.is_clear else "may be chance"
