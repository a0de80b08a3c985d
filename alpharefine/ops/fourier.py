"""Spectra of real maps with the lowest frequency in the middle, and the series that they stand for.

A spectrum has rows k_y = -n/2 .. n/2 and columns k_x = 0 .. n/2, rounded down; the highest
frequency of an even map is in both of its outer rows.
"""

import math

import torch
from torch import Tensor


def centered_spectrum(maps: Tensor) -> Tensor:
    """Discrete Fourier transform, not divided by anything: ... x n x n -> ... x rows x columns."""
    spectrum = torch.fft.rfft2(maps)
    n = maps.shape[-1]
    half = n // 2
    return torch.cat([spectrum[..., n - half :, :], spectrum[..., : half + 1, :]], -2)


def sample_series(spectrum: Tensor, size: int) -> Tensor:
    """Values of Fourier series at size x size places: ... x rows x columns -> ... x size x size.

    Args:
        spectrum: coefficients, not more than `size` can tell apart.
        size: places along each axis.
    """
    half_rows = spectrum.shape[-2] // 2
    columns = spectrum.shape[-1]
    full = spectrum.new_zeros(*spectrum.shape[:-2], size, size // 2 + 1)
    full[..., : half_rows + 1, :columns] = spectrum[..., half_rows:, :]
    full[..., size - half_rows :, :columns] = spectrum[..., :half_rows, :]
    return torch.fft.irfft2(full, (size, size)) * size**2


def frequencies(spectrum: Tensor) -> tuple[Tensor, Tensor]:
    """k_y, as a column, and k_x, as a row, of a spectrum; float32."""
    half = spectrum.shape[-2] // 2
    rows = torch.arange(-half, half + 1, device=spectrum.device, dtype=torch.float32)
    columns = torch.arange(spectrum.shape[-1], device=spectrum.device, dtype=torch.float32)
    return rows[:, None], columns[None]


def shift_series(spectrum: Tensor, shift: tuple[float, float]) -> Tensor:
    """Move series up and left.

    Args:
        spectrum: ... x rows x columns.
        shift: (y, x), shares of the period.
    """
    rows, columns = frequencies(spectrum)
    angle = 2 * math.pi * (shift[0] * rows + shift[1] * columns)
    return spectrum * torch.polar(torch.ones_like(angle), angle)
