"""Seeded noise fields: multi-octave value noise and cellular noise.

Sources: value noise and its sum over octaves, Ebert et al., Texturing and Modeling, chapter 2;
cellular noise, Worley, A Cellular Texture Basis Function, SIGGRAPH 1996.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendering.arrays import Floats, grid


def value_noise(
    height: int, width: int, cell: tuple[float, float], rng: np.random.Generator
) -> Floats:
    """Smoothly interpolated random lattice.

    Args:
        height: rows of the result.
        width: columns of the result.
        cell: lattice spacing (vertical, horizontal), pixels.
        rng: source of the lattice.

    Returns:
        height x width, 0..1.
    """
    rows, row_share = _lattice_positions(height, cell[0])
    columns, column_share = _lattice_positions(width, cell[1])
    lattice = rng.random((int(rows[-1]) + 2, int(columns[-1]) + 2)).astype(np.float32)
    upper, lower = lattice[rows], lattice[rows + 1]
    bands = upper + (lower - upper) * row_share[:, None]
    left, right = bands[:, columns], bands[:, columns + 1]
    return left + (right - left) * column_share[None, :]


def _lattice_positions(length: int, cell: float) -> tuple[NDArray[np.int64], Floats]:
    """Lattice index and smoothed remainder of every pixel along one axis."""
    position = np.arange(length, dtype=np.float32) / np.float32(cell)
    index = np.floor(position)
    share = position - index
    return index.astype(np.int64), share * share * (3 - 2 * share)


def fractal_noise(
    height: int,
    width: int,
    cell: tuple[float, float],
    rng: np.random.Generator,
    *,
    octaves: int = 5,
    persistence: float = 0.55,
) -> Floats:
    """Sum of value noises, each octave at half the cell and `persistence` times the amplitude.

    Returns:
        height x width, 0..1 with mean near 0.5.
    """
    total = np.zeros((height, width), dtype=np.float32)
    amplitude, sum_of_amplitudes = 1.0, 0.0
    for octave in range(octaves):
        spacing = (max(cell[0] / 2**octave, 1.0), max(cell[1] / 2**octave, 1.0))
        total += value_noise(height, width, spacing, rng) * np.float32(amplitude)
        sum_of_amplitudes += amplitude
        amplitude *= persistence
    return total / np.float32(sum_of_amplitudes)


@dataclass(frozen=True)
class Cells:
    """Cellular noise of a height x width field.

    Attributes:
        nearest: distance to the nearest seed, in cell sizes, 0..about 1.
        gap: distance to the second nearest seed minus `nearest`; 0 on the borders between cells.
        shade: a random number per cell, 0..1, constant inside the cell.
    """

    nearest: Floats
    gap: Floats
    shade: Floats


def cellular_noise(height: int, width: int, cell: float, rng: np.random.Generator) -> Cells:
    """Cells around one jittered seed per square of side `cell` pixels."""
    x, y = grid(height, width)
    x, y = x / np.float32(cell) + 1, y / np.float32(cell) + 1
    shape = (int(height / cell) + 4, int(width / cell) + 4)
    seed_y, seed_x, shades = (rng.random(shape).astype(np.float32) for _ in range(3))
    row, column = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    first = np.full((height, width), 9, dtype=np.float32)
    second = first.copy()
    shade = np.zeros_like(first)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            at = row + dy, column + dx
            distance_x = column + dx + seed_x[at] - x
            distance_y = row + dy + seed_y[at] - y
            distance = np.sqrt(distance_x**2 + distance_y**2).astype(np.float32)
            closer = distance < first
            second = np.where(closer, first, np.minimum(second, distance))
            shade = np.where(closer, shades[at], shade)
            first = np.minimum(first, distance)
    return Cells(first, second - first, shade)
