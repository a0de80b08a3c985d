"""Progress of repetitions, of which the toolkit leaves out the rest when three are equal."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from tests.toolkit.make import FRAMES, Recorder, make_sequences, make_workspace
from vot_integration.cli import main
from vot_integration.commands.display import RunDisplay
from vot_integration.evaluation.evaluate import ExperimentProgress, evaluate
from vot_integration.evaluation.jobs import Job, Outcome
from vot_integration.evaluation.planning import PlannedRuns, cut_shards
from vot_integration.evaluation.shards import ShardJob
from vot_integration.evaluation.workers import LocalWorkers
from vot_integration.toolkit.experiments import expected_runs
from vot_integration.toolkit.results import Run
from vot_integration.workspaces.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Up to 15 repetitions in each of two sequences."""
    sequences = make_sequences(tmp_path / "sequences", ("one", "two"))
    return make_workspace(tmp_path / "w", sequences, ["baseline"], stack="vot2018")


def write_run(workspace: Workspace, run: Run, region: str = "1,2,3,4") -> None:
    folder = run.folder(workspace.results("oracle"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{run.name}.txt").write_text(f"{region}\n" * run.frames)
    (folder / f"{run.name}_time.value").write_text("0.1\n" * run.frames)


class Stub(LocalWorkers):
    """Writes what a toolkit would write of a tracker that answers `region` of each run."""

    def __init__(self, region: Callable[[Run], str], repetitions: int) -> None:
        super().__init__()
        object.__setattr__(self, "region", region)
        object.__setattr__(self, "repetitions", repetitions)

    def run(self, jobs: Sequence[Job], on_tick: Callable[[], None]) -> list[Outcome]:
        for job in jobs:
            assert isinstance(job, ShardJob)
            for run in job.shard.runs:
                if int(run.name[-3:]) <= self.repetitions:
                    write_run(job.shard, run, self.region(run))
                    on_tick()
        return [Outcome(True, "Evaluation concluded")]


@pytest.mark.parametrize(
    ("region", "repetitions", "expected"),
    [
        (lambda run: "1,2,3,4", 3, [(n, 6) for n in (0, 1, 2, 3, 4, 5, 6, 6)]),
        (
            lambda run: f"1,2,3,{run.name[-3:]}",
            15,
            [(0, 6), (1, 6), *((n, 30) for n in range(2, 31)), (30, 30)],
        ),
        # Too little of a difference for the toolkit, which goes on to the next sequence.
        (
            lambda run: f"1,2,3,4.00000{run.name[-1]}",
            3,
            [(0, 6), (1, 6), *((n, 30) for n in range(2, 7)), (6, 6)],
        ),
    ],
    ids=["equal", "random", "nearly equal"],
)
def test_progress_ends_at_all_runs(
    workspace: Workspace,
    region: Callable[[Run], str],
    repetitions: int,
    expected: list[tuple[int, int]],
) -> None:
    recorder = Recorder()
    evaluate(workspace, "oracle", recorder, Stub(region, repetitions))
    assert [(progress.runs, progress.all_runs) for progress in recorder.seen] == expected
    assert all(progress.all_frames == progress.all_runs * FRAMES for progress in recorder.seen)
    last = recorder.seen[-1]
    assert last.frames == last.all_frames


def test_progress_of_the_toolkit(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "oracle", "--workspace", str(workspace.folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    counted = [line for line in lines if line.startswith("  baseline: ")]
    assert counted[0] == "  baseline: 0/6 runs (0%)"
    assert counted[-1] == "  baseline: 6/6 runs (100%)"
    assert all("/6 runs" in line for line in counted)
    assert lines[-2:] == [
        f"done: oracle in {workspace.folder}",
        f"next: arvot analyze --workspace {workspace.folder}",
    ]


def planned(workspace: Workspace) -> dict[str, int]:
    runs = workspace.runs
    found = PlannedRuns(runs, workspace.results("oracle")).of("baseline")
    return {name: sum(run.sequence == name for run in found) for name in ("one", "two")}


def test_planned_runs(workspace: Workspace) -> None:
    runs = workspace.runs
    one, two = runs[:15], runs[15:]
    for run in one[:3]:
        write_run(workspace, run)
    assert planned(workspace) == {"one": 3, "two": 3}
    write_run(workspace, two[0])
    write_run(workspace, two[1], "5,6,7,8")
    assert planned(workspace) == {"one": 3, "two": 15}
    # Equal bytes may be unequal to the toolkit: empty regions do not overlap.
    write_run(workspace, two[1])
    write_run(workspace, one[3])
    assert planned(workspace) == {"one": 15, "two": 15}


def test_a_run_that_is_being_written_tells_nothing(workspace: Workspace) -> None:
    runs = workspace.runs
    write_run(workspace, runs[0])
    file = runs[1].folder(workspace.results("oracle")) / f"{runs[1].name}.txt"
    file.write_text("1,2,3,4\n")
    found = PlannedRuns(runs, workspace.results("oracle"))
    assert len(found.of("baseline")) == 6
    write_run(workspace, runs[1], "5,6,7,8")
    assert len(found.of("baseline")) == 30


def test_without_early_stop_all_are_required(workspace: Workspace) -> None:
    definition = {**workspace.stack.experiments["baseline"], "early_stop": False}
    runs = expected_runs({"baseline": definition}, workspace.dataset.sequences)
    assert len(runs) == 30 and all(run.required for run in runs)


def test_missing_repetitions_are_work_for_a_shard(workspace: Workspace) -> None:
    """An evaluation in parallel goes on where it was stopped between two repetitions."""
    runs = workspace.runs
    for number, run in enumerate(runs[:20]):
        write_run(workspace, run, f"1,2,3,{number}")
    [shard] = cut_shards(workspace, "oracle", 2)
    assert [entry.name for entry in shard.dataset.sequences] == ["two"]


def shown(steps: Sequence[tuple[int, int]], *, terminal: bool) -> str:
    """What the display prints of runs that are done and of all."""
    target = io.StringIO()
    console = Console(file=target, force_terminal=terminal, width=100)
    with RunDisplay(console) as display:
        for done, total in steps:
            display.progress(ExperimentProgress("baseline", done, total, 10 * done, 10 * total))
    return target.getvalue()


def test_lines_follow_a_changing_total() -> None:
    steps = [(0, 6), (1, 6), (1, 6), (2, 30), (3, 30), (29, 30), (29, 29), (29, 29)]
    assert shown(steps, terminal=False).splitlines() == [
        "  baseline: 0/6 runs (0%)",
        "  baseline: 1/6 runs (17%)",
        "  baseline: 2/30 runs (7%)",
        "  baseline: 29/30 runs (97%)",
        "  baseline: 29/29 runs (100%)",
    ]


def test_bar_follows_a_changing_total() -> None:
    bar = shown([(0, 6), (2, 30), (6, 6)], terminal=True)
    assert "100%" in bar and "6/6 runs" in bar
