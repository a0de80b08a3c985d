"""`arvot train`: train the networks, and measure what refinement can bring."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from alpharefine.training.base.task import DimpRunConfig, train_base
from alpharefine.training.config import find_config, load_config
from alpharefine.training.engine import Observer
from alpharefine.training.metrics import Row
from alpharefine.training.refine_run import RefineRunConfig, train_refine
from vot_integration.commands import train_ablate, train_labels, train_oracle
from vot_integration.commands.train_display import TrainDisplay, shown_warnings

_EXAMPLES = """\
examples:
  arvot train refine refine_lite --data ../shared/data
  arvot train base my_recipe.toml --data /data --output runs/mine
  torchrun --nproc-per-node 4 -m vot_integration train refine my_recipe.toml --data /data
  arvot train oracle ../shared/data/eval_masks --csv oracle.csv
  arvot train ablate refine_lite --table heads --minutes 5 --data ../shared/data

A run that was interrupted goes on when the same command is given again.
"""

_Train = Callable[[Path, Path, Path, Observer | None], list[Row]]


def _refine(recipe: Path, data: Path, output: Path, observer: Observer | None) -> list[Row]:
    return train_refine(load_config(recipe, RefineRunConfig), data, output, observer)


def _base(recipe: Path, data: Path, output: Path, observer: Observer | None) -> list[Row]:
    return train_base(load_config(recipe, DimpRunConfig), data, output, observer)


_NETWORKS: dict[str, tuple[str, _Train]] = {
    "refine": ("Alpha-Refine", _refine),
    "base": ("DiMP, the base tracker", _base),
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `train` to those of `arvot`."""
    parser = subparsers.add_parser(
        "train",
        description="Train the networks on local data.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="train_command", required=True, metavar="COMMAND")
    for name, (text, _) in _NETWORKS.items():
        command = commands.add_parser(name, help=f"train {text}")
        command.add_argument("config", metavar="CONFIG", help="a .toml file or a recipe's name")
        command.add_argument(
            "--data", type=Path, default=Path(), help="folder that the recipe's paths start from"
        )
        command.add_argument("--output", type=Path, help="of the run; default: runs/<CONFIG>")
        command.set_defaults(run=run)
    train_oracle.add_parser(commands)
    train_ablate.add_parser(commands)
    train_labels.add_parser(commands)


def run(args: argparse.Namespace) -> int:
    """Train the network of a recipe, or go on with a run that was interrupted.

    Raises:
        UsageError: bad input.
    """
    recipe = find_config(args.config)
    output = args.output or Path("runs") / recipe.stem
    _, train = _NETWORKS[args.train_command]
    if int(os.environ.get("RANK", "0")) > 0:
        train(recipe, args.data, output, None)
        return 0
    console = Console()
    with shown_warnings(console), TrainDisplay(console) as display:
        train(recipe, args.data, output, display.observe)
    console.print(f"done: {output}/export.safetensors")
    return 0
