"""`arvot run` from options to table and JSON, with the oracle in the place of a tracker."""

import json
import re
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.toolkit.make import FRAMES, make_sequences, make_workspace, write_registry
from vot_integration.cli import main
from vot_integration.pipeline.run import RunOptions, plan_run
from vot_integration.toolkit.stacks import load_stack
from vot_integration.workspaces.workspace import open_workspace

OPTIONS = RunOptions("DiMPsuper", "baseline", Path("w"))


@pytest.fixture
def sequences(tmp_path: Path) -> Path:
    return make_sequences(tmp_path / "sequences")


def test_json_and_table(
    tmp_path: Path,
    sequences: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    registry = write_registry(tmp_path / "own.ini", tmp_path / "logs")
    monkeypatch.setenv("COLUMNS", "80")
    folder, output = tmp_path / "new" / "w", tmp_path / "scores.json"
    arguments = ["--sequences", str(sequences), "--trackers", str(registry)]
    assert main(["init", str(folder), "--stack", "vot2020", *arguments]) == 0
    arguments = ["--sequences", str(sequences), "--eao-interval", "2", "8"]
    arguments += ["--tracker", "oracle", "--workspace", str(folder), "--json", str(output)]

    assert main(["run", *arguments]) == 0

    scores = json.loads(output.read_text())
    frames = 2 * 2 * FRAMES
    ideal = {"eao": 1.0, "robustness": 1.0, "sequences": 2, "frames": frames}
    for experiment in ("baseline", "realtime"):
        accuracy = scores["experiments"][experiment].pop("accuracy")
        assert accuracy == pytest.approx((FRAMES - 1) / FRAMES)
    assert scores.pop("fps") > 0
    assert len(scores["weights"].pop("sha256")) == 64
    assert scores == {
        "toolkit": version("vot-toolkit"),
        "tracker": "oracle",
        "weights": {"name": "own tracker"},
        "stack": "vot2020/shortterm",
        "eao_interval": [2, 8],
        "experiments": {"baseline": ideal, "realtime": ideal},
        "device": "its own",
        "notes": [],
    }
    shown = capsys.readouterr().out
    assert "baseline   │ 1.000 │    0.917 │      1.000 │         2 │     48" in shown
    assert "EAO interval: 2 to 8 frames" in shown
    speed = r"frames per second in baseline, the tracker's time alone, on a device that it chooses"
    assert re.search(rf"^Speed: [\d.]+ {speed}$", shown, re.MULTILINE)
    assert "Tracker: your own (section of trackers.ini, sha256 " in shown
    page = folder / "reports" / "oracle" / "arvot.html"
    assert str(page) in shown
    assert shown.splitlines()[-1].startswith(f"next: open {page}; `arvot run --tracker NAME")


def test_interval_of_local_sequences(sequences: Path) -> None:
    assert plan_run(OPTIONS).stack.interval() == (30, 100)
    assert plan_run(replace(OPTIONS, sequences=sequences)).stack.interval() == (30, 100)
    plan = plan_run(replace(OPTIONS, sequences=sequences, eao_interval=(3, 9)))
    assert plan.stack.interval() == (3, 9)


def test_interval_of_official_data(sequences: Path) -> None:
    for name in ("dark", "bright"):
        with (sequences / name / "sequence").open("a") as properties:
            properties.write("uid=0123456789abcdef\n")
    assert plan_run(replace(OPTIONS, sequences=sequences)).stack.interval() == (115, 755)


def test_interval_of_a_stack_file(sequences: Path, tmp_path: Path) -> None:
    file = tmp_path / "stack.yaml"
    file.write_text(load_stack("vot2020").with_interval((4, 40)).dump())
    assert plan_run(replace(OPTIONS, sequences=sequences, stack=str(file))).stack.interval() == (
        4,
        40,
    )


def test_a_workspace_says_what_is_not_said(sequences: Path, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    first = replace(
        OPTIONS, workspace=folder, sequences=sequences, stack="vot2018", eao_interval=(3, 9)
    )
    open_workspace(plan_run(first))
    again = plan_run(replace(OPTIONS, workspace=folder))
    assert again.stack.name == "vot2018/shortterm"
    assert again.stack.interval() == (3, 9)
    assert again.dataset is not None and again.dataset.source == str(sequences)
    open_workspace(again)

    other = plan_run(replace(OPTIONS, workspace=folder, stack="vot2020"))
    assert other.stack.interval() == (30, 100)
    assert plan_run(replace(OPTIONS, workspace=folder, eao_interval=(4, 8))).stack.interval() == (
        4,
        8,
    )
    assert plan_run(replace(OPTIONS, workspace=tmp_path / "new")).dataset is None


def test_weights_are_found_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alpharefine.nets.registry import build_network
    from alpharefine.weights.files import file_sha256, write_weights

    monkeypatch.chdir(tmp_path)
    state = build_network("super_dimp").state_dict()
    write_weights(Path("mine.safetensors"), {"super_dimp": state}, {})
    record = plan_run(replace(OPTIONS, weights="mine.safetensors")).records["DiMPsuper"]
    assert record.settings.weights == str(tmp_path / "mine.safetensors")
    assert record.sha256 == file_sha256(Path("mine.safetensors"))
    assert (record.weights, record.random) == ("mine", False)


def test_seed_of_random_weights_is_kept() -> None:
    record = plan_run(replace(OPTIONS, weights="random:7")).records["DiMPsuper"]
    assert record.random
    assert (record.weights, record.settings.weights) == ("random:7", "random:7")


def test_answers_that_were_only_repeated_are_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = make_workspace(tmp_path / "w", make_sequences(tmp_path / "s"), ["baseline"])
    assert main(["evaluate", "nowhere", "--workspace", str(workspace.folder)]) == 0
    assert "Note: nowhere had 44 invalid estimates" in capsys.readouterr().out


def test_experiments_that_are_left_out_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = make_workspace(tmp_path / "w", make_sequences(tmp_path / "s"))
    place = ["--workspace", str(workspace.folder)]
    assert main(["evaluate", "wanders", "--experiments", "baseline", *place]) == 0
    for command in ("analyze", "report"):
        capsys.readouterr()
        assert main([command, "wanders", *place]) == 0
        assert "Left out: realtime, not complete for wanders" in capsys.readouterr().out
