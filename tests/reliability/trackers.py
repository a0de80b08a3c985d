"""Trackers for these tests, served as ours are: `python -m tests.reliability.trackers`.

$TEST_TRACKER names what it does in each frame: `steady` follows the target's color a while,
`lost` never sees the target, `noisy` fills its log, `held` waits as long as the file $TEST_GATE is
there.
"""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from vot_integration.server import serve

if TYPE_CHECKING:
    from alpharefine.types import Box, Estimate, Image

NAMES = ("steady", "lost", "noisy", "held")
PAUSE_S = 0.02
NOISE = "noise " * 20_000


class Named:
    """Moves by the pixels it has seen since its start, slowly enough to be killed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def initialize(self, image: "Image", target: "Box") -> None:
        self.target = target
        self.seen = image.mean(axis=(0, 1)) / 255

    def track(self, image: "Image") -> "Estimate":
        import numpy as np

        from alpharefine.types import Box, Estimate

        if self.name == "lost":
            return Estimate(Box(0, 0, 0, 0), np.zeros(image.shape[:2], np.uint8), 0.0)
        if self.name == "noisy":
            sys.stdout.write(NOISE)
        while self.name == "held" and Path(os.environ["TEST_GATE"]).exists():
            time.sleep(PAUSE_S)
        time.sleep(PAUSE_S)
        self.seen = 0.9 * self.seen + image.mean(axis=(0, 1)) / 255
        x, y, w, h = self.target
        self.target = Box(x + float(self.seen[0]) / 8, y + float(self.seen[1]) / 8, w, h)
        rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
        inside = (abs(columns - x - w / 2) <= w / 2) & (abs(rows - y - h / 2) <= h / 2)
        return Estimate(self.target, inside.astype(np.uint8), float(self.seen[2]) / 20)

    def set_state(self, box: "Box") -> None:
        self.target = box


if __name__ == "__main__":
    sys.exit(serve(lambda _: Named(os.environ["TEST_TRACKER"]), name="Test", output="mask"))
