"""`arvot train onekey`: from a recipe to a trained, chosen and tuned tracker."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vot_integration.commands.options import (
    add_command,
    add_tracker_settings,
    add_workers,
    worker_options,
)

if TYPE_CHECKING:
    from rich.console import Console

    from vot_integration.evaluation.evaluate import ExperimentProgress
    from vot_integration.tuning.study import TrialPoint

_EXAMPLES = """\
  arvot train onekey lite.toml --data ../shared/data --output runs/lite
      with lite.toml such as

        tracker = "ARDiMP_lite_box"
        objective = "auc"
        held_out = "others"
        [train]
        family = "dimp"
        recipe = "base_lite"
        [score]
        sequences = "validation"
        first_epoch = 10
        [tune]
        sequences = "validation"
        trials = 40

Every step goes on where it was stopped: the same command again.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `onekey` to those of `arvot train`."""
    parser = add_command(
        commands,
        "onekey",
        run,
        "Train, score every epoch, choose the best, tune it, and judge it on held-out sequences.",
        _EXAMPLES,
    )
    parser.add_argument("recipe", type=Path, metavar="RECIPE", help="a .toml file, see below")
    parser.add_argument(
        "--data", type=Path, default=Path(), help="folder that all paths of the recipe start from"
    )
    parser.add_argument("--output", type=Path, help="default: runs/<RECIPE>")
    add_workers(parser)
    add_tracker_settings(parser, "auto")


class _Lines:
    """Tells how far everything is in lines: training has a display of its own."""

    def __init__(self, console: "Console") -> None:
        self._console = console

    def stage(self, text: str) -> None:
        """A new stage has begun."""
        self._console.print(text)

    def progress(self, progress: "ExperimentProgress") -> None:
        """A benchmark is that far; too often for a line."""

    def trial(self, ended: int, best: "TrialPoint | None") -> None:
        """So many trials have ended."""
        value = "" if best is None else f", best {best.value:.4f}"
        self._console.print(f"  {ended} trials{value}")


def run(args: argparse.Namespace) -> int:
    """Do what is not done yet, and write the summary.

    Raises:
        UsageError: bad input.
        EvaluationError: the tracker failed.
    """
    from alpharefine.errors import UsageError
    from vot_integration.commands.terminal import plain_console
    from vot_integration.commands.train_display import TrainDisplay, shown_warnings
    from vot_integration.commands.tune import tune_table
    from vot_integration.files import absolute, write_text

    try:
        from vot_integration.pipeline.onekey import OneKeyOptions, one_key
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise UsageError("tuning needs Optuna: pip install 'arvot[tune]'") from error
    from vot_integration.report.tuning_document import render_onekey, render_tuning
    from vot_integration.workspaces.trackers_ini import TrackerSettings

    console = plain_console()

    output = absolute(args.output or Path("runs") / args.recipe.stem)
    options = OneKeyOptions(
        args.recipe,
        args.data,
        output,
        TrackerSettings(args.weights, args.device, args.precision),
        worker_options(args),
    )
    with shown_warnings(console), TrainDisplay(console) as shown:
        made = one_key(options, _Lines(console), shown.observe)
    write_text(made.tuned.plan.page, render_tuning(made.tuned))
    page = output / "onekey.html"
    write_text(page, render_onekey(made))
    console.print(tune_table(made.tuned))
    console.print(f"weights: {made.weights}\nsettings: {made.tuned.plan.output}\nsummary: {page}")
    return 0
