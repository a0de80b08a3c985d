"""Sequences of several objects: run and scored by the toolkit, or refused."""

from pathlib import Path

import pytest

from alpharefine.errors import UsageError
from tests.toolkit.make import FRAMES, RECORD, make_sequences, write_registry
from vot_integration.evaluation.evaluate import analyze, evaluate
from vot_integration.report.trajectories import read_runs
from vot_integration.sequences.checks import check_sequences
from vot_integration.sequences.folder import read_sequence_folder
from vot_integration.toolkit.files import read_trajectory
from vot_integration.toolkit.interface import toolkit
from vot_integration.toolkit.regions import region_shape, special_code
from vot_integration.toolkit.stacks import Stack, load_stack
from vot_integration.workspaces.dataset import read_dataset
from vot_integration.workspaces.workspace import Workspace, WorkspaceSpec, open_workspace

STACK = "tests/multiobject"


def make_objects(folder: Path, late: bool = False) -> Path:
    """One sequence of two objects; the second one stands still, and may come in later."""
    make_sequences(folder, ("pair",))
    pair = folder / "pair"
    (pair / "groundtruth.txt").rename(pair / "groundtruth_a.txt")
    (pair / "anchor.value").unlink()
    lines = ["40,20,10,12"] * FRAMES
    lines[3] = "0"
    if late:
        lines[:2] = ["0", "0"]
    (pair / "groundtruth_b.txt").write_text("\n".join(lines) + "\n")
    return folder


def still_workspace(folder: Path, sequences: Path, stack: Stack) -> Workspace:
    spec = WorkspaceSpec(folder / "w", read_dataset(sequences, stack), stack, {"still": RECORD})
    workspace = open_workspace(spec)
    write_registry(workspace.folder / "trackers.ini", folder / "logs")
    return workspace


def test_the_toolkit_runs_and_scores_several_objects(tmp_path: Path) -> None:
    sequences = make_objects(tmp_path / "sequences")
    stack = load_stack(STACK)
    workspace = still_workspace(tmp_path, sequences, stack)
    assert [run.name for run in workspace.runs] == ["pair_a_001", "pair_b_001"]
    made = evaluate(workspace, "still", lambda progress: None)
    assert made == list(workspace.runs)
    first, second = (read_trajectory(run.regions_file(workspace.results("still"))) for run in made)
    assert region_shape(first[-1]) == (8, 10, 16, 16)
    assert all(region.is_empty() for region in second), "the second object is answered as absent"
    sequence = read_sequence_folder(sequences / "pair", several=True)
    runs = list(read_runs(workspace, "still", "baseline", sequence))
    assert runs[0].present.all() and runs[1].present.sum() == FRAMES - 1
    assert runs[1].overlaps[3] == 1 and runs[1].overlaps[4] == 0
    assert analyze(workspace, "still").is_file()


def test_objects_that_come_later_are_refused_where_the_toolkit_does_not_tell_of_them(
    tmp_path: Path,
) -> None:
    sequences = make_objects(tmp_path / "sequences", late=True)
    stack = load_stack(STACK)
    if toolkit().takes_late_objects:
        workspace = still_workspace(tmp_path, sequences, stack)
        _, second = evaluate(workspace, "still", lambda progress: None)
        regions = read_trajectory(second.regions_file(workspace.results("still")))
        # The toolkit notes its start in the first frame, whenever the object comes.
        assert [special_code(region) for region in regions[:3]] == [1, 0, -1]
        assert region_shape(regions[2]) == (40, 20, 10, 12)
        assert all(region.is_empty() for region in regions[3:])
    else:
        with pytest.raises(UsageError, match=r"groundtruth_b.*frame 3.*vot-toolkit 0\.9"):
            read_dataset(sequences, stack)
    with pytest.raises(UsageError, match=r"groundtruth_b.*frame 3"):
        read_dataset(sequences, load_stack("vots2025/realtime"))


def test_a_stack_for_one_object_refuses_several(tmp_path: Path) -> None:
    sequences = make_objects(tmp_path / "sequences")
    with pytest.raises(UsageError, match="vots2025/main"):
        read_dataset(sequences, load_stack("vot2022"))


def test_other_ground_truth_of_an_object_is_another_data_set(tmp_path: Path) -> None:
    sequences = make_objects(tmp_path / "sequences")
    before = read_dataset(sequences, load_stack(STACK)).fingerprint()
    file = sequences / "pair" / "groundtruth_b.txt"
    file.write_text(file.read_text().replace("40,20", "41,20"))
    assert read_dataset(sequences, load_stack(STACK)).fingerprint() != before


def test_check_knows_the_objects(tmp_path: Path) -> None:
    sequences = make_objects(tmp_path / "sequences", late=True)
    assert check_sequences(sequences).problems == ()
    file = sequences / "pair" / "groundtruth_c.txt"
    file.write_text("0\n" * FRAMES)
    [problem] = check_sequences(sequences).problems
    assert "groundtruth_c.txt" in problem and "in no frame" in problem
    file.write_text("0\n")
    [problem] = check_sequences(sequences).problems
    assert "groundtruth_c.txt" in problem and "1 lines" in problem
    file.write_text("0\n" + "900,900,5,5\n" * (FRAMES - 1))
    [problem] = check_sequences(sequences).problems
    assert "groundtruth_c.txt, line 2" in problem
