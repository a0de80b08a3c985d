"""`arvot run`: evaluate a tracker with the official toolkit and print its scores."""

import argparse
from pathlib import Path

_EXAMPLES = """\
examples:
  arvot run
      the default tracker on the built-in sequences: baseline and real-time
  arvot run --sequences ~/vot2020/sequences --tracker ARDiMP_v20 --experiments all
      official data, with what `vot pack` needs for a submission
  arvot run --sequences my_sequences --eao-interval 30 100 --json scores.json
      your own sequences in VOT format

Finished runs are kept: the same command goes on where it was stopped.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `run` to those of `arvot`."""
    parser = subparsers.add_parser(
        "run",
        description="Evaluate a tracker with the official VOT toolkit and print its scores.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--sequences",
        type=Path,
        metavar="DIR",
        help="folder with list.txt and sequences in VOT format (default: the built-in sequences)",
    )
    parser.add_argument(
        "--tracker",
        default="ARDiMP_lite",
        metavar="NAME",
        help="tracker as in trackers.ini; _rotated or _box names its answer (default: %(default)s)",
    )
    parser.add_argument(
        "--experiments",
        default="baseline,realtime",
        metavar="LIST",
        help="comma-separated experiments of the stack, or all (default: %(default)s)",
    )
    parser.add_argument(
        "--stack",
        default="vot2020/shortterm",
        metavar="NAME_OR_FILE",
        help="the toolkit's name of a stack, or a stack file (default: %(default)s)",
    )
    parser.add_argument(
        "--eao-interval",
        nargs=2,
        type=int,
        metavar=("LOW", "HIGH"),
        help="frames over which EAO is averaged "
        "(default: the stack's for official data and stack files, else 30 100)",
    )
    parser.add_argument(
        "--workspace",
        type=Path,
        default=Path("vot-workspace"),
        metavar="DIR",
        help="workspace, made when it is not there (default: ./%(default)s)",
    )
    parser.add_argument(
        "--weights",
        metavar="NAME_OR_FILE",
        help="weights of the tracker (default: the tracker's own)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores to FILE too")
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, ... (default: %(default)s)"
    )
    parser.add_argument(
        "--precision",
        default="auto",
        help="auto, float32, bfloat16 or float16 (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Run `arvot run ...`.

    Returns:
        Exit code, 0.

    Raises:
        UsageError: bad input.
        EvaluationError: the tracker or the toolkit failed.
    """
    from rich.console import Console

    from vot_integration.display import RunDisplay
    from vot_integration.run import RunOptions, run_evaluation

    options = RunOptions(
        tracker=args.tracker,
        experiments=args.experiments,
        stack=args.stack,
        workspace=args.workspace,
        sequences=args.sequences,
        eao_interval=tuple(args.eao_interval) if args.eao_interval else None,
        weights=args.weights,
        json=args.json,
        device=args.device,
        precision=args.precision,
    )
    console = Console(highlight=False, markup=False, soft_wrap=True)
    with RunDisplay(console) as display:
        summary = run_evaluation(options, display)
    console.print()
    console.print(summary.to_table())
    return 0
