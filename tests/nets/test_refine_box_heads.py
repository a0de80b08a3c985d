from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.nets.refine.box_heads import DenseBoxHead, PooledBoxHead
from alpharefine.nets.refine.branches import BRANCHES, branch_boxes, mask_boxes, trusted_box
from alpharefine.nets.refine.config import RefineNetConfig

SMALL = RefineNetConfig(
    backbone="resnet18",
    input_size=64,
    fusion_widths=(8,),
    corner_widths=(8, 8),
    mask_head="fpn",
    fpn_widths=(8, 8, 8),
)


@pytest.mark.parametrize("head", [DenseBoxHead, PooledBoxHead])
def test_a_head_can_learn_a_box(head: Callable[..., nn.Module]) -> None:
    torch.manual_seed(0)
    module = head(4, (8, 8), 16)
    fused, truth = torch.randn(2, 4, 4, 4), torch.tensor([[10.0, 5, 40, 60], [20, 20, 30, 50]])
    optimizer = torch.optim.Adam(module.parameters(), 0.02)
    for _ in range(150):
        loss = (module(fused) - truth).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 30
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters() if p.dim()
    )


def test_the_dense_head_answers_the_confident_cells_box() -> None:
    head = DenseBoxHead(2, (4,), 16)
    scores = torch.full((1, 1, 4, 4), -50.0)
    scores[0, 0, 1, 2] = 50  # center (40, 24)
    head.confidence = _Constant(scores)  # type: ignore[assignment]
    head.distances = _Constant(torch.full((1, 4, 4, 4), 20.0))  # type: ignore[assignment]
    corners = head(torch.zeros(1, 2, 4, 4))
    torch.testing.assert_close(corners, torch.tensor([[-280.0, -296.0, 360.0, 344.0]]))


class _Constant(nn.Module):
    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        return self.value


def test_the_pooled_head_begins_at_the_box_of_the_crop() -> None:
    corners = PooledBoxHead(2, (4,), 16)(torch.randn(3, 2, 4, 4))
    torch.testing.assert_close(corners, torch.tensor([[16.0, 16, 48, 48]]).expand(3, 4))


@pytest.mark.parametrize("box_head", ["rpn", "rcnn"])
@pytest.mark.parametrize("mask_head", ["fpn", None])
def test_every_box_head_works_with_and_without_a_mask(box_head: str, mask_head: str | None) -> None:
    config = replace(SMALL, box_head=box_head, mask_head=mask_head)  # type: ignore[arg-type]
    network = config.build().eval()
    images = torch.randn(2, 3, 64, 64)
    output = network(images, images)
    assert output.corners is not None and output.corners.shape == (2, 4)
    assert output.corner_logits is None
    assert output.trusted_corners is output.corners
    assert (output.mask_logits is None) == (mask_head is None)


def test_a_selector_answers_one_of_its_branches() -> None:
    torch.manual_seed(0)
    network = replace(SMALL, selector=True, non_local=True).build().eval()
    images = torch.randn(4, 3, 64, 64)
    output = network(images, images)
    assert output.branch_logits is not None and output.branch_logits.shape == (4, len(BRANCHES))
    assert output.direct is not None and output.corners is not None
    boxes = branch_boxes(output.direct, output.corners, output.mask_logits)
    assert output.trusted_corners is not None
    assert (boxes == output.trusted_corners[:, None]).all(2).any(1).all()
    box_only = network.search(images, network.reference(images), {"box"})
    assert box_only.mask_logits is None and box_only.trusted_corners is not None


def test_a_selector_needs_its_branches() -> None:
    with pytest.raises(UsageError, match="selector needs"):
        replace(SMALL, selector=True, mask_head=None)


def test_the_trusted_box_is_the_best_scored_one() -> None:
    direct, corners = torch.zeros(3, 4), torch.ones(3, 4)
    logits = torch.full((3, 1, 8, 8), -9.0)
    logits[:, :, 2:5, 1:7] = 9
    scores = torch.tensor([[2.0, 1, 0], [0, 2, 1], [0, 1, 2]])
    boxes = trusted_box(scores, direct, corners, logits)
    assert boxes.tolist() == [[0, 0, 0, 0], [1, 1, 1, 1], [1, 2, 7, 5]]
    # Without a mask, the better one of the other two.
    assert trusted_box(scores, direct, corners, None)[2].tolist() == [1, 1, 1, 1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.3))
def test_mask_boxes_are_those_of_the_masks(seed: int, share: float) -> None:
    masks = np.random.default_rng(seed).random((3, 7, 9)) < share
    for mask, corners in zip(masks, mask_boxes(torch.from_numpy(masks)).tolist(), strict=True):
        box = mask_to_box(mask.astype(np.uint8))
        expected = [0.0] * 4 if box is None else [box.x, box.y, box.x + box.w, box.y + box.h]
        assert corners == expected
