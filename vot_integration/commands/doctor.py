"""`arvot doctor`: find what is wrong with an installation, a workspace and a tracker."""

import argparse
from collections import Counter

from vot_integration.commands.options import (
    DEFAULT_TRACKER,
    WORKSPACE,
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

_MARKS = {-1: ("", ""), 0: ("good", "green"), 1: ("warning", "yellow"), 2: ("error", "red")}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `doctor` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "doctor",
        run,
        "Find what is wrong: versions, workspace, device, weights, interpreter, and a tracker's "
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
    """Make the checks, and print what each of them finds.

    Returns:
        Exit code: the worst severity found.
    """
    from vot_integration.commands.terminal import plain_console
    from vot_integration.doctor.findings import run_checks, worst
    from vot_integration.doctor.plan import DoctorOptions, list_checks
    from vot_integration.workspaces.trackers_ini import TrackerSettings

    settings = TrackerSettings(args.weights, args.device, args.precision)
    # The very default, not an equal path that the user has named.
    is_named = args.workspace is not WORKSPACE
    options = DoctorOptions(args.tracker, args.workspace, is_named, settings)
    console = plain_console()
    findings = []
    for finding in run_checks(list_checks(options)):
        findings.append(finding)
        word, color = _MARKS[finding.severity]
        console.print(f"{word:8}", style=color, end="")
        console.print(f"{finding.subject}: " + finding.text.replace("\n", "\n" + 8 * " "))
        if finding.remedy:
            console.print(f"{'':8}do: {finding.remedy}")
    status = worst(findings)
    total = Counter(int(finding.severity) for finding in findings)
    counts = ", ".join(_count(total[level], _MARKS[level][0]) for level in (1, 2) if total[level])
    console.print(f"found: {counts}" if counts else "all is well")
    return int(status)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
