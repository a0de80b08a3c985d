"""The training loop on a task of a few hundred numbers."""

import csv
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset

from alpharefine.errors import UsageError
from alpharefine.training.checkpoint import load_checkpoint, save_checkpoint, write_atomically
from alpharefine.training.config import EngineConfig, ScheduleConfig
from alpharefine.training.engine import train
from alpharefine.training.interface import EpochChange, Export, ParameterGroup, Progress
from alpharefine.training.metrics import Row
from alpharefine.weights.files import open_weights


class _Lines(Dataset[dict[str, Tensor]]):
    """y = 2 x + noise, sample n by n alone."""

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng(index)
        x = torch.from_numpy(rng.normal(size=4).astype(np.float32))
        return {"x": x, "y": 2 * x}

    def __len__(self) -> int:
        return 2**30


class _Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 4)
        )

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        loss = (self.layers(batch["x"]) - batch["y"]).float().square().mean()
        return {"loss": loss, "half": loss / 2}


class LineTask:
    criterion = "score"

    def __init__(self, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.module: nn.Module = _Model()

    def parameter_groups(self) -> list[ParameterGroup]:
        return [ParameterGroup(list(self.module.parameters()), 0.01)]

    def begin_epoch(self, epoch: int, epochs: int) -> EpochChange | None:
        return None

    def samples(self) -> Dataset[dict[str, Tensor]]:
        return _Lines()

    def validate(self, module: nn.Module) -> tuple[Row, Mapping[str, NDArray[np.uint8]]]:
        assert not module.training
        items = [_Lines()[10_000 + k] for k in range(32)]
        batch = {name: torch.stack([item[name] for item in items]) for name in items[0]}
        loss = float(module(batch)["loss"])
        return {"score": -loss}, {"line": np.full((4, 4, 3), 7, np.uint8)}

    def export(self, module: nn.Module, row: Row) -> Export:
        return Export("line", module.state_dict(), {"score": str(row["val/score"])})


def _config(**changes: object) -> EngineConfig:
    settings = {
        "epochs": 4,
        "steps_per_epoch": 6,
        "batch_size": 8,
        "workers": 0,
        "device": "cpu",
        "ema_decay": 0.9,
        "schedule": ScheduleConfig(every=2),
        **changes,
    }
    return EngineConfig(**settings)  # type: ignore[arg-type]


def _weights(folder: Path) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = load_checkpoint(folder / "last.pt")["module"]
    return weights


def _same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_learns_and_leaves_its_files(tmp_path: Path) -> None:
    seen: list[Progress] = []
    rows = train(LineTask(), _config(epochs=6, steps_per_epoch=30), tmp_path, seen.append)
    assert rows[-1]["val/score"] > rows[0]["val/score"]
    assert [p.row for p in seen if p.row is not None] == rows
    assert seen[-1].share == 1
    with (tmp_path / "metrics.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [float(line["epoch"]) for line in table] == [0, 1, 2, 3, 4, 5]
    assert float(table[2]["train/half"]) == pytest.approx(float(table[2]["train/loss"]) / 2, 1e-4)
    assert len(list((tmp_path / "samples").glob("*_line.png"))) == 6
    best = max(rows, key=lambda row: row["val/score"])
    exported = open_weights(tmp_path / "export.safetensors")
    assert exported.parts == {"line": {"score": str(best["val/score"])}}
    tensors = exported.read("line").values()
    assert all(t.dtype == torch.float32 for t in tensors if t.is_floating_point())
    assert load_checkpoint(tmp_path / "best.pt")["best"] == best["val/score"]
    assert list((tmp_path / "tensorboard").iterdir())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("workers", [0, 1])
def test_an_interrupted_run_continues_bit_exactly(
    tmp_path: Path, precision: str, workers: int
) -> None:
    config = _config(precision=precision)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    rows = train(LineTask(), config, whole)

    def interrupt(progress: Progress) -> None:
        if progress.step == 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(LineTask(), _config(precision=precision, workers=workers), parts, interrupt)
    assert not _same(_weights(whole), _weights(parts))
    continued = train(LineTask(seed=5), config, parts)
    assert _same(_weights(whole), _weights(parts))
    first, second = (load_checkpoint(folder / "last.pt") for folder in (whole, parts))
    assert _same(first["average"], second["average"])
    for name in ("train/loss", "val/score", "learning_rate"):
        assert [row[name] for row in rows] == [row[name] for row in continued]


def test_mixed_precision_changes_the_run_but_not_the_weights_type(tmp_path: Path) -> None:
    train(LineTask(), _config(epochs=1, precision="float32"), tmp_path / "a")
    train(LineTask(), _config(epochs=1, precision="bfloat16"), tmp_path / "b")
    full, mixed = _weights(tmp_path / "a"), _weights(tmp_path / "b")
    assert not _same(full, mixed)
    assert all(mixed[name].dtype == full[name].dtype for name in full)


def test_a_finished_run_is_left_alone(tmp_path: Path) -> None:
    train(LineTask(), _config(), tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    assert len(train(LineTask(), _config(), tmp_path)) == 4
    assert (tmp_path / "last.pt").read_bytes() == before


def test_a_time_budget_ends_the_run(tmp_path: Path) -> None:
    rows = train(LineTask(), _config(epochs=10_000, budget_minutes=0.01), tmp_path)
    assert 0 < len(rows) < 10_000


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "last.pt", {"module": {"weight": torch.zeros(1)}})
    with pytest.raises(UsageError, match="another network or recipe"):
        train(LineTask(), _config(), tmp_path)
    (tmp_path / "last.pt").write_bytes(b"nothing")
    with pytest.raises(UsageError, match="not a readable checkpoint"):
        train(LineTask(), _config(), tmp_path)


def test_a_diverging_loss_ends_the_run(tmp_path: Path) -> None:
    task = LineTask()
    with torch.no_grad():
        next(task.module.parameters()).fill_(float("nan"))
    with pytest.raises(UsageError, match="the loss became nan at step 0"):
        train(task, _config(), tmp_path)
    assert not (tmp_path / "last.pt").exists()


def test_unknown_precision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown precision 'half'"):
        train(LineTask(), _config(precision="half"), tmp_path)


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.pt"
    save_checkpoint(path, {"step": 1})

    def fail(descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(path, {"step": 2})
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"half")
    assert load_checkpoint(path) == {"step": 1}


_DDP = """
import sys
from pathlib import Path
from alpharefine.training.engine import (train)
from tests.training.test_engine import LineTask, _config
train(LineTask(), _config(epochs=2, ema_decay=0.0), Path(sys.argv[1]))
"""


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    script, folder = tmp_path / "ddp.py", tmp_path / "run"
    script.write_text(_DDP)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--master-port", "0", "--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, str(script), str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert load_checkpoint(folder / "last.pt")["epoch"] == 2
    with (folder / "metrics.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2
    # The first process alone, on the same numbers, sees other samples: the gradients are shared.
    train(LineTask(), _config(epochs=2, ema_decay=0.0), tmp_path / "one")
    assert not _same(_weights(folder), _weights(tmp_path / "one"))
