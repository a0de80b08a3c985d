"""Weights files of training runs: what they are for, and reading them back."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from alpharefine.errors import UsageError
from alpharefine.nets.dimp.config import DimpNetConfig
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.nets.registry import NETWORKS, networks_with
from alpharefine.training.config import find_config, load_config
from alpharefine.training.exports import (
    begin_with,
    export_network,
    exported_name,
    load_refine_network,
)
from alpharefine.training.tasks.dimp.config import DimpRunConfig
from alpharefine.training.tasks.refine.config import RefineRunConfig
from alpharefine.weights.files import merge_weights, open_weights, write_weights
from alpharefine.weights.store import BUNDLED

TINY = RefineNetConfig(
    backbone="efficientnet_lite0",
    input_size=64,
    fusion_widths=(8,),
    box_head=None,
    mask_head="fpn",
    fpn_widths=(8, 8, 8),
)


def write(path: Path, config: RefineNetConfig) -> dict[str, torch.Tensor]:
    export = export_network(config, config.build(), {"val/score": 0.5})
    write_weights(path, {export.network: export.weights}, {export.network: export.facts})
    return dict(export.weights)


def test_exported_names() -> None:
    assert exported_name(networks_with(RefineNetConfig)["ar_v20"]) == "ar_v20"
    assert exported_name(TINY) == "refine"
    assert exported_name(NETWORKS["dimp_lite"].config) == "dimp_lite"
    assert exported_name(DimpNetConfig(clf_channels=7)) == "base"


def test_bundled_recipes_train_the_networks_of_the_default_tracker() -> None:
    """So their exports are weights that it takes."""
    recipes = sorted(find_config("refine_lite").parent.glob("*.toml"))
    base = [load_config(p, DimpRunConfig) for p in recipes if p.stem.startswith("base")]
    refine = [load_config(p, RefineRunConfig) for p in recipes if p.stem.startswith("refine")]
    assert "dimp_lite" in {exported_name(recipe.network) for recipe in base}
    assert "ar_lite" in {exported_name(recipe.network) for recipe in refine}


@pytest.mark.parametrize("config", [TINY, replace(TINY, box_head="rcnn", mask_head=None)])
def test_an_unnamed_network_is_built_as_its_file_says(
    config: RefineNetConfig, tmp_path: Path
) -> None:
    state = write(tmp_path / "export.safetensors", config)
    network = load_refine_network(str(tmp_path / "export.safetensors"))
    assert network.config == config
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_bundled_weights_are_the_default() -> None:
    bundled = load_refine_network("lite").state_dict()
    default = load_refine_network(None).state_dict()
    assert all(torch.equal(value, bundled[name]) for name, value in default.items())


def test_a_file_for_something_else_is_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    write(path, TINY)
    with pytest.raises(UsageError, match="holds refine; needed is ar_lite"):
        load_refine_network(str(path), "ar_lite")
    write(other, networks_with(RefineNetConfig)["ar_lite"])
    merge_weights([path, other], tmp_path / "both.safetensors")
    with pytest.raises(UsageError, match="needed is one refinement network"):
        load_refine_network(str(tmp_path / "both.safetensors"))
    assert load_refine_network(str(tmp_path / "both.safetensors"), "ar_lite").config
    write_weights(path, {"refine": {"a": torch.zeros(1)}}, {})
    with pytest.raises(UsageError, match="does not say how"):
        load_refine_network(str(path))
    with pytest.raises(UsageError, match="unknown refinement network"):
        load_refine_network(None, "ar_huge")


def test_training_begins_with_registered_weights() -> None:
    config = networks_with(RefineNetConfig)["ar_lite"]
    network = config.build()
    begin_with(network, config, "lite")
    bundled = open_weights(BUNDLED / "lite.safetensors").read("ar_lite")
    assert all(torch.equal(v, bundled[k]) for k, v in network.state_dict().items())


def test_training_begins_with_nothing_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        begin_with(TINY.build(), TINY, str(tmp_path / "gone.safetensors"))
