"""`arvot init`: make a workspace of the VOT toolkit."""

import argparse
import shlex
from pathlib import Path

from vot_integration.commands.options import add_command, add_stack, interval

_EXAMPLES = """\
  arvot init work
      the built-in sequences and the VOT2020 short-term stack
  arvot init work --stack vot2022box --sequences ~/vot2022/sequences
      official data that is on this machine: it is linked, not copied
  arvot init work --sequences my_sequences --trackers my_trackers.ini
      your own sequences in VOT format, and trackers of your own beside those of arvot
  arvot init my_vot_workspace
      a workspace of the toolkit's own `vot initialize`: it stays, its results can be scored

then: arvot evaluate --workspace work, arvot analyze, arvot report, arvot pack; or the toolkit's own
commands, such as vot evaluate --workspace work ARDiMP_lite
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `init` to those of `arvot`."""
    parser = add_command(subparsers, "init", run, "Make a workspace of the VOT toolkit.", _EXAMPLES)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the workspace")
    add_stack(parser)
    parser.add_argument(
        "--trackers",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE.ini",
        help="register the trackers of these files, too; those of arvot always are",
    )


def run(args: argparse.Namespace) -> int:
    """Make the workspace, and print what it holds and what must be known of it.

    Raises:
        UsageError: bad input.
    """
    from vot_integration.commands.terminal import plain_console
    from vot_integration.pipeline.init import InitOptions, init_workspace
    from vot_integration.sequences.folder import counted

    options = InitOptions(
        args.folder, args.stack, args.sequences, tuple(args.trackers), interval(args)
    )
    result = init_workspace(options)
    workspace = result.workspace
    console = plain_console()
    console.print(
        f"workspace {workspace.folder}: {workspace.stack.title}, "
        f"{counted(len(workspace.dataset.sequences))} ({workspace.dataset.source})"
    )
    for note in result.notes:
        console.print(f"note: {note}")
    console.print(f"next: arvot evaluate --workspace {shlex.quote(str(args.folder))}")
    return 0
