"""The stacks under two versions of the toolkit: the same files, the same scores."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Report
from tests.toolkit.environments import installed_version, make_environment
from tests.toolkit.make import make_sequences
from vot_integration.toolkit import v07, v09
from vot_integration.toolkit.experiments import EXPERIMENT_TYPES, official_definition
from vot_integration.toolkit.interface import toolkit, toolkit_version
from vot_integration.toolkit.stacks import load_stack

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 3600
OTHER = os.environ.get("ARVOT_OTHER_TOOLKIT")
SHORT = ("vot2020", "vot2018")
ALL = (
    *("vot2013", "vot2014", "vot2015/rgb", "vot2016/rgb", "vot2017", "vot2018", "vot2019"),
    *("vot2020", "vot2021", "vot2022", "vot2022box"),
)


def _other_version() -> str:
    return "0.7.4" if toolkit_version().startswith("0.9") else "0.9.0"


def _run(python: Path, folder: Path, sequences: Path, stacks: tuple[str, ...]) -> None:
    command = [python, "-m", "tests.toolkit.run_stacks", folder, sequences, *stacks]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S)
    assert run.returncode == 0, run.stderr[-5000:]


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.glob("*/results/**/*")):
        if file.is_file():
            # How long a tracker takes is no property of the toolkit.
            content = b"" if file.name.endswith("_time.value") else file.read_bytes()
            yield str(file.relative_to(folder)), content


def _scores(folder: Path) -> Mapping[str, Any]:
    scores = {}
    for file in sorted(folder.glob("*/analysis/*.json")):
        results = json.loads(file.read_text())["results"]
        # Which class has run an experiment is said there as well.
        found = {name: result["results"] for name, result in results.items()}
        scores[str(file.relative_to(folder))] = found
    return scores


def _packed_stack(folder: Path) -> dict[str, str]:
    packed = {}
    for file in sorted(folder.glob("*/*.zip")):
        with zipfile.ZipFile(file) as archive:
            manifest = yaml.safe_load(archive.read("manifest.yml"))
        packed[file.parent.name] = str(manifest["stack"])
    return packed


def _compare(python: Path, folder: Path, stacks: tuple[str, ...]) -> int:
    """Run the stacks here and in another environment; the number of files that are equal."""
    assert installed_version(python) != toolkit_version()
    sequences = make_sequences(folder / "sequences")
    places = folder / "here", folder / "there"
    for interpreter, place in zip((Path(sys.executable), python), places, strict=True):
        _run(interpreter, place, sequences, stacks)
    here, there = (dict(_files(place)) for place in places)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []
    assert _scores(places[0]) == _scores(places[1])
    assert _packed_stack(places[0]) == _packed_stack(places[1])
    assert len(_packed_stack(places[0])) == len(stacks)
    return len(here)


@pytest.mark.skipif(OTHER is None, reason="ARVOT_OTHER_TOOLKIT names no other environment")
def test_two_stacks_give_the_same_files_and_scores(tmp_path: Path) -> None:
    assert OTHER is not None
    assert _compare(Path(OTHER), tmp_path, SHORT) > 0


@pytest.mark.soak
def test_all_stacks_give_the_same_files_and_scores(tmp_path: Path, figure: Report) -> None:
    python = make_environment(tmp_path / "environment", _other_version())
    count = _compare(python, tmp_path, ALL)
    versions = f"{toolkit_version()} and {installed_version(python)}"
    figure("result files equal", f"{count} of {len(ALL)} stacks under {versions}")


def test_each_version_runs_what_it_can() -> None:
    body = {"type": "multistart", "realtime": {"grace": 3}}
    assert v07.Version().experiment(body) == body
    mended = v09.Version().experiment(body)
    assert mended["realtime"] == {"grace": 3}
    assert official_definition(mended) == body


def test_every_experiment_has_a_class_that_version_0_9_can_run() -> None:
    source = (ROOT / "vot_integration/toolkit/v09_experiments.py").read_text()
    for entry in EXPERIMENT_TYPES:
        assert f"class {entry.mended.rpartition('.')[2]}(" in source


def test_a_workspace_is_the_same_under_each_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vot_integration.toolkit.stacks.toolkit", v09.Version)
    file = tmp_path / "stack.yaml"
    file.write_text(load_stack("vot2020").dump())
    assert "v09_experiments.MultiStart" in file.read_text()
    assert load_stack(str(file)).experiments == load_stack("vot2020").experiments
    assert isinstance(toolkit(), v07.Version | v09.Version)
