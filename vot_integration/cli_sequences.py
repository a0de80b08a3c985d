"""`arvot sequences`: make and check sequences in VOT format."""

import argparse
from pathlib import Path

from vot_integration.cli_options import add_command

_EXAMPLES = """\
  arvot sequences convert DAVIS my_sequences
      every object of a data set: DAVIS, OTB, LaSOT and GOT-10k are recognised
  arvot sequences convert ~/LaSOT/car/car-2 my_sequences --link
      one sequence of it; its images are referred to, not copied
  arvot sequences convert walk.mp4 my_sequences --boxes walk.txt
      a video with x,y,width,height in a line for each frame
  arvot sequences convert frames my_sequences --masks masks --name dog --fps 25
      images, and masks of the same names
  arvot sequences check my_sequences

then: arvot run --sequences my_sequences
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `sequences` to those of `arvot`."""
    parser = add_command(
        subparsers, "sequences", run, "Make and check sequences in VOT format.", _EXAMPLES
    )
    commands = parser.add_subparsers(dest="sequences_command", required=True, metavar="COMMAND")
    command = commands.add_parser("convert", help="from videos, frames and other data sets")
    command.add_argument("source", type=Path, metavar="SRC", help="video, folder or data set")
    command.add_argument(
        "destination", type=Path, metavar="DST", help="folder of sequences, which may hold others"
    )
    command.add_argument(
        "--masks", type=Path, metavar="DIR", help="masks or label maps, named as the frames"
    )
    command.add_argument(
        "--boxes", type=Path, metavar="FILE", help="x,y,width,height, one line a frame"
    )
    command.add_argument(
        "--object",
        type=int,
        metavar="K",
        help="follow only object K of label maps (default: a sequence for each)",
    )
    command.add_argument("--name", help="name of the sequence (default: the source's)")
    command.add_argument(
        "--fps", type=float, help="frames a second (default: the video's own, else 30)"
    )
    command.add_argument(
        "--link", action="store_true", help="refer to the images in place of copying them"
    )
    command = commands.add_parser("check", help="check a folder of sequences")
    command.add_argument("folder", type=Path, metavar="DIR", help="holds list.txt")


def run(args: argparse.Namespace) -> int:
    """Run `arvot sequences ...`.

    Returns:
        Exit code, 0.

    Raises:
        UsageError: bad input.
    """
    from rich import progress as bars
    from rich.console import Console

    from vot_integration.convert.convert import convert
    from vot_integration.convert.source import ConvertOptions
    from vot_integration.vot_folder import validate_sequences

    console = Console(highlight=False, markup=False, soft_wrap=True)
    if args.sequences_command == "check":
        paths = validate_sequences(args.folder)
        console.print(f"good: {len(paths)} sequences in {args.folder}")
        return 0
    options = ConvertOptions(args.masks, args.boxes, args.name, args.object, args.fps, args.link)
    with bars.Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, bars.TaskID] = {}

        def show(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done)

        paths = convert(args.source, args.destination, options, show)
    for path in paths:
        console.print(f"wrote {path}")
    console.print(f"next: arvot run --sequences {args.destination}")
    return 0
