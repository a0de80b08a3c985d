"""Small sequences and workspaces for tests of the toolkit."""

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vot_integration.evaluation.evaluate import ExperimentProgress
from vot_integration.toolkit.stacks import EaoInterval, load_stack
from vot_integration.workspaces.dataset import read_dataset
from vot_integration.workspaces.records import TrackerRecord
from vot_integration.workspaces.trackers_ini import TrackerSettings
from vot_integration.workspaces.workspace import Workspace, WorkspaceSpec, open_workspace

FRAMES = 12
WIDTH, HEIGHT = 64, 48
ANCHORS = {0: 1, FRAMES - 1: -1}
TRACKERS = Path(__file__).parent / "trackers"
RECORD = TrackerRecord("none", "0" * 64, "cpu", "auto", TrackerSettings())


def make_sequences(folder: Path, names: Sequence[str] = ("dark", "bright")) -> Path:
    """Sequences of a moving square; masks in the first, polygons in the second."""
    folder.mkdir(parents=True)
    (folder / "list.txt").write_text("".join(f"{name}\n" for name in names))
    for number, name in enumerate(names):
        _write_sequence(folder / name, shade=40 + 160 * (number % 2), as_mask=number % 2 == 0)
    return folder


def _write_sequence(folder: Path, shade: int, as_mask: bool) -> None:
    (folder / "color").mkdir(parents=True)
    lines = []
    for frame in range(FRAMES):
        x, y, side = 8 + 2 * frame, 10 + frame, 16
        image = np.full((HEIGHT, WIDTH, 3), shade, np.uint8)
        image[y : y + side, x : x + side] = (20, 120, 250)
        cv2.imwrite(str(folder / "color" / f"{frame + 1:08d}.jpg"), image)
        corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
        polygon = ",".join(f"{u}.0,{v}.0" for u, v in corners)
        lines.append(f"m{x},{y},{side},{side},0,{side * side}" if as_mask else polygon)
    (folder / "groundtruth.txt").write_text("\n".join(lines) + "\n")
    anchors = (str(ANCHORS.get(frame, 0)) for frame in range(FRAMES))
    (folder / "anchor.value").write_text("\n".join(anchors) + "\n")
    (folder / "sequence").write_text(
        f"channels.color=color/%08d.jpg\nformat=default\nfps=30\nname={folder.name}\n"
        f"width={WIDTH}\nheight={HEIGHT}\nlength={FRAMES}\n"
    )


def make_workspace(
    folder: Path,
    sequences: Path,
    experiments: Sequence[str] = ("baseline", "realtime"),
    interval: EaoInterval | None = (2, 8),
    stack: str = "vot2020",
) -> Workspace:
    """A workspace whose registry also has the trackers of these tests."""
    chosen = load_stack(stack).select(experiments)
    if interval is not None:
        chosen = chosen.with_interval(interval)
    dataset = read_dataset(sequences, chosen)
    records = dict.fromkeys(("DiMPsuper", "oracle", "wanders"), RECORD)
    workspace = open_workspace(WorkspaceSpec(folder, dataset, chosen, records))
    write_registry(folder / "trackers.ini", folder / "logs" / "trackers")
    return workspace


def write_registry(file: Path, logs: Path) -> Path:
    """Append the trackers of these tests to a trackers.ini."""
    with file.open("a") as ini:
        for name in ("oracle", "explodes", "unloadable", "wanders", "nowhere", "still"):
            ini.write(
                f"\n[{name}]\nprotocol = traxpython\ncommand = {name}\npython = {sys.executable}\n"
                f"paths = {TRACKERS}:{TRACKERS.parents[2]}\nenv_ARVOT_LOG_DIR = {logs}\n"
            )
    return file


class Recorder:
    """Keeps the progress that was reported."""

    def __init__(self) -> None:
        self.seen: list[ExperimentProgress] = []

    def __call__(self, progress: ExperimentProgress) -> None:
        self.seen.append(progress)
