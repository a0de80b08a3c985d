"""Workspaces: what is in them, and what they may be reused for."""

import configparser
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from alpharefine.errors import UsageError
from tests.toolkit.make import RECORD, make_sequences
from vot_integration.toolkit.stacks import load_stack
from vot_integration.workspaces.dataset import read_dataset
from vot_integration.workspaces.manifest import read_manifest
from vot_integration.workspaces.workspace import WorkspaceSpec, open_workspace


@pytest.fixture
def spec(tmp_path: Path) -> WorkspaceSpec:
    stack = load_stack("vot2020").select(["baseline"]).with_interval((2, 8))
    dataset = read_dataset(make_sequences(tmp_path / "sequences"), stack)
    return WorkspaceSpec(tmp_path / "w", dataset, stack, {"DiMPsuper": RECORD})


def test_content(spec: WorkspaceSpec, tmp_path: Path) -> None:
    workspace = open_workspace(spec)
    config = yaml.safe_load((spec.folder / "config.yaml").read_text())
    assert config == {"registry": ["trackers.ini"], "stack": "stack.yaml", "sequences": "sequences"}
    stack = yaml.safe_load((spec.folder / "stack.yaml").read_text())
    assert list(stack["experiments"]) == ["baseline"] and "dataset" not in stack
    listed = (spec.folder / "sequences" / "list.txt").read_text().splitlines()
    assert listed == [str(tmp_path / "sequences" / name) for name in ("dark", "bright")]
    assert [sequence.name for sequence in workspace.dataset.sequences] == ["dark", "bright"]
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_nothing_is_left_when_sequences_cannot_be_written(
    spec: WorkspaceSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vot_integration.workspaces.dataset.write_list", full)
    with pytest.raises(OSError, match="No space left"):
        open_workspace(spec)
    assert [file.name for file in tmp_path.iterdir()] == ["sequences"]


def test_empty_folder_is_taken(spec: WorkspaceSpec) -> None:
    spec.folder.mkdir()
    open_workspace(spec)
    assert (spec.folder / "config.yaml").is_file()


def test_other_experiments_and_interval_may_follow(spec: WorkspaceSpec) -> None:
    open_workspace(spec)
    add_result(spec.folder)
    stack = load_stack("vot2020").with_interval((5, 9))
    open_workspace(replace(spec, stack=stack))
    written = yaml.safe_load((spec.folder / "stack.yaml").read_text())
    assert list(written["experiments"]) == ["baseline", "realtime", "unsupervised"]
    assert written["experiments"]["baseline"]["analyses"][0]["low"] == 5


def test_settings_may_change_before_there_are_results(spec: WorkspaceSpec) -> None:
    open_workspace(spec)
    open_workspace(replace(spec, records={"DiMPsuper": replace(RECORD, device="cuda")}))
    trackers = json.loads((spec.folder / "arvot.json").read_text())["trackers"]
    assert trackers["DiMPsuper"]["device"] == "cuda"


def test_results_of_other_weights_are_not_mixed(spec: WorkspaceSpec) -> None:
    open_workspace(spec)
    add_result(spec.folder)
    before = snapshot(spec.folder)
    other = replace(RECORD, weights="better", sha256="f" * 64)
    with pytest.raises(UsageError, match=r"weights none \(0+\).* not weights better \(f+\)"):
        open_workspace(replace(spec, records={"DiMPsuper": other}))
    assert snapshot(spec.folder) == before


def test_results_of_another_experiment_are_not_mixed(spec: WorkspaceSpec) -> None:
    open_workspace(spec)
    add_result(spec.folder)
    with pytest.raises(UsageError, match="which stack vot2018/shortterm defines otherwise"):
        open_workspace(replace(spec, stack=load_stack("vot2018").select(["baseline"])))


def test_changed_ground_truth_is_noticed(spec: WorkspaceSpec, tmp_path: Path) -> None:
    open_workspace(spec)
    (tmp_path / "sequences" / "dark" / "groundtruth.txt").write_text("1,1,9,9\n" * 12)
    with pytest.raises(UsageError, match="made for other sequences"):
        open_workspace(spec)


def test_what_is_no_workspace_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"there is no workspace {tmp_path}/w: name yours with"):
        read_manifest(tmp_path / "w")
    with pytest.raises(UsageError, match=f"{tmp_path} is not a workspace of arvot: name yours"):
        read_manifest(tmp_path)


def test_damaged_record_is_one_line(spec: WorkspaceSpec) -> None:
    open_workspace(spec)
    (spec.folder / "arvot.json").write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        open_workspace(spec)


def test_settings_of_several_trackers_are_kept(spec: WorkspaceSpec) -> None:
    settings = replace(RECORD.settings, weights="/some/file", device="cpu")
    open_workspace(replace(spec, records={"DiMPsuper": replace(RECORD, settings=settings)}))
    open_workspace(replace(spec, records={"ARDiMP_v20": RECORD}))
    ini = configparser.ConfigParser()
    ini.read(spec.folder / "trackers.ini")
    assert ini["DiMPsuper"]["env_arvot_weights"] == "/some/file"
    assert "env_arvot_weights" not in ini["ARDiMP_v20"]


def add_result(workspace: Path) -> None:
    folder = workspace / "results" / "DiMPsuper" / "baseline" / "dark"
    folder.mkdir(parents=True)
    (folder / "dark_00000000.bin").write_bytes(b"")


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
