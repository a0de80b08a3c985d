"""`arvot track`: follow a target through a video and draw what is found."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vot_integration.commands.options import (
    DEFAULT_TRACKER,
    add_command,
    add_tracker_settings,
    add_workspace,
)

if TYPE_CHECKING:
    from rich.console import Console

    from vot_integration.pipeline.track import TrackJob
    from vot_integration.track.follow import Followed

_EXAMPLES = """\
  arvot track walk.mp4 --box 120,80,40,60
      writes walk-ARDiMP_lite.mp4 with mask and box drawn into it
  arvot track frames --mask first.png --out dog.avi --save-masks masks
      a folder of images, the target as a mask of the first one
  arvot track my_sequences/dog --tracker ARDiMP_lite_rotated
      a sequence in VOT format starts on its ground truth
  arvot track walk.mp4 --box 120,80,40,60 --tracker mine --trackers my_trackers.ini
      a tracker of your own, as the toolkit would start it
  arvot track 0 --select
      the first camera; draw a box in a window, end with Ctrl-C
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `track` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "track",
        run,
        "Follow a target through a video, a folder of frames or a camera, and draw it.",
        _EXAMPLES,
    )
    parser.add_argument(
        "source", metavar="VIDEO|FOLDER|CAMERA", help="video file, folder, or number of a camera"
    )
    target = parser.add_mutually_exclusive_group()
    target.add_argument(
        "--box",
        metavar="x,y,w,h",
        help="target in the first frame, in pixels; --box=x,y,w,h where a number is negative",
    )
    target.add_argument("--mask", type=Path, metavar="FILE", help="mask of the first frame")
    target.add_argument("--select", action="store_true", help="draw the target in a window")
    parser.add_argument(
        "--object", type=int, metavar="K", help="object K of a mask that shows several"
    )
    parser.add_argument(
        "--threshold",
        type=int,
        metavar="T",
        help="the target is from gray value T of 255 on in the mask (default: by what it is)",
    )
    parser.add_argument(
        "--tracker",
        default=DEFAULT_TRACKER,
        metavar="NAME",
        help="tracker; _rotated or _box names what is drawn (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="VIDEO",
        help="overlay to write, .mp4, .avi or .mkv (default: SOURCE-TRACKER.mp4)",
    )
    parser.add_argument("--save-masks", type=Path, metavar="DIR", help="write masks as PNG files")
    parser.add_argument("--save-boxes", type=Path, metavar="FILE", help="write x,y,w,h lines")
    parser.add_argument("--max-frames", type=int, metavar="N", help="stop after N frames")
    add_workspace(parser)
    parser.add_argument(
        "--trackers",
        type=Path,
        metavar="FILE.ini",
        help="registers trackers of your own, besides those of the workspace",
    )
    add_tracker_settings(parser, "auto")


def run(args: argparse.Namespace) -> int:
    """Follow the target to the end of the frames, and print what was written.

    Returns:
        Exit code: 0, or 1 when frames could not be read.

    Raises:
        UsageError: bad input.
    """
    from vot_integration.commands.terminal import plain_console, quiet_opencv
    from vot_integration.pipeline.track import TrackOptions, prepare
    from vot_integration.track.choice import Choice
    from vot_integration.workspaces.trackers_ini import TrackerSettings

    quiet_opencv()
    console = plain_console()
    settings = TrackerSettings(args.weights, args.device, args.precision)
    options = TrackOptions(
        args.source,
        Choice(args.tracker, settings, args.workspace, args.trackers),
        box=args.box,
        mask=args.mask,
        label=args.object,
        threshold=args.threshold,
        select=args.select,
        out=args.out,
        masks=args.save_masks,
        boxes=args.save_boxes,
        limit=args.max_frames,
    )
    job = prepare(options)
    followed = _follow(job, console)
    if job.has_random_weights:
        console.print("the weights are random, not trained: what is drawn says nothing")
    if followed.unreadable:
        console.print(f"unreadable frames: {followed.unreadable}; the last answer was kept")
    is_short = job.count is not None and followed.frames < job.count
    if is_short:
        console.print(f"the file speaks of {job.count} frames, {followed.frames} could be read")
    console.print(f"{followed.frames} frames: {', '.join(map(str, job.files))}")
    return 1 if is_short or followed.unreadable else 0


def _follow(job: "TrackJob", console: "Console") -> "Followed":
    """Follow the target, with a bar on a terminal."""
    from rich import progress as bars

    columns = (
        bars.TextColumn("tracking"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("tracking", total=job.count)
        return job.run(lambda number: bar.update(task, completed=number))
