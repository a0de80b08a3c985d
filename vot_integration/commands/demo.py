"""`arvot demo`: a local web page to try trackers on."""

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from vot_integration.commands.options import (
    DEFAULT_TRACKER,
    add_command,
    add_config,
    add_tracker_settings,
    add_workspace,
)

_EXAMPLES = """\
  arvot demo
      then open http://127.0.0.1:7860 in a browser on this machine
  ssh -L 7860:127.0.0.1:7860 MACHINE
      in a terminal at home, where arvot demo runs on MACHINE; open the same address
  arvot demo --tracker ARDiMP_c21 --device cuda:1 --port 8000
      another tracker to begin with, on a GPU of your choice
  arvot demo --host 0.0.0.0
      for other machines too, which need the address with the token that is printed
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `demo` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "demo",
        run,
        "Serve a local web page to try trackers on: a video or the webcam, a box, live tracking.",
        _EXAMPLES,
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=7860, metavar="N", help="default: %(default)s; 0 is any"
    )
    parser.add_argument(
        "--token",
        metavar="TEXT",
        help="what a browser must know (default: none here, a new one for other hosts)",
    )
    parser.add_argument(
        "--max-upload",
        type=float,
        default=1000.0,
        metavar="MB",
        help="largest video or recording (default: %(default)g)",
    )
    parser.add_argument(
        "--tracker",
        default=DEFAULT_TRACKER,
        metavar="NAME",
        help="tracker that is chosen at first (default: %(default)s)",
    )
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
    """Serve the page until Ctrl-C.

    Returns:
        Exit code 0.

    Raises:
        UsageError: bad input, or the port is taken.
    """
    from vot_integration.commands.terminal import plain_console, quiet_opencv
    from vot_integration.demo.serve import Demo, DemoOptions
    from vot_integration.track.choice import Choice
    from vot_integration.workspaces.trackers_ini import TrackerSettings

    quiet_opencv()
    console = plain_console()
    settings = TrackerSettings(args.weights, args.device, args.precision, args.config)
    choice = Choice(args.tracker, settings, args.workspace, args.trackers)
    options = DemoOptions(choice, args.host, args.port, args.token, args.max_upload)
    with _ended_in_order(), Demo(options) as demo:
        console.print(f"open {demo.address}")
        console.print("Ctrl-C ends it, and deletes what was uploaded")
        demo.run()
    return 0


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let Ctrl-C, and a signal to terminate, end the server as a whole: this is how it ends."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        # What is deleted now is deleted whole.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
