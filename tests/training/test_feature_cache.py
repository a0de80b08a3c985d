from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import Dataset

from alpharefine.errors import UsageError
from alpharefine.training import feature_cache
from alpharefine.training.feature_cache import CachedSamples, fill_cache

COUNT = 37


class _Squares(Dataset[dict[str, Tensor]]):
    def __len__(self) -> int:
        return 1000

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"number": torch.tensor([float(index)]), "label": torch.tensor(index % 7)}


def _encode(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"square": batch["number"].square().half(), "label": batch["label"]}


def test_each_round_gives_every_sample_once_in_a_new_order(tmp_path: Path) -> None:
    fill_cache(_Squares(), COUNT, _encode, tmp_path / "features")
    cached = CachedSamples(tmp_path / "features", seed=0, endless=True)
    rounds = [
        [float(cached[turn * COUNT + k]["square"]) for k in range(COUNT)] for turn in range(2)
    ]
    expected = [float(np.float16(k * k)) for k in range(COUNT)]
    assert rounds[0] != rounds[1]
    assert sorted(rounds[0]) == sorted(rounds[1]) == expected
    assert cached[0]["square"].dtype == torch.float16 and cached[0]["label"].dtype == torch.int64


def test_validation_gives_each_sample_once_in_order(tmp_path: Path) -> None:
    fill_cache(_Squares(), COUNT, _encode, tmp_path / "features")
    cached = CachedSamples(tmp_path / "features", seed=0, endless=False)
    assert [int(cached[k]["label"]) for k in range(len(cached))] == [k % 7 for k in range(COUNT)]
    with pytest.raises(IndexError):
        cached[COUNT]


def test_an_interrupted_filling_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_cache, "_SAVE_EVERY", 1)
    seen: list[int] = []

    def encode(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        numbers = [int(n) for n in batch["number"]]
        if 16 in numbers and 16 not in seen and not seen.count(-1):
            seen.append(-1)
            raise KeyboardInterrupt
        seen.extend(numbers)
        return _encode(batch)

    with pytest.raises(KeyboardInterrupt):
        fill_cache(_Squares(), COUNT, encode, tmp_path / "features")
    assert not (tmp_path / "features").exists()
    fill_cache(_Squares(), COUNT, encode, tmp_path / "features")
    assert [n for n in seen if n >= 0] == list(range(COUNT))
    cached = CachedSamples(tmp_path / "features", seed=0, endless=False)
    assert [int(cached[k]["label"]) for k in range(COUNT)] == [k % 7 for k in range(COUNT)]
    assert sorted(p.name for p in (tmp_path / "features").iterdir()) == ["label.npy", "square.npy"]


def test_a_cache_of_another_size_is_refused(tmp_path: Path) -> None:
    fill_cache(_Squares(), COUNT, _encode, tmp_path / "features")
    fill_cache(_Squares(), COUNT, _encode, tmp_path / "features")
    with pytest.raises(UsageError, match="another size"):
        fill_cache(_Squares(), COUNT + 1, _encode, tmp_path / "features")


def test_several_processes_do_not_fill_one_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="without torchrun"):
        fill_cache(_Squares(), 4, _encode, tmp_path / "cache")
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("WORLD_SIZE", "1")
    fill_cache(_Squares(), 4, _encode, tmp_path / "cache")
    monkeypatch.setenv("WORLD_SIZE", "2")
    fill_cache(_Squares(), 4, _encode, tmp_path / "cache")
