"""`arvot train ablate`: the paper's design options, each trained with the same recipe."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from alpharefine.errors import UsageError
from alpharefine.training.ablation import (
    ABLATIONS,
    AblationResult,
    AblationRun,
    finished,
    plan_ablation,
    shortened,
    train_variant,
)
from alpharefine.training.config import find_config, load_config
from alpharefine.training.processes import process_count
from alpharefine.training.tasks.refine.config import RefineRunConfig
from vot_integration.commands.table_files import TableFiles, add_table_options
from vot_integration.commands.train_display import TrainDisplay, shown_warnings

Results = Sequence[tuple[AblationRun, AblationResult]]


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `ablate` to those of `arvot train`."""
    parser = commands.add_parser(
        "ablate",
        help="compare box heads, correlations and backbones (the paper's tables 5, 6 and 8)",
        description="Train variants of a recipe and compare them on its held-out pairs. Variants "
        "that are finished are not trained again, an interrupted one goes on.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("config", metavar="CONFIG", help="a refine recipe: file or name")
    parser.add_argument(
        "--table",
        choices=list(ABLATIONS),
        action="append",
        help="what is compared; may be repeated (default: everything)",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help="of each variant (default: the recipe's)")
    length.add_argument("--minutes", type=float, help="of each variant")
    parser.add_argument(
        "--data", type=Path, default=Path(), help="folder that the recipe's paths start from"
    )
    parser.add_argument("--output", type=Path, help="default: runs/ablate_<CONFIG>")
    add_table_options(parser)


def run(args: argparse.Namespace) -> int:
    """Train the variants that are not finished, and print how all compare.

    Raises:
        UsageError: bad input.
    """
    if process_count() > 1:
        raise UsageError("ablate trains in one process; run it without torchrun")
    console = Console()
    files = TableFiles.from_options(args)
    path = find_config(args.config)
    recipe = load_config(path, RefineRunConfig)
    recipe = replace(recipe, engine=shortened(recipe.engine, args.steps, args.minutes))
    output = args.output or Path("runs") / f"ablate_{path.stem}"
    runs = plan_ablation(args.table or list(ABLATIONS), recipe)
    for planned in runs:
        finished(planned, output)
    results = [(planned, _train(planned, args.data, output, console)) for planned in runs]
    files.write({"recipe": asdict(recipe)}, [_record(*result) for result in results])
    console.print(_table(results, path.stem))
    return 0


def _train(planned: AblationRun, data: Path, output: Path, console: Console) -> AblationResult:
    result = finished(planned, output)
    if result is not None:
        console.print(f"{planned.table}, {planned.variant.name}: finished before", markup=False)
        return result
    console.print(f"{planned.table}, {planned.variant.name}", markup=False)
    with shown_warnings(console), TrainDisplay(console) as display:
        return train_variant(planned, data, output, display.observe)


def _record(planned: AblationRun, result: AblationResult) -> dict[str, str | float | None]:
    return {"table": planned.table, "variant": planned.variant.name, **asdict(result)}


def _table(results: Results, name: str) -> Table:
    table = Table(
        title=f"Variants of {name}",
        title_justify="left",
        caption="mean IoU with the truth on the held-out pairs, after the last step",
        caption_justify="left",
    )
    table.add_column("Variant")
    for heading in ("Input box", "Box", "Mask", "Parameters", "Minutes"):
        table.add_column(heading, justify="right")
    last = None
    for planned, result in results:
        if planned.table != last:
            table.add_section()
            last = planned.table
        table.add_row(
            f"{planned.table}: {planned.variant.name}",
            *map(_iou, (result.input_iou, result.box_iou, result.mask_iou)),
            f"{result.parameters / 1e6:.2f} M",
            f"{result.minutes:.1f}",
        )
    return table


def _iou(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
