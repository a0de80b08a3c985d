"""`arvot benchmark run`: run trackers once through each sequence of a data set, and score them."""

import argparse
from pathlib import Path

from vot_integration.commands.benchmark_score import add_convention, add_layout, show_scores
from vot_integration.commands.options import (
    DEFAULT_TRACKER,
    add_command,
    add_config,
    add_tracker_settings,
    add_workers,
    add_workspace,
)

_EXAMPLES = """\
  arvot benchmark run ~/LaSOT --layout lasot --tracker ARDiMP_lite --gpus 0,1,2,3
      four sequences at the same time, one on each GPU; then the scores
  arvot benchmark run ~/GOT-10k --layout got10k --part test --tracker ARDiMP_lite_box
      a set whose truth a server keeps; `arvot benchmark pack` makes the archive
  arvot benchmark run ~/OTB100 --layout otb --tracker DiMPsuper SiamRPNpp --json otb.json
      two trackers

Finished sequences are kept: the same command goes on where it was stopped.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `run` to those of `arvot benchmark`."""
    parser = add_command(
        commands, "run", run, "Run trackers through a data set once, and score them.", _EXAMPLES
    )
    parser.add_argument("data", type=Path, metavar="DIR", help="folder of the data set")
    add_layout(parser)
    parser.add_argument(
        "--tracker",
        nargs="+",
        default=[DEFAULT_TRACKER],
        metavar="NAME",
        help="trackers; _box behind a name leaves masks out (default: %(default)s)",
    )
    add_workspace(parser)
    add_convention(parser)
    parser.add_argument("--no-masks", action="store_true", help="write no masks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores to FILE too")
    add_workers(parser)
    add_tracker_settings(parser, "auto")
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Run what is missing, and print scores where the truth is there.

    Raises:
        UsageError: bad input.
        EvaluationError: a tracker failed.
    """
    from alpharefine.onepass.conventions import find_convention
    from vot_integration.commands.display import RunDisplay
    from vot_integration.commands.options import worker_options
    from vot_integration.commands.terminal import plain_console
    from vot_integration.files import check_target
    from vot_integration.pipeline.benchmark import ScoreOptions, score_results
    from vot_integration.pipeline.benchmark_run import (
        BenchmarkOptions,
        plan_benchmark,
        run_benchmark,
    )
    from vot_integration.workspaces.trackers_ini import TrackerSettings

    if args.json is not None:
        check_target(args.json, "--json")
    find_convention(args.convention, args.layout)
    options = BenchmarkOptions(
        args.data,
        args.layout,
        args.tracker,
        args.workspace,
        args.part,
        TrackerSettings(args.weights, args.device, args.precision, args.config),
        worker_options(args),
        not args.no_masks,
    )
    console = plain_console()
    plans = plan_benchmark(options)
    notes = [f"Note: {note}" for note in plans[0].data.notes]
    with RunDisplay(console, notes) as display:
        for plan in plans:
            run_benchmark(plan, display)
    folders = {plan.tracker: plan.folder.path for plan in plans}
    console.print(f"results: {', '.join(map(str, folders.values()))}")
    if not plans[0].data.has_truth:
        console.print("the truth of this part is kept by its server: arvot benchmark pack")
        return 0
    results = next(iter(folders.values())).parent
    score = ScoreOptions(results, args.data, args.layout, args.convention, part=args.part)
    show_scores(score_results(score, list(folders)), args.json)
    return 0
