"""A tracker that never has an answer, served as ours are."""

import sys

from alpharefine.types import Box, Estimate, Image
from vot_integration.server import serve


class Nowhere:
    """Answers a box that is not finite."""

    def initialize(self, image: Image, target: Box) -> None:
        pass

    def track(self, image: Image) -> Estimate:
        return Estimate(Box(float("nan"), 1, 2, 3), None, 1.0)

    def set_state(self, box: Box) -> None:
        pass


if __name__ == "__main__":
    sys.exit(serve(lambda name: Nowhere(), name="Nowhere", output="box"))
