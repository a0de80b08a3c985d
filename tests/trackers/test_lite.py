"""The small trackers that come with their weights, or need none."""

import cv2
import numpy as np
import pytest

from alpharefine.build import build_tracker, has_random_weights, tracker_weights
from alpharefine.nets.registry import find_network
from alpharefine.types import Box, Image
from alpharefine.weights.store import BUNDLED, default_weights

MEGABYTE = 1_000_000


def _scene(t: int) -> tuple[Image, Box]:
    """A red ball with a spot that moves over bars."""
    image = np.zeros((180, 240, 3), np.uint8)
    image[:] = 90 + 40 * (np.arange(240) // 20 % 2)[None, :, None]
    x, y = 80 + 5 * t, 70 + 3 * t
    cv2.circle(image, (x, y), 18, (210, 40, 40), -1)
    cv2.circle(image, (x - 5, y - 6), 5, (250, 240, 90), -1)
    return image, Box(x - 18, y - 18, 37, 37)


def test_they_run_with_the_packages_weights() -> None:
    assert default_weights("siamrpn_lite") == "siamrpn_lite"
    for name in ("ATOM_lite", "ECO_lite"):
        assert tracker_weights(name).name == "lite"
    assert tracker_weights("ECO_hc").name == "none" and not has_random_weights("ECO_hc")
    assert tracker_weights("ARECO_hc").name == "lite"


@pytest.mark.parametrize("name", ["SiamRPN_lite", "ATOM_lite", "ECO_lite", "ECO_hc"])
def test_small_trackers_follow(name: str) -> None:
    tracker = build_tracker(name, device="cpu", precision="float32")
    tracker.initialize(*_scene(0))
    for t in range(1, 8):
        image, wanted = _scene(t)
        box = tracker.track(image).box
        center = box.x + box.w / 2, box.y + box.h / 2
        assert center == pytest.approx((wanted.x + 18.5, wanted.y + 18.5), abs=8)
        assert 0.5 < box.w * box.h / (wanted.w * wanted.h) < 2


def test_weights_are_small() -> None:
    (weights,) = find_network("siamrpn_lite").weights
    assert weights.size is not None and weights.size <= 5 * MEGABYTE
    assert (BUNDLED / weights.file).stat().st_size == weights.size
