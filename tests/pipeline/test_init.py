"""`arvot init`: what is in the workspace, and trackers of the user's own."""

import configparser
import json
import sys
from pathlib import Path

import pytest
import yaml
from vot.tracker import Registry, _runtime_protocols

from tests.toolkit.make import make_sequences
from vot_integration.cli import main
from vot_integration.toolkit.stacks import load_stack
from vot_integration.workspaces.trackers_ini import TrackerSettings, plain_ini, workspace_ini
from vot_integration.workspaces.workspace import load_workspace

OWN = "[Mine]\nprotocol = traxpython\ncommand = mine\npaths = code:more\nenv_RATE = 5%%\n"


@pytest.fixture
def sequences(tmp_path: Path) -> Path:
    return make_sequences(tmp_path / "sequences")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "lab" / "mine.ini"
    file.parent.mkdir()
    file.write_text(OWN)
    return file


def init(folder: Path, sequences: Path, *arguments: object) -> int:
    return main(["init", str(folder), "--sequences", str(sequences), *map(str, arguments)])


def test_whole_stack_and_linked_sequences(
    tmp_path: Path, sequences: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(tmp_path / "w", sequences, "--stack", "vot2022box") == 0
    stack = yaml.safe_load((tmp_path / "w" / "stack.yaml").read_text())
    assert list(stack["experiments"]) == ["baseline", "realtime", "unsupervised"]
    assert stack["experiments"]["realtime"]["analyses"][0]["high"] == 100
    listed = (tmp_path / "w" / "sequences" / "list.txt").read_text().splitlines()
    assert listed == [str(sequences / name) for name in ("dark", "bright")]
    assert json.loads((tmp_path / "w" / "arvot.json").read_text())["trackers"] == {}
    assert f"arvot evaluate --workspace {tmp_path / 'w'}" in capsys.readouterr().out


def test_a_path_with_dots_is_usable(tmp_path: Path, sequences: Path) -> None:
    (tmp_path / "lab").mkdir()
    assert init(tmp_path / "w", tmp_path / "lab" / ".." / sequences.name) == 0
    listed = (tmp_path / "w" / "sequences" / "list.txt").read_text().splitlines()
    assert listed == [str(sequences / name) for name in ("dark", "bright")]
    assert load_workspace(tmp_path / "w").dataset.source == str(sequences)


def test_trackers_are_added_to_a_workspace_that_is_there(
    tmp_path: Path, sequences: Path, own: Path
) -> None:
    folder = tmp_path / "w"
    assert init(folder, sequences, "--stack", "vot2022box", "--eao-interval", 3, 9) == 0
    before = load_workspace(folder)
    assert main(["init", str(folder), "--trackers", str(own)]) == 0
    after = load_workspace(folder)
    assert (after.stack, after.dataset, after.interval) == (before.stack, before.dataset, (3, 9))
    assert "Mine" in Registry([str(folder / "trackers.ini")])


def test_own_trackers_are_adopted_and_kept(tmp_path: Path, sequences: Path, own: Path) -> None:
    folder = tmp_path / "w"
    assert init(folder, sequences, "--trackers", own) == 0
    assert init(folder, sequences) == 0
    mine = Registry([str(folder / "trackers.ini")])["Mine"].describe()
    assert mine["python"].strip("'") == sys.executable
    assert mine["paths"] == f"{own.parent}/code:{own.parent}/more"
    assert mine["env"] == {"RATE": "5%", "ARVOT_LOG_DIR": f"{folder}/logs/trackers"}


def test_a_folder_with_a_percent_sign_is_kept(tmp_path: Path, sequences: Path, own: Path) -> None:
    lab = own.parent.rename(tmp_path / "100%done")
    assert init(tmp_path / "w", sequences, "--trackers", lab / own.name) == 0
    mine = Registry([str(tmp_path / "w" / "trackers.ini")])["Mine"].describe()
    assert mine["paths"] == f"{lab}/code:{lab}/more"


def test_section_written_by_hand_is_kept(tmp_path: Path, sequences: Path) -> None:
    folder = tmp_path / "w"
    assert init(folder, sequences) == 0
    with (folder / "trackers.ini").open("a") as ini:
        ini.write("\n[ByHand]\nprotocol = trax\ncommand = ./run.sh\n")
    assert init(folder, sequences, "--eao-interval", "2", "9") == 0
    ini = configparser.ConfigParser()
    ini.read(folder / "trackers.ini")
    assert dict(ini["ByHand"]) == {"protocol": "trax", "command": "./run.sh"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "registers no tracker"),
        ("[A]\nprotocol = foo\ncommand = a\n", "no protocol 'foo'; write traxpython"),
        ("[DiMPsuper]\nprotocol = trax\ncommand = a\n", "section DiMPsuper: a tracker of arvot"),
        ("[A]\nprotocol = trax\ncommand = a\ntimeout = soon\n", "timeout = soon: give whole"),
        ("[A]\ncommand = a\n", "protocol is missing"),
        ("[A]\nprotocol = traxpython\n", "command is missing"),
        ("[A b]\nprotocol = trax\ncommand = a\n", "'A b'"),
        ("[A]\n[A]\n", "already exists"),
        ("no section\n", "cannot be read as a list of trackers"),
        ("[A]\nprotocol = trax\ncommand = a%b\n", "'%' must be followed by"),
        ("[A]\nprotocol = trax\ncommand = a%(x)sb\n", "Bad value substitution"),
        ("[A]\nprotocol = trax\ncommand = a\nPaths = a\npaths = b\n", "already exists"),
    ],
)
def test_bad_ini_is_one_line_and_nothing_is_written(
    text: str,
    words: str,
    tmp_path: Path,
    sequences: Path,
    own: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own.write_text(text)
    assert init(tmp_path / "w", sequences, "--trackers", own) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("protocol", ["traxpython", "trax", "traxmatlab", "traxoctave"])
def test_protocols_of_the_toolkit(
    protocol: str, tmp_path: Path, sequences: Path, own: Path
) -> None:
    assert protocol in _runtime_protocols
    own.write_text(f"[A]\nProtocol = {protocol}\ncommand = a\n")
    assert init(tmp_path / "w", sequences, "--trackers", own) == 0


def test_copies_of_our_own_sections_are_fine(tmp_path: Path, sequences: Path, own: Path) -> None:
    own.write_text(plain_ini())
    assert init(tmp_path / "plain", sequences, "--trackers", own) == 0
    settings = TrackerSettings(device="auto", precision="auto")
    own.write_text(workspace_ini(tmp_path / "other", {"ARDiMP_lite": settings}) + OWN)
    assert init(tmp_path / "w", sequences, "--trackers", own) == 0
    registry = Registry([str(tmp_path / "w" / "trackers.ini")])
    assert "Mine" in registry and str(tmp_path / "w") in str(registry["DiMPlite"].describe())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("timeout = 600", "timeout = 5"), "differs in timeout: give yours another name"),
        (("protocol =", "env_CUDA_VISIBLE_DEVICES = 1\nprotocol ="), "differs in env_CUDA_VISIBLE"),
        (("protocol =", "env_ARVOT_WEIGHTS = x\nprotocol ="), "weights, device and precision of"),
    ],
)
def test_a_section_of_ours_that_means_something_else_is_not_dropped(
    change: tuple[str, str],
    words: str,
    tmp_path: Path,
    sequences: Path,
    own: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own.write_text(plain_ini().replace(*change) + OWN)
    assert init(tmp_path / "w", sequences, "--trackers", own) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert not (tmp_path / "w").exists()


def test_refused_where_other_things_are(
    tmp_path: Path, sequences: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(tmp_path, sequences) == 2
    assert (
        f"{tmp_path} is not a workspace of arvot and holds other files (sequences): name a new or "
        "an empty folder"
    ) in capsys.readouterr().err
    assert init(sequences / "list.txt", sequences) == 2
    assert "list.txt is a file: name a new or an empty folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "desktop.ini", "._x"])
def test_what_systems_leave_is_not_in_the_way(name: str, tmp_path: Path, sequences: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / name).write_text("view")
    assert init(tmp_path / "w", sequences) == 0
    assert (tmp_path / "w" / name).read_text() == "view" and (tmp_path / "w" / "results").is_dir()
    assert init(tmp_path / "w", sequences) == 0


def test_another_stack_only_where_no_results_contradict_it(
    tmp_path: Path, sequences: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "w"
    assert init(folder, sequences, "--eao-interval", 2, 8) == 0
    assert "note" not in capsys.readouterr().out
    assert init(folder, sequences, "--stack", "vot2018", "--eao-interval", 2, 8) == 0
    output = capsys.readouterr().out
    assert "note: the stack is vot2018/shortterm now; it was vot2020/shortterm" in output
    assert load_workspace(folder).stack.experiments["baseline"]["type"] == "supervised"

    run = folder / "results" / "DiMPsuper" / "baseline" / "dark" / "dark_001.bin"
    run.parent.mkdir(parents=True)
    run.write_bytes(b"")
    before = (folder / "arvot.json").read_text()
    assert init(folder, sequences, "--stack", "vot2020") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and (folder / "arvot.json").read_text() == before
    assert (
        "holds results of baseline of stack vot2018/shortterm, which stack vot2020/shortterm "
        "defines otherwise: make another workspace for it"
    ) in error
    assert main(["init", str(folder), "--eao-interval", "3", "9"]) == 0


def test_an_experiment_with_results_may_not_go(
    tmp_path: Path, sequences: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = tmp_path / "mine.yaml", tmp_path / "w"
    stack = load_stack("vot2020")
    file.write_text(stack.dump())
    assert init(folder, sequences, "--stack", file) == 0
    run = folder / "results" / "DiMPsuper" / "realtime" / "dark" / "dark_00000000.bin"
    run.parent.mkdir(parents=True)
    run.write_bytes(b"")
    file.write_text(stack.select(["baseline", "realtime"]).dump())
    assert init(folder, sequences, "--stack", file) == 0
    file.write_text(stack.select(["baseline"]).dump())
    capsys.readouterr()
    assert init(folder, sequences, "--stack", file) == 2
    assert f"which stack {file} now does not have" in capsys.readouterr().err


def test_interval_beyond_the_sequences_is_noted(
    tmp_path: Path, sequences: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(tmp_path / "w", sequences) == 0
    noted = "note: no run is as long as the EAO interval 30-100 (the longest has 12 frames): "
    assert noted in capsys.readouterr().out
    assert init(tmp_path / "w", sequences, "--eao-interval", 3, 9) == 0
    assert "note" not in capsys.readouterr().out


def test_stack_without_experiments(
    tmp_path: Path, sequences: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "empty.yaml"
    for text in ("experiments: {}\n", "experiments:\n"):
        file.write_text(text)
        assert init(tmp_path / "w", sequences, "--stack", file, "--eao-interval", 2, 8) == 2
        error = capsys.readouterr().err
        assert "it has no experiments" in error and error.count("\n") == 1


def test_traceback_only_with_debug(
    tmp_path: Path,
    sequences: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr("vot_integration.pipeline.init.load_stack", broken)
    assert init(tmp_path / "w", sequences) == 1
    assert capsys.readouterr().err == "arvot: ZeroDivisionError: by zero (--debug shows where)\n"
    with pytest.raises(ZeroDivisionError):
        init(tmp_path / "w", sequences, "--debug")
