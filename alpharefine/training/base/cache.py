"""Samples whose frozen backbone features are computed once and kept on disk."""

import logging
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset

from alpharefine.training.base.model import DimpTrainingModule

_log = logging.getLogger(__name__)

_PARTS = ("fine", "coarse", "boxes")


class CachedSamples(Dataset[dict[str, Tensor]]):
    """A fixed number of samples as backbone features, drawn in a new order each time round.

    Args:
        folder: from `fill_cache`.
        seed: of the order.
        endless: repeat for ever (training) or give each sample once (validation).
    """

    def __init__(self, folder: Path, seed: int, endless: bool) -> None:
        self._arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _PARTS}
        self._seed, self._endless = seed, endless

    def __len__(self) -> int:
        """Number of samples; practically endless for training."""
        return 2**40 if self._endless else self._count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Sample `index`: `fine` and `coarse`, N x C x H x W, and `boxes`, N x 4; float32."""
        if index >= len(self):
            raise IndexError(index)
        if self._endless:
            turn, place = divmod(index, self._count)
            index = int(np.random.default_rng((self._seed, turn)).permutation(self._count)[place])
        return {
            name: torch.from_numpy(array[index].astype(np.float32))
            for name, array in self._arrays.items()
        }

    @property
    def _count(self) -> int:
        return int(self._arrays["boxes"].shape[0])


def fill_cache(
    samples: Dataset[dict[str, Tensor]],
    count: int,
    module: DimpTrainingModule,
    folder: Path,
    device: torch.device,
    workers: int = 0,
) -> None:
    """Run the frozen backbone over the first `count` samples, unless that was done before.

    Args:
        samples: with `images` and `boxes`.
        count: how many.
        module: gives the features.
        folder: of the cache; complete once it exists under this name.
        device: of the module.
        workers: data processes.
    """
    if folder.is_dir():
        return
    partial = folder.with_name(f"{folder.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[np.generic]] = {}
    loader = DataLoader(Subset(samples, range(count)), batch_size=1, num_workers=workers)
    module.eval()
    for index, sample in enumerate(loader):
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
            maps = module.backbone(sample["images"][0].to(device))
        values = {
            "fine": maps.fine.half().cpu().numpy(),
            "coarse": maps.coarse.half().cpu().numpy(),
            "boxes": sample["boxes"][0].numpy(),
        }
        for name, value in values.items():
            if name not in arrays:
                arrays[name] = np.lib.format.open_memmap(
                    partial / f"{name}.npy", "w+", value.dtype, (count, *value.shape)
                )
            arrays[name][index] = value
        if index % 200 == 0:
            _log.info("feature cache %s: %d of %d samples", folder.name, index, count)
    arrays.clear()
    partial.replace(folder)
