"""Our ResNets against torchvision's."""

import subprocess
import sys

import pytest
import torch
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor

from alpharefine.nets.backbones.resnet import ResNetBackbone
from alpharefine.nets.backbones.stages import STAGES

NAMES = ["resnet18", "resnet34", "resnet50"]


@pytest.mark.parametrize("name", NAMES)
def test_stages_are_those_of_torchvision(name: str) -> None:
    torch.manual_seed(0)
    theirs = models.get_model(name).eval()
    for norm in theirs.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(norm.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(norm.running_var, 0.5, 2.0)
    ours = ResNetBackbone(name, "layer4").eval()
    known = {k: v for k, v in theirs.state_dict().items() if not k.startswith("fc.")}
    ours.load_state_dict(known, strict=True)
    nodes = {"relu": "conv1"} | {stage: stage for stage in STAGES[1:]}
    images = torch.randn(2, 3, 64, 96)
    with torch.inference_mode():
        expected = create_feature_extractor(theirs, nodes)(images)
        actual = ours(images, STAGES)
    assert list(actual) == list(STAGES)
    for stage in STAGES:
        torch.testing.assert_close(actual[stage], expected[stage], rtol=1e-5, atol=1e-5)
        assert actual[stage].shape[1] == ours.channels[stage]


@pytest.mark.parametrize("name", NAMES)
def test_random_weights_are_drawn_as_torchvision_draws_them(name: str) -> None:
    theirs, ours = models.get_model(name).state_dict(), ResNetBackbone(name, "layer4").state_dict()
    for entry, value in ours.items():
        if value.ndim == 4:
            assert float(value.std() / theirs[entry].std()) == pytest.approx(1, abs=0.1), entry
        else:
            torch.testing.assert_close(value, theirs[entry])


@pytest.mark.parametrize("last_stage", STAGES[1:])
def test_stages_that_nothing_reads_are_not_built(last_stage: str) -> None:
    backbone = ResNetBackbone("resnet18", last_stage)
    built = {name for name, _ in backbone.named_children()} & set(STAGES)
    assert built == set(STAGES[: STAGES.index(last_stage) + 1])


def test_trackers_are_built_without_torchvision() -> None:
    code = "import sys, alpharefine.catalogue; sys.exit('torchvision' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
