"""Options that several commands have."""

import argparse
from collections.abc import Callable
from pathlib import Path

from vot_integration.pipeline.workers import RAY_CORES, WorkerOptions
from vot_integration.toolkit.stacks import DEFAULT_STACK, EaoInterval

DEFAULT_TRACKER = "ARDiMP_lite"
WORKSPACE = Path("vot-workspace")


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    description: str,
    examples: str,
) -> argparse.ArgumentParser:
    """Add a command's parser, with examples below its help."""
    parser = subparsers.add_parser(
        name,
        # Shown in the help of what it is a command of.
        help=description,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_workspace(parser: argparse.ArgumentParser) -> None:
    """Add --workspace."""
    parser.add_argument(
        "--workspace",
        type=Path,
        default=WORKSPACE,
        metavar="DIR",
        help="the workspace (default: ./%(default)s)",
    )


def add_trackers(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add any number of trackers, which have no option before them."""
    parser.add_argument("trackers", nargs="*", metavar="TRACKER", help=help_text)


def add_experiments(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add --experiments without a default."""
    parser.add_argument("--experiments", metavar="LIST", help=help_text)


def add_stack(parser: argparse.ArgumentParser) -> None:
    """Add --stack, --sequences and --eao-interval: what a workspace is made of."""
    otherwise = "the workspace's own, in a new one "
    parser.add_argument(
        "--stack",
        metavar="NAME_OR_FILE",
        help="vot2018, vot2019, vot2020, vot2021, vot2022, vot2022box, another of the toolkit's "
        f"names, or a stack file (default: {otherwise}{DEFAULT_STACK})",
    )
    parser.add_argument(
        "--sequences",
        type=Path,
        metavar="DIR",
        help="folder with list.txt and sequences in VOT format "
        f"(default: {otherwise}the built-in sequences)",
    )
    parser.add_argument(
        "--eao-interval",
        nargs=2,
        type=int,
        metavar=("LOW", "HIGH"),
        help="frames over which EAO is averaged "
        f"(default: {otherwise}the stack's for official data and stack files, else 30 100)",
    )


def interval(args: argparse.Namespace) -> EaoInterval | None:
    """What --eao-interval says."""
    if not args.eao_interval:
        return None
    low, high = args.eao_interval
    return low, high


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add --jobs, --gpus and --ray."""
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="run N sequences at the same time; real-time experiments still run one at a time "
        "(default: 1, or one for each of --gpus)",
    )
    parser.add_argument(
        "--gpus", metavar="LIST", help="GPUs that the jobs take turns on, such as 0,1,2,3"
    )
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="run on a Ray cluster; auto is the one that this machine belongs to",
    )
    parser.add_argument(
        "--ray-cores",
        type=int,
        metavar="N",
        help=f"processor cores for each job on the cluster (default: {RAY_CORES})",
    )
    parser.add_argument(
        "--ray-send",
        action="store_true",
        help="send sequences and weights along (default: only where nodes do not see them)",
    )


def worker_options(args: argparse.Namespace) -> WorkerOptions:
    """What the options of `add_workers` say."""
    return WorkerOptions(args.jobs, args.gpus, args.ray, args.ray_cores, args.ray_send)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add --config."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="TOML file of settings of the tracker, such as `arvot tune` writes",
    )


def add_tracker_settings(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add --weights, --device and --precision.

    Args:
        parser: of the command.
        default: of device and precision; None where results in the workspace say how to go on.
    """
    otherwise = "as the results in the workspace were made, else " if default is None else ""
    parser.add_argument(
        "--weights",
        metavar="NAME_OR_FILE",
        help=f"weights of the tracker (default: {otherwise}the tracker's own)",
    )
    parser.add_argument(
        "--device", default=default, help=f"auto, cpu, cuda, ... (default: {otherwise}auto)"
    )
    parser.add_argument(
        "--precision",
        default=default,
        help=f"auto, float32, bfloat16 or float16 (default: {otherwise}auto)",
    )
