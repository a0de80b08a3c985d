"""Shared search regions, contested pixels, and the decision about presence."""

import numpy as np
import pytest

from alpharefine.geometry.refine_crop import CropWindow
from alpharefine.multi.config import PresenceConfig, RedetectionConfig, SharingConfig
from alpharefine.multi.pixels import Claim, without_overlap
from alpharefine.multi.presence import Presence, place_to_look
from alpharefine.multi.regions import SearchPlace, fitted_scale, share_regions
from alpharefine.refinement.refiner import Refinement
from alpharefine.trackers.online.state import pair
from alpharefine.types import Box, Estimate

SIDE, SIZE = 288, (480, 640)


def place(y: float, x: float, scale: float = 0.5) -> SearchPlace:
    return SearchPlace(pair(y, x), scale, scale)


def members(*places: SearchPlace) -> list[list[int]]:
    found = share_regions(places, SIDE, SIZE, SharingConfig(), stays_inside=True)
    return [list(region.members) for region in found]


def test_targets_share_a_region_where_distance_and_size_allow_it() -> None:
    assert members(place(200, 300), place(210, 340)) == [[0, 1]]
    assert members(place(200, 100), place(200, 500)) == []
    assert members(place(200, 300, 0.5), place(200, 310, 1.2)) == []
    assert members(place(100, 100), place(400, 500), place(110, 130), place(390, 520)) == [
        [0, 2],
        [1, 3],
    ]


def test_a_shared_region_reaches_around_each_of_its_targets() -> None:
    config = SharingConfig()
    places = [place(200, 300), place(230, 350), place(205, 330)]
    [region] = share_regions(places, SIDE, SIZE, config, stays_inside=True)
    half = float(region.scale) * SIDE / 2
    for each in places:
        reach = config.margin * each.fitted * SIDE / 2
        assert (np.abs(region.center - each.center) + reach <= half + 1e-3).all()


def test_an_own_region_shrinks_where_it_is_larger_than_the_image() -> None:
    assert fitted_scale(1.0, 288, (480, 640), 1.5) == 1.0
    assert fitted_scale(4.0, 288, (480, 640), 1.5) == pytest.approx(4.0 / 1.5)
    assert fitted_scale(4.0, 288, (480, 640), None) == 4.0


def claim(mask: np.ndarray, confidence: float, probability: np.ndarray | None = None) -> Claim:
    height, width = mask.shape
    refinement = None
    if probability is not None:
        window = CropWindow(Box(0, 0, width, height), 0, 0, width, height, height)
        refinement = Refinement(window, None, mask, probability.astype(np.float32))
    return Claim(Estimate(Box(0, 0, 4, 4), mask, confidence), refinement)


def test_the_surer_object_keeps_a_pixel() -> None:
    full = np.ones((8, 8), np.uint8)
    left = np.linspace(1, 0, 8)[None].repeat(8, 0)
    one, other = without_overlap([claim(full, 0.5, left), claim(full, 0.9, left[:, ::-1])])
    assert one.mask is not None and other.mask is not None
    assert one.mask[:, :4].all() and not one.mask[:, 4:].any()
    assert (one.mask + other.mask == 1).all()
    assert full.all(), "the masks that were given stay"


def test_without_probabilities_the_confidence_decides_and_the_first_of_equals() -> None:
    full = np.ones((4, 4), np.uint8)
    one, other = without_overlap([claim(full, 0.3), claim(full, 0.4)])
    assert not one.mask.any() and other.mask.all()  # type: ignore[union-attr]
    one, other = without_overlap([claim(full, 0.4), claim(full, 0.4)])
    assert one.mask.all() and not other.mask.any()  # type: ignore[union-attr]


def test_one_doubtful_frame_is_no_absence_and_one_sure_frame_ends_it() -> None:
    config = PresenceConfig(bias=-5, score_weight=10, mask_weight=0, threshold=0.5, patience=2)
    presence = Presence(config)
    seen = [
        presence.judge(Estimate(Box(0, 0, 4, 4), confidence=score), None).absent
        for score in (0.9, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9)
    ]
    assert seen == [False, False, False, False, True, True, False]
    assert Presence(None).judge(Estimate(Box(0, 0, 4, 4), confidence=0), None).absent is False


def test_places_to_look_move_outward_and_cover_the_image() -> None:
    last, side = pair(100, 100), 160.0
    config = RedetectionConfig()
    places = [place_to_look(n, last, side, SIZE, config) for n in range(1, 60)]
    distances = [float(np.linalg.norm(each - last)) for each in places[:40]]
    assert distances == sorted(distances)
    rows, columns = np.mgrid[0 : SIZE[0] : 20, 0 : SIZE[1] : 20]
    reach = [(np.abs(rows - y) <= side / 2) & (np.abs(columns - x) <= side / 2) for y, x in places]
    assert np.any(reach, axis=0).all()
