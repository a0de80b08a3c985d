"""The closed-form gradient and the windowed features against autograd on the whole map."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from alpharefine.nets.iou import box_values
from alpharefine.nets.iou.box_regressor import BoxRegressor, IouFeatures
from alpharefine.nets.iou.box_values import BoxHead, BoxValues
from alpharefine.ops.box_pooling import BoxPooling, PooledMap
from alpharefine.ops.prroi import prroi_pool_boxes
from alpharefine.trackers.online.box_refinement import ascend
from alpharefine.trackers.online.config import BoxRefinementConfig

SIDE = 352
coordinate = st.floats(-40, 140, width=32)


def _regressor() -> BoxRegressor:
    torch.manual_seed(0)
    regressor = BoxRegressor(12, 20, 16, 8).eval()
    for module in regressor.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return regressor.requires_grad_(False)


REGRESSOR = _regressor()


def _frame() -> tuple[IouFeatures, IouFeatures]:
    generator = torch.Generator().manual_seed(1)
    fine, coarse = (
        torch.randn(1, channels, SIDE // stride, SIDE // stride, generator=generator)
        for channels, stride in ((12, 8), (20, 16))
    )
    vectors = (torch.randn(1, 16, 1, 1, generator=generator) for _ in range(2))
    return IouFeatures(fine, coarse), IouFeatures(*vectors)


def _by_autograd(corners: Tensor) -> tuple[Tensor, Tensor]:
    backbone, modulation = _frame()
    modulated = REGRESSOR.modulate(REGRESSOR.features(backbone), modulation)
    corners = corners.clone().requires_grad_()
    boxes = torch.cat([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)
    values = REGRESSOR.predict(modulated, boxes[None])[0]
    (gradient,) = torch.autograd.grad(values.sum(), corners)
    return values.detach(), gradient


def _ascend_by_autograd(boxes: Tensor, iterations: int, step: float) -> tuple[Tensor, Tensor]:
    reference = boxes[:1, 2:]
    relative = torch.cat([(boxes[:, :2] + boxes[:, 2:] / 2) / reference, boxes[:, 2:].log()], 1)
    for _ in range(iterations):
        relative = relative.detach().requires_grad_()
        center, half = relative[:, :2] * reference, relative[:, 2:].exp() / 2
        corners = torch.cat([center - half, center + half], 1)
        values, by_corner = _by_autograd(corners.detach())
        (gradient,) = torch.autograd.grad(corners, relative, by_corner)
        relative = relative.detach() + step * gradient
    size = relative[:, 2:].exp()
    return torch.cat([relative[:, :2] * reference - size / 2, size], 1), values


def _close(actual: Tensor, expected: Tensor, tolerance: float = 2e-5) -> None:
    limit = tolerance * float(expected.abs().max().clamp_min(1e-3))
    torch.testing.assert_close(actual, expected, rtol=0, atol=limit)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[coordinate] * 4), min_size=1, max_size=4), st.integers(1, 5))
def test_pooling_and_its_gradient(boxes: list[tuple[float, ...]], bins: int) -> None:
    """Of two maps of different sizes, strides and bins at once."""
    generator = torch.Generator().manual_seed(2)
    corners = torch.tensor(boxes, dtype=torch.float64, requires_grad=True)
    maps, expected, upstream = [], [], []
    for shape, bins_here, stride in (((3, 9, 7), bins, 8.0), ((2, 4, 5), 2, 16.0)):
        features = torch.randn(shape, generator=generator, dtype=torch.float64)
        size = (bins_here, bins_here)
        expected.append(prroi_pool_boxes(features[None], corners[None], size, 1 / stride)[0])
        upstream.append(torch.randn(expected[-1].shape, generator=generator, dtype=torch.float64))
        maps.append(PooledMap(features.permute(1, 2, 0).contiguous(), bins_here, stride))
    total = sum((e * u).sum() for e, u in zip(expected, upstream, strict=True))
    (gradient,) = torch.autograd.grad(total, corners)
    pooled = BoxPooling(maps)(corners.detach())
    for values, wanted in zip(pooled.values, expected, strict=True):
        torch.testing.assert_close(values.permute(0, 3, 1, 2), wanted.detach())
    by_channel_last = [u.permute(0, 2, 3, 1) for u in upstream]
    torch.testing.assert_close(pooled.gradient(by_channel_last), gradient)


@pytest.mark.parametrize("windowed", [True, False])
@pytest.mark.parametrize(
    "boxes",
    [
        [[100, 120, 160, 170], [110.5, 118, 150, 190]],
        [[-30, -20, 25, 40], [-10, 5, 30, 30]],
        [[320, 300, 400, 380], [330, 310, 351, 351]],
        [[5, 5, 349, 340], [-500, -500, 900, 900]],
        [[120, 120, 120, 150], [130, 130, 120, 150], [100, 100, 140, 140]],
    ],
    ids=["inside", "top-left", "bottom-right", "large", "empty"],
)
def test_values_and_gradients(boxes: list[list[float]], windowed: bool) -> None:
    corners = torch.tensor(boxes, dtype=torch.float32)
    expected, expected_gradient = _by_autograd(corners)
    with torch.inference_mode():
        values, gradient = BoxValues(BoxHead(REGRESSOR), *_frame(), windowed)(corners)
    _close(values, expected)
    _close(gradient, expected_gradient)


def test_a_small_box_needs_a_small_part_of_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    computed = []
    features = BoxRegressor.features

    def spy(self: BoxRegressor, backbone: IouFeatures) -> IouFeatures:
        computed.append(backbone.fine.shape[2] * backbone.fine.shape[3])
        return features(self, backbone)

    monkeypatch.setattr(BoxRegressor, "features", spy)
    values = BoxValues(BoxHead(REGRESSOR), *_frame())
    corners = torch.tensor([[140.0, 140, 200, 200]])
    values(corners)
    values(corners + 3)
    assert computed == [16 * 16]
    moved, _ = values(corners + 60)
    assert len(computed) == 2
    _close(moved, _by_autograd(corners + 60)[0])


def test_boxes_that_are_not_finite_spoil_only_themselves() -> None:
    corners = torch.tensor([[100, 100, 150, 150], [float("nan"), 0, 1, 1]])
    values, gradient = BoxValues(BoxHead(REGRESSOR), *_frame())(corners)
    expected, expected_gradient = _by_autograd(corners[:1])
    _close(values[:1], expected)
    _close(gradient[:1], expected_gradient)


@pytest.mark.parametrize("step", [2.5e-3, 0.3])
@pytest.mark.parametrize("margin", [0.0, 0.1])
def test_ascent(step: float, margin: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_values, "_MARGIN", margin)
    boxes = torch.tensor([[140.0, 150, 60, 50], [150, 140, 40, 60], [130, 155, 70, 45]])
    expected, expected_values = _ascend_by_autograd(boxes, 6, step)
    config = BoxRefinementConfig(iterations=6, step_length=step)
    with torch.inference_mode():
        refined = ascend(BoxValues(BoxHead(REGRESSOR), *_frame()), boxes, config)
    assert (expected - boxes).abs().max() > (10 if step > 0.1 else 0.01)
    _close(refined.boxes, expected, 1e-4)
    _close(refined.values, expected_values, 1e-4)
