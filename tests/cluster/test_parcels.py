"""What travels to the machines of a cluster and back, without a cluster."""

from dataclasses import replace
from pathlib import Path

import pytest

from alpharefine.errors import UsageError
from alpharefine.nets import registry
from alpharefine.weights.files import write_weights
from tests.toolkit.make import RECORD, make_sequences, make_workspace
from tests.weights.official_files import tiny_state
from vot_integration.cluster.node import evaluate_parcel
from vot_integration.cluster.parcel import (
    NodeResult,
    SentSequence,
    SentWeights,
    gather_weights,
    make_parcel,
    pack_folder,
    store_result,
    unpack_folder,
)
from vot_integration.workspaces.records import TrackerRecord
from vot_integration.workspaces.trackers_ini import TrackerSettings
from vot_integration.workspaces.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    sequences = make_sequences(tmp_path / "sequences")
    return make_workspace(tmp_path / "w", sequences, ["baseline"])


def test_folders_travel_whole(tmp_path: Path) -> None:
    source = make_sequences(tmp_path / "sequences") / "dark"
    (source / "color" / "linked.jpg").symlink_to(source / "color" / "00000001.jpg")
    unpack_folder(pack_folder(source), tmp_path / "arrived")
    for file in (path for path in source.rglob("*") if path.is_file()):
        arrived = tmp_path / "arrived" / file.relative_to(source)
        assert arrived.read_bytes() == file.read_bytes() and not arrived.is_symlink()


def test_a_node_runs_what_is_missing(workspace: Workspace) -> None:
    parcel = make_parcel(workspace, "wanders", send=True)
    first = evaluate_parcel(parcel, None, {})
    assert len([name for name in first.results if name.endswith(".bin")]) == 4
    kept = {name: content for name, content in first.results.items() if "_00000000" in name}
    assert store_result(workspace, "wanders", replace(first, results=kept)) == 2

    parcel = make_parcel(workspace, "wanders", send=False)
    assert len([name for name in parcel.done if name.endswith(".bin")]) == 2
    second = evaluate_parcel(parcel, None, {})
    bins = {name for name in second.results if name.endswith(".bin")}
    assert bins == {f"baseline/{name}/{name}_00000011.bin" for name in ("dark", "bright")}
    for name in bins:
        assert second.results[name] == first.results[name]


def test_damaged_answers_are_left_out(workspace: Workspace) -> None:
    folder = "baseline/dark/dark_00000000"
    results = {f"{folder}.bin": b"cut off", f"{folder}_time.value": b"0.1\n" * 12}
    assert (
        store_result(workspace, "wanders", NodeResult("n", 0, "", results, {"a.log": b"said"})) == 0
    )
    assert not list(workspace.results("wanders").rglob("*.bin"))
    assert (workspace.folder / "logs" / "trackers" / "n-a.log").read_bytes() == b"said"


def test_unseen_sequences_are_refused(workspace: Workspace) -> None:
    parcel = make_parcel(workspace, "wanders", send=False)
    lost = [SentSequence("dark", "/not/here/dark", None)]
    with pytest.raises(UsageError, match=r"does not see /not/here/dark.*--ray-send"):
        evaluate_parcel(replace(parcel, sequences=lost), None, {})


def test_other_weights_are_refused(workspace: Workspace) -> None:
    record = TrackerRecord("random:0", "0" * 64, "cpu", "auto", TrackerSettings("random:1"))
    parcel = replace(
        make_parcel(workspace, "wanders", send=False),
        tracker="DiMPlite",
        catalog_name="DiMPlite",
        record=record,
        own={},
    )
    with pytest.raises(UsageError, match="has other weights of DiMPlite"):
        evaluate_parcel(parcel, None, {})


@pytest.mark.usefixtures("tiny_kinds")
def test_weights_that_travel(tmp_path: Path, cache: Path) -> None:
    def gathered(name: str, settings: str | None = None) -> list[SentWeights]:
        return gather_weights(replace(RECORD, weights=name, settings=TrackerSettings(settings)))

    file = cache / "tiny.safetensors"
    write_weights(file, {"tiny": tiny_state()}, {})
    assert gathered("tiny+random:0") == [
        SentWeights("tiny.safetensors", file.read_bytes()),
        SentWeights("random:0"),
    ]
    assert gathered("lite") == [SentWeights("lite")], "part of the package on every node"
    assert gathered("x", f"{file},random:3") == [
        SentWeights("tiny.safetensors", file.read_bytes()),
        SentWeights("random:3"),
    ]
    assert gathered("x", str(cache)) == [SentWeights("tiny.safetensors", file.read_bytes())]
    placed = [weights.place(tmp_path) for weights in gathered("tiny+random:0")]
    assert placed == [str(tmp_path / "tiny.safetensors"), "random:0"]
    assert (tmp_path / "tiny.safetensors").read_bytes() == file.read_bytes()
    assert "tiny" in registry.WEIGHTS
