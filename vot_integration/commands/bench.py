"""`arvot bench`: how fast a tracker is on this machine."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vot_integration.commands.options import DEFAULT_TRACKER, add_command, add_tracker_settings

if TYPE_CHECKING:
    from rich.console import RenderableType

_EXAMPLES = """\
  arvot bench
      the default tracker
  arvot bench --tracker ARDiMP_v20 --precision bfloat16 --busy --json v20.json
      another one, while one core is busy with something else

All is measured as the toolkit does, in the real server process: a frame is path in, region out.
The unit is a forward pass of torchvision's ResNet-50 (float32, 1 x 3 x 352 x 352) on the same
device, taken in turn with the frames; where it varies too much the run is void.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `bench` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "bench",
        run,
        "Measure a tracker: latency of frames, stages and initialization, start-up and memory.",
        _EXAMPLES,
    )
    parser.add_argument(
        "--tracker",
        default=DEFAULT_TRACKER,
        metavar="NAME",
        help="tracker; _rotated or _box names its answer (default: %(default)s)",
    )
    add_tracker_settings(parser, "auto")
    parser.add_argument(
        "--frames",
        type=int,
        default=200,
        metavar="N",
        help="frames to track, in 5 runs (default: %(default)s)",
    )
    parser.add_argument(
        "--sequences",
        type=Path,
        metavar="DIR",
        help="folder with list.txt and sequences in VOT format (default: the built-in sequences)",
    )
    parser.add_argument(
        "--busy",
        action="store_true",
        help="keep one core busy meanwhile, but not during the unit",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE too")


def run(args: argparse.Namespace) -> int:
    """Measure a tracker, and print and write the numbers.

    Raises:
        UsageError: bad input.
        EvaluationError: the tracker fails.
    """
    from vot_integration.serving.process import set_compute_defaults

    # Before anything imports torch; the server process inherits it.
    set_compute_defaults()
    from vot_integration.commands.terminal import plain_console
    from vot_integration.files import check_target, write_text
    from vot_integration.pipeline.bench import BenchOptions, run_bench

    options = BenchOptions(
        tracker=args.tracker,
        device=args.device,
        precision=args.precision,
        weights=args.weights,
        frames=args.frames,
        sequences=args.sequences,
        busy=args.busy,
    )
    if args.json is not None:
        check_target(args.json, "--json")
    console = plain_console()
    with console.status("measuring; leave the machine alone"):
        numbers = run_bench(options).to_json()
    console.print(bench_table(numbers))
    if numbers["void"]:
        console.print(f"VOID: {numbers['void']}", style="bold red")
    if args.json is not None:
        write_text(args.json, json.dumps(numbers, indent=2) + "\n")
        console.print(f"wrote {args.json}")
    return 0


def bench_table(numbers: Mapping[str, Any]) -> "RenderableType":
    """Tables of what `Bench.to_json` gives."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    busy = ", one core busy" if numbers["busy"] else ""
    title = (
        f"{numbers['tracker']} on {numbers['device']}, {numbers['precision']}, "
        f"{numbers['threads']} threads{busy}"
    )
    whole = Table("", "ms", "units", title=title, title_justify="left")
    unit, frame = numbers["unit_ms"], numbers["frame_ms"]
    search = numbers["search_ms"]
    rows = {
        "unit, median": unit,
        **({} if search is None else {"base network's pass, median": search}),
        "frame, median": frame["median"],
        "frame, 90 %": frame["p90"],
        "frame, 99 %": frame["p99"],
        "initialization": numbers["init_ms"],
    }
    for name, value in rows.items():
        whole.add_row(name, f"{value:.1f}", f"{value / unit:.2f}")
    stages = Table("stage", "ms a frame", "ms an initialization")
    of_frame, of_init = numbers["stages"], numbers["init_stages"]
    for name in dict.fromkeys((*of_frame, *of_init)):
        stages.add_row(name, *(_number(stage.get(name)) for stage in (of_frame, of_init)))
    return Group(whole, stages, *map(Text, _notes(numbers)), Text(numbers["machine"]))


def _notes(numbers: Mapping[str, Any]) -> list[str]:
    memory, realtime = numbers["rss_mb"], numbers["realtime"]
    return [
        *_over_search(numbers),
        f"start to handshake {numbers['startup_s']:.2f} s, "
        f"memory {'not known' if memory is None else f'{memory:.0f} MB'}",
        f"real time at {realtime['fps']} frames a second: nothing is skipped up to "
        f"{realtime['budget_ms']:.0f} ms a frame; "
        f"{realtime['skipped']} of {realtime['frames']} frames would be",
    ]


def _over_search(numbers: Mapping[str, Any]) -> list[str]:
    ratio = numbers["frame_over_search"]
    return [] if ratio is None else [f"a frame takes {ratio:.2f} passes of the base network"]


def _number(milliseconds: float | None) -> str:
    return "" if milliseconds is None else f"{milliseconds:.2f}"
