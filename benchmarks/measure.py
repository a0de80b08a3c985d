"""Measure every row of RESULTS.md with `arvot bench`, and write the table anew.

Run it on a machine that does nothing else:

    .venv/bin/python benchmarks/measure.py
    .venv/bin/python benchmarks/measure.py --rows v20-bf16 v20-bf16-busy --frames 400

A run whose unit varies too much is void and tried again, three times in all. Rows that are not
measured keep the numbers of `results/`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
TABLE = FOLDER / "RESULTS.md"
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"
_TRIES = 3


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: description.
        arguments: of `arvot bench`.
    """

    what: str
    arguments: tuple[str, ...]


def _row(what: str, tracker: str, precision: str, *more: str) -> Row:
    return Row(what, ("--tracker", tracker, "--precision", precision, *more))


_CPU = ("--device", "cpu")
ROWS: Mapping[str, Row] = {
    "v20-float32": _row("`ARDiMP_v20`, float32", "ARDiMP_v20", "float32", *_CPU),
    "v20-bf16": _row("`ARDiMP_v20`, bfloat16", "ARDiMP_v20", "bfloat16", *_CPU),
    "v20-bf16-busy": _row(
        "`ARDiMP_v20`, bfloat16, one core busy", "ARDiMP_v20", "bfloat16", *_CPU, "--busy"
    ),
    "c21-float32": _row("`ARDiMP_c21`, float32", "ARDiMP_c21", "float32", *_CPU),
    "c21-bf16": _row("`ARDiMP_c21`, bfloat16", "ARDiMP_c21", "bfloat16", *_CPU),
    "lite-float32": _row("`ARDiMP_lite`, float32", "ARDiMP_lite", "float32", *_CPU),
    "lite-bf16": _row("`ARDiMP_lite`, bfloat16", "ARDiMP_lite", "bfloat16", *_CPU),
    "lite-busy": _row("`ARDiMP_lite`, auto, one core busy", "ARDiMP_lite", "auto", *_CPU, "--busy"),
    "v20-cuda": _row("`ARDiMP_v20`, CUDA, auto", "ARDiMP_v20", "auto", "--device", "cuda"),
}

Numbers = Mapping[str, Any]


def main() -> int:
    """Measure the rows asked for and write the table."""
    parser = argparse.ArgumentParser(description="Measure the rows of RESULTS.md.")
    parser.add_argument("--rows", nargs="*", choices=ROWS, metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--frames", type=int, default=200)
    args = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    cpu_rows = [name for name in ROWS if "cuda" not in name]
    for name in cpu_rows if args.rows is None else args.rows:
        numbers = measure(ROWS[name], args.frames)
        (RESULTS / f"{name}.json").write_text(json.dumps(numbers, indent=2) + "\n")
    measured = {
        name: json.loads(file.read_text())
        for name in ROWS
        if (file := RESULTS / f"{name}.json").is_file()
    }
    TABLE.write_text(with_table(TABLE.read_text(), measured))
    return 0


def measure(row: Row, frames: int) -> Numbers:
    """Numbers of a row; those of the last try where all are void."""
    numbers: Numbers = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "numbers.json"
        command = [sys.executable, "-m", "vot_integration", "bench", *row.arguments]
        for _ in range(_TRIES):
            subprocess.run([*command, "--frames", str(frames), "--json", str(file)], check=True)
            numbers = json.loads(file.read_text())
            if numbers["void"] is None:
                break
    return numbers


def with_table(text: str, measured: Mapping[str, Numbers]) -> str:
    """The text of RESULTS.md with the tables of what was measured."""
    before, rest = text.split(_BEGIN)
    _, after = rest.split(_END)
    machines = dict.fromkeys(numbers["machine"] for numbers in measured.values())
    tables = [_table(machine, measured) for machine in machines] or ["Nothing is measured yet."]
    return "\n".join([before + _BEGIN, "\n\n".join(tables), _END + after])


def _table(machine: str, measured: Mapping[str, Numbers]) -> str:
    heading = (
        "row",
        "U, ms",
        "frame, U",
        "median / 90 % / 99 %, ms",
        "initialization, U",
        "start, s",
        "memory, MB",
        "skipped",
    )
    lines = [f"**{machine}**", "", _line(heading), _line(["---"] * len(heading))]
    lines += [
        _line(_cells(ROWS[name], numbers))
        for name, numbers in measured.items()
        if numbers["machine"] == machine
    ]
    return "\n".join(lines)


def _cells(row: Row, numbers: Numbers) -> list[str]:
    frame, realtime = numbers["frame_ms"], numbers["realtime"]
    return [
        row.what + (" (void)" if numbers["void"] else ""),
        f"{numbers['unit_ms']:.0f}",
        f"{numbers['frame_over_unit']:.2f}",
        " / ".join(f"{frame[key]:.0f}" for key in ("median", "p90", "p99")),
        f"{numbers['init_over_unit']:.1f}",
        f"{numbers['startup_s']:.1f}",
        "" if numbers["rss_mb"] is None else f"{numbers['rss_mb']:.0f}",
        f"{realtime['skipped']} of {realtime['frames']} at {realtime['fps']} fps",
    ]


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
