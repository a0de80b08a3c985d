"""trackers.ini, as text and as the toolkit reads it."""

import os
import sys
from pathlib import Path

import pytest
from vot.tracker import Registry

from alpharefine.catalogue import TRACKERS
from alpharefine.errors import UsageError
from vot_integration.workspaces.trackers_ini import (
    TrackerSettings,
    plain_ini,
    registrations,
    workspace_ini,
)

ROOT = Path(__file__).resolve().parents[2]


def test_file_in_the_root_is_the_generated_one() -> None:
    message = "run: python -m vot_integration.workspaces.trackers_ini > trackers.ini"
    assert (ROOT / "trackers.ini").read_text() == plain_ini(), message


def test_mask_trackers_answer_in_three_forms() -> None:
    names = set(registrations())
    for name, spec in TRACKERS.items():
        variants = {name, f"{name}_rotated", f"{name}_box"}
        assert names & variants == (variants if spec.has_mask else {name})
    assert registrations()["DiMPsuper"].output.value == "box"
    assert registrations()["ARDiMP_v20"].output.value == "mask"


def test_plain_file_has_no_path_of_this_machine() -> None:
    assert "/" not in plain_ini()


def test_toolkit_reads_the_workspace_file(tmp_path: Path) -> None:
    folder = tmp_path / "100% odd 'place'"
    folder.mkdir()
    settings = {"ARDiMP_lite": TrackerSettings("/w 50%.safetensors", "cpu", "float32")}
    (folder / "trackers.ini").write_text(workspace_ini(folder, settings))

    registry = Registry([str(folder / "trackers.ini")])
    assert set(registry.identifiers()) == set(registrations())
    described = registry["ARDiMP_lite_box"].describe()
    environment = described["env"]
    assert environment["ARVOT_TRACKER"] == "ARDiMP_lite"
    assert environment["ARVOT_OUTPUT"] == "box"
    assert environment["ARVOT_WEIGHTS"] == "/w 50%.safetensors"
    assert environment["ARVOT_DEVICE"] == "cpu"
    assert environment["ARVOT_PRECISION"] == "float32"
    assert environment["ARVOT_LOG_DIR"] == f"{folder}/logs/trackers"
    assert described["python"].strip("'") == sys.executable
    assert "ARVOT_WEIGHTS" not in registry["ARDiMP_v20"].describe()["env"]


def test_path_that_the_toolkit_would_expand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PRICE", "12")
    with pytest.raises(UsageError, match="without \\$"):
        workspace_ini(Path("/data/$PRICE/w"), {})
