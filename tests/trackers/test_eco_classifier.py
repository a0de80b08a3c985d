import numpy as np
import pytest
import torch

from alpharefine.errors import UsageError
from alpharefine.ops.fourier import centered_spectrum, sample_series, shift_series
from alpharefine.trackers.eco.classifier import (
    ExtentPenalty,
    JointProblem,
    inner_product,
    principal_directions,
    symmetric,
    update_filter,
)
from alpharefine.trackers.eco.config import EcoConfig
from alpharefine.trackers.eco.spectra import spectra_of
from alpharefine.trackers.online.config import AugmentationConfig

ROWS, COLUMNS = 13, 7


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.complex128, generator=generator)


def penalty() -> ExtentPenalty:
    config = EcoConfig().deep
    kernel = spectra_of(ROWS, 208, (40.0, 60.0), config).penalty.double()
    return ExtentPenalty(kernel)


def real_inner(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.conj() * b).real.sum())


def test_the_penalty_is_small_and_symmetric() -> None:
    kernel = penalty().kernel
    assert max(kernel.shape) <= 7 and min(kernel.shape) > 1
    torch.testing.assert_close(kernel, kernel.flip(0, 1))


def test_the_penaltys_adjoint() -> None:
    extent, p = penalty(), numbers(3, ROWS, COLUMNS)
    change = extent.change(p)
    r = numbers(*change.shape, seed=1)
    assert real_inner(change, r) == pytest.approx(real_inner(p, extent.adjoint(r)))


def joint() -> JointProblem:
    scale = torch.full((2, ROWS, COLUMNS), 0.5, dtype=torch.float64), 2.0
    label = torch.rand(ROWS, COLUMNS, dtype=torch.float64)
    return JointProblem(numbers(ROWS * COLUMNS, 4, 5), label, penalty(), scale, 1e-2)


def test_one_descent_goes_along_the_preconditioned_gradient() -> None:
    problem = joint()
    target_filter, projection = numbers(2, ROWS, COLUMNS, seed=2), torch.rand(5, 2).double()
    moved = problem.step(target_filter, projection, descents=1)

    def error(filt: torch.Tensor, proj: torch.Tensor) -> float:
        # The columns that are not stored count as constants: what they are is not changed.
        extent = problem.penalty(target_filter) + problem.penalty.change(filt - target_filter)
        data, _, squares = problem.errors(filt, proj)
        return data + real_inner(extent, extent) + squares

    step = 1e-6
    for part in range(2):
        start = [target_filter, projection]
        along = moved[part] - start[part]
        ends = []
        for sign in (1, -1):
            point = list(start)
            point[part] = start[part] + sign * step * along
            ends.append(error(*point))
        slope = (ends[0] - ends[1]) / (2 * step)
        scale = problem.scale[part]
        # The step is -t G / scale, so that the slope along it is -scale |step|^2 / t, of 2 G.
        squares = (along.abs().square() * scale).sum()
        ratio = -slope / float(squares)
        if part == 0:
            expected = ratio
        else:
            assert ratio == pytest.approx(expected, rel=1e-4)


def test_steps_lower_the_error_and_an_update_solves_the_rest() -> None:
    problem = joint()
    point = torch.zeros(2, ROWS, COLUMNS, dtype=torch.complex128), torch.rand(5, 2).double()
    errors = [sum(problem.errors(*point))]
    for _ in range(5):
        point = problem.step(*point, descents=10)
        errors.append(sum(problem.errors(*point)))
    assert errors[-1] < 0.9 * errors[0]


def test_updates_settle() -> None:
    samples = numbers(6, 2, ROWS, COLUMNS)
    weights, label = torch.full((6,), 1 / 6).double(), torch.rand(ROWS, COLUMNS).double()
    scale = samples.abs().square().mean(0)
    target_filter, last, moves = numbers(2, ROWS, COLUMNS, seed=3), None, []
    for _ in range(8):
        before = target_filter
        target_filter, last = update_filter(
            before, samples, weights, label, penalty(), scale, last, EcoConfig()
        )
        moves.append(float((target_filter - before).abs().max()))
    assert moves[-1] < 0.05 * moves[0]


def test_inner_products_count_columns_for_their_twins() -> None:
    a = (torch.ones(1, 3, 4, dtype=torch.complex128), torch.ones(2, 2).double())
    assert float(inner_product(a, a)) == 2 * 12 - 3 + 4


def test_a_symmetric_first_column_is_that_of_a_real_filter() -> None:
    real = centered_spectrum(torch.rand(1, ROWS, ROWS))
    torch.testing.assert_close(symmetric(real), real)
    other = symmetric(numbers(1, ROWS, COLUMNS))
    torch.testing.assert_close(other[..., 0], other[..., 0].flip(-1).conj())


def test_principal_directions_are_those_of_most_variance() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(4, 6, 5, 5, generator=generator)
    features[:, 2] *= 50
    features[:, 4] *= 20
    directions = principal_directions(features, 2)
    np.testing.assert_array_equal(directions.abs().argmax(0), [2, 4])
    assert (directions.abs().amax(0) > 0.9).all() and (directions.amax(0) > 0.9).all()


@pytest.mark.parametrize("size", [7, 8])
def test_series_are_sampled_and_shifted(size: int) -> None:
    place = torch.arange(size) / size
    values = torch.cos(2 * torch.pi * (2 * place[:, None] + place)) + 3
    spectrum = centered_spectrum(values) / size**2
    fine = sample_series(spectrum, 4 * size)
    torch.testing.assert_close(fine[::4, ::4], values, rtol=0, atol=1e-5)
    shifted = sample_series(shift_series(spectrum, (3 / size, 1 / size)), size)
    torch.testing.assert_close(shifted, values.roll((-3, -1), (0, 1)), rtol=0, atol=1e-5)


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="odd"):
        EcoConfig(scales=4)
    with pytest.raises(UsageError, match="expansion_factor"):
        EcoConfig(augmentation=AugmentationConfig())
