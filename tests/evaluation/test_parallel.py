"""Shards over several processes: the files of one run in turn, byte for byte."""

from itertools import chain
from pathlib import Path

import pytest

from alpharefine.errors import UsageError
from tests.toolkit.make import Recorder, make_sequences, make_workspace
from vot_integration.errors import EvaluationError
from vot_integration.evaluation.evaluate import evaluate
from vot_integration.evaluation.planning import cut_shards, split_realtime
from vot_integration.evaluation.workers import LocalWorkers, local_workers
from vot_integration.pipeline.evaluate import evaluate_tracker
from vot_integration.pipeline.workers import WorkerOptions, choose_workers
from vot_integration.sequences.builtin import BUILTIN_NAMES, write_builtin_sequences
from vot_integration.serving.process import THREAD_VARIABLES
from vot_integration.workspaces.workspace import Workspace

NAMES = [f"sequence{number}" for number in range(5)]


@pytest.fixture
def sequences(tmp_path: Path) -> Path:
    return make_sequences(tmp_path / "sequences", NAMES)


def contents(workspace: Workspace, tracker: str) -> dict[str, bytes]:
    """Result files but for those of times, by their name."""
    folder = workspace.results(tracker)
    files = (file for file in folder.rglob("*") if file.is_file())
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in files
        if not file.name.endswith("_time.value")
    }


def test_parallel_results_are_those_of_one_process(tmp_path: Path, sequences: Path) -> None:
    experiments = ["baseline", "unsupervised"]
    in_turn = make_workspace(tmp_path / "a", sequences, experiments)
    at_once = make_workspace(tmp_path / "b", sequences, experiments)
    evaluate(in_turn, "wanders", Recorder())
    recorder = Recorder()
    runs = evaluate(at_once, "wanders", recorder, local_workers(3, None))

    expected = contents(in_turn, "wanders")
    assert contents(at_once, "wanders") == expected
    assert sum(name.endswith(".bin") for name in expected) == len(runs) == 5 * 3
    last = {progress.experiment: progress.runs for progress in recorder.seen}
    assert last == {"baseline": 10, "unsupervised": 5}


@pytest.mark.soak
@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_two_jobs_of_the_default_tracker_give_the_files_of_one(
    tmp_path: Path, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It computes with all cores in turn, and with half of them in each of two jobs."""
    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ARVOT_PRECISION", precision)
    write_builtin_sequences(tmp_path / "film", BUILTIN_NAMES[:2], frames=30)
    found = []
    for jobs in (1, 2):
        workspace = make_workspace(tmp_path / f"w{jobs}", tmp_path / "film", ["baseline"])
        evaluate(workspace, "ARDiMP_lite", Recorder(), local_workers(jobs, None))
        found.append(contents(workspace, "ARDiMP_lite"))
    assert found[0] == found[1] != {}


def test_shards_share_the_missing_work(tmp_path: Path, sequences: Path) -> None:
    workspace = make_workspace(tmp_path / "w", sequences, ["baseline"])
    parts = [
        [entry.name for entry in shard.dataset.sequences]
        for shard in cut_shards(workspace, "oracle", 2)
    ]
    assert sorted(map(len, parts)) == [2, 3] and sorted(chain(*parts)) == NAMES
    assert len(cut_shards(workspace, "oracle", 99)) == 5

    for run in workspace.runs:
        if run.sequence != "sequence3":
            folder = run.folder(workspace.results("oracle"))
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{run.name}.txt").write_text("0\n" * run.frames)
            (folder / f"{run.name}_time.value").write_text("0.1\n" * run.frames)
    [shard] = cut_shards(workspace, "oracle", 2)
    assert [entry.name for entry in shard.dataset.sequences] == ["sequence3"]


class Stages(Recorder):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.progress = self

    def stage(self, text: str) -> None:
        self.texts.append(text)


class Watched(LocalWorkers):
    """Writes down how many processes ran which experiments."""

    calls: list[tuple[int, list[str]]]

    def alone(self) -> "Watched":
        single = Watched(({},))
        object.__setattr__(single, "calls", self.calls)
        return single

    def run(self, jobs, on_tick):  # type: ignore[no-untyped-def]
        self.calls += [(self.count, list(job.shard.stack.experiments)) for job in jobs]
        return super().run(jobs, on_tick)


def test_realtime_runs_alone_and_says_so(tmp_path: Path) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    workspace = make_workspace(tmp_path / "w", sequences, ["baseline", "realtime"])
    workers = Watched(({}, {}))
    object.__setattr__(workers, "calls", [])
    stages = Stages()
    evaluate_tracker(workspace, "oracle", stages, workers)
    assert workers.calls == [(2, ["baseline"]), (2, ["baseline"]), (1, ["realtime"])]
    assert (
        "2 at a time" in stages.texts[0] and "realtime of oracle: one at a time" in stages.texts[1]
    )


def test_split_without_realtime(tmp_path: Path) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    workspace = make_workspace(tmp_path / "w", sequences, ["unsupervised"])
    free, timed = split_realtime(workspace)
    assert free == workspace and timed is None


def test_failure_of_one_ends_all_with_its_log(tmp_path: Path, sequences: Path) -> None:
    workspace = make_workspace(tmp_path / "w", sequences, ["baseline"])
    with pytest.raises(EvaluationError) as failure:
        evaluate(workspace, "explodes", Recorder(), local_workers(2, None))
    message = str(failure.value)
    assert "explodes failed" in message and "ArithmeticError: the network exploded" in message


def test_interruption_stops_every_process(tmp_path: Path, sequences: Path) -> None:
    workspace = make_workspace(tmp_path / "w", sequences, ["baseline"])
    ticks = 0

    def interrupt(_: object) -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(workspace, "oracle", interrupt, local_workers(2, None))


@pytest.mark.parametrize(
    ("jobs", "gpus", "words"),
    [
        (0, None, "--jobs 0"),
        (-2, None, "1 or more"),
        (2, "a,b", "numbers of GPUs"),
        (None, ",", "--gpus"),
    ],
)
def test_bad_options(jobs: int | None, gpus: str | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        local_workers(jobs, gpus)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (WorkerOptions(ray_cores=4), "--ray-cores is for a cluster: give --ray ADDRESS"),
        (WorkerOptions(jobs=2, ray_send=True), "--ray-send is for a cluster"),
    ],
)
def test_options_of_a_cluster_need_one(options: WorkerOptions, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        choose_workers(options, "cpu")


def test_gpus_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    slots = local_workers(3, "1,0").slots
    assert [slot["CUDA_VISIBLE_DEVICES"] for slot in slots] == ["1", "0", "1"]
    assert local_workers(None, "0,1").count == 2
    assert local_workers(None, "1").alone().slots == ({"CUDA_VISIBLE_DEVICES": "1"},)
    with pytest.raises(UsageError, match="there is no GPU 2, this machine has 2"):
        local_workers(None, "0,2")


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("vot_integration.evaluation.workers.available_cores", lambda: 8)
    assert [slot["OMP_NUM_THREADS"] for slot in local_workers(3, None).slots] == ["2"] * 3
    assert local_workers(1, None).slots == ({},)
