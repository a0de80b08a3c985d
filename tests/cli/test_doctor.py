"""`arvot doctor`: what each check finds, and what the exit code says."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.toolkit.make import make_sequences, write_registry
from vot_integration.cli import main
from vot_integration.doctor.compute import check_weights
from vot_integration.doctor.environment import check_environment
from vot_integration.doctor.findings import Finding, Severity, run_checks, worst
from vot_integration.doctor.state import check_workspace
from vot_integration.doctor.trial import check_tracker_runs
from vot_integration.doctor.versions import check_versions, installed_versions, own_requirements
from vot_integration.records import TrackerRecord
from vot_integration.trackers_ini import TrackerSettings

SOUND = {"vot-toolkit": "0.7.4", "attributee": "0.1.9", "vot-trax": "4.0.2", "torch": "2.6.0"}


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return write_registry(tmp_path / "trackers.ini", tmp_path / "logs" / "trackers")


def errors(findings: object) -> list[Finding]:
    return [finding for finding in findings if finding.severity is Severity.ERROR]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("package", "version", "words", "remedy"),
    [
        ("vot-toolkit", "0.8.0", "ObjectQuery", "vot-toolkit>=0.7.3,<0.8"),
        ("vot-toolkit", "0.9.0", "baseline and realtime", "vot-toolkit>=0.7.3,<0.8"),
        ("attributee", "0.1.10", "dataclass_transform", "attributee<0.1.10"),
        ("vot-trax", "3.0.3", "one region", "vot-trax>=4,<5"),
    ],
)
def test_known_bad_versions(package: str, version: str, words: str, remedy: str) -> None:
    required = [f"{package}<99", "torch>=2.6"]
    [found] = check_versions({**SOUND, package: version}, required)
    assert found.severity is Severity.ERROR
    assert version in found.text and words in found.text and remedy in found.remedy


def test_requirements() -> None:
    required = ["torch>=2.7", "Vot_Trax>=4", "shapely>=2", "ray; extra == 'cluster'"]
    found = list(check_versions(SOUND, required))
    assert [finding.text for finding in found] == [
        "torch 2.6.0 is installed, >=2.7 is required",
        "shapely is not installed",
    ]
    [good] = check_versions(SOUND, ["torch>=2.6"])
    assert good.severity is Severity.GOOD and "vot-toolkit 0.7.4" in good.text


def test_these_packages_are_sound() -> None:
    assert not errors(check_versions(installed_versions(), own_requirements()))


def test_a_check_that_fails_is_a_finding() -> None:
    def broken() -> Iterator[Finding]:
        yield Finding(Severity.WARNING, "a", "b")
        raise ImportError("cannot\nimport")

    found = list(run_checks([("toolkit", broken)]))
    assert worst(found) is Severity.ERROR and worst([]) is Severity.GOOD
    assert found[1] == Finding(Severity.ERROR, "toolkit", "ImportError: cannot import")


def test_random_weights_are_a_warning() -> None:
    record = TrackerRecord("random:0", "ab", "cpu", "auto", TrackerSettings(), random=True)
    [found] = check_weights("DiMPsuper", record)
    assert found.severity is Severity.WARNING and "random" in found.text


def test_interpreter_of_a_section(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    [found] = check_environment(registry, "oracle")
    assert found.severity is Severity.GOOD and sys.executable in found.text
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert "the toolkit replaces it" in list(check_environment(registry, "oracle"))[1].text


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (f"python = {sys.executable}", "python = /no/such/python", "does not start"),
        (f"python = {sys.executable}", f"python = {sys.executable} -S", "cannot import the server"),
    ],
)
def test_wrong_interpreter(registry: Path, old: str, new: str, words: str) -> None:
    registry.write_text(registry.read_text().replace(old, new))
    [found] = check_environment(registry, "oracle")
    assert found.severity is Severity.ERROR and words in found.text and "arvot init" in found.remedy


def test_workspace_with_results_that_were_cut_off(tmp_path: Path) -> None:
    assert [f.severity for f in check_workspace(tmp_path / "none")] == [Severity.GOOD]
    sequences = make_sequences(tmp_path / "sequences")
    assert main(["init", str(tmp_path / "w"), "--sequences", str(sequences)]) == 0
    folder = tmp_path / "w" / "results" / "DiMPsuper" / "baseline" / "dark"
    folder.mkdir(parents=True)
    (folder / "dark_00000000.bin").write_bytes(b"cut")
    found = list(check_workspace(tmp_path / "w"))
    assert [f.severity for f in found] == [Severity.GOOD, Severity.WARNING]
    assert "0 of 10 runs are done, 1 were cut off" in found[1].text

    (sequences / "dark" / "groundtruth.txt").write_text("1,1,9,9\n" * 12)
    [found_error] = errors(check_workspace(tmp_path / "w"))
    assert "made for other sequences" in found_error.text


def test_tracker_that_runs(registry: Path) -> None:
    [found] = check_tracker_runs(registry, "oracle")
    assert found.severity is Severity.GOOD and "tracked 5 frames" in found.text


def test_trackers_own_error_is_shown(registry: Path) -> None:
    [found] = check_tracker_runs(registry, "unloadable")
    assert found.severity is Severity.ERROR
    assert "FileNotFoundError: no weights under the sofa" in found.text
    assert "Traceback" in found.text


def test_command(
    tmp_path: Path,
    registry: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    workspace = str(tmp_path / "w")
    sequences = make_sequences(tmp_path / "sequences")
    assert (
        main(["init", workspace, "--sequences", str(sequences), "--trackers", str(registry)]) == 0
    )
    capsys.readouterr()
    assert main(["doctor", "oracle", "--workspace", workspace]) == 0
    assert "all is well" in capsys.readouterr().out
    assert main(["doctor", "nobody", "--workspace", workspace]) == 2
    output = capsys.readouterr().out
    assert "unknown tracker 'nobody'" in output and "error" in output
