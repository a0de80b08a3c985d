"""The numbers of a benchmark for a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


def to_table(numbers: Mapping[str, Any]) -> RenderableType:
    """Tables of what `Bench.to_json` gives."""
    busy = ", one core busy" if numbers["busy"] else ""
    title = (
        f"{numbers['tracker']} on {numbers['device']}, {numbers['precision']}, "
        f"{numbers['threads']} threads{busy}"
    )
    whole = Table("", "ms", "units", title=title, title_justify="left")
    unit, frame = numbers["unit_ms"], numbers["frame_ms"]
    rows = {
        "unit, median": unit,
        "frame, median": frame["median"],
        "frame, 90 %": frame["p90"],
        "frame, 99 %": frame["p99"],
        "initialisation": numbers["init_ms"],
    }
    for name, value in rows.items():
        whole.add_row(name, f"{value:.1f}", f"{value / unit:.2f}")
    stages = Table("stage", "ms a frame", "ms an initialisation")
    of_frame, of_init = numbers["stages"], numbers["init_stages"]
    for name in dict.fromkeys((*of_frame, *of_init)):
        stages.add_row(name, *(_number(stage.get(name)) for stage in (of_frame, of_init)))
    return Group(whole, stages, *map(Text, _notes(numbers)), Text(numbers["machine"]))


def _notes(numbers: Mapping[str, Any]) -> list[str]:
    memory, realtime = numbers["rss_mb"], numbers["realtime"]
    return [
        f"start to handshake {numbers['startup_s']:.2f} s, "
        f"memory {'not known' if memory is None else f'{memory:.0f} MB'}",
        f"real time at {realtime['fps']} frames a second: nothing is skipped up to "
        f"{realtime['budget_ms']:.0f} ms a frame; "
        f"{realtime['skipped']} of {realtime['frames']} frames would be",
    ]


def _number(milliseconds: float | None) -> str:
    return "" if milliseconds is None else f"{milliseconds:.2f}"
