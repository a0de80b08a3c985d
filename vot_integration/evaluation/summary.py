"""What an evaluation found out, as JSON for programs; `commands.summary_table` shows it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vot_integration.toolkit.scores import ExperimentScores
from vot_integration.toolkit.stacks import EaoInterval
from vot_integration.workspaces.records import ITS_OWN


@dataclass(frozen=True)
class ExperimentSummary:
    """Scores of one experiment, and the number of sequences and of frames over all runs."""

    scores: ExperimentScores
    sequences: int
    frames: int


@dataclass(frozen=True)
class RunSummary:
    """Result of `arvot run`.

    Attributes:
        toolkit: version of the VOT toolkit.
        tracker: registered name of the tracker.
        weights: name of its weights; None where what made the results is not known.
        sha256: their hash, or None.
        random: whether the weights are random, not trained.
        tuned: what must be said where settings were tuned on the same sequences.
        stack: the stack, as given.
        eao_interval: first and last frame of the EAO interval, None where there is no EAO.
        experiments: by name.
        fps: frames for each second of tracker time in baseline; None when it was not run.
        device: where the networks ran, or None.
        foreign: whether results are among them that something else than arvot made.
        report: where the report is, if it was written.
        analysis: the toolkit's file of all that it computed.
        unscored: experiments for which the stack has no measures.
    """

    toolkit: str
    tracker: str
    weights: str | None
    sha256: str | None
    random: bool
    tuned: Sequence[str]
    stack: str
    eao_interval: EaoInterval | None
    experiments: Mapping[str, ExperimentSummary]
    fps: float | None
    device: str | None
    report: Path
    analysis: Path
    unscored: Sequence[str] = ()
    foreign: bool = False

    def to_json(self) -> str:
        """The document that `--json FILE` writes."""
        document: dict[str, Any] = {
            "toolkit": self.toolkit,
            "tracker": self.tracker,
            "weights": {"name": self.weights, "sha256": self.sha256},
            "notes": list(self.tuned),
            "stack": self.stack,
            "eao_interval": None if self.eao_interval is None else list(self.eao_interval),
            "experiments": {
                name: {
                    "eao": entry.scores.eao,
                    "accuracy": entry.scores.accuracy,
                    "robustness": entry.scores.robustness,
                    **{key.lower(): value for key, value in entry.scores.further.items()},
                    "sequences": entry.sequences,
                    "frames": entry.frames,
                }
                for name, entry in self.experiments.items()
            },
            "fps": self.fps,
            "device": self.device,
        }
        return json.dumps(document, indent=2, allow_nan=False) + "\n"

    @property
    def is_own(self) -> bool:
        """Whether the tracker is one of the user's own, not from the catalog."""
        return self.device == ITS_OWN
