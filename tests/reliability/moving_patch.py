"""A few frames with a target, for tests that need any video."""

from functools import cache

import numpy as np

from alpharefine.types import Box, Image

HEIGHT, WIDTH = 180, 240
TARGET = Box(60.0, 50.0, 40.0, 30.0)
"""Where the patch is in the first frame."""


@cache
def frames() -> list[Image]:
    """A patch of noise that moves over noise."""
    random = np.random.default_rng(1)
    ground = random.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    target = random.integers(0, 255, (30, 40, 3), dtype=np.uint8)
    images = []
    for k in range(6):
        image = ground.copy()
        image[50 + k : 80 + k, 60 + 2 * k : 100 + 2 * k] = target
        images.append(image)
    return images
