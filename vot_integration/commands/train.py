"""`arvot train`: train the networks, and measure what refinement can bring."""

import argparse
import os
from functools import partial
from pathlib import Path

from rich.console import Console

from alpharefine.training.config import find_config
from alpharefine.training.run import train_recipe
from alpharefine.training.tasks.registry import ALIASES, FAMILIES
from vot_integration.commands import train_ablate, train_labels, train_onekey, train_oracle
from vot_integration.commands.train_display import TrainDisplay, shown_warnings

_EXAMPLES = """\
examples:
  arvot train refine refine_lite --data ../shared/data
  arvot train dimp my_recipe.toml --data /data --output runs/mine
  torchrun --nproc-per-node 4 -m vot_integration train refine my_recipe.toml --data /data
  arvot train oracle ../shared/data/eval_masks --csv oracle.csv
  arvot train ablate refine_lite --table heads --minutes 5 --data ../shared/data

A run that was interrupted goes on when the same command is given again.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `train` to those of `arvot`."""
    parser = subparsers.add_parser(
        "train",
        # Without it, the command would not be completed.
        help="Train the networks on local data.",
        description="Train the networks on local data.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="train_command", required=True, metavar="COMMAND")
    for name, family in FAMILIES.items():
        aliases = [alias for alias, meant in ALIASES.items() if meant == name]
        command = commands.add_parser(name, aliases=aliases, help=f"train {family.title}")
        command.add_argument("config", metavar="CONFIG", help="a .toml file or a recipe's name")
        command.add_argument(
            "--data", type=Path, default=Path(), help="folder that the recipe's paths start from"
        )
        command.add_argument("--output", type=Path, help="of the run; default: runs/<CONFIG>")
        command.set_defaults(run=run, family=family)
    train_oracle.add_parser(commands)
    train_ablate.add_parser(commands)
    train_labels.add_parser(commands)
    train_onekey.add_parser(commands)


def run(args: argparse.Namespace) -> int:
    """Train the network of a recipe, or go on with a run that was interrupted.

    Raises:
        UsageError: bad input.
    """
    recipe = find_config(args.config)
    output = args.output or Path("runs") / recipe.stem
    train = partial(train_recipe, args.family, recipe, args.data, output)
    if int(os.environ.get("RANK", "0")) > 0:
        train(None)
        return 0
    console = Console()
    with shown_warnings(console), TrainDisplay(console) as display:
        train(display.observe)
    console.print(f"done: {output}/export.safetensors")
    return 0
