"""Files of the online trackers as their authors write them."""

from pathlib import Path

import pytest
import torch

from alpharefine.errors import UsageError
from alpharefine.nets.registry import NETWORKS, build_network, expected_entries
from alpharefine.nets.spec import official_name
from alpharefine.weights.convert import OFFICIAL, convert
from alpharefine.weights.store import load_weights, resolve_weights
from tests.weights.official_files import write_official

ONLINE = ["dimp50", "dimp18", "atom", "eco", "rtmdnet"]


def official_state(kind: str) -> dict[str, torch.Tensor]:
    """Random entries with the names of the authors' file."""
    generator = torch.Generator().manual_seed(3)
    renames = NETWORKS[kind].config.renames
    return {
        official_name(name, renames): torch.rand(entry.shape, generator=generator)
        if entry.is_floating_point()
        else torch.tensor(7)
        for name, entry in expected_entries(kind).items()
    }


@pytest.mark.parametrize("kind", ONLINE)
def test_names_are_the_authors(kind: str) -> None:
    renames = NETWORKS[kind].config.renames
    names = {official_name(name, renames) for name in expected_entries(kind)}
    assert len(names) == len(expected_entries(kind))
    assert kind in OFFICIAL


def test_the_block_of_dimp18_has_torchvisions_names() -> None:
    names = official_state("dimp18")
    assert names["classifier.feature_extractor.0.conv2.weight"].shape == (256, 256, 3, 3)
    assert names["classifier.feature_extractor.1.weight"].shape == (256, 256, 3, 3)
    assert names["bb_regressor.conv3_1r.0.weight"].shape == (128, 128, 3, 3)


@pytest.mark.parametrize(("kind", "other"), [("dimp18", "dimp50"), ("atom", "dimp18")])
def test_files_are_converted_as_what_they_are(tmp_path: Path, kind: str, other: str) -> None:
    state = official_state(kind)
    unread = {"feature_extractor.fc.bias": torch.ones(1000)}
    source = write_official(tmp_path / f"{kind}.pth", state | unread)
    done = convert(source, kind, tmp_path / "out.safetensors")
    network = build_network(kind)
    load_weights(network, resolve_weights(str(done.path), {kind: "random"})[kind])
    renames = NETWORKS[kind].config.renames
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, state[official_name(name, renames)]), name
    with pytest.raises(UsageError, match=f"not weights for {other}"):
        convert(source, other, tmp_path / "other.safetensors")


def test_the_file_of_rtmdnet_holds_the_shared_layers(tmp_path: Path) -> None:
    state = official_state("rtmdnet")
    assert state["conv1.0.weight"].shape == (96, 3, 7, 7)
    assert state["fc5.1.bias"].shape == (512,)
    source = tmp_path / "rt-mdnet.pth"
    torch.save({"shared_layers": state}, source)
    done = convert(source, "rtmdnet", tmp_path / "out.safetensors")
    assert done.entries == len(state)
    torch.save(state, source)
    with pytest.raises(UsageError, match="no entry 'shared_layers'"):
        convert(source, "rtmdnet", tmp_path / "other.safetensors")


def test_the_file_of_ecos_features_is_a_plain_state(tmp_path: Path) -> None:
    state = official_state("eco")
    assert state["vggmconv1.weight"].shape == (96, 3, 7, 7)
    assert state["layer3.1.bn2.bias"].shape == (256,)
    unread = {"layer4.0.conv1.weight": torch.ones(2), "fc.bias": torch.ones(1000)}
    counterless = {name: t for name, t in state.items() if not name.endswith("_tracked")}
    source = tmp_path / "resnet18_vggmconv1.pth"
    torch.save(counterless | unread, source)
    done = convert(source, "eco", tmp_path / "out.safetensors")
    assert done.entries == len(state)
    torch.save(counterless | {"vggmconv2.weight": torch.ones(2)}, source)
    with pytest.raises(UsageError, match="1 unexpected"):
        convert(source, "eco", tmp_path / "other.safetensors")
