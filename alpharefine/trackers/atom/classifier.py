"""ATOM's classifier: a projection and a filter, learned in the video by Gauss-Newton steps.

In closed form: filter and projection make one filter of the backbone's channels, of which scores
and gradients are products of small matrices. Automatic differentiation would go through maps.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from alpharefine.ops.fourier import centered_spectrum, frequencies, sample_series
from alpharefine.ops.target_filter import apply_adjoint, apply_filter
from alpharefine.trackers.online.conjugate_gradient import Blocks, ConjugateGradient, total


def respond(features: Tensor, target_filter: Tensor) -> Tensor:
    """Correlate maps with a filter.

    Args:
        features: N x C x H x W.
        target_filter: C x k x k, k even.

    Returns:
        N x H x W; a cell is half a cell up and left of what it is the score of.
    """
    return apply_filter(features[None], target_filter[None])[0, :, :-1, :-1]


def _adjoint(features: Tensor, scores: Tensor, side: int) -> Tensor:
    """Adjoint of `respond` in the filter, summed over maps: C x k x k."""
    return apply_adjoint(features[None], F.pad(scores, (0, 1, 0, 1))[None], side)[0]


@dataclass(frozen=True)
class ScoreProblem:
    """Weighted least squares of scores.

    Attributes:
        features: N x C x H x W.
        labels: wanted scores, N x H x W.
        weights: of the samples, N.
        floor: how far scores can fall below 0: the lower part of their scale is exponential.
    """

    features: Tensor
    labels: Tensor
    weights: Tensor
    floor: float

    def activation(self, scores: Tensor) -> Tensor:
        """What is compared with the labels."""
        return torch.where(scores > 0, scores, self.floor * torch.expm1(scores / self.floor))

    def slope(self, scores: Tensor) -> Tensor:
        """Derivative of `activation`."""
        return torch.where(scores > 0, 1.0, torch.exp(scores / self.floor))

    def residual(self, scores: Tensor) -> Tensor:
        """Activation minus label, without weights."""
        return self.activation(scores) - self.labels

    def error(self, scores: Tensor) -> Tensor:
        """Weighted sum of squares."""
        return (self.residual(scores).square().sum((1, 2)) * self.weights).sum()

    def curvature(self, scores: Tensor) -> Tensor:
        """Weights of the squares of small changes of scores, N x H x W."""
        return self.slope(scores).square() * self.weights[:, None, None]

    def pull(self, scores: Tensor) -> Tensor:
        """Half the negative gradient in the scores, N x H x W."""
        return -self.slope(scores) * self.residual(scores) * self.weights[:, None, None]


@dataclass(frozen=True)
class JointProblem:
    """Filter and projection of the first frame.

    Attributes:
        scores: of features that are not projected yet.
        regularization: of the filter and of the projection.
    """

    scores: ScoreProblem
    regularization: tuple[float, float]

    def total_error(self, target_filter: Tensor, projection: Tensor) -> Tensor:
        """What is minimized.

        Args:
            target_filter: C' x k x k.
            projection: C' x C.
        """
        of_filter, of_projection = self.regularization
        error = self.scores.error(self._respond(_compose(target_filter, projection)))
        squares = of_filter * target_filter.square().sum()
        return error + squares + of_projection * projection.square().sum()

    def step(
        self, target_filter: Tensor, projection: Tensor, descents: int
    ) -> tuple[Tensor, Tensor]:
        """One Gauss-Newton step, solved by some steps of conjugate gradients."""
        problem, (of_filter, of_projection) = self.scores, self.regularization
        side = target_filter.shape[-1]
        current = self._respond(_compose(target_filter, projection))
        curvature = problem.curvature(current)

        def back(of_scores: Tensor) -> Blocks:
            taps = _adjoint(problem.features, of_scores, side)
            return (
                torch.einsum("oc,cyx->oyx", projection, taps),
                torch.einsum("oyx,cyx->oc", target_filter, taps),
            )

        def regularized(blocks: Blocks, by: Blocks, sign: float) -> Blocks:
            return (
                blocks[0] + sign * of_filter * by[0],
                blocks[1] + sign * of_projection * by[1],
            )

        def product(change: Blocks) -> Blocks:
            taps = _compose(change[0], projection) + _compose(target_filter, change[1])
            return regularized(back(curvature * self._respond(taps)), change, 1)

        solver = ConjugateGradient(
            product,
            total,
            lambda blocks: (blocks[0] / of_filter, blocks[1] / of_projection),
            "fletcher_reeves",
        )
        residual = regularized(back(problem.pull(current)), (target_filter, projection), -1)
        zero = torch.zeros_like(target_filter), torch.zeros_like(projection)
        change, _ = solver.run(zero, residual, descents)
        return target_filter + change[0], projection + change[1]

    def _respond(self, taps: Tensor) -> Tensor:
        return respond(self.scores.features, taps)


def _compose(target_filter: Tensor, projection: Tensor) -> Tensor:
    """The filter of channels before their projection: C x k x k."""
    return torch.einsum("oyx,oc->cyx", target_filter, projection)


def update_filter(
    target_filter: Tensor, problem: ScoreProblem, regularization: float, descents: int
) -> Tensor:
    """One Gauss-Newton step for the filter alone.

    Args:
        target_filter: C' x k x k.
        problem: of projected features.
        regularization: of the filter.
        descents: steps of conjugate gradients.
    """
    side = target_filter.shape[-1]
    current = respond(problem.features, target_filter)
    curvature = problem.curvature(current)

    def product(change: Blocks) -> Blocks:
        of_scores = curvature * respond(problem.features, change[0])
        return (_adjoint(problem.features, of_scores, side) + regularization * change[0],)

    residual = _adjoint(problem.features, problem.pull(current), side)
    residual = residual - regularization * target_filter
    solver = ConjugateGradient(product, total)
    (change,), _ = solver.run((torch.zeros_like(target_filter),), (residual,), descents)
    return target_filter + change


def gaussian_labels(centers: Tensor, sigma: float, cells: int) -> Tensor:
    """Wanted scores.

    Args:
        centers: N x 2, (y, x) of the target from the map's middle, cells.
        sigma: standard deviation, cells.
        cells: side of the map.

    Returns:
        N x cells x cells.
    """
    places = torch.arange(cells, device=centers.device) - (cells - 1) / 2
    along = torch.exp(-((places - centers[..., None]) ** 2) / (2 * sigma**2))
    return along[:, 0, :, None] * along[:, 1, None, :]


def enlarge_scores(scores: Tensor, size: int) -> Tensor:
    """Interpolate scores of an even filter by their Fourier series.

    Args:
        scores: n x n, n even.
        size: S, side of the result, even; no less than n.

    Returns:
        S x S; no translation is at S / 2, S / 2.
    """
    spectrum = centered_spectrum(scores) / len(scores) ** 2
    rows, columns = frequencies(spectrum)
    # Half a cell that the even filter is off, and the origin from the corner to the middle.
    spectrum = spectrum * (1 - 2 * ((rows + columns) % 2))
    return torch.fft.fftshift(sample_series(spectrum, size))
