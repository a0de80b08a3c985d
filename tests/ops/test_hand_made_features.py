"""Histograms of gradients and color names."""

import numpy as np
import pytest
import torch

from alpharefine.nets.handcrafted.config import HandcraftedConfig
from alpharefine.ops.color_names import NAMES, color_names
from alpharefine.ops.hog import CHANNELS, DIRECTIONS, histograms_of_gradients

CELL = 4


def ramp(angle: float, side: int = 32) -> torch.Tensor:
    """Gray levels that rise in one direction."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    radians = np.deg2rad(angle)
    levels = 100 + 2 * (float(np.cos(radians)) * x + float(np.sin(radians)) * y)
    return levels.expand(1, 3, side, side)


@pytest.mark.parametrize("step", [0, 3, 9, 17])
def test_a_gradient_is_in_the_bins_of_its_direction_and_orientation(step: int) -> None:
    histograms = histograms_of_gradients(ramp(step * 360 / DIRECTIONS), CELL)
    assert histograms.shape == (1, CHANNELS, 8, 8)
    inner = histograms[0, :, 2:6, 2:6].mean((1, 2))
    directions, orientations = inner[:DIRECTIONS], inner[DIRECTIONS : DIRECTIONS * 3 // 2]
    assert int(directions.argmax()) == step
    assert int(orientations.argmax()) == step % (DIRECTIONS // 2)


def test_contrast_and_brightness_do_not_matter() -> None:
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 200
    first, other = (histograms_of_gradients(x, CELL) for x in (image, image * 0.5 + 60))
    torch.testing.assert_close(first, other, rtol=0, atol=0.01)


def test_even_images_have_empty_histograms() -> None:
    assert not histograms_of_gradients(torch.full((1, 3, 16, 16), 77.0), CELL).any()


def test_plain_colors_have_their_own_names() -> None:
    plain = torch.tensor(list(NAMES.values()), dtype=torch.float32)
    images = plain[:, :, None, None].expand(-1, -1, 8, 8)
    shares = color_names(images, CELL)
    assert shares.shape == (len(NAMES), len(NAMES), 2, 2)
    assert (shares[:, :, 0, 0].argmax(1) == torch.arange(len(NAMES))).all()
    torch.testing.assert_close(shares.sum(1), torch.ones(len(NAMES), 2, 2))


def test_one_color_alone_says_nothing() -> None:
    names, gradients = HandcraftedConfig().build()(torch.full((1, 3, 16, 16), 50.0))
    assert names.abs().max() < 1e-3 and not gradients.any()
