"""Files of SiamDW and PySOT in all layouts that their authors' programs read."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from alpharefine.errors import UsageError
from alpharefine.nets.registry import NETWORKS, build_network, expected_entries
from alpharefine.nets.spec import official_name, rename_entry
from alpharefine.weights.convert import OFFICIAL, convert
from alpharefine.weights.store import load_weights, resolve_weights

SIAMESE = [name for name, spec in NETWORKS.items() if name.startswith("siam") and spec.official]
SMALL = ["siamfc_res22", "siamfc_res22w", "siamfc_incep22", "siamfc_next22"]
COUNTER = ".num_batches_tracked"


def official_state(kind: str) -> dict[str, Tensor]:
    """Random entries with the names of the authors' file."""
    generator = torch.Generator().manual_seed(3)
    renames = NETWORKS[kind].config.renames
    return {
        official_name(name, renames): torch.rand(entry.shape, generator=generator)
        if entry.is_floating_point()
        else torch.tensor(7)
        for name, entry in expected_entries(kind).items()
    }


def plain(state: Mapping[str, Tensor]) -> object:
    return dict(state)


def nested(state: Mapping[str, Tensor]) -> object:
    moments = {0: {"momentum_buffer": torch.ones(3)}}
    optimizer = {"state": moments, "param_groups": [{"lr": 1e-3, "params": [0]}]}
    return {"epoch": 30, "arch": "SiamFCRes22", "state_dict": dict(state), "optimizer": optimizer}


def parallel(state: Mapping[str, Tensor]) -> object:
    return {"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}


def without_counters(state: Mapping[str, Tensor]) -> object:
    return {name: tensor for name, tensor in state.items() if not name.endswith(COUNTER)}


LAYOUTS = [plain, nested, parallel, without_counters]


@pytest.mark.parametrize("kind", SIAMESE)
def test_names_go_both_ways(kind: str) -> None:
    renames = NETWORKS[kind].config.renames
    names = {name: official_name(name, renames) for name in expected_entries(kind)}
    assert len(set(names.values())) == len(names)
    assert all(rename_entry(official, renames) == name for name, official in names.items())
    # A file of ours is read by the same table.
    assert all(rename_entry(name, renames) == name for name in names)
    assert kind in OFFICIAL


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
@pytest.mark.parametrize("kind", SMALL)
def test_every_layout_is_read(tmp_path: Path, kind: str, layout) -> None:
    state = official_state(kind)
    torch.save(layout(state), tmp_path / "CIResNet22.pth")
    done = convert(tmp_path / "CIResNet22.pth", kind, tmp_path / "out.safetensors")
    network = build_network(kind)
    load_weights(network, resolve_weights(str(done.path), {kind: "random"})[kind])
    renames = NETWORKS[kind].config.renames
    for name, tensor in network.state_dict().items():
        expected = state[official_name(name, renames)]
        if layout is without_counters and name.endswith(COUNTER):
            expected = torch.tensor(0)
        assert torch.equal(tensor, expected), name


def test_the_published_file_has_entries_that_nothing_reads(tmp_path: Path) -> None:
    state = official_state("siamfc_res22")
    extra = {"weight": torch.ones(1, 1, 1, 1), "bias": torch.zeros(1)}
    state |= {f"connect_model.loc_adjust.{name}": tensor for name, tensor in extra.items()}
    torch.save(state, tmp_path / "CIResNet22.pth")
    convert(tmp_path / "CIResNet22.pth", "siamfc_res22", tmp_path / "out.safetensors")
    stored = safetensors.torch.load_file(tmp_path / "out.safetensors")
    assert stored.keys() == expected_entries("siamfc_res22").keys()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("features.features.conv1.weight"), "1 missing"),
        (lambda state: state.update(extra=torch.ones(2)), "1 unexpected"),
        (
            lambda state: state.update({"features.features.bn1.bias": torch.ones(65)}),
            "1 mismatched",
        ),
        (
            lambda state: state.update(
                {"features.features.bn1.bias": torch.full((64,), torch.nan)}
            ),
            "NaN",
        ),
    ],
)
def test_other_files_are_refused(tmp_path: Path, change, message: str) -> None:
    state = official_state("siamfc_res22")
    change(state)
    source = tmp_path / "CIResNet22.pth"
    torch.save({"state_dict": state}, source)
    with pytest.raises(UsageError, match=message) as caught:
        convert(source, "siamfc_res22", tmp_path / "out.safetensors")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [source]


def test_the_file_of_another_backbone_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "CIResNeXt22.pth"
    torch.save(official_state("siamfc_next22"), source)
    for other in ("siamfc_res22", "siamrpn_res22", "siamrpnpp"):
        with pytest.raises(UsageError, match=f"not weights for {other}"):
            convert(source, other, tmp_path / "out.safetensors")


def test_a_file_of_pysot_is_read(tmp_path: Path) -> None:
    state = official_state("siamrpnpp_otb")
    source = tmp_path / "model.pth"
    torch.save(without_counters(state), source)
    done = convert(source, "siamrpnpp_otb", tmp_path / "out.safetensors")
    assert done.entries == len(state)
    with pytest.raises(UsageError, match="2 missing"):
        convert(source, "siamrpnpp", tmp_path / "vot.safetensors")
