from pathlib import Path

import pytest
import torch

from tests.ops.pooling import prroi_pool
from tests.parity.fixtures import assert_close_relative, fixture_cases, load_npz


@pytest.mark.parametrize("path", fixture_cases("prroi*"))
def test_forward_and_both_gradients(path: Path) -> None:
    data = load_npz(path)
    cases = sorted(key.removesuffix("_feat") for key in data if key.endswith("_feat"))
    assert cases
    for case in cases:
        features = torch.tensor(data[f"{case}_feat"], requires_grad=True)
        rois = torch.tensor(data[f"{case}_rois"], requires_grad=True)
        rows, columns, scale = data[f"{case}_params"]
        pooled = prroi_pool(features, rois, (int(rows), int(columns)), float(scale))
        pooled.backward(torch.tensor(data[f"{case}_gout"]))
        assert features.grad is not None and rois.grad is not None
        assert_close_relative(pooled, data[f"{case}_out"], name=f"{case}_out")
        assert_close_relative(features.grad, data[f"{case}_gfeat"], name=f"{case}_gfeat")
        assert_close_relative(rois.grad[:, 1:], data[f"{case}_grois"], name=f"{case}_grois")
