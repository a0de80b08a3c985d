"""Design options against each other: one recipe, one thing changed at a time.

Source: Yan et al., "Alpha-Refine" (CVPR 2021), tables 5, 6 and 8.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from alpharefine.errors import UsageError
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.training.checkpoint import write_atomically
from alpharefine.training.config import EngineConfig
from alpharefine.training.interface import Observer
from alpharefine.training.metrics import Row
from alpharefine.training.run import train_family
from alpharefine.training.tasks.refine.config import RefineRunConfig
from alpharefine.training.tasks.refine.task import REFINE

_NOTE = "variant.json"
_COSINE_EPOCHS = 4


@dataclass(frozen=True)
class Variant:
    """One line of an ablation.

    Attributes:
        name: for the table.
        network: fields of `RefineNetConfig` that it changes in the recipe, and their values.
    """

    name: str
    network: Mapping[str, Any]

    @property
    def folder(self) -> str:
        """Its name as that of a folder."""
        return self.name.replace(" + ", "_").replace(" ", "_")


def _heads() -> tuple[Variant, ...]:
    variants = []
    for head in ("corner", "rpn", "rcnn"):
        box = {"box_head": head, "selector": False}
        variants.append(Variant(head, {**box, "mask_head": None}))
        variants.append(Variant(f"{head} + mask", box))
    return tuple(variants)


ABLATIONS: Mapping[str, tuple[Variant, ...]] = {
    "heads": _heads(),
    "correlation": tuple(
        Variant(name, {"correlation": name}) for name in ("pixelwise", "depthwise", "naive")
    ),
    "backbone": tuple(
        Variant(name, {"backbone": name})
        for name in ("resnet18", "resnet34", "resnet50", "efficientnet_lite0")
    ),
}
"""Name -> its variants; what they do not name is the recipe's."""


@dataclass(frozen=True)
class AblationRun:
    """A variant, ready to be trained.

    Attributes:
        table: a key of `ABLATIONS`.
        variant: which of its lines.
        config: the recipe with the variant's network.
        folder: where it is trained, below the folder of all of them.
    """

    table: str
    variant: Variant
    config: RefineRunConfig
    folder: str


@dataclass(frozen=True)
class AblationResult:
    """What a variant has reached after its last step.

    Attributes:
        input_iou: mean IoU of the jittered input box with the truth, on the held-out pairs.
        box_iou: of the refined box; None without such a head.
        mask_iou: of the mask, at its best threshold; None without such a head.
        parameters: of the network.
        minutes: of training and validation.
    """

    input_iou: float
    box_iou: float | None
    mask_iou: float | None
    parameters: int
    minutes: float


def plan_ablation(tables: Iterable[str], recipe: RefineRunConfig) -> list[AblationRun]:
    """The runs of some tables; runs that are the same share a folder.

    Args:
        tables: keys of `ABLATIONS`.
        recipe: what the variants change.

    Raises:
        UsageError: no such table, or one that the recipe does not fit.
    """
    runs: list[AblationRun] = []
    folders: dict[str, str] = {}
    for table in tables:
        if table not in ABLATIONS:
            raise UsageError(f"no ablation {table!r}; choose {', '.join(ABLATIONS)}")
        if table == "heads" and recipe.network.mask_head is None:
            raise UsageError("heads: the recipe has no mask head to compare with; set mask_head")
        for variant in ABLATIONS[table]:
            config = replace(recipe, network=replace(recipe.network, **variant.network))
            folder = folders.setdefault(_fingerprint(config), f"{table}/{variant.folder}")
            runs.append(AblationRun(table, variant, config, folder))
    return runs


def shortened(
    engine: EngineConfig, steps: int | None = None, minutes: float | None = None
) -> EngineConfig:
    """The same training in fewer steps or within a time, the learning rate's course kept.

    Args:
        engine: a recipe's.
        steps: of all; rounded down to a multiple of the epochs: one for each level of the
            learning rate, or four.
        minutes: of all, validation included; the recipe's steps remain the limit.

    Raises:
        UsageError: not a positive length.
    """
    if (steps is not None and steps < 1) or (minutes is not None and minutes <= 0):
        raise UsageError("steps and minutes must be positive")
    if minutes is not None:
        engine = replace(engine, budget_minutes=minutes)
    if steps is None:
        return engine
    schedule = engine.schedule
    levels = engine.epochs // schedule.every if schedule.shape == "steps" else _COSINE_EPOCHS
    epochs = min(max(levels, 1), steps)
    return replace(
        engine,
        epochs=epochs,
        steps_per_epoch=steps // epochs,
        budget_minutes=0.0 if minutes is None else minutes,
        schedule=replace(schedule, every=1),
    )


def finished(run: AblationRun, folder: Path) -> AblationResult | None:
    """The result of a run that was trained to its end before, else None.

    Args:
        run: from `plan_ablation`.
        folder: of all runs.

    Raises:
        UsageError: another recipe was begun in its place.
    """
    path = folder / run.folder / _NOTE
    if not path.is_file():
        return None
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        begun, result = note["config"], note["result"]
        if begun == _fingerprint(run.config):
            return None if result is None else AblationResult(**result)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: not readable; delete the folder to train it anew") from error
    raise UsageError(
        f"{path.parent} was begun with another recipe or length; choose another folder"
    )


def train_variant(
    run: AblationRun, data_root: Path, folder: Path, observer: Observer | None = None
) -> AblationResult:
    """Train a variant to its end, or give its result if that was done before.

    Args:
        run: from `plan_ablation`.
        data_root: folder that the sources' paths are relative to.
        folder: of all runs; an interrupted one goes on.
        observer: told of progress.

    Raises:
        UsageError: another recipe was begun in its place, or it cannot be trained.
    """
    result = finished(run, folder)
    if result is not None:
        return result
    place = folder / run.folder
    _write_note(place, run.config, None)
    rows = train_family(REFINE, run.config, data_root, place, observer)
    result = _result(run.config.network, rows[-1])
    _write_note(place, run.config, result)
    return result


def _result(network: RefineNetConfig, row: Row) -> AblationResult:
    return AblationResult(
        input_iou=row["val/input_iou"],
        box_iou=row.get("val/box_iou"),
        mask_iou=row.get("val/mask_iou"),
        parameters=count_parameters(network),
        minutes=row["minutes"],
    )


def count_parameters(config: RefineNetConfig) -> int:
    """Number of parameters of a network, without making it."""
    with torch.device("meta"):
        return sum(p.numel() for p in config.build().parameters())


def _fingerprint(config: RefineRunConfig) -> str:
    return json.dumps(asdict(config), sort_keys=True)


def _write_note(folder: Path, config: RefineRunConfig, result: AblationResult | None) -> None:
    note = {
        "config": _fingerprint(config),
        "result": None if result is None else asdict(result),
    }
    write_atomically(folder / _NOTE, json.dumps(note, indent=2).encode())
