"""`arvot evaluate`: run trackers in a workspace."""

import argparse
import shlex

from vot_integration.commands.options import (
    DEFAULT_TRACKER,
    add_command,
    add_config,
    add_experiments,
    add_tracker_settings,
    add_trackers,
    add_workers,
    add_workspace,
    worker_options,
)

_EXAMPLES = """\
  arvot evaluate --workspace work
      the default tracker, all experiments of the workspace
  arvot evaluate ARDiMP_v20 DiMPsuper --workspace work --experiments baseline
      two trackers, one experiment
  arvot evaluate --workspace work --gpus 0,1,2,3
      four sequences at the same time, one on each GPU
  arvot evaluate --workspace work --jobs 4 --device cpu
      four processes that share the processor's cores

Finished runs are kept: the same command goes on where it was stopped. Each process of a tracker has
a log of its own in work/logs/trackers.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `evaluate` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "evaluate",
        run,
        "Run trackers in a workspace.",
        _EXAMPLES,
    )
    add_trackers(parser, f"trackers to run (default: {DEFAULT_TRACKER})")
    add_workspace(parser)
    add_experiments(parser, "comma-separated experiments (default: all of the workspace's stack)")
    add_workers(parser)
    add_tracker_settings(parser, None)
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Run what is missing of the trackers' results.

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
    from vot_integration.workspaces.trackers_ini import TrackerSettings

    console = plain_console()
    workspace = select_workspace(args.workspace, args.experiments)
    settings = TrackerSettings(args.weights, args.device, args.precision, args.config)
    trackers = list(dict.fromkeys(args.trackers)) or [DEFAULT_TRACKER]
    workspace, workers = prepare_trackers(workspace, trackers, settings, worker_options(args))
    with RunDisplay(console) as display:
        for tracker in trackers:
            evaluate_tracker(workspace, tracker, display, workers[tracker])
    console.print(f"done: {', '.join(trackers)} in {workspace.folder}")
    console.print(f"next: arvot analyze --workspace {shlex.quote(str(args.workspace))}")
    return 0
