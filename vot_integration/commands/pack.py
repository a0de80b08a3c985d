"""`arvot pack`: the archive for a submission."""

import argparse

from vot_integration.commands.options import (
    DEFAULT_TRACKER,
    add_command,
    add_tracker_settings,
    add_workers,
    add_workspace,
    worker_options,
)

_EXAMPLES = """\
  arvot pack ARDiMP_lite --workspace work
      runs what is missing of all experiments, unsupervised too, then packs them
  arvot pack ARDiMP_lite --workspace work --gpus 0,1
      the same, two sequences at a time
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `pack` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "pack",
        run,
        "Run what is missing of a tracker's results and pack them for a submission.",
        _EXAMPLES,
    )
    parser.add_argument(
        "tracker",
        nargs="?",
        default=DEFAULT_TRACKER,
        metavar="TRACKER",
        help="tracker to pack (default: %(default)s)",
    )
    add_workspace(parser)
    add_workers(parser)
    add_tracker_settings(parser, None)


def run(args: argparse.Namespace) -> int:
    """Run what is missing, then pack.

    Raises:
        UsageError: bad input.
        EvaluationError: the tracker or the toolkit failed.
    """
    from vot_integration.commands.display import RunDisplay
    from vot_integration.commands.terminal import plain_console
    from vot_integration.pipeline.evaluate import (
        evaluate_tracker,
        prepare_trackers,
        select_workspace,
    )
    from vot_integration.pipeline.results import pack_tracker
    from vot_integration.workspaces.trackers_ini import TrackerSettings

    console = plain_console()
    workspace = select_workspace(args.workspace, None)
    settings = TrackerSettings(args.weights, args.device, args.precision)
    options = worker_options(args)
    workspace, workers = prepare_trackers(workspace, [args.tracker], settings, options)
    with RunDisplay(console) as display:
        evaluate_tracker(workspace, args.tracker, display, workers[args.tracker])
        archive = pack_tracker(workspace, args.tracker, display)
    console.print(f"packed: {archive}")
    return 0
