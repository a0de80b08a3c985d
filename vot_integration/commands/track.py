"""`arvot track`: follow a target through a video and draw what is found."""

import argparse
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vot_integration.commands.options import (
    DEFAULT_TRACKER,
    add_command,
    add_config,
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
  arvot track 'frames/%05d.jpg' --start 120 --box 120,80,40,60 --box 300,90,50,50
      two targets from the 120th frame on, in a color each
  arvot track rtsp://camera.local/live --box 120,80,40,60
      a stream; end with Ctrl-C
  arvot track 0 --select
      the first camera; draw a box in a window, end with Ctrl-C
"""

_BOX = "--box"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[,;]?")


def join_words(arguments: Sequence[str]) -> list[str]:
    """Make one word of each box: `--box 20 20 22 22`, and one that begins with a minus."""
    joined: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word != _BOX or not rest:
            joined.append(word)
            continue
        box = [rest.pop(0)]
        while len(box) < 4 and rest and all(map(_NUMBER.fullmatch, (*box, rest[0]))):
            box.append(rest.pop(0))
        joined.append(f"{_BOX}={' '.join(box)}")
    return joined


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `track` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "track",
        run,
        "Follow targets through a video, a folder of frames, a stream or a camera, and draw them.",
        _EXAMPLES,
    )
    parser.add_argument(
        "source",
        metavar="VIDEO|FOLDER|PATTERN|STREAM|CAMERA",
        help="video file, folder, pattern such as frames/%%05d.jpg, address, or number of a camera",
    )
    target = parser.add_mutually_exclusive_group()
    target.add_argument(
        _BOX,
        action="append",
        default=[],
        metavar="x,y,w,h",
        help="target in the first frame, in pixels; give it again for another target",
    )
    target.add_argument("--mask", type=Path, metavar="FILE", help="mask of the first frame")
    target.add_argument("--select", action="store_true", help="draw the target in a window")
    parser.add_argument(
        "--object",
        type=int,
        action="append",
        default=[],
        metavar="K",
        help="object K of a mask that shows several, 0 for what is black on white; may be given "
        "again (default: all)",
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
    parser.add_argument(
        "--start", type=int, default=1, metavar="N", help="begin with frame N, counted from 1"
    )
    parser.add_argument("--max-frames", type=int, metavar="N", help="stop after N frames")
    add_workspace(parser)
    parser.add_argument(
        "--trackers",
        type=Path,
        metavar="FILE.ini",
        help="registers trackers of your own, besides those of the workspace",
    )
    add_tracker_settings(parser, "auto")
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Follow the targets to the end of the frames, and print what was written.

    Returns:
        Exit code: 0, or 1 when something was wrong with the frames.

    Raises:
        UsageError: bad input.
    """
    from vot_integration.commands.terminal import plain_console, quiet_opencv
    from vot_integration.pipeline.track import TrackOptions, prepare
    from vot_integration.track.choice import Choice
    from vot_integration.workspaces.trackers_ini import TrackerSettings

    quiet_opencv()
    console = plain_console()
    settings = TrackerSettings(args.weights, args.device, args.precision, args.config)
    options = TrackOptions(
        args.source,
        Choice(args.tracker, settings, args.workspace, args.trackers),
        boxes=args.box,
        mask=args.mask,
        labels=args.object,
        threshold=args.threshold,
        select=args.select,
        start=args.start,
        out=args.out,
        save_masks=args.save_masks,
        save_boxes=args.save_boxes,
        limit=args.max_frames,
    )
    job = prepare(options)
    for line in job.notes:
        console.print(f"note: {line}")
    started = time.time()
    followed = _follow(job, console)
    for line in job.kept_answers(started):
        console.print(f"note: {line}")
    if job.has_random_weights:
        console.print("the weights are random, not trained: what is drawn says nothing")
    flaws = job.flaws(followed)
    for line in flaws:
        console.print(line)
    if job.source.is_live and not followed.is_interrupted and followed.frames != job.limit:
        console.print(f"{job.source.origin} gave no more frames")
    frames = f"{followed.frames} frame{'' if followed.frames == 1 else 's'}"
    if len(job.targets) > 1:
        frames += f", targets {', '.join(target.name for target in job.targets)}"
    console.print(f"{frames}: {', '.join(map(str, job.files))}")
    return 1 if flaws else 0


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
