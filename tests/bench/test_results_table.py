"""The script that fills benchmarks/RESULTS.md."""

import argparse
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from vot_integration.commands.bench import add_parser
from vot_integration.pipeline.bench import BenchOptions

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    specification = importlib.util.spec_from_file_location("measure", FOLDER / "measure.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # Its dataclasses look their module up.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "measure", module)
        specification.loader.exec_module(module)
    return module


def _numbers(machine: str, void: str | None = None) -> dict[str, object]:
    return {
        "machine": machine,
        "void": void,
        "unit_ms": 80.2,
        "frame_over_unit": 1.234,
        "frame_ms": {"median": 99, "p90": 110, "p99": 123},
        "init_over_unit": 5.55,
        "startup_s": 2.34,
        "rss_mb": None,
        "realtime": {"skipped": 3, "frames": 20, "fps": 30},
    }


def test_the_table_is_written_between_the_marks(script: ModuleType) -> None:
    text = (FOLDER / "RESULTS.md").read_text()
    measured = {"v20-bf16": _numbers("A, 2 cores"), "lite-bf16": _numbers("B, 4 cores", "noise")}
    filled = script.with_table(text, measured)
    assert "| `ARDiMP_v20`, bfloat16 | 80 | 1.23 | 99 / 110 / 123 | 5.5 |" in filled
    assert "| `ARDiMP_lite`, bfloat16 (void) |" in filled
    assert filled.index("**A, 2 cores**") < filled.index("**B, 4 cores**")
    assert "3 of 20 at 30 fps" in filled
    # Written again with nothing measured, all but the table is as it was.
    empty = script.with_table(text, {})
    assert script.with_table(filled, {}) == empty
    assert "Nothing is measured yet." in empty


def test_every_row_is_a_command(script: ModuleType) -> None:
    for row in script.ROWS.values():
        parser = argparse.ArgumentParser()
        add_parser(parser.add_subparsers())
        values = parser.parse_args(["bench", *row.arguments])
        runtime = BenchOptions(values.tracker, "cpu", values.precision).runtime
        assert values.precision in ("auto", runtime.precision)
