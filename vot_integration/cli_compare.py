"""`arvot compare`: the difference of two trackers, and whether it may be chance."""

import argparse

from vot_integration.cli_options import add_command, add_experiments, add_workspace

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
    """Run `arvot compare ...`.

    Returns:
        Exit code, 0.

    Raises:
        UsageError: bad input, or nothing is complete.
    """
    from rich.console import Console
    from rich.table import Table

    from vot_integration.report.compare import compare_trackers
    from vot_integration.stages import complete_part, evaluated_trackers, select_workspace

    console = Console(highlight=False, markup=False, soft_wrap=True)
    part = select_workspace(args.workspace, args.experiments)
    trackers = evaluated_trackers(part, [args.first, args.second])
    for tracker in trackers:
        part = complete_part(part, tracker, args.experiments)
    for experiment, differences in compare_trackers(part, args.first, args.second).items():
        table = Table(title=experiment, title_justify="left")
        for heading in ("Measure", args.first, args.second, "Difference", "95 % interval", ""):
            table.add_column(heading, justify="left" if heading in ("Measure", "") else "right")
        for entry in differences:
            bounds = f"{entry.interval.low:+.3f} to {entry.interval.high:+.3f}"
            verdict = "clear" if entry.is_clear else "may be chance"
            table.add_row(
                entry.measure,
                f"{entry.first:.3f}",
                f"{entry.second:.3f}",
                f"{entry.value:+.3f}",
                bounds,
                verdict,
            )
        console.print(table)
    sequences = len(part.dataset.sequences)
    console.print(
        f"Intervals: bootstrap over the {sequences} sequences, the same for both trackers"
    )
    return 0
