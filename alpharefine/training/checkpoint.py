"""Files of a run, written so that a crash leaves the old one or the new one, never a half."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from alpharefine.errors import UsageError


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write a training state (tensors and plain values) atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    with partial.open("wb") as file:
        torch.save(dict(state), file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a training state, tensors on the CPU; no code of the file is run.

    Raises:
        UsageError: the file is not a checkpoint.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UsageError(f"{path}: not a readable checkpoint; delete it to start anew") from error
    return state
