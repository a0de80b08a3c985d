from pathlib import Path

import numpy as np
import pytest
import torch

from alpharefine.geometry.base_crop import sample_patch
from alpharefine.trackers.dimp.config import DimpConfig
from alpharefine.trackers.online.augmentation import augment, expanded_size, sample_shifts
from alpharefine.trackers.online.localization import Flag, localize
from alpharefine.trackers.online.memory import SampleMemory
from alpharefine.trackers.online.state import TargetState, box_in_sample, keep_inside
from tests.parity.fixtures import assert_close_relative, fixture_cases, load_npz

CONFIG = DimpConfig()
AUGMENTATION, SIZE = CONFIG.augmentation, CONFIG.image_sample_size
FLAGS = (Flag.NORMAL, Flag.HARD_NEGATIVE, Flag.UNCERTAIN, Flag.NOT_FOUND)
PIXEL_TOLERANCE = 1e-4 * 255
BOX_TOLERANCE = 1e-2
logic_cases = pytest.mark.parametrize("path", fixture_cases("logic*"))
geometry_cases = pytest.mark.parametrize("path", fixture_cases("geom_int*"))


@logic_cases
def test_localization(path: Path) -> None:
    data = load_npz(path)
    for index, scores in enumerate(data["loc_scores"]):
        found = localize(
            scores,
            data["loc_target_sz"][index],
            data["loc_pos"][index],
            data["loc_sample_pos"].astype(np.float32),
            np.float32(data["loc_sample_scale"]),
            16,
            CONFIG.localization,
        )
        assert found.flag is FLAGS[data["loc_flag"][index]], index
        np.testing.assert_allclose(
            found.translation, data["loc_translation"][index], rtol=0, atol=BOX_TOLERANCE
        )


@logic_cases
def test_sample_weights(path: Path) -> None:
    data = load_npz(path)
    memory = SampleMemory(torch.zeros(15, 1, 1, 1), torch.zeros(15, 4), CONFIG.memory)
    recorded = dict(zip(data["mem_weights_index"].tolist(), data["mem_weights"], strict=True))
    compared = 0
    for index, rate in enumerate(data["mem_lr"]):
        slot = memory.insert(torch.zeros(1, 1, 1, 1), torch.zeros(4), float(rate))
        assert slot == data["mem_replace"][index], index
        if index in recorded:
            assert_close_relative(memory.weights, recorded[index], name=f"weights {index}")
            compared += 1
    assert compared == len(recorded)


@logic_cases
def test_state_update(path: Path) -> None:
    for h, w, new_y, new_x, out_y, out_x in load_npz(path)["update_state"]:
        inside = keep_inside(
            np.array([new_y, new_x], np.float32),
            np.array([h, w], np.float32),
            np.array([240, 320], np.float32),
            CONFIG.target_inside_ratio,
        )
        np.testing.assert_allclose(inside, [out_y, out_x], rtol=0, atol=BOX_TOLERANCE)


@logic_cases
def test_box_in_sample(path: Path) -> None:
    for row in load_npz(path)["iounet_box"]:
        box = box_in_sample(row[:2], row[2:4], row[4:6], row[6], CONFIG.image_sample_size)
        np.testing.assert_allclose(box, row[7:], rtol=0, atol=BOX_TOLERANCE)


@geometry_cases
def test_search_crops(path: Path) -> None:
    data = load_npz(path)
    for index, (y, x, scale) in enumerate(data["crop_cases"]):
        patch = sample_patch(data["image"], np.array([y, x], np.float32), scale, 352, 1.5)
        np.testing.assert_array_equal(patch.coordinates, data["crop_coord"][index])
        pixels = patch.pixels[::16, ::16].transpose(2, 0, 1)
        np.testing.assert_allclose(pixels, data["crop_sub16"][index], atol=PIXEL_TOLERANCE)
        mean_std = [patch.pixels.mean(), patch.pixels.std(ddof=1)]
        assert_close_relative(mean_std, data["crop_mean_std"][index])


@geometry_cases
def test_first_frame_samples(path: Path) -> None:
    data = load_npz(path)
    for index, (y, x, scale) in enumerate(data["init_cases"]):
        center = np.rint(np.array([y, x], np.float32))
        expanded = sample_patch(data["image"], center, scale, expanded_size(AUGMENTATION, SIZE))
        shifts = [(int(dy), int(dx)) for dy, dx in data["init_shifts"][index]]
        samples = augment(expanded.pixels, shifts, AUGMENTATION, SIZE)
        assert shifts[:5] == sample_shifts(AUGMENTATION, SIZE, np.zeros((8, 2), np.float32))[:5]
        pixels = samples[:, ::16, ::16].transpose(0, 3, 1, 2)
        np.testing.assert_allclose(pixels, data["init_sub16"][index], atol=PIXEL_TOLERANCE)
        mean_std = np.stack([samples.mean((1, 2, 3)), samples.std((1, 2, 3), ddof=1)], 1)
        assert_close_relative(mean_std, data["init_mean_std"][index])


def test_state_box_and_back() -> None:
    state = TargetState(
        np.array([50, 60], np.float32), np.array([11, 21], np.float32), np.float32(1)
    )
    assert state.box == (50.0, 45.0, 21.0, 11.0)
