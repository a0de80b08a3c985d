"""A tracker that wanders by the pixels it sees and by what it has seen, served as ours are."""

import sys

from alpharefine.types import Box, Estimate, Image
from vot_integration.server import serve


class Wanders:
    """Moves by the mean colors of all frames since the start."""

    def initialize(self, image: Image, target: Box) -> None:
        self.target = target
        self.seen = image.mean(axis=(0, 1)) / 255

    def track(self, image: Image) -> Estimate:
        self.seen = 0.9 * self.seen + image.mean(axis=(0, 1)) / 255
        self.target = self.target._replace(x=self.target.x + self.seen[0], y=8 * self.seen[1])
        return Estimate(self.target, confidence=float(self.seen[2]))

    def set_state(self, box: Box) -> None:
        self.target = box


if __name__ == "__main__":
    sys.exit(serve(lambda name: Wanders(), name="Wanders", output="box"))
