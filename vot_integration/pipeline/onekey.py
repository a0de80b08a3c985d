"""`arvot train onekey`: train, score every epoch, choose, tune, and judge on held-out sequences."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from alpharefine.catalogue import find_tracker
from alpharefine.data.box_layouts import BOX_LAYOUTS
from alpharefine.errors import UsageError
from alpharefine.onepass.conventions import OFFICIAL
from alpharefine.onepass.truth import read_truths
from alpharefine.training.config import find_config, load_config
from alpharefine.training.engine import EPOCHS
from alpharefine.training.exports import exported_name
from alpharefine.training.interface import Observer
from alpharefine.training.run import RunConfig, check_inputs, train_family
from alpharefine.training.tasks.registry import FAMILIES
from alpharefine.weights.store import RANDOM, resolve_weights
from vot_integration.files import absolute, write_text
from vot_integration.onepass.sequences import read_set
from vot_integration.pipeline.benchmark import ScoreOptions, score_results
from vot_integration.pipeline.benchmark_run import (
    BenchmarkOptions,
    plan_benchmark,
    run_benchmark,
)
from vot_integration.pipeline.evaluate import Reporter
from vot_integration.pipeline.tune import Tuned, tune
from vot_integration.pipeline.tune_plan import (
    DEFAULT_INTERVAL,
    TuneOptions,
    TunePlan,
    plan_tuning,
)
from vot_integration.pipeline.workers import WorkerOptions
from vot_integration.tuning.jobs import require
from vot_integration.tuning.measure import value_of
from vot_integration.tuning.study import TrialPoint
from vot_integration.workspaces.trackers_ini import TrackerSettings, registrations

TABLE = "epochs.json"
SUMMARY = "summary.json"
SETTINGS = "tuned.toml"


@dataclass(frozen=True)
class TrainStep:
    """Table `train`: family and recipe, as of `arvot train FAMILY RECIPE`."""

    family: str
    recipe: str


@dataclass(frozen=True)
class ScoreStep:
    """Table `score`: by what epochs are chosen.

    Attributes:
        sequences: folder with list.txt, or a data set where `layout` is given.
        layout: of the data set, by whose AUC (GOT-10k: AO) epochs are scored; None scores the
            sequences by the objective.
        first_epoch: the first one that is scored, counted from 1.
    """

    sequences: str
    layout: str | None = None
    first_epoch: int = 1


@dataclass(frozen=True)
class TuneStep:
    """Table `tune`: sequences in VOT format, and the number of trials."""

    sequences: str
    trials: int = 50


@dataclass(frozen=True)
class OneKeyRecipe:
    """A recipe of `arvot train onekey`.

    Attributes:
        tracker: that gets the trained weights.
        train: what is trained.
        score: by what epochs are chosen.
        tune: on what its settings are tuned.
        held_out: folder with list.txt, on which own and tuned settings are judged; None without.
        objective: of sequences in VOT format.
        eao_interval: first and last frame, for EAO.
    """

    tracker: str
    train: TrainStep
    score: ScoreStep
    tune: TuneStep
    held_out: str | None = None
    objective: Literal["auc", "eao"] = "auc"
    eao_interval: tuple[int, int] = DEFAULT_INTERVAL


@dataclass(frozen=True)
class OneKeyOptions:
    """Options of `arvot train onekey`.

    Attributes:
        recipe: file.
        data: folder that all of its paths start from.
        output: folder of everything that is made.
        settings: how the tracker runs.
        workers: who runs trackers.
    """

    recipe: Path
    data: Path
    output: Path
    settings: TrackerSettings = field(default_factory=TrackerSettings)
    workers: WorkerOptions = field(default_factory=WorkerOptions)


@dataclass(frozen=True)
class OneKey:
    """What one key has made.

    Attributes:
        recipe: of the run.
        epochs: score by epoch, counted from 1.
        chosen: the best epoch.
        weights: its weights.
        tuned: what tuning has found.
    """

    recipe: OneKeyRecipe
    epochs: Mapping[int, float]
    chosen: int
    weights: Path
    tuned: Tuned

    def to_json(self) -> dict[str, Any]:
        """The summary for programs."""
        return {
            "tracker": self.recipe.tracker,
            "epochs": {str(epoch): value for epoch, value in self.epochs.items()},
            "chosen_epoch": self.chosen,
            "weights": str(self.weights),
            "tuning": self.tuned.to_json(),
        }


class Watcher(Reporter, Protocol):
    """Who is told how far everything is."""

    def trial(self, ended: int, best: TrialPoint | None) -> None:
        """So many trials have ended."""


def read_recipe(options: OneKeyOptions) -> OneKeyRecipe:
    """Read a recipe and check what can be checked before training.

    Raises:
        UsageError: the recipe is wrong, or sequences that it names are not there.
    """
    recipe = load_config(options.recipe, OneKeyRecipe)
    where = options.recipe
    if recipe.train.family not in FAMILIES:
        raise UsageError(
            f"{where}: unknown family {recipe.train.family!r}; choose one of {', '.join(FAMILIES)}"
        )
    if recipe.score.layout is not None and recipe.score.layout not in BOX_LAYOUTS:
        raise UsageError(
            f"{where}: unknown layout {recipe.score.layout!r}; choose one of "
            f"{', '.join(BOX_LAYOUTS)}"
        )
    if options.output.exists() and not options.output.is_dir():
        raise UsageError(f"--output {options.output} is a file: name a folder")
    # All mistakes are found before days of training.
    config = _train_config(options, recipe)
    _check_training(options, recipe, config)
    plan_tuning(_tune_options(options, recipe, None))
    if recipe.score.layout is None:
        plan_tuning(
            replace(_tune_options(options, recipe, None), sequences=_scored(options, recipe))
        )
    else:
        data = read_set(_scored(options, recipe), recipe.score.layout)
        if not data.has_truth:
            raise UsageError(
                f"{where}: the truth of {data.root} is kept by its server: score epochs on a part "
                "that has boxes"
            )
        read_truths(data.root, recipe.score.layout)
    check_inputs(FAMILIES[recipe.train.family], config, options.data)
    return recipe


def one_key(options: OneKeyOptions, watcher: Watcher, observer: Observer | None = None) -> OneKey:
    """Do all steps; what is done is not done again.

    Raises:
        UsageError: the recipe or its data are wrong.
        EvaluationError: the tracker failed.
    """
    recipe = read_recipe(options)
    output = options.output
    output.mkdir(parents=True, exist_ok=True)
    watcher.stage(f"Training {recipe.train.family} by {recipe.train.recipe}")
    _train(options, recipe, observer)
    files = _epoch_files(output, recipe.score.first_epoch)
    watcher.stage(f"Scoring {len(files)} epochs of {recipe.tracker}")
    scores = _score_epochs(options, recipe, files, watcher)
    chosen = max(scores, key=lambda epoch: scores[epoch])
    watcher.stage(f"Epoch {chosen} is the best ({scores[chosen]:.4f}); tuning it")
    tuned = tune(plan_tuning(_tune_options(options, recipe, files[chosen])), watcher.trial)
    made = OneKey(recipe, scores, chosen, files[chosen], tuned)
    write_text(output / SUMMARY, json.dumps(made.to_json(), indent=2) + "\n")
    return made


def _train(options: OneKeyOptions, recipe: OneKeyRecipe, observer: Observer | None) -> None:
    config = _train_config(options, recipe)
    engine = replace(config.engine, keep_from_epoch=recipe.score.first_epoch)
    config = replace(config, engine=engine)
    family = FAMILIES[recipe.train.family]
    train_family(family, config, options.data, options.output / "train", observer)


def _train_config(options: OneKeyOptions, recipe: OneKeyRecipe) -> RunConfig:
    beside = options.recipe.parent / recipe.train.recipe
    file = beside if beside.is_file() else find_config(recipe.train.recipe)
    config: RunConfig = load_config(file, FAMILIES[recipe.train.family].config_type)
    return config


def _check_training(options: OneKeyOptions, recipe: OneKeyRecipe, config: RunConfig) -> None:
    """Check that the tracker takes what is trained, and that there are epochs to score."""
    where, first, epochs = options.recipe, recipe.score.first_epoch, config.engine.epochs
    if not 1 <= first <= epochs:
        raise UsageError(
            f"{where}: score.first_epoch = {first}, but {recipe.train.recipe} trains {epochs} "
            f"epochs: give a number from 1 to {epochs}"
        )
    tracker = registrations().get(recipe.tracker)
    if tracker is None:
        # Said by the plan of tuning, with the names that there are.
        return
    trained, networks = exported_name(config.network), find_tracker(tracker.tracker).networks
    if trained not in networks:
        raise UsageError(
            f"{where}: {recipe.train.recipe} trains the network {trained}, and {recipe.tracker} "
            f"has {' and '.join(networks)}: name a tracker and a recipe that fit"
        )
    given = options.settings.weights
    if given is not None:
        chosen = resolve_weights(given, dict.fromkeys(networks, RANDOM))
        if not chosen[trained].random:
            raise UsageError(
                f"--weights {given} has {trained}, which {where} trains: give weights of the "
                "tracker's other networks, or none"
            )


def _with_weights(options: OneKeyOptions, trained: Path) -> TrackerSettings:
    """How the tracker runs with trained weights: those of its other networks as they are given."""
    given = options.settings.weights
    weights = str(trained) if given is None else f"{trained},{given}"
    return replace(options.settings, weights=weights)


def _epoch_files(output: Path, first: int) -> dict[int, Path]:
    files = {int(f.stem): f for f in sorted((output / "train" / EPOCHS).glob("*.safetensors"))}
    kept = {epoch: absolute(file) for epoch, file in files.items() if epoch >= first}
    if not kept:
        raise UsageError(
            f"training has ended before epoch {first}, the first that is scored: lower "
            "score.first_epoch"
        )
    return kept


def _score_epochs(
    options: OneKeyOptions, recipe: OneKeyRecipe, files: Mapping[int, Path], watcher: Watcher
) -> dict[int, float]:
    table = options.output / TABLE
    kept = json.loads(table.read_text(encoding="utf-8")) if table.is_file() else {}
    scores = {int(epoch): float(value) for epoch, value in kept.items()}
    score = _score_by_sequences if recipe.score.layout is None else _score_by_benchmark
    for epoch, file in files.items():
        if epoch not in scores:
            scores[epoch] = score(options, recipe, epoch, file, watcher)
            write_text(table, json.dumps(scores, indent=2) + "\n")
            watcher.stage(f"  epoch {epoch}: {scores[epoch]:.4f}")
    return {epoch: scores[epoch] for epoch in files}


def _score_by_sequences(
    options: OneKeyOptions, recipe: OneKeyRecipe, epoch: int, file: Path, watcher: Watcher
) -> float:
    plan: TunePlan = plan_tuning(
        replace(
            _tune_options(options, recipe, file),
            sequences=_scored(options, recipe),
            held_out=None,
        )
    )
    place = options.output / "scores"
    place.mkdir(exist_ok=True)
    job = plan.job(f"epoch-{epoch:03d}", {}, place)
    if job.answers() is None:
        outcomes: Sequence[Any] = plan.workers.run([job], lambda: None)
        require(job, outcomes)
    answers = job.answers()
    assert answers is not None
    return value_of(answers.measured, plan.interval)


def _score_by_benchmark(
    options: OneKeyOptions, recipe: OneKeyRecipe, epoch: int, file: Path, watcher: Watcher
) -> float:
    assert recipe.score.layout is not None
    workspace = options.output / "scores" / f"epoch-{epoch:03d}"
    workspace.mkdir(parents=True, exist_ok=True)
    settings = _with_weights(options, file)
    data, layout = _scored(options, recipe), recipe.score.layout
    [plan] = plan_benchmark(
        BenchmarkOptions(
            data,
            layout,
            [recipe.tracker],
            workspace,
            settings=settings,
            workers=options.workers,
            keep_masks=False,
        )
    )
    run_benchmark(plan, watcher)
    found = score_results(ScoreOptions(plan.folder.path.parent, data, layout, OFFICIAL))
    scores = found.trackers[recipe.tracker].scores
    return scores.ao if found.rules.pooled else scores.auc


def _scored(options: OneKeyOptions, recipe: OneKeyRecipe) -> Path:
    return options.data / recipe.score.sequences


def _tune_options(
    options: OneKeyOptions, recipe: OneKeyRecipe, weights: Path | None
) -> TuneOptions:
    name = "" if weights is None else f"-epoch-{weights.stem}"
    settings = options.settings if weights is None else _with_weights(options, weights)
    # Before training there is no folder yet.
    folder = options.output if options.output.is_dir() else Path()
    return TuneOptions(
        recipe.tracker,
        options.data / recipe.tune.sequences,
        recipe.tune.trials,
        recipe.objective,
        held_out=None if recipe.held_out is None else options.data / recipe.held_out,
        study=folder / f"tune{name}.journal",
        output=folder / SETTINGS,
        interval=recipe.eao_interval,
        settings=settings,
        workers=options.workers,
    )
