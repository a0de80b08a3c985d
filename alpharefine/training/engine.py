"""The training loop: any task, one process or many, resumable at every epoch."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler

from alpharefine.errors import UsageError
from alpharefine.runtime import resolve_runtime, warn_of_emulation
from alpharefine.training.checkpoint import (
    load_checkpoint,
    save_checkpoint,
    write_atomically,
)
from alpharefine.training.config import EngineConfig
from alpharefine.training.interface import Batch, Observer, Progress, TrainingTask
from alpharefine.training.metrics import Mean, Row, TensorBoard, write_csv
from alpharefine.training.optimization import (
    autocast_type,
    make_average,
    make_optimizer,
    take_step,
)
from alpharefine.training.processes import ProcessGroup, process_group
from alpharefine.training.samples import init_worker
from alpharefine.training.schedule import rate_factor
from alpharefine.weights.files import write_weights

_log = logging.getLogger(__name__)

_CHECK_EVERY = 20
"""Steps between two looks at the loss: each look waits for the device."""


@dataclass
class _State:
    """What a checkpoint keeps beside weights and optimizer."""

    epoch: int = 0
    seconds: float = 0.0
    best: float = float("-inf")
    rows: list[Row] = field(default_factory=list)


class _Batches(Sampler[list[int]]):
    """Sample numbers of this process's batches, from a step to the end of the run."""

    def __init__(self, config: EngineConfig, group: ProcessGroup, first_step: int) -> None:
        self._steps = range(first_step, config.total_steps)
        self._size = config.batch_size
        self._group = group

    def __iter__(self) -> Iterator[list[int]]:
        for step in self._steps:
            first = (step * self._group.size + self._group.rank) * self._size
            yield list(range(first, first + self._size))

    def __len__(self) -> int:
        return len(self._steps)


def train(
    task: TrainingTask, config: EngineConfig, folder: Path, observer: Observer | None = None
) -> list[Row]:
    """Train, or continue the run in `folder`, and return the metrics of every epoch.

    `folder` gets last.pt and best.pt (to resume), export.safetensors (best weights for
    inference), epochs/NNN.safetensors (those of each epoch, where asked for), metrics.csv,
    tensorboard/ and samples/. A run without a time budget that is interrupted and continued gives
    the same weights, bit for bit, as one that is not.

    Args:
        task: what to train.
        config: how.
        folder: of the run; made if need be.
        observer: told of progress in the first process.

    Raises:
        UsageError: `folder` holds a checkpoint of another network, or the loss diverges.
    """
    device = resolve_runtime(config.device).device
    with process_group(device) as group:
        return _Run(task, config, folder, group, observer or (lambda progress: None)).run()


EPOCHS = "epochs"
"""Folder of a run with the weights of each epoch, where they are kept."""


class _Run:
    """One run of `train` in one process."""

    def __init__(
        self,
        task: TrainingTask,
        config: EngineConfig,
        folder: Path,
        group: ProcessGroup,
        observer: Observer,
    ) -> None:
        self._task, self._config, self._group = task, config, group
        self._folder = folder
        self._observer = observer
        self._dtype = autocast_type(config.precision, group.device)
        warn_of_emulation(group.device, self._dtype)
        task.module.to(group.device).to(memory_format=torch.channels_last)
        self._groups = task.parameter_groups()
        self._kept_optimizer = make_optimizer(self._groups, config)
        scaled = self._dtype == torch.float16 and group.device.type == "cuda"
        self._scaler = torch.amp.GradScaler(enabled=scaled)
        self._average = make_average(task.module, config)
        self._state = _State()
        if (folder / "last.pt").is_file():
            self._restore(load_checkpoint(folder / "last.pt"))
        self._module = group.wrap(task.module)

    def run(self) -> list[Row]:
        """Train to the end."""
        config, state = self._config, self._state
        first_step = state.epoch * config.steps_per_epoch
        board = TensorBoard(self._folder / "tensorboard", first_step) if self._is_first else None
        batches = iter(self._loader(first_step))
        self._clock = time.monotonic() - state.seconds
        while state.epoch < config.epochs and self._share(state.epoch, 0) < 1:
            self._begin_epoch()
            row = {"epoch": float(state.epoch), **self._train_epoch(batches)}
            if self._is_first:
                self._finish_epoch(row, board)
            state.epoch += 1
            state.seconds = time.monotonic() - self._clock
            if self._is_first:
                state.rows.append(row)
                self._save(row)
            self._group.wait()
        if board is not None:
            board.close()
        return state.rows

    @property
    def _is_first(self) -> bool:
        return self._group.is_first

    def _loader(self, first_step: int) -> DataLoader[Batch]:
        return DataLoader(
            self._task.samples(),
            batch_sampler=_Batches(self._config, self._group, first_step),
            num_workers=self._config.workers,
            worker_init_fn=init_worker,
            pin_memory=self._group.device.type == "cuda",
        )

    def _own_share(self, epoch: int, step: int) -> float:
        """Share of the run that is done: the larger of steps and time."""
        done = (epoch * self._config.steps_per_epoch + step) / self._config.total_steps
        if self._config.budget_minutes <= 0:
            return done
        minutes = (time.monotonic() - self._clock) / 60
        return max(done, minutes / self._config.budget_minutes)

    def _share(self, epoch: int, step: int) -> float:
        """The same in all processes, whose clocks differ."""
        share = self._own_share(epoch, step)
        return share if self._config.budget_minutes <= 0 else self._group.from_first(share)

    def _begin_epoch(self) -> None:
        change = self._task.begin_epoch(self._state.epoch, self._config.epochs)
        own = None if change is None else change.own_groups
        self._optimizer = self._kept_optimizer if own is None else make_optimizer(own, self._config)
        self._rates = [group.learning_rate for group in own or self._groups]
        if change is not None:
            # Gradients are averaged of what is trained when the module is wrapped.
            self._module = self._group.wrap(self._task.module)

    def _train_epoch(self, batches: Iterator[Batch]) -> Row:
        config, epoch = self._config, self._state.epoch
        self._module.train()
        means = Mean()
        for step in range(config.steps_per_epoch):
            share = self._share(epoch, step)
            if share >= 1 and step > 0:
                break
            factor = rate_factor(config.schedule, share, config.epochs)
            number = epoch * config.steps_per_epoch + step
            means.add(self._step(next(batches), factor, number))
            if step % _CHECK_EVERY == 0:
                _check_finite(means.read(), number)
            self._observer(Progress(epoch, number + 1, config.total_steps, share))
        losses = means.read()
        _check_finite(losses, (epoch + 1) * config.steps_per_epoch)
        return {f"train/{name}": value for name, value in losses.items()}

    def _step(self, batch: Batch, factor: float, number: int) -> dict[str, Tensor]:
        torch.manual_seed(
            self._config.seed * 1_000_003 + number * self._group.size + self._group.rank
        )
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        batch = {k: v.to(self._group.device, non_blocking=True) for k, v in batch.items()}
        with self._autocast():
            losses: dict[str, Tensor] = self._module(batch)
        take_step(self._module, self._optimizer, losses["loss"], self._config, self._scaler)
        if self._average is not None:
            self._average.update_parameters(self._task.module)
        return losses

    def _autocast(self) -> torch.autocast:
        mixed = self._dtype != torch.float32
        return torch.autocast(self._group.device.type, self._dtype, enabled=mixed)

    def _evaluated(self) -> nn.Module:
        """The module that is validated and exported."""
        return self._task.module if self._average is None else self._average.module

    def _finish_epoch(self, row: Row, board: TensorBoard | None) -> None:
        """Validate; complete `row` and write pictures and metrics."""
        module = self._evaluated().eval()
        with torch.no_grad(), self._autocast():
            metrics, pictures = self._task.validate(module)
        row.update({f"val/{name}": value for name, value in metrics.items()})
        row["learning_rate"] = self._optimizer.param_groups[0]["lr"]
        row["minutes"] = (time.monotonic() - self._clock) / 60
        step = (self._state.epoch + 1) * self._config.steps_per_epoch
        for name, picture in pictures.items():
            write_png(self._folder / "samples" / f"{self._state.epoch:03d}_{name}.png", picture)
        if board is not None:
            board.scalars(step, row)
            board.pictures(step, pictures)
        _log.info("epoch %d: %s", self._state.epoch, _describe(row))
        share = self._own_share(self._state.epoch + 1, 0)
        self._observer(Progress(self._state.epoch, step, self._config.total_steps, share, row))

    def _save(self, row: Row) -> None:
        state = self._state
        score = row[f"val/{self._task.criterion}"]
        improved = score > state.best
        state.best = max(score, state.best)
        content = self._content()
        kept = self._config.keep_from_epoch
        if kept is not None and state.epoch >= kept:
            # Before the checkpoint: who is interrupted in between trains this epoch again.
            self._export(self._folder / EPOCHS / f"{state.epoch:03d}.safetensors", row)
        save_checkpoint(self._folder / "last.pt", content)
        write_csv(self._folder / "metrics.csv", state.rows)
        if improved:
            save_checkpoint(self._folder / "best.pt", content)
            self._export(self._folder / "export.safetensors", row)

    def _export(self, file: Path, row: Row) -> None:
        export = self._task.export(self._evaluated(), row)
        parts, facts = {export.network: export.weights}, {export.network: export.facts}
        file.parent.mkdir(exist_ok=True)
        write_weights(file, parts, facts)

    def _content(self) -> dict[str, Any]:
        return {
            "module": self._task.module.state_dict(),
            "optimizer": self._kept_optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            "average": None if self._average is None else self._average.state_dict(),
            "epoch": self._state.epoch,
            "seconds": self._state.seconds,
            "best": self._state.best,
            "rows": self._state.rows,
        }

    def _restore(self, content: dict[str, Any]) -> None:
        try:
            self._task.module.load_state_dict(content["module"])
            self._kept_optimizer.load_state_dict(content["optimizer"])
            self._scaler.load_state_dict(content["scaler"])
            if self._average is not None:
                self._average.load_state_dict(content["average"])
            names = ("epoch", "seconds", "best", "rows")
            self._state = _State(**{name: content[name] for name in names})
        except (KeyError, ValueError, RuntimeError, TypeError) as error:
            raise UsageError(
                f"{self._folder}/last.pt is of another network or recipe; "
                "choose an empty folder for this run"
            ) from error


def _check_finite(losses: Row, step: int) -> None:
    if not np.isfinite(losses["loss"]):
        raise UsageError(f"the loss became {losses['loss']} at step {step}; lower learning_rate")


def _describe(row: Row) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in row.items())


def write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write an H x W x 3 RGB picture, atomically."""
    _, content = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    write_atomically(path, content.tobytes())
