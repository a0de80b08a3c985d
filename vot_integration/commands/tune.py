"""`arvot tune`: search a tracker's settings on sequences, and judge them on others."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from vot_integration.commands.options import (
    add_command,
    add_tracker_settings,
    add_workers,
    interval,
    worker_options,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from vot_integration.pipeline.tune import Tuned

_EXAMPLES = """\
  arvot tune SiamRPNpp --sequences validation --trials 200 --held-out others --jobs 2
      by the area under the success curve; writes SiamRPNpp-tuned.toml
  arvot tune ARDiMP_lite --sequences validation --trials 50 --objective eao --space mine.toml
      by EAO of multi-start runs, in ranges of your own
  arvot benchmark run ~/LaSOT --layout lasot --tracker SiamRPNpp --config SiamRPNpp-tuned.toml
      the tuned tracker on a benchmark

Trials that have ended are kept: the same command goes on where it was stopped, and with more
--trials it goes on further. Never tune on a test set: results on what was tuned on say so.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `tune` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "tune",
        run,
        "Search a tracker's settings by trials on sequences, and judge the best on others.",
        _EXAMPLES,
    )
    parser.add_argument("tracker", metavar="TRACKER", help="one of arvot's trackers")
    parser.add_argument(
        "--sequences",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with list.txt and sequences in VOT format, to tune on",
    )
    parser.add_argument(
        "--trials", type=int, required=True, metavar="N", help="how many trials are to have ended"
    )
    parser.add_argument(
        "--objective",
        choices=("auc", "eao"),
        default="auc",
        help="area under the success curve of one pass, or EAO of multi-start runs "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--eao-interval",
        nargs=2,
        type=int,
        metavar=("LOW", "HIGH"),
        help="frames over which EAO is averaged (default: 30 100)",
    )
    parser.add_argument(
        "--space",
        type=Path,
        metavar="FILE",
        help='TOML file of ranges, "config.size_rate" = [0.1, 0.8] (default: the tracker\'s own)',
    )
    parser.add_argument(
        "--held-out",
        type=Path,
        metavar="DIR",
        help="other sequences, on which own and tuned settings are scored once at the end",
    )
    parser.add_argument(
        "--study", type=Path, metavar="FILE", help="of the trials (default: tune-TRACKER.journal)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.toml",
        help="settings to write, for --config of other commands (default: TRACKER-tuned.toml)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome to FILE too")
    add_workers(parser)
    add_tracker_settings(parser, "auto")


def run(args: argparse.Namespace) -> int:
    """Run what trials are missing, and print and write what was found.

    Raises:
        UsageError: bad input.
        EvaluationError: a trial failed.
    """
    from alpharefine.errors import UsageError
    from vot_integration.commands.terminal import plain_console
    from vot_integration.files import check_target, write_text

    try:
        from vot_integration.pipeline.tune import tune
        from vot_integration.pipeline.tune_plan import TuneOptions, plan_tuning
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise UsageError("tuning needs Optuna: pip install 'arvot[tune]'") from error
    from vot_integration.report.tuning_document import render_tuning
    from vot_integration.workspaces.trackers_ini import TrackerSettings

    if args.json is not None:
        check_target(args.json, "--json")
    console = plain_console()
    plan = plan_tuning(
        TuneOptions(
            args.tracker,
            args.sequences,
            args.trials,
            args.objective,
            args.space,
            args.held_out,
            args.study,
            args.output,
            interval(args),
            TrackerSettings(args.weights, args.device, args.precision),
            worker_options(args),
        )
    )
    heading = [
        f"Tuning {len(plan.space)} settings of {plan.tracker} by {plan.objective} on "
        f"{len(plan.sequences)} sequences: {', '.join(path.name for path in plan.sequences)}"
    ]

    def show(ended: int, best: object) -> None:
        # The first call says that the study was not refused.
        while heading:
            console.print(heading.pop())
        value = getattr(best, "value", None)
        shown = "" if value is None else f", best {value:.4f} (trial {getattr(best, 'number', '')})"
        console.print(f"  {ended}/{plan.trials} trials{shown}")

    found = tune(plan, show)
    write_text(plan.page, render_tuning(found))
    console.print(tune_table(found))
    console.print(f"settings: {plan.output}, for --config; pictures: {plan.page}")
    if args.json is not None:
        write_text(args.json, json.dumps(found.to_json(), indent=2, allow_nan=False) + "\n")
        console.print(f"wrote {args.json}")
    return 0


def tune_table(found: "Tuned") -> "RenderableType":
    """Own and tuned settings, and what they reach."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{found.plan.tracker}, trial {found.best.number}", title_justify="left")
    for heading in ("Setting", "Own", "Tuned", "Importance"):
        table.add_column(heading, justify="left" if heading == "Setting" else "right")
    for name, value in found.best.values.items():
        own = found.plan.start.get(name)
        importance = found.importances.get(name)
        table.add_row(
            name,
            "-" if own is None else f"{own:.5g}",
            f"{value:.5g}",
            "-" if importance is None else f"{importance:.2f}",
        )
    own_value = "" if found.default is None else f", own settings {found.default.value:.4f}"
    lines = [f"{found.plan.objective} on the sequences tuned on: {found.best.value:.4f}{own_value}"]
    held = found.held_out
    if held is not None:
        bounds = "" if held.low is None else f", 95 % interval {held.low:+.4f} to {held.high:+.4f}"
        lines.append(
            f"{found.plan.objective} held out: {held.tuned:.4f}, own settings {held.default:.4f}, "
            f"difference {held.tuned - held.default:+.4f}{bounds}"
        )
        if held.looks > 1:
            lines.append(f"Note: the held-out sequences were looked at {held.looks} times")
    return Group(table, *map(Text, lines))
