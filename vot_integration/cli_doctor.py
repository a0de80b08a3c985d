"""`arvot doctor`: find what is wrong with an installation, a workspace and a tracker."""

import argparse
from collections import Counter

from vot_integration.cli_options import (
    DEFAULT_TRACKER,
    add_command,
    add_tracker_settings,
    add_workspace,
)

_EXAMPLES = """\
  arvot doctor
      the installation and the default tracker
  arvot doctor ARDiMP_v20 --workspace work --device cuda
      another tracker, as it would run in a workspace

exit status: 0 all is well, 1 there are warnings, 2 something will not work
"""

_MARKS = {0: ("good", "green"), 1: ("warning", "yellow"), 2: ("error", "red")}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `doctor` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "doctor",
        run,
        "Find what is wrong: versions, device, weights, interpreter, workspace, and a tracker's "
        "first frames under the toolkit.",
        _EXAMPLES,
    )
    parser.add_argument(
        "tracker",
        nargs="?",
        default=DEFAULT_TRACKER,
        metavar="TRACKER",
        help="tracker to try (default: %(default)s)",
    )
    add_workspace(parser)
    add_tracker_settings(parser, None)


def run(args: argparse.Namespace) -> int:
    """Run `arvot doctor ...`.

    Returns:
        Exit code: the worst severity found.
    """
    from rich.console import Console

    from vot_integration.doctor.findings import run_checks, worst
    from vot_integration.doctor.plan import DoctorOptions, list_checks

    options = DoctorOptions(args.tracker, args.workspace, args.weights, args.device, args.precision)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    findings = []
    for finding in run_checks(list_checks(options)):
        findings.append(finding)
        word, colour = _MARKS[finding.severity]
        console.print(f"{word:8}", style=colour, end="")
        console.print(f"{finding.subject}: " + finding.text.replace("\n", "\n" + 8 * " "))
        if finding.remedy:
            console.print(f"{'':8}do: {finding.remedy}")
    status = worst(findings)
    total = Counter(int(finding.severity) for finding in findings)
    counts = ", ".join(f"{total[level]} {_MARKS[level][0]}" for level in (1, 2))
    console.print("all is well" if status == 0 else f"found: {counts}")
    return int(status)
