"""`arvot train refine` and `arvot train base` from the command line."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from alpharefine.weights.files import open_weights
from tests.training.layouts import blank_labels, write_image, write_labels
from vot_integration.cli import main

ROOT = Path(__file__).parents[2]

DATA = """
[data]
validation_samples = 2
sources = [{ kind = "masks", path = "stills" }]

[data.held_out]
one_in = 3
"""

REFINE = """
[network]
backbone = "efficientnet_lite0"
input_size = 64
fusion_widths = [8]
corner_widths = [8]
mask_head = "fpn"
fpn_widths = [8, 8, 8]

[optim]
imagenet = false

[engine]
epochs = 2
keep_from_epoch = 2
steps_per_epoch = 2
batch_size = 2
workers = 0
device = "cpu"
precision = "PRECISION"
ema_decay = 0.9
"""

BASE = """
[network]
backbone = "efficientnet_lite0"
clf_channels = 8
iou_channels = 8
iou_reference_channels = 8

[optim]
imagenet = false
backbone = 0.0

[losses]
proposals = 8

[engine]
epochs = 1
steps_per_epoch = 2
batch_size = 2
workers = 0
device = "cpu"
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for k in range(12):
        write_image(tmp_path / f"stills/images/{k}.jpg", 60, 80, seed=k)
        labels = blank_labels(60, 80)
        cv2.ellipse(labels, (40, 30), (15 + k, 12), 0, 0, 360, 1, -1)
        write_labels(tmp_path / f"stills/masks/{k}.png", labels)
    return tmp_path


def recipe(folder: Path, text: str = REFINE + DATA, precision: str = "float32") -> Path:
    path = folder / "tiny.toml"
    path.write_text(text.replace("PRECISION", precision))
    return path


def epochs(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_refine(
    precision: str, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe(data, precision=precision)
    (data / "stills/masks/3.png").write_bytes(b"nothing")
    monkeypatch.chdir(data)
    assert main(["train", "refine", "tiny.toml"]) == 0
    out = capsys.readouterr().out
    assert "epoch 0:" in out and "epoch 1:" in out and "mask_iou" in out
    assert "stills: 1 skipped, 11 usable" in " ".join(out.split())
    run = data / "runs/tiny"
    assert [float(row["epoch"]) for row in epochs(run)] == [0, 1]
    assert list((run / "tensorboard").iterdir())
    assert [file.name for file in (run / "epochs").iterdir()] == ["002.safetensors"]
    assert open_weights(run / "epochs" / "002.safetensors").parts.keys() == {"refine"}
    picture = cv2.imread(str(run / "samples/001_samples.png"))
    assert picture is not None and np.ptp(picture) > 100
    weights = torch.load(run / "last.pt", weights_only=True)["module"].values()
    assert {t.dtype for t in weights if t.is_floating_point()} == {torch.float32}


def test_base(data: Path) -> None:
    crops = "\n[data.crops]\nsize = 96\n"
    path = recipe(data, BASE + DATA + crops)
    run = data / "run"
    assert main(["train", "base", str(path), "--data", str(data), "--output", str(run)]) == 0
    assert len(epochs(run)) == 1
    assert open_weights(run / "export.safetensors").parts.keys() == {"base"}
    picture = cv2.imread(str(run / "samples/000_samples.png"))
    assert picture is not None and np.ptp(picture) > 100


def test_two_processes(data: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    command += ["-m", "vot_integration", "train", "refine", str(recipe(data, precision="bfloat16"))]
    command += ["--data", str(data), "--output", str(data / "run")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("epoch 1:") == 1, "one process reports"
    assert [float(row["epoch"]) for row in epochs(data / "run")] == [0, 1]
    assert (data / "run/export.safetensors").is_file()


BAD = {
    "recipe": (["refine", "no_such_recipe"], "no recipe 'no_such_recipe'"),
    "file": (["refine", "missing.toml"], "missing.toml: cannot be read"),
    "key": (["refine", "tiny.toml"], "unknown key 'epoch'; did you mean 'epochs'"),
    "network": (["base", "refine_lite"], "unknown key"),
    "data": (["refine", "refine_lite", "--data", "nowhere"], "not a image + mask folder"),
    "command": (["teach", "refine_lite"], "invalid choice"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text("[data]\nsources = []\n[engine]\nepoch = 3\n")
    arguments, message = BAD[case]
    assert main(["train", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("arvot: ") and error.count("\n") == 1 and message in error
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.toml"], "nothing is written"
