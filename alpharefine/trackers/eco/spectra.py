"""What of ECO's problem depends on the sizes of target, sample and features alone, as spectra."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from alpharefine.ops.fourier import centered_spectrum, sample_series
from alpharefine.trackers.eco.config import FeatureConfig

_CUBIC = -0.75
"""Parameter of the cubic kernel."""


@dataclass(frozen=True)
class Spectra:
    """Of one feature of n x n cells; m is n, or the next odd number.

    Attributes:
        window: n x n, falls to the border.
        interpolation: rows x columns complex, brings cells to the filter's series.
        label: rows x columns, wanted scores.
        penalty: of the filter's extent, odd x odd, real and symmetric.
    """

    window: Tensor
    interpolation: Tensor
    label: Tensor
    penalty: Tensor

    def transform(self, features: Tensor) -> Tensor:
        """Series of feature maps: ... x n x n -> ... x rows x columns."""
        return centered_spectrum(features * self.window) * self.interpolation

    def to(self, device: torch.device) -> "Spectra":
        """The same on a device."""
        parts = (self.window, self.interpolation, self.label, self.penalty)
        return Spectra(*(part.to(device) for part in parts))


def spectra_of(
    cells: int, sample_size: int, base_size: tuple[float, float], config: FeatureConfig
) -> Spectra:
    """Spectra of a feature.

    Args:
        cells: n.
        sample_size: side of the sample, px.
        base_size: (h, w) of the target in it, px.
        config: of the feature.
    """
    m = cells + (cells + 1) % 2
    rows = torch.arange(-(m // 2), m // 2 + 1, dtype=torch.float32)
    columns = torch.arange(m // 2 + 1, dtype=torch.float32)
    ramp = torch.arange(1, cells + 1, dtype=torch.float32) * (2 * math.pi / (cells + 1))
    along = 0.5 * (1 - torch.cos(ramp))
    sigma = m / sample_size * math.sqrt(base_size[0] * base_size[1]) * config.label_sigma
    return Spectra(
        along[:, None] * along,
        _interpolation(rows, m)[:, None] * _interpolation(columns, m),
        _label(rows, m, sigma)[:, None] * _label(columns, m, sigma),
        extent_penalty(sample_size, base_size, config, m // 4),
    )


def _interpolation(k: Tensor, m: int) -> Tensor:
    """Fourier transform of the cubic kernel, half a cell on, in the published order of terms.

    At low frequencies it is a difference of nearly equal numbers, which float32 spoils: the
    published tracker is one with these errors.
    """
    f, a, pi = k / m, _CUBIC, math.pi
    kernel = (
        6 * (1 - torch.cos(2 * pi * f))
        + 3 * a * (1 - torch.cos(4 * pi * f))
        - (6 + 8 * a) * pi * f * torch.sin(2 * pi * f)
        - 2 * a * pi * f * torch.sin(4 * pi * f)
    ) / (4 * pi**4 * f**4)
    kernel[f == 0] = 1
    return torch.polar(kernel / m, -pi * f)


def _label(k: Tensor, m: int, sigma: float) -> Tensor:
    factor = math.sqrt(2 * math.pi) * sigma / m
    return factor * torch.exp(-2 * (math.pi * sigma * k / m) ** 2)


def extent_penalty(
    sample_size: int, base_size: tuple[float, float], config: FeatureConfig, largest: int
) -> Tensor:
    """The few largest Fourier coefficients of a penalty that grows with the square of the distance.

    Args:
        sample_size: side of the sample, px.
        base_size: (h, w) of the target in it, px.
        config: how large it is in the middle and at the target's edge.
        largest: frequency that is not left out; a filter has no columns for more than a quarter of
            its cells.
    """
    place = torch.arange(sample_size, dtype=torch.float64) - (sample_size - 1) // 2
    y, x = ((place / (side / 2)) ** 2 for side in base_size)
    rise = config.edge_penalty - config.least_penalty
    window = rise * (y[:, None] + x) + config.least_penalty
    spectrum = centered_spectrum(window) / sample_size**2
    size = spectrum.abs()
    spectrum = torch.where(size < config.sparsity * size.max(), 0, spectrum)
    middle = spectrum.shape[0] // 2
    lowest = sample_series(spectrum, sample_size).min()
    spectrum[middle, 0] += config.least_penalty - lowest
    real = spectrum.real
    rows, columns = real.nonzero(as_tuple=True)
    reach_y = min(int((rows - middle).abs().max()), largest)
    reach_x = min(int(columns.max()), largest)
    half = real[middle - reach_y : middle + reach_y + 1, : reach_x + 1]
    return torch.cat([half[:, 1:].flip(0, 1), half], 1).float()
