"""What cameras and codecs add to a picture: noise and JPEG artifacts."""

from dataclasses import dataclass

import cv2
import numpy as np

from alpharefine.types import Image


@dataclass(frozen=True)
class SensorConfig:
    """How often and how much crops are degraded.

    Attributes:
        noise: share of crops with noise.
        jpeg: share of crops that are compressed.
        noise_sigma: largest standard deviation of the noise, gray levels.
        jpeg_quality: lowest and highest JPEG quality, 1..100.
    """

    noise: float = 0.25
    jpeg: float = 0.25
    noise_sigma: float = 10.0
    jpeg_quality: tuple[int, int] = (30, 90)


def record(image: Image, config: SensorConfig, rng: np.random.Generator) -> Image:
    """A copy of an H x W x 3 image with noise or compression, or the image as it is."""
    if rng.random() < config.noise:
        sigma = np.float32(rng.uniform(1, config.noise_sigma))
        noise = rng.standard_normal(image.shape, dtype=np.float32) * sigma
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < config.jpeg:
        low, high = config.jpeg_quality
        quality = int(rng.integers(low, high + 1))
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        _, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), dtype=np.uint8)
        image = np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    return image
