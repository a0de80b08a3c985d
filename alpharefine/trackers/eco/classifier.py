"""ECO's filters in closed form: every frequency has a small linear problem of its own.

Real and imaginary parts count as independent numbers, and the columns of a spectrum once, though
all but the first stand for two: so the published tracker weighs its residuals. Its inner products
count them twice.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from alpharefine.trackers.eco.config import EcoConfig, FeatureConfig
from alpharefine.trackers.eco.spectra import Spectra
from alpharefine.trackers.online.conjugate_gradient import Blocks, ConjugateGradient, Directions


@dataclass(frozen=True)
class ExtentPenalty:
    """What keeps a filter to the target: its correlation with a small, symmetric kernel.

    A filter is C x rows x columns complex; its columns of negative frequency are not stored, and
    count as constants.

    Attributes:
        kernel: odd x odd, real.
    """

    kernel: Tensor

    def __call__(self, target_filter: Tensor) -> Tensor:
        """The penalised numbers: C x more rows x more columns."""
        added = self.kernel.shape[1] - 1
        mirrored = target_filter[..., 1 : added + 1].flip(1, 2).conj()
        return self._correlate(torch.cat([mirrored, target_filter], 2))

    def change(self, change: Tensor) -> Tensor:
        """How they change with the filter, to first order."""
        return self._correlate(F.pad(change, (self.kernel.shape[1] - 1, 0)))

    def adjoint(self, numbers: Tensor) -> Tensor:
        """Adjoint of `change`."""
        return self._correlate(numbers, padded=False)[..., self.kernel.shape[1] - 1 :]

    def normal(self, target_filter: Tensor) -> Tensor:
        """The penalty's part in the normal equations of a filter, as the published one has it."""
        numbers = self(target_filter)[..., self.kernel.shape[1] - 1 :]
        return self._correlate(numbers, padded=False)

    def _correlate(self, x: Tensor, padded: bool = True) -> Tensor:
        rows, columns = self.kernel.shape
        # An image for each channel and part of its complex numbers.
        images = torch.view_as_real(x.resolve_conj()).permute(0, 3, 1, 2).flatten(0, 1)[:, None]
        padding = (rows - 1, columns - 1) if padded else (0, 0)
        answer = F.conv2d(images, self.kernel[None, None], padding=padding)
        parts = answer.reshape(len(x), 2, *answer.shape[2:]).permute(0, 2, 3, 1)
        return torch.view_as_complex(parts.contiguous())


def inner_product(a: Blocks, b: Blocks) -> Tensor:
    """Of filters, and of projections where there are some."""
    a_parts, b_parts = torch.view_as_real(a[0]), torch.view_as_real(b[0])
    whole = 2 * (a_parts * b_parts).sum() - (a_parts[..., 0, :] * b_parts[..., 0, :]).sum()
    return whole + sum((x * y).sum() for x, y in zip(a[1:], b[1:], strict=True))


@dataclass(frozen=True)
class JointProblem:
    """Filter and projection of one feature in the first frame.

    Attributes:
        samples: K x N x C complex: of each frequency (row by row), sample and channel.
        label: rows x columns, real.
        penalty: of the filter.
        scale: preconditioner of the filter, C' x rows x columns, and of the projection.
        projection_regularization: weight of the projection's squares.
    """

    samples: Tensor
    label: Tensor
    penalty: ExtentPenalty
    scale: tuple[Tensor, float]
    projection_regularization: float

    def errors(self, target_filter: Tensor, projection: Tensor) -> tuple[float, float, float]:
        """Sums of squares: of the scores' errors, the filter's extent and the projection."""
        return (
            float(torch.view_as_real(self._residual(target_filter, projection)).square().sum())
            / self.samples.shape[1],
            float(torch.view_as_real(self.penalty(target_filter)).square().sum()),
            self.projection_regularization * float(projection.square().sum()),
        )

    def step(
        self, target_filter: Tensor, projection: Tensor, descents: int
    ) -> tuple[Tensor, Tensor]:
        """One Gauss-Newton step, solved by some steps of conjugate gradients.

        Args:
            target_filter: C' x rows x columns complex.
            projection: C x C'.
            descents: how many.
        """
        weight, alpha = self.projection_regularization, 1 / self.samples.shape[1]
        taps, mixing = _taps(target_filter), projection.to(target_filter.dtype)

        def back(numbers: Tensor) -> tuple[Tensor, Tensor]:
            # Of the small factor: a conjugate of the samples would be copied each time.
            conjugate = numbers.conj().resolve_conj()[..., None]
            pulled = torch.bmm(self.samples.mT, conjugate)[..., 0].conj() * alpha
            of_filter = _maps(pulled @ mixing, target_filter)
            return of_filter, (pulled.T @ taps.conj()).real

        def product(change: Blocks) -> Blocks:
            by_filter, by_projection = change
            moved = _taps(by_filter) @ mixing.T + taps @ by_projection.T.to(taps.dtype)
            of_filter, of_projection = back(self._respond(moved))
            of_extent = self.penalty.adjoint(self.penalty.change(by_filter))
            return of_filter + of_extent, of_projection + weight * by_projection

        of_filter, of_projection = back(self._residual(target_filter, projection))
        residual = (
            -of_filter - self.penalty.adjoint(self.penalty(target_filter)),
            -of_projection - weight * projection,
        )
        solver = ConjugateGradient(
            product,
            inner_product,
            lambda blocks: (blocks[0] / self.scale[0], blocks[1] / self.scale[1]),
            "fletcher_reeves",
        )
        zero = torch.zeros_like(target_filter), torch.zeros_like(projection)
        change, _ = solver.run(zero, residual, descents)
        return target_filter + change[0], projection + change[1]

    def _respond(self, mixed: Tensor) -> Tensor:
        """Scores K x N of filters of channels before their projection, K x C."""
        return torch.bmm(self.samples, mixed[..., None])[..., 0]

    def _residual(self, target_filter: Tensor, projection: Tensor) -> Tensor:
        mixed = _taps(target_filter) @ projection.T.to(target_filter.dtype)
        return self._respond(mixed) - self.label.flatten()[:, None]


def _taps(target_filter: Tensor) -> Tensor:
    """C x rows x columns -> K x C."""
    return target_filter.flatten(1).T.contiguous()


def _maps(taps: Tensor, like: Tensor) -> Tensor:
    """K x C -> C x rows x columns."""
    return taps.T.reshape(like.shape)


def filter_scale(energy: Tensor, kernel: Tensor, config: EcoConfig) -> Tensor:
    """Preconditioner of a filter.

    Args:
        energy: mean squares of samples, C x rows x columns.
        kernel: of the penalty.
        config: how it is mixed.
    """
    single, penalty = config.data_share, config.penalty_share
    mixed = single * energy + (1 - single) * energy.mean(0, keepdim=True)
    return (1 - penalty) * mixed + penalty * kernel.square().sum()


def projection_scale(label: Tensor, channels: int, config: EcoConfig) -> float:
    """Preconditioner of a projection of so many channels."""
    energy = 2 * label.square().sum() - label[:, 0].square().sum()
    return config.projection_step * (
        2 * float(energy) / channels + config.projection_regularization
    )


def symmetric(target_filter: Tensor) -> Tensor:
    """The filter with a first column that a real one has."""
    first = target_filter[..., :1]
    return torch.cat([(first + first.flip(-2).conj()) / 2, target_filter[..., 1:]], -1)


def update_filter(
    target_filter: Tensor,
    samples: Tensor,
    weights: Tensor,
    label: Tensor,
    penalty: ExtentPenalty,
    scale: Tensor,
    earlier: Directions | None,
    config: EcoConfig,
) -> tuple[Tensor, Directions | None]:
    """Some steps of conjugate gradients on the normal equations.

    Args:
        target_filter: C x rows x columns complex.
        samples: N x C x rows x columns complex.
        weights: N.
        label: rows x columns.
        penalty: of the filter.
        scale: preconditioner, C x rows x columns.
        earlier: of the last update.
        config: how many steps, and what of the last update is forgotten.

    Returns:
        The new filter, and what the next update can begin with.
    """

    def pull(numbers: Tensor) -> Tensor:
        return torch.einsum("nyx,ncyx->cyx", numbers, samples.conj())

    def product(change: Blocks) -> Blocks:
        scores = torch.einsum("ncyx,cyx->nyx", samples, change[0])
        return (pull(scores * weights[:, None, None]) + penalty.normal(change[0]),)

    wanted = pull(weights[:, None, None] * label.to(samples.dtype))
    if earlier is not None:
        earlier = Directions(earlier.direction, earlier.residual, earlier.rho / config.forgetting)
    solver = ConjugateGradient(product, inner_product, lambda blocks: (blocks[0] / scale,))
    residual = wanted - product((target_filter,))[0]
    (found,), last = solver.run((target_filter,), (residual,), config.update_descents, earlier)
    return found, last


def principal_directions(features: Tensor, count: int) -> Tensor:
    """Projection onto the directions in which features vary most.

    Args:
        features: N x C x H x W.
        count: of directions.

    Returns:
        C x count, orthonormal; of each direction the largest part is positive.
    """
    flat = features.transpose(0, 1).flatten(1)
    flat = flat - flat.mean(1, keepdim=True)
    directions = torch.linalg.svd(flat @ flat.T)[0][:, :count]
    largest = directions.gather(0, directions.abs().argmax(0, keepdim=True))
    return directions * largest.sign()


@dataclass(frozen=True)
class Fixed:
    """What of a feature stays for the whole video.

    Attributes:
        config: of the feature.
        spectra: of its sizes.
        projection: C x C'.
    """

    config: FeatureConfig
    spectra: Spectra
    projection: Tensor

    @property
    def penalty(self) -> ExtentPenalty:
        """Of the filter's extent."""
        return ExtentPenalty(self.spectra.penalty)

    def transform(self, features: Tensor) -> Tensor:
        """Projected series of features, N x C x n x n -> N x C' x rows x columns."""
        projected = torch.einsum("nchw,cd->ndhw", features, self.projection)
        return self.spectra.transform(projected)

    def to(self, device: torch.device) -> "Fixed":
        """The same on a device."""
        return Fixed(self.config, self.spectra.to(device), self.projection.to(device))
