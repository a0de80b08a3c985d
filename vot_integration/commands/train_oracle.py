"""`arvot train oracle`: how good refinement is when the search region is right."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich import progress as bars
from rich.console import Console
from rich.table import Table

from alpharefine.catalogue import TRACKERS
from alpharefine.data.readers import READERS, read_source
from alpharefine.data.source import VideoSource
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.nets.registry import networks_with
from alpharefine.refinement.config import RefinerConfig
from alpharefine.refinement.refiner import Refiner
from alpharefine.runtime import resolve_runtime
from alpharefine.training.exports import exported_name, load_refine_network
from alpharefine.training.oracle import OracleConfig, OracleScore, measure_oracle
from vot_integration.commands.table_files import TableFiles, add_table_options
from vot_integration.commands.train_display import shown_warnings

_HEADINGS = {"input": "Input box", "box": "Box", "mask box": "Box of mask", "mask": "Mask"}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `oracle` to those of `arvot train`."""
    parser = commands.add_parser(
        "oracle",
        help="refine true and jittered boxes (the paper's table 1)",
        description="Refine true and jittered boxes of a local data set, and compare every output "
        "with the truth.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of a data set")
    parser.add_argument(
        "--kind",
        choices=list(READERS),
        metavar="KIND",
        help="its layout, as in recipes (default: masks or video, whichever it looks like)",
    )
    parser.add_argument(
        "--weights",
        metavar="NAME_OR_FILE",
        help="of the refinement network, a run's export.safetensors for instance "
        "(default: the bundled ones)",
    )
    parser.add_argument(
        "--network",
        choices=list(networks_with(RefineNetConfig)),
        metavar="NAME",
        help="which refinement network (default: the one in the file, or ar_lite)",
    )
    parser.add_argument(
        "--mask-threshold",
        type=float,
        metavar="P",
        help="probability above which a pixel is in the mask (default: that of the tracker with "
        "this network, else 0.5)",
    )
    parser.add_argument(
        "--frames", type=int, default=20, help="of each target (default: %(default)s)"
    )
    parser.add_argument(
        "--targets", type=int, default=200, help="at most so many (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the jitter (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ...")
    parser.add_argument("--precision", default="auto", help="auto, float32, bfloat16 or float16")
    add_table_options(parser)


def run(args: argparse.Namespace) -> int:
    """Refine the boxes of a data set, and print how good every output is.

    Raises:
        UsageError: bad input.
    """
    files = TableFiles.from_options(args)
    config = OracleConfig(frames=args.frames, targets=args.targets, seed=args.seed)
    runtime = resolve_runtime(args.device, args.precision)
    network = load_refine_network(args.weights, args.network)
    network_name = exported_name(network.config)
    threshold = _threshold(network_name) if args.mask_threshold is None else args.mask_threshold
    refiner = Refiner(runtime.prepare(network), runtime, RefinerConfig(mask_threshold=threshold))
    console = Console(soft_wrap=True)
    with shown_warnings(console):
        source = read_source(args.data, args.kind)
        scores = _measure(source, refiner, config, console)
    facts = {
        "data": str(args.data),
        "weights": args.weights,
        "network": network_name,
        "mask_threshold": threshold,
        "frames": args.frames,
        "targets": args.targets,
        "seed": args.seed,
    }
    files.write(facts, [asdict(score) for score in scores])
    console.print(_table(scores, f"{source.name}: {network_name}, mask threshold {threshold:g}"))
    return 0


def _measure(
    source: VideoSource, refiner: Refiner, config: OracleConfig, console: Console
) -> list[OracleScore]:
    hidden = not console.is_terminal
    with bars.Progress(console=console, disable=hidden, transient=True) as progress:
        task = progress.add_task("targets")
        return measure_oracle(
            source,
            refiner,
            config,
            lambda done, count: progress.update(task, completed=done, total=count),
        )


def _threshold(network: str) -> float:
    """The mask threshold of the tracker that has this network."""
    for spec in TRACKERS.values():
        if spec.refinement is not None and spec.refinement.network == network:
            return spec.refinement.refiner.mask_threshold
    return 0.5


def _table(scores: Sequence[OracleScore], title: str) -> Table:
    cells = {(score.given, score.output): score for score in scores}
    outputs = [name for name in _HEADINGS if any(score.output == name for score in scores)]
    table = Table(
        title=title,
        title_justify="left",
        caption="mean IoU with the truth, and the share of frames in which it is above 0.75",
        caption_justify="left",
    )
    table.add_column("Input")
    table.add_column("Frames", justify="right")
    for output in outputs:
        table.add_column(_HEADINGS[output], justify="right")
    for given in dict.fromkeys(score.given for score in scores):
        row = [cells[given, output] for output in outputs]
        values = (f"{score.mean_iou:.3f} {score.above_75:4.0%}" for score in row)
        table.add_row(given, str(row[0].frames), *values)
    return table
