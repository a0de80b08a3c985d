"""A study: all trials of a tuning, kept in a file that survives being killed.

Source: Akiba et al., "Optuna" (KDD 2019); Bergstra et al., "Algorithms for Hyper-Parameter
Optimization" (NeurIPS 2011), for the tree-structured Parzen estimator.
"""

import logging
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from alpharefine.errors import UsageError
from alpharefine.search_space import Range
from vot_integration.tuning.measure import Answers

_NAME = "arvot"
_FACTS = "facts"
_RUNNING = "running"
_HELD_OUT = "held_out"
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
_FEW = 10
"""Finished trials below which importance says nothing."""


@dataclass(frozen=True)
class TrialPoint:
    """A trial that has ended.

    Attributes:
        number: of the trial, from 0.
        value: of the objective, over the sequences it has seen.
        is_pruned: whether it ended early.
        values: settings by name.
        running: the objective after each sequence.
    """

    number: int
    value: float
    is_pruned: bool
    values: Mapping[str, float]
    running: tuple[float, ...]


class TuningStudy:
    """A study in a file.

    Args:
        file: of the study; made if it is not there.
        facts: what the trials depend on; must be those of the trials in the file.
        space: settings to search, by name.
        start: the tracker's own settings, which are the first trial as far as they are in range.
        left: what the trial of a number has found in a process that was killed before it could
            keep it; None for nothing.

    Raises:
        UsageError: the file is of another study, or no study.
    """

    def __init__(
        self,
        file: Path,
        facts: Mapping[str, Any],
        space: Mapping[str, Range],
        start: Mapping[str, float],
        left: Callable[[int], Answers | None] = lambda number: None,
    ) -> None:
        optuna.logging.set_verbosity(logging.ERROR)
        is_new = not file.is_file()
        _mend(file)
        self._space = {name: _distribution(bounds) for name, bounds in space.items()}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                storage = JournalStorage(JournalFileBackend(str(file)))
                self._study = optuna.create_study(
                    storage=storage,
                    study_name=_NAME,
                    sampler=TPESampler(seed=None if not is_new else 0),
                    direction="maximize",
                    load_if_exists=True,
                )
        except (ValueError, KeyError, OSError) as error:
            raise UsageError(f"--study {file} cannot be read as a study: {error}") from error
        self._asked: dict[int, Trial] = {}
        kept = self._study.user_attrs.get(_FACTS)
        if kept is None:
            self._study.set_user_attr(_FACTS, dict(facts))
            inside = {n: v for n, v in start.items() if space[n].low <= v <= space[n].high}
            self._study.enqueue_trial(inside)
        elif kept != facts:
            differing = [key for key in facts if kept.get(key) != facts[key]]
            raise UsageError(
                f"--study {file} is of another tuning: {', '.join(differing)} differ; name another "
                "file"
            )
        for trial in self._study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            # Of a process that was killed.
            answers = left(trial.number)
            if answers is None:
                self._study.tell(trial.number, state=TrialState.FAIL)
            else:
                self._asked[trial.number] = Trial(self._study, trial._trial_id)
                self.tell(trial.number, answers)

    @property
    def ended(self) -> list[TrialPoint]:
        """All trials that have ended, in their order."""
        return [_point(t) for t in self._study.get_trials(deepcopy=False, states=_ENDED)]

    @property
    def best(self) -> TrialPoint | None:
        """The best trial that came to its end."""
        whole = [point for point in self.ended if not point.is_pruned]
        return max(whole, key=lambda point: point.value, default=None)

    def ask(self) -> tuple[int, Mapping[str, float]]:
        """Number and settings of another trial."""
        trial = self._study.ask(self._space)
        self._asked[trial.number] = trial
        return trial.number, dict(trial.params)

    def tell(self, number: int, answers: Answers) -> None:
        """Keep what a trial has found."""
        trial = self._asked.pop(number)
        for step, value in enumerate(answers.running):
            trial.report(value, step)
        trial.set_user_attr(_RUNNING, list(answers.running))
        if answers.is_pruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, answers.value)

    def importances(self) -> dict[str, float]:
        """How much each setting matters, summing up to 1; empty after few trials."""
        if len(self.ended) < _FEW or len({point.value for point in self.ended}) == 1:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            try:
                return get_param_importances(self._study, evaluator=PedAnovaImportanceEvaluator())
            except (RuntimeError, ValueError):
                return {}

    @property
    def held_out(self) -> list[dict[str, Any]]:
        """Each look at held-out sequences, in their order."""
        return list(self._study.user_attrs.get(_HELD_OUT, []))

    def keep_held_out(self, look: Mapping[str, Any]) -> None:
        """Remember a look at held-out sequences."""
        self._study.set_user_attr(_HELD_OUT, [*self.held_out, dict(look)])


def _mend(file: Path) -> None:
    """Undo what a process that was killed while it wrote has left; no other one may be at work."""
    file.with_name(f"{file.name}.lock").unlink(missing_ok=True)
    if file.is_file():
        content = file.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(file, whole)


def _distribution(bounds: Range) -> BaseDistribution:
    if bounds.whole:
        return IntDistribution(int(bounds.low), int(bounds.high), log=bounds.log)
    return FloatDistribution(bounds.low, bounds.high, log=bounds.log)


def _point(trial: FrozenTrial) -> TrialPoint:
    running: Sequence[float] = trial.user_attrs.get(_RUNNING, ())
    value = trial.value if trial.value is not None else (running[-1] if running else 0.0)
    pruned = trial.state is TrialState.PRUNED
    return TrialPoint(trial.number, float(value), pruned, dict(trial.params), tuple(running))
