"""`arvot benchmark score`: success, precision and overlap of result files, by a convention."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vot_integration.commands.options import add_command

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from alpharefine.onepass.measures import Scores
    from vot_integration.pipeline.benchmark import BenchmarkScores, ScoreOptions

_EXAMPLES = """\
  arvot benchmark score work/benchmarks/lasot --truth ~/LaSOT --layout lasot
      every tracker with results in that folder, as the LaSOT toolkit scores
  arvot benchmark score DiMP50 --truth ~/OTB100 --layout otb --convention pysot --json otb.json
      result files made elsewhere, as pysot scores
  arvot benchmark score results --truth annos --layout lasot --base 0
      files that count pixels from 0, where the truth of the set does from 1

The number of one convention cannot be compared with that of another one: docs/conventions.md.

exit status: 0 done, 1 done but for sequences without results, 2 bad input
"""

_REPORT_EXAMPLES = """\
  arvot benchmark report work/benchmarks/lasot --truth ~/LaSOT --layout lasot -o lasot.html
      every tracker with results there, side by side
"""

_HEADINGS = {
    "AUC": "auc",
    "OP50": "op50",
    "OP75": "op75",
    "P": "precision",
    "Pnorm": "norm_precision",
    "AO": "ao",
}

_CAPTION = "in %; SR50 and SR75 are OP50 and OP75"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `score` to those of `arvot benchmark`."""
    parser = add_command(
        commands, "score", run, "Score result files, made here or elsewhere.", _EXAMPLES
    )
    _add_inputs(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE too")
    report = add_command(
        commands,
        "report",
        run_report,
        "Write one HTML file with scores, curves, attributes and sequences of result files.",
        _REPORT_EXAMPLES,
    )
    _add_inputs(report)
    report.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.html",
        help="file to write (default: benchmark.html in RESULTS)",
    )


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results",
        type=Path,
        metavar="RESULTS",
        help="folder with a file a sequence (comma, tab or space), or one such folder a tracker; "
        "or a zip file of one",
    )
    parser.add_argument(
        "--truth",
        type=Path,
        required=True,
        metavar="DIR",
        help="the data set, or its ground truth alone, folder or zip file; images are not read",
    )
    add_layout(parser)
    add_convention(parser)
    add_result_form(parser)


def add_layout(parser: argparse.ArgumentParser) -> None:
    """Add --layout and --part."""
    parser.add_argument(
        "--layout",
        required=True,
        metavar="NAME",
        help="otb, lasot, trackingnet, got10k, uav123, nfs, tc128, vot, or another one of "
        "docs/benchmark.md",
    )
    parser.add_argument(
        "--part",
        metavar="NAME",
        help="part of a whole data set, such as val or test (default: what is scored of it)",
    )


def add_convention(parser: argparse.ArgumentParser) -> None:
    """Add --convention."""
    parser.add_argument(
        "--convention",
        default="official",
        metavar="NAME",
        help="official (the tool of the set's authors), pytracking, pysot or got10k "
        "(default: %(default)s)",
    )


def add_result_form(parser: argparse.ArgumentParser) -> None:
    """Add --boxes and --base."""
    parser.add_argument(
        "--boxes",
        choices=("xywh", "corners"),
        default="xywh",
        help="what a row of the result files holds: x,y,w,h, or x1,y1,x2,y2 (default: %(default)s)",
    )
    parser.add_argument(
        "--base",
        type=int,
        choices=(0, 1),
        help="number of the leftmost pixel in the result files (default: as in the truth)",
    )


def run_report(args: argparse.Namespace) -> int:
    """Write the report of all trackers with results.

    Raises:
        UsageError: bad input.
    """
    from vot_integration.commands.terminal import plain_console
    from vot_integration.files import check_target
    from vot_integration.pipeline.benchmark import report_results

    place = args.results.parent if args.results.is_file() else args.results
    file = args.output or place / "benchmark.html"
    if args.output is not None:
        check_target(file, "--output")
    report_results(_score_options(args), file)
    plain_console().print(f"report: {file}")
    return 0


def _score_options(args: argparse.Namespace) -> "ScoreOptions":
    from vot_integration.pipeline.benchmark import ScoreOptions

    return ScoreOptions(
        args.results,
        args.truth,
        args.layout,
        args.convention,
        args.boxes == "corners",
        args.base,
        args.part,
    )


def run(args: argparse.Namespace) -> int:
    """Score all trackers with results, and print and write the numbers.

    Returns:
        Exit code: 0, or 1 when a tracker has no results in some sequences.

    Raises:
        UsageError: bad input.
    """
    from vot_integration.files import check_target
    from vot_integration.pipeline.benchmark import score_results

    if args.json is not None:
        check_target(args.json, "--json")
    scores = score_results(_score_options(args))
    show_scores(scores, args.json)
    return (
        1 if any(tracker.missing or tracker.unusable for tracker in scores.trackers.values()) else 0
    )


def show_scores(scores: "BenchmarkScores", file: Path | None) -> None:
    """Print scores, and write them to a file if there is to be one."""
    from vot_integration.commands.terminal import plain_console
    from vot_integration.files import write_text

    console = plain_console()
    console.print(score_tables(scores))
    if file is not None:
        write_text(file, json.dumps(scores.to_json(), indent=2, allow_nan=False) + "\n")
        console.print(f"wrote {file}")


def score_tables(scores: "BenchmarkScores") -> "RenderableType":
    """A table of all trackers, tables of classes and attributes, and notes."""
    from rich.console import Group
    from rich.text import Text

    title = f"{scores.benchmark}, convention {scores.convention} ({scores.rules.tool})"
    table = _table(title, "Tracker", ("fps", "Videos"))
    for name, tracker in scores.trackers.items():
        fps = "-" if tracker.fps is None else f"{tracker.fps:.1f}"
        counts = (fps, str(tracker.scores.sequences))
        table.add_row(name, *_cells(tracker.scores), *counts)
    parts: list[RenderableType] = [table]
    for name, tracker in scores.trackers.items():
        parts += _part_tables(name, tracker.attributes, tracker.groups)
    if scores.rules.integrated:
        parts.append(Text("P is the area under the precision curve, not the value at 20 px"))
        # A column more would be too wide for a terminal of 80 characters.
        covered = (
            f"{name} {100 * tracker.scores.coverage:.2f}"
            for name, tracker in scores.trackers.items()
        )
        parts.append(Text(f"coverage, the share of frames with an answer: {', '.join(covered)}"))
    for name, tracker in scores.trackers.items():
        parts += [Text(f"Note: {name}: {note}") for note in tracker.notes]
    return Group(*parts)


def _part_tables(
    tracker: str, attributes: "Mapping[str, Scores]", groups: "Mapping[str, Scores]"
) -> "list[Table]":
    tables = []
    for heading, parts in (("Attribute", attributes), ("Class", groups)):
        if parts:
            table = _table(tracker, heading, ("Videos",))
            for name, part in parts.items():
                table.add_row(name, *_cells(part), str(part.sequences))
            if heading == "Class":
                means = [
                    sum(getattr(part, field) for part in parts.values()) / len(parts)
                    for field in _HEADINGS.values()
                ]
                table.add_section()
                table.add_row("mean of classes", *(f"{100 * mean:.2f}" for mean in means), "")
            tables.append(table)
    return tables


def _table(title: str, first: str, last: tuple[str, ...]) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left", caption=_CAPTION, caption_justify="left")
    table.add_column(first, min_width=12, overflow="fold")
    for heading in (*_HEADINGS, *last):
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _cells(scores: "Scores") -> list[str]:
    return [f"{100 * getattr(scores, field):.2f}" for field in _HEADINGS.values()]
