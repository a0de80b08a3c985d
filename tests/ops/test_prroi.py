import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from alpharefine.ops.prroi import overlap_bins, prroi_pool_boxes
from tests.ops.pooling import prroi_pool

coordinate = st.floats(-30, 150, width=32)


def _numeric_pool(
    feature: np.ndarray, box: list[float], bins: int, samples: int = 64
) -> np.ndarray:
    """Mean of the bilinear interpolant on a fine grid, zero outside the map."""
    x1, y1, x2, y2 = box
    pooled = np.zeros((bins, bins))
    padded = torch.from_numpy(np.pad(feature, 1))[None, None]
    height, width = feature.shape
    for row in range(bins):
        for column in range(bins):
            steps = (np.arange(samples) + 0.5) / samples
            ys = y1 + (row + steps) * (y2 - y1) / bins
            xs = x1 + (column + steps) * (x2 - x1) / bins
            grid_y = (ys + 1) / (height + 1) * 2 - 1
            grid_x = (xs + 1) / (width + 1) * 2 - 1
            grid = np.stack(np.meshgrid(grid_x, grid_y), -1)[None].astype(np.float64)
            values = F.grid_sample(padded, torch.from_numpy(grid), align_corners=True)
            pooled[row, column] = float(values.mean())
    return pooled


@settings(max_examples=25, deadline=None)
@given(st.floats(-2, 9), st.floats(-2, 7), st.floats(0.3, 8), st.floats(0.3, 8), st.integers(1, 3))
def test_equals_numerical_integration(x: float, y: float, w: float, h: float, bins: int) -> None:
    feature = np.random.default_rng(0).random((7, 9))
    box = [x, y, x + w, y + h]
    exact = prroi_pool_boxes(
        torch.from_numpy(feature)[None, None],
        torch.tensor([[box]], dtype=torch.float64),
        (bins, bins),
        1.0,
    )
    np.testing.assert_allclose(exact[0, 0, 0], _numeric_pool(feature, box, bins), atol=5e-3)


@settings(max_examples=50)
@given(st.floats(-4, 12, width=32), st.sampled_from([0.0, 1e-8, 1e-6, 1e-4, 0.02, 0.5, 6.0, 2e3]))
def test_slopes_are_those_of_autograd(middle: float, half: float) -> None:
    for dtype, limit in ((torch.float64, 1e-9), (torch.float32, 2e-2 if half < 1e-3 else 1e-4)):
        bin_ = torch.tensor([middle, half], dtype=dtype)
        expected = torch.autograd.functional.jacobian(
            lambda b: overlap_bins(b[0], b[1], 8).weights(), bin_
        )
        for slope, autograd in zip(
            overlap_bins(*bin_, 8).slopes(), expected.unbind(-1), strict=True
        ):
            torch.testing.assert_close(slope, autograd, rtol=0, atol=limit)


def test_rois_name_their_image() -> None:
    features = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
    rois = torch.tensor([[1, 16, 16, 32, 32], [0, 16, 16, 32, 32]], dtype=torch.float32)
    pooled = prroi_pool(features, rois, (2, 2), 1 / 8)
    torch.testing.assert_close(pooled[0], torch.ones(1, 2, 2))
    torch.testing.assert_close(pooled[1], torch.zeros(1, 2, 2))


def test_gradients_are_exact() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 2, 6, 6, dtype=torch.float64, requires_grad=True)
    corner = torch.rand(2, 3, 2, dtype=torch.float64) * 20
    boxes = torch.cat([corner, corner + 5 + 20 * torch.rand_like(corner)], -1).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda f, b: prroi_pool_boxes(f, b, (2, 3), 1 / 8), (features, boxes)
    )
