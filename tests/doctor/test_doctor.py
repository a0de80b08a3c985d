"""`arvot doctor`: what each check finds, and what the exit code says."""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alpharefine.errors import UsageError
from tests.toolkit.make import FRAMES, RECORD, make_sequences, make_workspace, write_registry
from vot_integration.cli import main
from vot_integration.doctor.compute import check_weights
from vot_integration.doctor.environment import check_environment
from vot_integration.doctor.findings import Check, Finding, Severity, run_checks, worst
from vot_integration.doctor.plan import DoctorOptions, list_checks
from vot_integration.doctor.state import check_workspace
from vot_integration.doctor.trial import check_tracker_runs, explain_failure
from vot_integration.doctor.versions import check_versions, installed_versions, own_requirements
from vot_integration.workspaces.launch import read_launch
from vot_integration.workspaces.records import TrackerRecord
from vot_integration.workspaces.trackers_ini import TrackerSettings, workspace_ini
from vot_integration.workspaces.workspace import record_trackers

SOUND = {"vot-toolkit": "0.7.4", "attributee": "0.1.9", "vot-trax": "4.0.2", "torch": "2.6.0"}


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return write_registry(tmp_path / "trackers.ini", tmp_path / "logs" / "trackers")


def errors(findings: object) -> list[Finding]:
    return [finding for finding in findings if finding.severity is Severity.ERROR]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("package", "version", "words", "remedy"),
    [
        ("vot-toolkit", "0.8.0", "ObjectQuery", "vot-toolkit>=0.7.3,!=0.8.*,<0.10"),
        ("vot-toolkit", "0.8.2", "mends 0.9 alone", "vot-toolkit>=0.7.3,!=0.8.*,<0.10"),
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


def test_what_is_mended_for_version_0_9_is_explained() -> None:
    [found] = check_versions({**SOUND, "vot-toolkit": "0.9.0"}, ["torch>=2.6"])
    assert found.severity is Severity.GOOD
    assert "0.9.0" in found.text and "classes of its own" in found.text and "arg_" in found.text


def test_these_packages_are_sound() -> None:
    assert not errors(check_versions(installed_versions(), own_requirements()))


def raising(error: Exception) -> Iterator[Finding]:
    yield Finding(Severity.WARNING, "a", "b")
    raise error


@pytest.mark.parametrize(
    ("error", "text", "remedy"),
    [
        (UsageError("no such thing: give another"), "^no such thing: give another$", "^$"),
        (ImportError("no\nx"), "^a package cannot be imported: no x$", "install arvot again"),
        (PermissionError(13, "Permission denied", "/f"), "^/f: Permission denied$", "can be read"),
        (OSError("a\nb"), "^a b$", "disk"),
        (KeyError("x"), r"failed itself: KeyError: 'x' \(test_doctor.py, line \d+\)", "report it"),
    ],
)
def test_a_check_that_fails_is_a_finding(error: Exception, text: str, remedy: str) -> None:
    found = list(run_checks([Check("toolkit", lambda: raising(error))]))
    assert worst(found) is Severity.ERROR and worst([]) is Severity.GOOD
    assert (found[1].severity, found[1].subject) == (Severity.ERROR, "toolkit")
    assert re.search(text, found[1].text) and re.search(remedy, found[1].remedy)


def test_one_cause_is_found_once() -> None:
    def good() -> list[Finding]:
        return [Finding(Severity.GOOD, "x", "")]

    checks = [
        Check("tracker", lambda: raising(UsageError("unknown"))),
        Check("weights", good, frozenset({"tracker"})),
        Check("trial", good, frozenset({"weights"})),
        Check("workspace", good),
    ]
    *found, last = run_checks(checks)
    assert [finding.subject for finding in found] == ["a", "tracker", "x"]
    assert last.severity is Severity.NOT_TRIED and last.text.startswith("weights, trial; ")
    assert worst([*found, last]) is Severity.ERROR and worst([last, *good()]) is Severity.GOOD


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
def test_wrong_interpreter(tmp_path: Path, old: str, new: str, words: str) -> None:
    registry = tmp_path / "trackers.ini"
    registry.write_text(workspace_ini(tmp_path, {}).replace(old, new))
    [found] = check_environment(registry, "DiMPsuper")
    assert found.severity is Severity.ERROR and words in found.text and "arvot init" in found.remedy


def test_own_tracker_needs_no_arvot_but_an_interpreter(registry: Path) -> None:
    text = registry.read_text()
    registry.write_text(text.replace(sys.executable, f"{sys.executable} -S"))
    [found] = check_environment(registry, "oracle")
    assert found.severity is Severity.GOOD and "does not see arvot" in found.text
    registry.write_text(text.replace(sys.executable, "/no/such/python"))
    [found] = check_environment(registry, "oracle")
    assert found.severity is Severity.ERROR and f"section oracle of {registry}" in found.remedy


def test_workspace_that_is_not_there(tmp_path: Path) -> None:
    [default] = check_workspace(tmp_path / "none")
    assert default.severity is Severity.GOOD
    [named] = check_workspace(tmp_path / "none", is_named=True)
    assert named.severity is Severity.WARNING and "arvot init" in named.remedy


def test_repetitions_count_as_in_an_evaluation(tmp_path: Path) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    workspace = make_workspace(tmp_path / "w", sequences, ["baseline"], stack="vot2018")
    results = workspace.results("oracle")
    for number, sequence in enumerate(workspace.dataset.sequences):
        for repetition in (1, 2, 3):
            write_run(results / "baseline" / sequence.name, repetition, b"0.5\n" * FRAMES)
            assert done(workspace.folder) == f"oracle: {3 * number + repetition} of 6 runs are done"
    name = workspace.dataset.sequences[0].name
    write_run(results / "baseline" / name, 3, b"0.25\n" * FRAMES)
    assert done(workspace.folder) == "oracle: 6 of 18 runs are done"


def done(folder: Path) -> str:
    return list(check_workspace(folder))[1].text


def write_run(folder: Path, repetition: int, regions: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{folder.name}_{repetition:03d}"
    (folder / f"{stem}.txt").write_bytes(regions)
    (folder / f"{stem}_time.value").write_text("0.1\n" * FRAMES)


def test_workspace_with_results_that_were_cut_off(tmp_path: Path) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    assert main(["init", str(tmp_path / "w"), "--sequences", str(sequences)]) == 0
    folder = tmp_path / "w" / "results" / "DiMPsuper" / "baseline" / "dark"
    folder.mkdir(parents=True)
    (folder / "dark_00000000.bin").write_bytes(b"cut")
    found = list(check_workspace(tmp_path / "w"))
    assert [f.severity for f in found] == [Severity.GOOD, Severity.WARNING]
    assert "0 of 10 runs are done, 1 was cut off: " in found[1].text
    assert f"run `arvot evaluate DiMPsuper --workspace {tmp_path / 'w'}`" == found[1].remedy

    (sequences / "dark" / "groundtruth.txt").write_text("1,1,9,9\n" * 12)
    with pytest.raises(UsageError, match="made for other sequences"):
        list(check_workspace(tmp_path / "w"))


def test_tracker_that_runs(registry: Path) -> None:
    [found] = check_tracker_runs(registry, "oracle")
    assert found.severity is Severity.GOOD and "tracked 5 frames" in found.text


def test_answers_that_are_none_are_a_warning(registry: Path) -> None:
    [found] = check_tracker_runs(registry, "nowhere")
    assert found.severity is Severity.WARNING and found.remedy
    assert re.search(r"5 frames and had \d+ invalid estimates", found.text)


def test_trackers_own_error_is_shown(registry: Path) -> None:
    [found] = check_tracker_runs(registry, "unloadable")
    assert found.severity is Severity.ERROR
    assert "FileNotFoundError: no weights under the sofa" in found.text
    assert "Traceback" in found.text and "end of its log" in found.remedy
    named = re.search(r"its own log \((.*)\):", found.text)
    assert named and Path(named[1]).is_file()


GREETED = '@@TRAX:hello "trax.name=X"\n'
BAD_INPUT = "ERROR: the run failed\nTraceback\nalpharefine.errors.UsageError: no m.pt: make it\n"


@pytest.mark.parametrize(
    ("output", "log", "text", "remedy"),
    [
        ("Unable to connect to tracker\n", None, "did not come up", "by hand it starts with: "),
        ("\x1b[31mNameError: x\n", None, "did not come up.*\n  NameError: x$", "PYTHONPATH="),
        (
            f"{GREETED}\x1b[31mServer terminated the session: no m.pt: make it\x1b[0m",
            BAD_INPUT,
            "^oracle says: no m.pt: make it$",
            "its own words; its log is .*x.log$",
        ),
        (f"{GREETED}Server terminated the session: tired", None, "says: tired$", "own words$"),
        (
            f"{GREETED}Server terminated the session: KeyError: 'x' (log: /x.log)",
            "KeyError: 'x'",
            "^oracle failed: KeyError: 'x'\nThe end of its own log .*\n  KeyError: 'x'$",
            "^mend what the end of its log names$",
        ),
        (f"{GREETED}Timeout reached, terminating", None, "not answer within 30 s$", "timeout = "),
        (
            f"{GREETED}Segmentation fault",
            None,
            "came up and failed.*\n  Segm",
            "^mend what the last",
        ),
    ],
)
def test_remedy_fits_the_cause(
    registry: Path, tmp_path: Path, output: str, log: str | None, text: str, remedy: str
) -> None:
    file = tmp_path / "x.log"
    file.write_text(log or "")
    found = explain_failure(read_launch(registry, "oracle"), output, file if log else None)
    assert re.search(text, found.text) and re.search(remedy, found.remedy)
    assert "TRAX" not in found.text and "\x1b" not in found.text


def test_what_starts_a_tracker_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "trackers.ini"
    file.write_text(
        "[A]\nprotocol = traxpython\ncommand = a.b\npython = /p\npaths = x:/y\n"
        "[B]\nprotocol = traxpython\ncommand = import b; b.run('%%')\npython = /p\n"
        "[C]\nprotocol = trax\ncommand = ./run.sh -f\n"
    )
    assert read_launch(file, "A").by_hand == f"PYTHONPATH={tmp_path}/x:/y /p -m a.b"
    assert read_launch(file, "B").by_hand == """/p -c 'import b; b.run('"'"'%'"'"')'"""
    assert read_launch(file, "C").by_hand == "./run.sh -f"


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
    assert capsys.readouterr().out.endswith("all is well\n")


def test_command_names_a_cause_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    nowhere = tmp_path / "nowhere"
    assert main(["doctor", "nobody", "--workspace", str(nowhere)]) == 2
    output = capsys.readouterr().out
    assert output.count("nobody") == 1 and "error   tracker: unknown tracker 'nobody'" in output
    assert "`arvot init DIR --trackers FILE.ini`" in output
    assert f"warning workspace: there is none in {nowhere}\n        do: " in output
    assert "        not tried: weights, interpreter, trial; " in output
    assert output.endswith("found: 1 warning, 1 error\n") or "found: 2 warnings" in output


def test_command_with_unknown_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", "--weights", "nix"]) == 2
    output = capsys.readouterr().out
    assert output.count("nix") == 1 and "UsageError" not in output
    assert "good    workspace: there is none in" in output and "not tried: trial" in output


def test_settings_of_earlier_results_are_looked_at(tmp_path: Path) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    workspace = make_workspace(tmp_path / "w", sequences, ["baseline"])
    settings = TrackerSettings("gone.safetensors", "cpu", "float32")
    record_trackers(workspace, {"DiMPsuper": replace(RECORD, settings=settings)})
    checks = {
        check.subject: check.find
        for check in list_checks(DoctorOptions("DiMPsuper", workspace.folder))
    }
    assert "float32" in next(iter(checks["device"]())).text
    with pytest.raises(UsageError, match=r"gone\.safetensors"):
        list(checks["weights"]())
