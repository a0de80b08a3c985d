"""Small files for data sets made by the tests."""

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from alpharefine.training.motion import STILL
from alpharefine.training.synthesis import SynthesisConfig

NO_SYNTHESIS = SynthesisConfig(
    motion=STILL,
    paste=0.0,
    largest_in_place=1.0,
    distractors=(1.0,),
    occluder=0.0,
    video_motion=0.0,
)
"""Frames as they are: a clip of a still repeats it."""


def blank_labels(height: int, width: int) -> NDArray[np.uint8]:
    return np.zeros((height, width), np.uint8)


def write_image(path: Path, height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """A smooth random RGB picture, so that JPEG keeps it; returned as drawn."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    image = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return np.asarray(image, np.uint8)


def write_labels(path: Path, labels: NDArray[np.uint8], palette: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = PilImage.fromarray(labels)
    if palette:
        picture = picture.convert("P")
        picture.putpalette([v for k in range(256) for v in (k * 37 % 256, k * 59 % 256, k)])
        assert np.array_equal(np.asarray(picture), labels)
    picture.save(path)


def write_stills(folder: Path, count: int = 6) -> None:
    """Pictures with a mask of one rectangle each."""
    for k in range(count):
        write_image(folder / f"images/{k}.jpg", 60, 90, seed=k)
        labels = blank_labels(60, 90)
        cv2.rectangle(labels, (20, 15), (60, 40), 1, -1)
        write_labels(folder / f"masks/{k}.png", labels)


def write_text(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def write_json(path: Path, content: object) -> None:
    write_text(path, json.dumps(content))
