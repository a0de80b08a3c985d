"""A tracker that cannot be loaded, served as ours are."""

import sys

from alpharefine.types import Tracker
from vot_integration.server import serve


def load(name: str) -> Tracker:
    raise FileNotFoundError("no weights under the sofa")


if __name__ == "__main__":
    sys.exit(serve(load, name="Unloadable", output="box"))
