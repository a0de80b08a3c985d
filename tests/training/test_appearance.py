"""Changes of what training crops show."""

import numpy as np

from alpharefine.data.source import TrainFrame
from alpharefine.training.appearance import estrange
from alpharefine.training.crops import PLAIN, AppearanceConfig, RefineCropConfig, refine_sample
from alpharefine.types import Box
from tests.training.test_crops import frame_with


def textured() -> TrainFrame:
    frame = frame_with(Box(30.0, 20.0, 50.0, 70.0))
    noise = np.random.default_rng(1).integers(0, 256, frame.image.shape, dtype=np.uint8)
    return TrainFrame(noise, frame.box, frame.mask)


def test_a_strange_crop_is_another_picture_of_the_same_size() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    before = crop.copy()
    seen = set()
    for seed in range(40):
        changed = estrange(crop, np.random.default_rng(seed))
        assert changed.shape == crop.shape
        assert changed.dtype == np.uint8
        assert np.count_nonzero((changed != crop).any(2)) > 0.005 * 96 * 96
        seen.add(changed.tobytes())
        assert np.array_equal(changed, estrange(crop, np.random.default_rng(seed)))
    assert len(seen) == 40
    assert np.array_equal(crop, before)


def test_only_the_reference_of_a_share_of_samples_becomes_strange() -> None:
    frame, geometry = textured(), RefineCropConfig(size=96, scale_jitter=0, center_jitter=0)
    strange = AppearanceConfig(0.0, 0.0, detail=False, sensor=PLAIN.sensor, strange=0.3)
    plain = refine_sample([frame, frame], geometry, PLAIN, np.random.default_rng(0))
    changed = 0
    for seed in range(200):
        sample = refine_sample([frame, frame], geometry, strange, np.random.default_rng(seed))
        for name in ("search", "mask", "corners", "reference_box"):
            assert np.array_equal(sample[name], plain[name])
        changed += not np.array_equal(sample["reference"], plain["reference"])
    assert 35 < changed < 85
