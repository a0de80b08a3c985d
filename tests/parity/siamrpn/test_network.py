"""Every recorded layer of SiamRPN++, plain and in inference form, with and without selection."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from alpharefine.nets.siamrpn.depthwise import CorrelationBranch, DepthwiseRpnNet, RpnLevel
from alpharefine.ops.correlation import depthwise_correlation
from alpharefine.trackers.siamese.config import AnchorConfig, RankConfig
from alpharefine.trackers.siamese.proposals import (
    anchor_boxes,
    decode_boxes,
    hann_window,
    rank_proposals,
)
from alpharefine.trackers.siamrpn.channels import ChannelSelectionConfig, select_channels
from tests.parity.fixtures import (
    Arrays,
    assert_close_relative,
    channel_stats,
    filler_seed,
    fixture_cases,
    load_npz,
)
from tests.parity.siamrpn.common import FAMILY, LEVELS, STRIDES, filled_network, prepared_network

FORMS = {"plain": filled_network, "inference": prepared_network}
Features = Mapping[str, Tensor]


def _images(crop: Any) -> Tensor:
    return torch.from_numpy(crop).permute(2, 0, 1)[None].float()


def _check_features(features: Features, data: Arrays, crop: str) -> None:
    for stage, stride in zip(LEVELS, STRIDES, strict=True):
        spatial = 1 if crop == "z" else 2
        sub = features[stage][:, ::stride, ::spatial, ::spatial]
        assert_close_relative(sub, data[f"{stage}_{crop}_sub"], name=f"{stage}_{crop}")
        if f"{stage}_{crop}_stats" in data:
            stats = channel_stats(features[stage])
            assert_close_relative(stats, data[f"{stage}_{crop}_stats"], name=f"{stage} stats")


def _selected(network: DepthwiseRpnNet, data: Arrays) -> dict[str, Tensor]:
    """Stage -> mask; checked against the fixture's."""
    features = network.features(_images(data["x0_u8"]))
    _check_features(features, data, "x0")
    config = ChannelSelectionConfig()
    masks: dict[str, Tensor] = {}
    for level in config.levels:
        mask = select_channels(features[level.stage][0], level, config)
        assert mask is not None
        official = np.unpackbits(data[f"keep{level.stage[-1]}"])
        flips = np.count_nonzero(mask.flatten().numpy() != official)
        assert flips <= (4 if level.stage == "layer4" else 0)
        # What follows is compared at the official choice.
        masks[level.stage] = torch.from_numpy(official).float().reshape(1, -1, 1, 1)
    return masks


def _masked(features: Features, masks: Features) -> dict[str, Tensor]:
    return {stage: value * masks.get(stage, 1) for stage, value in features.items()}


def _check_branch(
    branch: CorrelationBranch, search: Tensor, kernel: Tensor, data: Arrays, name: str
) -> None:
    assert_close_relative(kernel[:, ::16], data[f"{name}_kernel_sub"], name=f"{name} kernel")
    prepared = branch.search(search)
    assert_close_relative(prepared[:, ::32, ::2, ::2], data[f"{name}_search_sub"], name=name)
    maps = depthwise_correlation(kernel, prepared, padded=False)
    assert_close_relative(maps[:, ::32, ::2, ::2], data[f"{name}_corr_sub"], name=f"{name} corr")
    assert_close_relative(channel_stats(maps), data[f"{name}_corr_stats"], name=f"{name} stats")
    answer = branch(search, kernel)
    assert_close_relative(answer[:, :, ::2, ::2], data[f"{name}_out"], name=f"{name} out")


@torch.inference_mode()
def _check(network: DepthwiseRpnNet, data: Arrays) -> None:
    masks = _selected(network, data) if "x0_u8" in data else {}
    template, search = (network.features(_images(data[key])) for key in ("z_u8", "x_u8"))
    _check_features(template, data, "z")
    _check_features(search, data, "x")
    template, search = _masked(template, masks), _masked(search, masks)
    kernels = network.template(template)
    for stage in LEVELS:
        key = stage[-1]
        middle = network.adjust[stage](template[stage])[:, :, 4:11, 4:11]
        assert_close_relative(middle[:, ::8], data[f"neck{key}_z_sub"], name=f"neck{key}_z")
        adjusted = network.adjust[stage](search[stage])
        assert_close_relative(adjusted[:, ::16, ::2, ::2], data[f"neck{key}_x_sub"])
        assert_close_relative(channel_stats(adjusted), data[f"neck{key}_x_stats"])
        level = network.levels[stage]
        assert isinstance(level, RpnLevel)
        for branch, kernel, name in (
            (level.classification, kernels[stage].classification, f"rpn{key}_cls"),
            (level.regression, kernels[stage].regression, f"rpn{key}_loc"),
        ):
            _check_branch(branch, adjusted, kernel, data, name)
    _check_answer(network, search, kernels, data)


def _check_answer(network: DepthwiseRpnNet, search: Features, kernels: Any, data: Arrays) -> None:
    maps = network.predict(search, kernels)
    assert_close_relative(maps.classification, data["cls"], name="cls")
    assert_close_relative(maps.regression, data["loc"], name="loc")
    scores, offsets = maps.scores[0].numpy(), maps.offsets[0].numpy()
    np.testing.assert_allclose(scores.flatten(), data["score"], rtol=0, atol=2e-5)
    cells = scores.shape[-1]
    boxes = decode_boxes(offsets, anchor_boxes(AnchorConfig(), cells))
    assert_close_relative(boxes.reshape(4, -1), data["pred_bbox"], name="pred_bbox")
    w, h = data["box"][2:]
    scale = 127 / np.sqrt((w + (w + h) / 2) * (h + (w + h) / 2))
    ranking = rank_proposals(
        scores, boxes, (w * scale, h * scale), hann_window(cells), RankConfig()
    )
    np.testing.assert_allclose(ranking.penalties.flatten(), data["penalty"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", fixture_cases("net_*", FAMILY))
def test_every_recorded_layer(path: Path, form: str) -> None:
    _check(FORMS[form](filler_seed(path)), load_npz(path))
