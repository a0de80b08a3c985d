"""The ridge regression behind target-aware channels, and the choice itself."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from alpharefine.trackers.siamrpn.channels import (
    ChannelSelectionConfig,
    LevelSelection,
    select_channels,
)
from alpharefine.trackers.siamrpn.ridge import fit_ridge, gaussian_label

CELLS = 15


def _features(channels: int, cells: int = CELLS) -> Tensor:
    return torch.rand(channels, cells, cells, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("kernel", [1, 3, 9])
@pytest.mark.parametrize(("rate", "momentum"), [(1e-4, 0.9), (2e-5, 0.98)])
def test_both_forms_agree(kernel: int, rate: float, momentum: float) -> None:
    level = LevelSelection("layer2", 10, rate, momentum)
    config = ChannelSelectionConfig(kernel=kernel, max_steps=60)
    dual, primal = (
        fit_ridge(_features(24), level, replace(config, form=form)) for form in ("dual", "primal")
    )
    assert len(dual.losses) == len(primal.losses) == 60
    assert dual.losses[-1] < 0.9 * dual.losses[0]
    torch.testing.assert_close(torch.tensor(dual.losses), torch.tensor(primal.losses))
    largest = float(dual.weights.abs().max())
    torch.testing.assert_close(dual.weights.float(), primal.weights, rtol=0, atol=largest * 3e-5)
    assert dual.bias == pytest.approx(primal.bias, rel=1e-4)


@pytest.mark.parametrize("form", ["dual", "primal"])
def test_descent_stops_before_the_step_that_is_not_needed(form: str) -> None:
    level = LevelSelection("layer2", 10, 1e-4, 0.9)
    config = ChannelSelectionConfig(kernel=3, form=form)  # type: ignore[arg-type]
    whole = fit_ridge(_features(24), level, config)
    limit = whole.losses[20] * 1.001 + 1e-4 * float(whole.weights.square().sum())
    early = fit_ridge(_features(24), level, replace(config, target_loss=limit))
    assert len(early.losses) <= 21
    assert early.losses == pytest.approx(whole.losses[: len(early.losses)])
    nothing = fit_ridge(_features(24), level, replace(config, target_loss=1.0))
    assert not nothing.weights.any()
    assert len(nothing.losses) == 1


def test_label_is_one_in_the_middle() -> None:
    label = gaussian_label(31, 1.5)
    assert label[15, 15] == 1 == label.max()
    assert float(label[15, 18]) == pytest.approx(0.4493, abs=1e-4)
    torch.testing.assert_close(label, label.T)


def test_channels_at_the_target_are_kept() -> None:
    features = 0.01 * _features(12, 31)
    blob = gaussian_label(31, 1.5).float()
    features[[3, 7]] += blob
    features[5] -= blob
    level = LevelSelection("layer2", 2, 1e-3, 0.9)
    mask = select_channels(features, level, ChannelSelectionConfig())
    assert mask is not None
    assert mask.shape == (1, 12, 1, 1)
    assert mask.flatten().nonzero().flatten().tolist() == [3, 7]


def test_a_stage_with_no_more_channels_keeps_all() -> None:
    level = LevelSelection("layer3", 12, 1e-3, 0.9)
    mask = select_channels(torch.full((12, 31, 31), torch.nan), level, ChannelSelectionConfig())
    assert mask is not None
    assert mask.all()


def test_a_descent_that_diverges_selects_nothing() -> None:
    level = LevelSelection("layer2", 4, 1e6, 0.98)
    assert select_channels(100 * _features(12), level, ChannelSelectionConfig()) is None
