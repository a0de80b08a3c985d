"""A TraX program that answers the ground truth of the sequence it is shown."""

from pathlib import Path

import trax
from vot.region.io import read_trajectory
from vot.tracker.trax import convert_region

FORMATS = [trax.Region.RECTANGLE, trax.Region.POLYGON, trax.Region.MASK]


def truth_of(image: Path) -> trax.Region:
    regions = read_trajectory(str(image.parent.parent / "groundtruth.txt"))
    region = regions[int(image.stem) - 1]
    return trax.Rectangle.create(0, 0, 0, 0) if region.is_empty() else convert_region(region)


def main() -> None:
    with trax.Server(FORMATS, [trax.Image.PATH]) as server:
        while (request := server.wait()).type in ("initialize", "frame"):
            region = truth_of(Path(request.image["color"].path()))
            server.status([(region, {"confidence": 1.0})], {})


if __name__ == "__main__":
    main()
