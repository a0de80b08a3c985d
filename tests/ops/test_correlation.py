import pytest
import torch

from alpharefine.ops.correlation import (
    depthwise_correlation,
    naive_correlation,
    pixelwise_correlation,
)


def _random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_pixelwise_is_a_dot_product_at_every_pair_of_positions() -> None:
    kernel, search = _random(2, 5, 2, 3), _random(2, 5, 4, 6)
    result = pixelwise_correlation(kernel, search)
    assert result.shape == (2, 6, 4, 6)
    for image, row, column in ((0, 0, 0), (0, 1, 2), (1, 1, 0)):
        expected = (kernel[image, :, row, column, None, None] * search[image]).sum(0)
        torch.testing.assert_close(result[image, row * 3 + column], expected)


@pytest.mark.parametrize("side", [2, 3])
def test_depthwise_slides_each_channel(side: int) -> None:
    kernel, search = _random(2, 3, side, side), _random(2, 3, 7, 8)
    result = depthwise_correlation(kernel, search)
    assert result.shape == search.shape
    row, column, before = 4, 5, side // 2
    top, left = row - before, column - before
    window = search[1, :, top : top + side, left : left + side]
    torch.testing.assert_close(result[1, :, row, column], (kernel[1] * window).sum((1, 2)))


def test_naive_sums_the_channels() -> None:
    kernel, search = _random(2, 3, 2, 2), _random(2, 3, 5, 5)
    result = naive_correlation(kernel, search)
    assert result.shape == (2, 1, 5, 5)
    torch.testing.assert_close(result[:, 0], depthwise_correlation(kernel, search).sum(1))


@pytest.mark.parametrize(
    "correlation", [pixelwise_correlation, depthwise_correlation, naive_correlation]
)
def test_one_kernel_serves_all_images_and_gradients_flow(correlation) -> None:  # type: ignore[no-untyped-def]
    kernel, search = _random(1, 3, 2, 2).requires_grad_(), _random(4, 3, 5, 5).requires_grad_()
    result = correlation(kernel, search)
    torch.testing.assert_close(result, correlation(kernel.expand(4, 3, 2, 2), search))
    result.square().sum().backward()
    assert kernel.grad is not None and search.grad is not None
    assert kernel.grad.abs().min() > 0 and search.grad.abs().min() > 0
