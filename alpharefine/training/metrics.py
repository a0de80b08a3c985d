"""Metrics of a run: a CSV file with a row for each epoch, and TensorBoard where installed."""

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.training.checkpoint import write_atomically

_log = logging.getLogger(__name__)

Row = dict[str, float]
"""Metrics of one epoch, by name."""


class Mean:
    """Running means of named scalars that stay on their device until they are read."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add one set of scalars, the same names every time."""
        for name, value in values.items():
            value = value.detach().double()
            self._sums[name] = self._sums[name] + value if self._count else value
        self._count += 1

    def read(self) -> Row:
        """The means so far."""
        return {name: float(total) / self._count for name, total in self._sums.items()}


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write all rows; a row that lacks a metric has an empty cell."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)
    write_atomically(path, text.getvalue().encode())


class TensorBoard:
    """Scalars and pictures for TensorBoard; does nothing when it is not installed.

    Args:
        folder: of the event files.
        first_step: events from here on, left by an interrupted run, are dropped.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self._writer: Any = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            _log.warning("tensorboard is not installed; metrics go to metrics.csv alone")
            return
        make_writer: Any = SummaryWriter
        self._writer = make_writer(str(folder), purge_step=first_step)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add named scalars."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def pictures(self, step: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        """Add named H x W x 3 RGB pictures."""
        if self._writer is not None:
            for name, picture in pictures.items():
                self._writer.add_image(name, torch.from_numpy(picture), step, dataformats="HWC")

    def close(self) -> None:
        """Write out what is left."""
        if self._writer is not None:
            self._writer.close()
