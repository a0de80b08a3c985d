"""Names in lists, sequences, stacks and trackers.ini that would lead out of the workspace."""

import json
from pathlib import Path

import pytest
import yaml

from alpharefine.errors import UsageError
from tests.toolkit.make import make_sequences, make_workspace
from vot_integration.evaluation.evaluate import evaluate
from vot_integration.sequences.folder import read_list, read_sequence_folder, write_list
from vot_integration.toolkit.stacks import load_stack
from vot_integration.workspaces.manifest import read_manifest
from vot_integration.workspaces.own_trackers import adopt_trackers, read_own_trackers
from vot_integration.workspaces.trackers_ini import TrackerSettings, workspace_ini

OUTSIDE = ["../evil", "../../etc/evil", "dark/../../evil", "/tmp/../evil", "..", ".", "/", "dark/"]


def assert_one_line(error: pytest.ExceptionInfo[UsageError]) -> None:
    message = str(error.value)
    assert message.isprintable(), message


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_list_of_sequences(tmp_path: Path, name: str) -> None:
    folder = make_sequences(tmp_path / "sequences")
    (folder / "list.txt").write_text(f"dark\n{name}\n")
    with pytest.raises(UsageError, match="is refused") as error:
        read_list(folder)
    assert_one_line(error)


@pytest.mark.parametrize("name", ["dark\x00", "dark\x1b[2Jred", "dark\x85two", "x" * 5000])
def test_names_that_no_folder_has(tmp_path: Path, name: str) -> None:
    folder = make_sequences(tmp_path / "sequences")
    (folder / "list.txt").write_text(f"{name}\n")
    with pytest.raises(UsageError) as error:
        for path in read_list(folder):
            read_sequence_folder(path)
    assert_one_line(error)


@pytest.mark.parametrize(
    "line",
    [
        "groundtruth=../../../etc/passwd",
        "groundtruth=/etc/passwd",
        "channels.color=../../x/%08d.jpg",
        "channels.color=/etc/%08d.jpg",
        "channels.color=%s/%08d.jpg",
        "channels.color=color/%999999999d.jpg",
        "channels.color=color/%(x)d.jpg",
        "channels.color=color/\x1b[31m%08d.jpg",
        "length=" + "9" * 9,
        "length=" + "9" * 5000,
        "width=\x1b[31m",
    ],
)
def test_properties_of_a_sequence(tmp_path: Path, line: str) -> None:
    folder = make_sequences(tmp_path / "sequences") / "dark"
    (folder / "sequence").write_text(f"{line}\nfps=30\n")
    with pytest.raises(UsageError) as error:
        read_sequence_folder(folder)
    assert_one_line(error)
    assert "root:" not in str(error.value)


def test_a_sequences_own_name_does_not_choose_where_results_go(tmp_path: Path) -> None:
    """The toolkit names results after the folder, not after `name=`; and links are followed."""
    sequences = make_sequences(tmp_path / "sequences", ["dark"])
    with (sequences / "dark" / "sequence").open("a") as properties:
        properties.write("name=../../../../evil\n")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "link").symlink_to(sequences / "dark")
    write_list(linked, ["link"])
    workspace = make_workspace(tmp_path / "w", linked, ["unsupervised"])
    before = {path for path in tmp_path.rglob("*") if tmp_path / "w" not in path.parents}
    evaluate(workspace, "oracle", lambda _: None)
    after = {path for path in tmp_path.rglob("*") if tmp_path / "w" not in path.parents}
    assert after == before
    assert list((workspace.results("oracle") / "unsupervised" / "link").glob("*.bin"))


def stack_file(folder: Path, experiments: object) -> Path:
    file = folder / "stack.yaml"
    file.write_text(yaml.safe_dump({"title": "x", "experiments": experiments}))
    return file


@pytest.mark.parametrize("name", ["../evil", "/etc", "a/b", "..", ".hidden", "a,b", "a\nb", "", 3])
def test_names_of_experiments(tmp_path: Path, name: object) -> None:
    file = stack_file(tmp_path, {name: {"type": "multistart"}})
    with pytest.raises(UsageError, match="an experiment's name has only") as error:
        load_stack(str(file))
    assert_one_line(error)


@pytest.mark.parametrize(
    "definition",
    [
        {"type": "os.system"},
        {"type": "evil.Experiment"},
        {"type": ".evil"},
        {"type": "multistart", "analyses": [{"type": "subprocess.Popen"}]},
        {"type": "multistart", "transformers": [{"type": "a.b"}]},
    ],
)
def test_types_from_anywhere(tmp_path: Path, definition: object) -> None:
    file = stack_file(tmp_path, {"baseline": definition})
    with pytest.raises(UsageError, match="is not one of the toolkit's") as error:
        load_stack(str(file))
    assert_one_line(error)


def test_a_stack_of_aliases(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 30)]
    file = tmp_path / "bomb.yaml"
    file.write_text("\n".join([*lines, "experiments: {b: {type: multistart, analyses: *a29}}"]))
    with pytest.raises(UsageError, match=r"not a stack file.*aliases") as error:
        load_stack(str(file))
    assert_one_line(error)


def test_a_record_with_a_hostile_stack(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", make_sequences(tmp_path / "s"), ["baseline"])
    file = workspace.folder / "arvot.json"
    document = json.loads(file.read_text())
    document["stack"]["experiments"] = {"../../evil": {"type": "multistart"}}
    file.write_text(json.dumps(document))
    with pytest.raises(UsageError, match="an experiment's name") as error:
        read_manifest(workspace.folder)
    assert_one_line(error)


@pytest.mark.parametrize("name", ["../evil", "a b", "a/b", "%(python)s", "a$HOME"])
def test_names_of_trackers(tmp_path: Path, name: str) -> None:
    file = tmp_path / "trackers.ini"
    file.write_text(f"[{name}]\nprotocol = traxpython\ncommand = x\n")
    with pytest.raises(UsageError, match="a tracker's name") as error:
        read_own_trackers(file)
    assert_one_line(error)


@pytest.mark.parametrize("text", ["[a\n", "x = 1\n", "[a]\nprotocol\n", "\x00", "[a]\n[a]\n"])
def test_trackers_ini_that_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "trackers.ini"
    file.write_text(text)
    with pytest.raises(UsageError) as error:
        adopt_trackers(file, tmp_path)
    assert_one_line(error)


@pytest.mark.parametrize("weights", ["/w\n[evil]\ncommand = x", "/w\rx", "/$HOME/w", "/${HOME}"])
def test_settings_that_would_become_other_entries(weights: str) -> None:
    with pytest.raises(UsageError) as error:
        workspace_ini(Path("/w"), {"ARDiMP_lite": TrackerSettings(weights=weights)})
    assert_one_line(error)


def test_what_a_terminal_would_obey_is_shown_as_escapes(tmp_path: Path) -> None:
    entry = '{"weights\\u0000\\u001b[31m": "lite", "settings": {}}'
    record = f'{{"stack": {{}}, "trackers": {{"ARDiMP_lite": {entry}}}}}'
    (tmp_path / "arvot.json").write_text(record)
    with pytest.raises(UsageError) as raised:
        read_manifest(tmp_path)
    assert "weights\\x00\\x1b[31m" in str(raised.value)
    assert str(raised.value).isprintable()
