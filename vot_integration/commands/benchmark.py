"""`arvot benchmark`: one-pass evaluation on data sets with a box a frame."""

import argparse

from vot_integration.commands import benchmark_archive, benchmark_run, benchmark_score
from vot_integration.commands.options import add_command

_EXAMPLES = """\
  arvot benchmark run ~/LaSOT --layout lasot --tracker ARDiMP_lite
  arvot benchmark pack work/benchmarks/got10k/ARDiMP_lite_box --for got10k
  arvot benchmark score results --truth ~/LaSOT --layout lasot
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `benchmark` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "benchmark",
        benchmark_score.run,
        "Run and score trackers on OTB, LaSOT, TrackingNet, GOT-10k, UAV123, NfS and others.",
        _EXAMPLES,
    )
    commands = parser.add_subparsers(dest="benchmark_command", required=True, metavar="COMMAND")
    benchmark_run.add_parser(commands)
    benchmark_score.add_parser(commands)
    benchmark_archive.add_parser(commands)
