"""What `arvot run` found out: as JSON for programs, as a table for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vot_integration.commands.terminal import number_cell
from vot_integration.toolkit.scores import Scores, collect_remarks
from vot_integration.toolkit.stacks import Interval
from vot_integration.workspaces.records import ITS_OWN


@dataclass(frozen=True)
class ExperimentSummary:
    """Scores of one experiment, and the number of sequences and of frames over all runs."""

    scores: Scores
    sequences: int
    frames: int


@dataclass(frozen=True)
class RunSummary:
    """Result of `arvot run`.

    Attributes:
        toolkit: version of the VOT toolkit.
        tracker: registered name of the tracker.
        weights: name of its weights.
        sha256: their hash.
        random: whether the weights are random, not trained.
        stack: the stack, as given.
        eao_interval: first and last frame of the EAO interval, None where there is no EAO.
        experiments: by name.
        fps: frames for each second of tracker time in baseline; None when it was not run.
        device: where the networks ran.
        report: where the report is, if it was written.
    """

    toolkit: str
    tracker: str
    weights: str
    sha256: str
    random: bool
    stack: str
    eao_interval: Interval | None
    experiments: Mapping[str, ExperimentSummary]
    fps: float | None
    device: str
    report: Path

    def to_json(self) -> str:
        """The document that `--json FILE` writes."""
        document: dict[str, Any] = {
            "toolkit": self.toolkit,
            "tracker": self.tracker,
            "weights": {"name": self.weights, "sha256": self.sha256},
            "stack": self.stack,
            "eao_interval": None if self.eao_interval is None else list(self.eao_interval),
            "experiments": {
                name: {
                    "eao": entry.scores.eao,
                    "accuracy": entry.scores.accuracy,
                    "robustness": entry.scores.robustness,
                    "sequences": entry.sequences,
                    "frames": entry.frames,
                }
                for name, entry in self.experiments.items()
            },
            "fps": self.fps,
            "device": self.device,
        }
        return json.dumps(document, indent=2, allow_nan=False) + "\n"

    def to_table(self) -> RenderableType:
        """Table and notes for a terminal."""
        table = Table(title=f"{self.tracker} on {self.stack}", title_justify="left")
        table.add_column("Experiment")
        for heading in ("EAO", "Accuracy", "Robustness", "Sequences", "Frames"):
            table.add_column(heading, justify="right")
        for name, entry in self.experiments.items():
            scores = entry.scores
            measures = map(number_cell, (scores.eao, scores.accuracy, scores.robustness))
            table.add_row(name, *measures, str(entry.sequences), str(entry.frames))
        return Group(table, *map(Text, self._notes()))

    def _notes(self) -> list[str]:
        notes = []
        has_eao = any(
            entry.scores.eao is not None or entry.scores.remark
            for entry in self.experiments.values()
        )
        if self.eao_interval is not None and has_eao:
            low, high = self.eao_interval
            notes.append(f"EAO interval: {low} to {high} frames")
        report = self.report if self.report.is_file() else "none yet, arvot report makes it"
        notes += [
            f"Speed: {self._speed()}",
            self._origin(),
            f"Toolkit: {self.toolkit}",
            f"Report: {report}",
        ]
        notes += collect_remarks(
            (name, entry.scores.remark) for name, entry in self.experiments.items()
        )
        if self.random:
            notes.append(
                "The weights are random, not trained: "
                "the numbers show that everything runs and say nothing about the tracker."
            )
        return notes

    @property
    def _is_own(self) -> bool:
        return self.device == ITS_OWN

    def _speed(self) -> str:
        if self.fps is None:
            return "measured in baseline, which is not among these experiments"
        device = "on a device that it chooses" if self._is_own else f"on {self.device}"
        return f"{self.fps:.1f} frames per second in baseline, the tracker's time alone, {device}"

    def _origin(self) -> str:
        if self._is_own:
            return f"Tracker: your own (section of trackers.ini, sha256 {self.sha256[:12]}...)"
        return f"Weights: {self.weights} (sha256 {self.sha256[:12]}...)"
