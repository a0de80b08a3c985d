"""`arvot export`: a tracker's refinement network for other runtimes."""

import argparse
from pathlib import Path

from vot_integration.commands.options import DEFAULT_TRACKER, add_command

_EXAMPLES = """\
  arvot export --tracker ARDiMP_v20 --part refine --format onnx -o ar_v20.onnx
      writes ar_v20.onnx (every frame) and ar_v20.reference.onnx (once for each target)
  arvot export --format torch-export -o ar.pt2

Crops go in as they are cut: RGB, 0 to 255, float32.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `export` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "export",
        run,
        "Write a tracker's refinement network for other runtimes.",
        _EXAMPLES,
    )
    parser.add_argument(
        "--tracker",
        default=DEFAULT_TRACKER,
        metavar="NAME",
        help="tracker with a refinement network (default: %(default)s)",
    )
    parser.add_argument(
        "--part", default="refine", choices=["refine"], help="what to write (default: %(default)s)"
    )
    parser.add_argument(
        "--format",
        default="onnx",
        choices=["onnx", "torch-export"],
        help="onnx needs `pip install 'arvot[onnx]'` (default: %(default)s)",
    )
    parser.add_argument(
        "--weights",
        metavar="NAME_OR_FILE",
        help="weights of the tracker (default: the tracker's own)",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """Write the network's graphs, and print what they take and give.

    Raises:
        UsageError: bad input.
    """
    from alpharefine.build import load_refinement
    from alpharefine.refinement.export import export_refinement
    from vot_integration.commands.terminal import plain_console
    from vot_integration.files import check_target

    check_target(args.output, "--output")
    network = load_refinement(args.tracker, args.weights)
    console = plain_console()
    for graph in export_refinement(network, args.output, args.format):
        console.print(f"wrote {graph.path}")
        for word, values in (("takes", graph.inputs), ("gives", graph.outputs)):
            for name, shape in values.items():
                console.print(f"  {word} {name}: {' x '.join(map(str, shape))}")
    return 0
