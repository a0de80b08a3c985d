"""`arvot benchmark pack` and `arvot benchmark check`: archives for evaluation servers."""

import argparse
from pathlib import Path

from vot_integration.commands.options import add_command

_SERVERS = ("got10k", "trackingnet")

_PACK_EXAMPLES = """\
  arvot benchmark pack work/benchmarks/got10k/ARDiMP_lite_box --for got10k
  arvot benchmark pack work/benchmarks/trackingnet/DiMPsuper --for trackingnet --data ~/TrackingNet

The archive is only written when all sequences are there and whole.
"""

_CHECK_EXAMPLES = """\
  arvot benchmark check ARDiMP_lite_box.zip
      what the server would reject, or score as zero without a word
  arvot benchmark check submission.zip --for trackingnet --truth truth.zip
      the same by the sequences of a truth that is at hand, and the scores

exit status: 0 all is well, 2 something is wrong
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands `pack` and `check` to those of `arvot benchmark`."""
    pack = add_command(
        commands, "pack", run_pack, "Write the archive for a server.", _PACK_EXAMPLES
    )
    pack.add_argument(
        "results", type=Path, metavar="RESULTS", help="folder of one tracker's results"
    )
    pack.add_argument(
        "--for", dest="server", choices=_SERVERS, required=True, help="whose server it is for"
    )
    pack.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="the data set, to check the number of frames (default: official names alone)",
    )
    pack.add_argument(
        "-o", "--output", type=Path, metavar="FILE.zip", help="to write (default: TRACKER.zip)"
    )
    check = add_command(
        commands, "check", run_check, "Look at an archive as its server would.", _CHECK_EXAMPLES
    )
    check.add_argument("archive", type=Path, metavar="ARCHIVE", help="a zip file")
    check.add_argument(
        "--for", dest="server", choices=_SERVERS, help="whose server (default: by its names)"
    )
    check.add_argument(
        "--truth",
        type=Path,
        metavar="DIR",
        help="ground truth or data set, folder or zip file: lengths are checked, and it is scored",
    )


def run_pack(args: argparse.Namespace) -> int:
    """Write the archive.

    Raises:
        UsageError: bad input, or results are missing.
    """
    from vot_integration.commands.terminal import plain_console
    from vot_integration.files import check_target
    from vot_integration.pipeline.benchmark_archive import pack_results

    target = args.output or Path(f"{args.results.resolve().name}.zip")
    check_target(target, "--output")
    console = plain_console()
    packed = pack_results(args.results, args.server, args.data, target)
    if packed.untimed:
        console.print(
            f"Note: {len(packed.untimed)} sequences have no times, such as {packed.untimed[0]}: "
            "the server shows no speed"
        )
    console.print(f"wrote {target} for the server of {packed.server.name}")
    return 0


def run_check(args: argparse.Namespace) -> int:
    """Print what is wrong with an archive, and its scores where the truth is there.

    Returns:
        Exit code: 0 all is well, 2 something is wrong.

    Raises:
        UsageError: it cannot be read.
    """
    from vot_integration.commands.benchmark_score import score_tables
    from vot_integration.commands.terminal import plain_console
    from vot_integration.pipeline.benchmark_archive import check_results

    console = plain_console()
    found = check_results(args.archive, args.server, args.truth)
    for fault in found.faults:
        console.print(f"{args.archive.name}: {fault}")
    for note in found.notes:
        console.print(f"Note: {note}")
    if found.scores is not None:
        console.print(score_tables(found.scores))
    if not found.faults:
        console.print(f"{args.archive} is as the server of {found.server} takes it")
    return 2 if found.faults else 0
