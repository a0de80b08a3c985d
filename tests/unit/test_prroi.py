import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from alpharefine.ops.prroi import bin_weights, prroi_pool, prroi_pool_boxes

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


@settings(max_examples=50, deadline=None)
@given(coordinate, coordinate, coordinate, coordinate)
def test_never_gives_nan_and_is_zero_without_area(
    x1: float, y1: float, x2: float, y2: float
) -> None:
    boxes = torch.tensor([[[x1, y1, x2, y2]]], requires_grad=True)
    pooled = prroi_pool_boxes(torch.ones(1, 2, 8, 8), boxes, (3, 3), 1 / 8)
    pooled.sum().backward()
    assert pooled.isfinite().all() and boxes.grad is not None and boxes.grad.isfinite().all()
    assert pooled.max() <= 1 + 1e-5
    # No bin changes faster than the hat; there are 2 x 9 of them, on a map of 1 / 8.
    assert boxes.grad.abs().max() <= 18 / 8 * 1.2
    if x2 <= x1 or y2 <= y1:
        assert not pooled.any()


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 56), st.floats(0, 56), st.integers(-40, 4), st.integers(1, 4))
def test_the_mean_over_a_tiny_bin_is_the_value_at_its_middle(
    x: float, y: float, exponent: int, bins: int
) -> None:
    """Exact in float32 whatever the size: a difference of integrals would be off by 1e-7 / size."""
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(1, 1, 8, 8, generator=generator)
    size = 2.0**exponent
    boxes = torch.tensor([[[x, y, x + size, y + size]]], dtype=torch.float32)
    if not (boxes[..., 2:] > boxes[..., :2]).all():
        return
    pooled = prroi_pool_boxes(features, boxes, (bins, bins), 1 / 8)
    exact = prroi_pool_boxes(features.double(), boxes.double(), (bins, bins), 1 / 8)
    torch.testing.assert_close(pooled.double(), exact, rtol=0, atol=1e-5)
    middle = (boxes[..., :2] + boxes[..., 2:]).double()[:, None] / 2 / 8
    point = F.grid_sample(features.double(), middle / 7 * 2 - 1, align_corners=True)
    reach = size / 8 + 1e-5
    assert (pooled - point).abs().max() <= 2 * reach


@settings(max_examples=50, deadline=None)
@given(st.floats(-4, 12, width=32), st.sampled_from([0.0, 1e-7, 1e-5, 1e-3, 0.1, 3.0, 40.0, 1e4]))
def test_derivatives_of_weights_are_those_of_autograd(low: float, size: float) -> None:
    for dtype, limit in ((torch.float64, 1e-9), (torch.float32, 2e-2 if size < 1e-3 else 1e-4)):
        ends = torch.tensor([low, low + size], dtype=dtype, requires_grad=True)
        slopes = torch.autograd.functional.jacobian(
            lambda e: bin_weights(e[0], e[1], 3, 8).values, ends
        )
        weights = bin_weights(*ends.detach(), 3, 8)
        for closed, slope in zip((weights.by_low, weights.by_high), slopes.unbind(-1), strict=True):
            torch.testing.assert_close(closed, slope, rtol=0, atol=limit)


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
