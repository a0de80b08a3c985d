"""`arvot sequences`: make and check sequences in VOT format."""

import argparse
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from vot_integration.commands.options import add_command

if TYPE_CHECKING:
    from rich.console import Console

    from vot_integration.convert.convert import Watcher

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_EXAMPLES = """\
  arvot sequences convert DAVIS my_sequences
  arvot sequences check my_sequences

then: arvot run --sequences my_sequences
"""

_CONVERT_EXAMPLES = """\
  arvot sequences convert DAVIS my_sequences
      every object of a data set: DAVIS, OTB, LaSOT, UAV123 and others are recognized
  arvot sequences convert ~/LaSOT/car/car-2 my_sequences --link
      one sequence of it; its images are referred to, not copied
  arvot sequences convert DAVIS/JPEGImages/480p/dogs-jump my_sequences --object 2
      one object of one sequence of DAVIS
  arvot sequences convert DAVIS my_sequences --vots
      all objects of a video in one sequence, for the VOTS stacks
  arvot sequences convert walk.mp4 my_sequences --boxes walk.txt
      a video with x,y,width,height in a line for each frame
  arvot sequences convert frames my_sequences --boxes part.txt --start 120
      boxes for a part of the frames, from the 120th on
  arvot sequences convert frames my_sequences --masks masks --name dog --fps 25
      images, and masks of the same names

exit status: 0 done, 1 done but for sequences with something wrong, 2 nothing was written
"""

_CHECK_EXAMPLES = """\
  arvot sequences check my_sequences
  arvot sequences check ~/vot2022/sequences

exit status: 0 all is well, 2 something is wrong
"""

_ANCHORS_EXAMPLES = """\
  arvot sequences anchors my_sequences
      every sequence that has none
  arvot sequences anchors my_sequences/dog --replace
      one sequence, anew

Anchors are placed by VOT2020's rule where the target is present: every 50 frames and in the last
one, forward or backward, whichever leaves more frames.

exit status: 0 done, 2 something is wrong with a sequence
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `sequences` to those of `arvot`."""
    parser = add_command(
        subparsers, "sequences", run_convert, "Make and check sequences in VOT format.", _EXAMPLES
    )
    commands = parser.add_subparsers(dest="sequences_command", required=True, metavar="COMMAND")
    _add_convert(commands)
    _add_check(commands)
    _add_anchors(commands)


def _add_convert(commands: _Commands) -> None:
    command = add_command(
        commands,
        "convert",
        run_convert,
        "Make sequences of videos, frames and other data sets.",
        _CONVERT_EXAMPLES,
    )
    command.add_argument(
        "source", type=Path, metavar="SRC", help="video, folder of frames, or data set"
    )
    command.add_argument(
        "destination",
        type=Path,
        metavar="DST",
        help="folder to write sequences to, which may hold others",
    )
    command.add_argument(
        "--masks", type=Path, metavar="DIR", help="masks or label maps, named as the frames"
    )
    command.add_argument(
        "--boxes",
        type=Path,
        metavar="FILE",
        help="x,y,width,height or the corners of a polygon, one line a frame",
    )
    command.add_argument(
        "--start",
        type=int,
        metavar="N",
        help="the first of --boxes belongs to frame N, counted from 1 (default: a line each frame)",
    )
    command.add_argument(
        "--object",
        type=int,
        metavar="K",
        help="follow only object K of label maps, 0 for what is black on white (default: a "
        "sequence for each)",
    )
    command.add_argument(
        "--threshold",
        type=int,
        metavar="T",
        help="gray masks show one object, from gray value T of 255 on (default: by what they are)",
    )
    command.add_argument("--name", help="name of the one sequence (default: the source's)")
    command.add_argument(
        "--fps", type=float, help="frames a second (default: what the source says, else 30)"
    )
    command.add_argument(
        "--link", action="store_true", help="refer to the images in place of copying them"
    )
    command.add_argument(
        "--vots",
        action="store_true",
        help="one sequence of all objects, as VOTS has them (default: a sequence for each)",
    )


def _add_check(commands: _Commands) -> None:
    command = add_command(
        commands,
        "check",
        run_check,
        "Check a folder of sequences.",
        _CHECK_EXAMPLES,
    )
    command.add_argument("folder", type=Path, metavar="DIR", help="folder that holds list.txt")


def _add_anchors(commands: _Commands) -> None:
    command = add_command(
        commands,
        "anchors",
        run_anchors,
        "Place the anchors at which multi-start experiments (VOT2020 and later) begin.",
        _ANCHORS_EXAMPLES,
    )
    command.add_argument(
        "folder", type=Path, metavar="DIR", help="a sequence, or a folder that holds list.txt"
    )
    command.add_argument(
        "--replace", action="store_true", help="place them anew where there are some, too"
    )


def run_convert(args: argparse.Namespace) -> int:
    """Write the sequences of a source, and print which were and which were not.

    Returns:
        Exit code: 0, or 1 when something was wrong with a sequence, which was skipped.

    Raises:
        UsageError: bad input; nothing was written.
    """
    from vot_integration.commands.terminal import plain_console, quiet_opencv
    from vot_integration.convert.convert import convert
    from vot_integration.convert.source import ConvertOptions
    from vot_integration.sequences.folder import counted

    quiet_opencv()
    console = plain_console()
    options = ConvertOptions(
        masks=args.masks,
        boxes=args.boxes,
        name=args.name,
        label=args.object,
        fps=args.fps,
        link=args.link,
        threshold=args.threshold,
        start=args.start,
        together=args.vots,
    )
    with _shown(console) as watcher:
        done = convert(args.source, args.destination, options, watcher)
    errors = plain_console(stderr=True)
    for line in [*(f"note: {note}" for note in done.notes()), *done.left_out()]:
        errors.print(line)
    if not done.written:
        place = args.destination
        console.print(
            f"nothing new: {counted(len(done.kept))} of {args.source} in {place} already; to write "
            f"one anew, give --name, or take it out of {place} and its list.txt"
        )
    elif done.skipped or done.kept:
        skipped = f", skipped {len(done.skipped)}" if done.skipped else ""
        console.print(f"wrote {counted(len(done.written))}{skipped}")
    console.print(f"next: arvot run --sequences {shlex.quote(str(args.destination))}")
    return 0 if done.is_complete else 1


@contextmanager
def _shown(console: "Console") -> "Iterator[Watcher]":
    """A bar for the sequence under way, on a terminal, and a line for each that is finished."""
    from rich import progress as bars

    from vot_integration.convert.convert import Watcher

    with bars.Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        yield Watcher(
            lambda name, done, total: bar.update(
                task, description=name, completed=done, total=total
            ),
            lambda written: bar.console.print(f"wrote {written}"),
        )


def run_check(args: argparse.Namespace) -> int:
    """Check the sequences of a folder, and print what is wrong, a line a sequence.

    Returns:
        Exit code: 0, or 2 when something is wrong, which is printed, a line a sequence.

    Raises:
        UsageError: there is no list of sequences.
    """
    from vot_integration.commands.terminal import plain_console, quiet_opencv
    from vot_integration.sequences.checks import check_sequences
    from vot_integration.sequences.folder import counted

    quiet_opencv()
    console = plain_console()
    errors = plain_console(stderr=True)
    found = check_sequences(args.folder)
    for problem in found.problems:
        errors.print(f"arvot: {problem}")
    if found.problems:
        bad, count = len(found.problems), counted(len(found.paths))
        console.print(f"bad: {bad} of {count} in {args.folder}")
        return 2
    console.print(f"good: {counted(len(found.paths))} in {args.folder}")
    return 0


def run_anchors(args: argparse.Namespace) -> int:
    """Place anchors in a sequence, or in those of a folder.

    Returns:
        Exit code: 0, or 2 when anchors could not be placed in a sequence, which is printed.

    Raises:
        UsageError: the folder is no sequence and has no list of sequences.
    """
    from alpharefine.errors import UsageError
    from vot_integration.commands.terminal import plain_console, quiet_opencv
    from vot_integration.sequences.checks import find_sequences, place_anchors
    from vot_integration.sequences.folder import counted, has_anchors

    quiet_opencv()
    console = plain_console()
    errors = plain_console(stderr=True)
    bad = 0
    paths = find_sequences(args.folder)
    for path in paths:
        try:
            if has_anchors(path) and not args.replace:
                console.print(f"{path}: has anchors, left as it is")
                continue
            number = place_anchors(path)
            console.print(f"{path}: placed {number} anchor{'' if number == 1 else 's'}")
        except UsageError as error:
            bad += 1
            errors.print(f"arvot: {error}")
    if bad:
        console.print(f"bad: {bad} of {counted(len(paths))} in {args.folder}")
    return 2 if bad else 0
