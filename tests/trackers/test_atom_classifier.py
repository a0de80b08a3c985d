import pytest
import torch

from alpharefine.errors import UsageError
from alpharefine.trackers.atom.classifier import (
    JointProblem,
    ScoreProblem,
    enlarge_scores,
    gaussian_labels,
    respond,
    update_filter,
)
from alpharefine.trackers.atom.config import AtomConfig
from alpharefine.trackers.online.conjugate_gradient import ConjugateGradient, total


def problem(channels: int) -> ScoreProblem:
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(5, channels, 8, 8, generator=generator, dtype=torch.float64) - 0.5
    labels = torch.rand(5, 8, 8, generator=generator, dtype=torch.float64)
    return ScoreProblem(features, labels, torch.full((5,), 0.2, dtype=torch.float64), 0.05)


def start(channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    target_filter = torch.randn(3, 4, 4, generator=generator, dtype=torch.float64) / 10
    return target_filter, torch.randn(3, channels, generator=generator, dtype=torch.float64)


def test_one_descent_goes_along_the_preconditioned_gradient() -> None:
    joint = JointProblem(problem(6), (0.1, 1e-2))
    blocks = tuple(block.requires_grad_() for block in start(6))
    gradient = torch.autograd.grad(joint.total_error(*blocks), blocks)
    with torch.no_grad():
        moved = joint.step(*blocks, descents=1)
    changes = [after - before.detach() for after, before in zip(moved, blocks, strict=True)]
    ratios = [-changes[0] / (gradient[0] / 0.1), -changes[1] / (gradient[1] / 1e-2)]
    step = float(ratios[0].mean())
    assert step > 0
    for ratio in ratios:
        torch.testing.assert_close(ratio, torch.full_like(ratio, step))


def test_steps_lower_the_error() -> None:
    joint = JointProblem(problem(6), (0.1, 1e-2))
    point = start(6)
    errors = [float(joint.total_error(*point))]
    for _ in range(4):
        point = joint.step(*point, descents=10)
        errors.append(float(joint.total_error(*point)))
    assert errors[-1] < 0.8 * errors[0] and errors[-1] == min(errors)


def test_an_update_lowers_the_error_of_the_filter_alone() -> None:
    scores = problem(3)
    target_filter, _ = start(3)

    def error(filt: torch.Tensor) -> float:
        return float(scores.error(respond(scores.features, filt)) + 0.1 * filt.square().sum())

    assert error(update_filter(target_filter, scores, 0.1, 5)) < error(target_filter)


@pytest.mark.parametrize("rule", ["fletcher_reeves", "polak_ribiere"])
def test_conjugate_gradients_solve_a_system_in_as_many_steps_as_unknowns(rule) -> None:
    generator = torch.Generator().manual_seed(2)
    root = torch.rand(5, 5, generator=generator, dtype=torch.float64)
    matrix = root @ root.T + torch.eye(5)
    wanted = torch.rand(5, generator=generator, dtype=torch.float64)

    def product(p):
        return tuple((matrix @ torch.cat(p)).split([2, 3]))

    solver = ConjugateGradient(product, total, lambda r: (r[0] / 2, r[1] / 3), rule)
    zero = tuple(torch.zeros(5, dtype=torch.float64).split([2, 3]))
    found, _ = solver.run(zero, product(tuple(wanted.split([2, 3]))), 5)
    torch.testing.assert_close(torch.cat(found), wanted)
    still, last = solver.run(found, zero, 5)
    assert last is None and torch.equal(still[0], found[0])


def test_the_peak_of_enlarged_scores_is_where_the_label_is() -> None:
    """A filter of 4 cells answers the target half a cell up and left."""
    center = torch.tensor([[1.75, -2.25]])
    label = gaussian_labels(center + 0.5, 1.5, 18)[0]
    fine = enlarge_scores(label, 288)
    row, column = divmod(int(fine.argmax()), 288)
    assert (row - 144, column - 144) == (28, -36)
    assert float(fine.max()) == pytest.approx(1, abs=0.01)


def test_samples_with_an_odd_score_map_are_refused() -> None:
    with pytest.raises(UsageError, match="multiple of 32"):
        AtomConfig(image_sample_size=144)
