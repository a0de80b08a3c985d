"""A tracker that takes its time."""

import sys
import time

from alpharefine.types import Box, Estimate, Image
from vot_integration.server import serve


class Lazy:
    """Answers in a minute."""

    def initialize(self, image: Image, target: Box) -> None:
        """Sleep."""
        time.sleep(60)

    def track(self, image: Image) -> Estimate:
        """Never asked."""
        raise NotImplementedError

    def set_state(self, box: Box) -> None:
        """Never asked."""


if __name__ == "__main__":
    sys.exit(serve(lambda name: Lazy(), name="Lazy", output="box"))
