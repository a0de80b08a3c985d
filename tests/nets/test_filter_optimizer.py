import pytest
import torch
import torch.nn.functional as F

from alpharefine.nets.dimp.filter_optimizer import FilterOptimizer
from alpharefine.ops.target_filter import apply_adjoint, apply_filter


def _problem(k: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 3, 8, 10, 12, generator=generator)
    target_filter = torch.randn(2, 8, k, k, generator=generator) * 0.1
    boxes = torch.tensor([60.0, 50, 50, 40]) + 10 * torch.rand(2, 3, 4, generator=generator)
    return features, target_filter, boxes


@pytest.mark.parametrize("k", [3, 4, 5])
def test_apply_filter_is_a_padded_correlation(k: int) -> None:
    features, target_filter, _ = _problem(k)
    scores = apply_filter(features, target_filter)
    for s in range(2):
        expected = F.conv2d(features[s], target_filter[s : s + 1], padding=k // 2)[:, 0]
        torch.testing.assert_close(scores[s], expected)


@pytest.mark.parametrize("k", [3, 4])
def test_adjoint(k: int) -> None:
    features, target_filter, _ = _problem(k)
    scores = apply_filter(features, target_filter)
    other = torch.randn_like(scores)
    left = (scores * other).sum((1, 2, 3))
    right = (apply_adjoint(features, other, k) * target_filter).sum((1, 2, 3))
    torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-4)


def test_every_step_descends() -> None:
    features, target_filter, boxes = _problem()
    optimizer = FilterOptimizer(bins=100, bin_width=0.1, stride=16).requires_grad_(False)
    objective = optimizer.objective(boxes, (11, 13))
    filters = [target_filter]
    optimizer(target_filter, features, objective, 8, filters.append)
    losses = torch.stack([optimizer.loss(f, features, objective) for f in filters])
    assert (losses[1:] < losses[:-1]).all()
    assert (losses[-1] < 0.5 * losses[0]).all()


def test_step_follows_the_gradient_of_the_loss() -> None:
    features, target_filter, boxes = _problem()
    optimizer = FilterOptimizer(bins=100, bin_width=0.1, stride=16).requires_grad_(False)
    objective = optimizer.objective(boxes, (11, 13))
    variable = target_filter.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(optimizer.loss(variable, features, objective).sum(), variable)
    step = target_filter - optimizer(target_filter, features, objective, 1)
    cosine = F.cosine_similarity(step.flatten(1), gradient.flatten(1))
    torch.testing.assert_close(cosine, torch.ones(2))


def test_sample_weights_scale_the_residual() -> None:
    features, target_filter, boxes = _problem()
    optimizer = FilterOptimizer(bins=100, bin_width=0.1, stride=16).requires_grad_(False)
    equal = optimizer.objective(boxes, (11, 13))
    weighted = optimizer.objective(boxes, (11, 13), torch.full((2, 3), 1 / 3))
    torch.testing.assert_close(
        optimizer(target_filter, features, equal, 2),
        optimizer(target_filter, features, weighted, 2),
    )
