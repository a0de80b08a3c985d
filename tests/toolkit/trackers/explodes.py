"""A tracker that fails in the fourth frame of the second sequence, served as ours are."""

import sys

from alpharefine.types import Box, Estimate, Image
from vot_integration.server import serve


class Explodes:
    """Stands still until it meets a bright image."""

    def initialize(self, image: Image, target: Box) -> None:
        self.target, self.frames = target, 0

    def track(self, image: Image) -> Estimate:
        self.frames += 1
        if self.frames == 3 and image.mean() > 128:
            raise ArithmeticError("the network exploded" + "\ndetail" * 99)
        return Estimate(self.target, None, 1.0)

    def set_state(self, box: Box) -> None:
        self.target = box


if __name__ == "__main__":
    sys.exit(serve(lambda name: Explodes(), name="Explodes", output="box"))
