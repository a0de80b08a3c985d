"""Samples whose frozen backbone features are computed once and kept on disk."""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset, default_collate

from alpharefine.errors import UsageError
from alpharefine.training.processes import process_count
from alpharefine.training.samples import init_worker

_log = logging.getLogger(__name__)

_BATCH = 8
_MEMORY_SHARE = 0.75
"""A cache is held in memory if it needs no more than this share of what is free."""

_SAVE_EVERY = 64
"""Batches between two notes of how far the cache is."""

Encoder = Callable[[dict[str, Tensor]], dict[str, Tensor]]
"""Turns a batch of samples into what is kept of them, each value with the batch in front."""


class CachedSamples(Dataset[dict[str, Tensor]]):
    """A fixed number of encoded samples, drawn in a new order each time round.

    Args:
        folder: from `fill_cache`.
        seed: of the order.
        endless: repeat for ever (training) or give each sample once (validation).
    """

    def __init__(self, folder: Path, seed: int, endless: bool) -> None:
        files = sorted(folder.glob("*.npy"))
        # Reading here and there from a disk is slow: it reads ahead what is not wanted.
        mode: Literal["r"] | None = None if _fit_in_memory(files) else "r"
        self._arrays = {path.stem: np.load(path, mmap_mode=mode) for path in files}
        self._count = min(len(array) for array in self._arrays.values())
        self._seed, self._endless = seed, endless

    def __len__(self) -> int:
        """Number of samples; practically endless for training."""
        return 2**40 if self._endless else self._count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Sample `index`, each value of the type that it was encoded as, and its `number`."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        if self._endless:
            turn, place = divmod(index, self._count)
            index = int(np.random.default_rng((self._seed, turn)).permutation(self._count)[place])
        kept = {
            # Copied: a tensor must not write into the file.
            name: torch.from_numpy(np.array(array[index]))
            for name, array in self._arrays.items()
        }
        return {"number": torch.tensor(index), **kept}


def collate_plainly(samples: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """A batch of cached samples, wherever it is put together.

    Under autocast to bfloat16 a CPU refuses to stack float16.
    """
    with torch.autocast("cpu", enabled=False):
        batch: dict[str, Tensor] = default_collate(list(samples))
    return batch


def _fit_in_memory(files: Sequence[Path]) -> bool:
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return sum(file.stat().st_size for file in files) < _MEMORY_SHARE * free


def fill_cache(
    samples: Dataset[dict[str, Tensor]],
    count: int,
    encode: Encoder,
    folder: Path,
    workers: int = 0,
) -> None:
    """Encode the first `count` samples, unless that was done before; resumes where it stopped.

    Args:
        samples: what to encode.
        count: how many.
        encode: runs the frozen part of a network.
        folder: of the cache; complete once it exists under this name.
        workers: data processes.

    Raises:
        UsageError: a cache of another size is being filled, or has been, under this name; or
            there are several processes.
    """
    if folder.is_dir():
        _check_size(folder, count)
        return
    if process_count() > 1:
        raise UsageError(
            f"{folder} is filled by one process; begin the run without torchrun, go on with it"
        )
    partial = folder.with_name(f"{folder.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    note = partial / "done.txt"
    done = int(note.read_text(encoding="ascii")) if note.is_file() else 0
    arrays: dict[str, NDArray[np.generic]] = {}
    if done:
        _check_size(partial, count)
        arrays = {path.stem: np.load(path, mmap_mode="r+") for path in partial.glob("*.npy")}
    loader = DataLoader(
        Subset(samples, range(done, count)), _BATCH, num_workers=workers, worker_init_fn=init_worker
    )
    for number, batch in enumerate(loader, 1):
        values = {name: value.cpu().numpy() for name, value in encode(batch).items()}
        for name, value in values.items():
            if name not in arrays:
                path = partial / f"{name}.npy"
                shape = (count, *value.shape[1:])
                arrays[name] = np.lib.format.open_memmap(path, "w+", value.dtype, shape)
            arrays[name][done : done + len(value)] = value
        done += len(next(iter(values.values())))
        if number % _SAVE_EVERY == 0:
            for array in arrays.values():
                assert isinstance(array, np.memmap)
                array.flush()
            note.write_text(str(done), encoding="ascii")
            _log.info("feature cache %s: %d of %d samples", folder.name, done, count)
    arrays.clear()
    note.unlink(missing_ok=True)
    partial.replace(folder)


def _check_size(folder: Path, count: int) -> None:
    sizes = {len(np.load(path, mmap_mode="r")) for path in folder.glob("*.npy")}
    if sizes != {count}:
        raise UsageError(
            f"{folder} is a feature cache of another size; delete it or choose another run folder"
        )
