"""Evaluation on a real Ray cluster of several nodes on this machine, one of them killed in the run.

The nodes are processes of one machine with resources of their own, which is how Ray tests itself.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'arvot[cluster]'")

from ray.cluster_utils import Cluster  # noqa: E402

from alpharefine.errors import UsageError  # noqa: E402
from tests.evaluation.test_parallel import contents  # noqa: E402
from tests.toolkit.make import RECORD, Recorder, make_sequences, make_workspace  # noqa: E402
from vot_integration.cluster import nodes as cluster_nodes  # noqa: E402
from vot_integration.cluster.ray_workers import RayOptions, RayWorkers, connect  # noqa: E402
from vot_integration.errors import EvaluationError  # noqa: E402
from vot_integration.evaluation.evaluate import evaluate  # noqa: E402
from vot_integration.pipeline.workers import WorkerOptions, choose_workers  # noqa: E402
from vot_integration.workspaces.workspace import Workspace  # noqa: E402

NAMES = [f"sequence{number}" for number in range(4)]
EXPERIMENTS = ["baseline", "unsupervised"]

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without room for parts, and two nodes with room for one part each."""
    with pytest.MonkeyPatch.context() as patch:
        # At Ray's own niceness of 15, parts hardly begin where other programs are busy, too.
        patch.setenv("RAY_worker_niceness", "0")
        made = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
        )
        for _ in range(2):
            made.add_node(num_cpus=1)
        yield made
        ray.shutdown()
        made.shutdown()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Result files of one process after the other."""
    folder = tmp_path_factory.mktemp("expected")
    sequences = make_sequences(folder / "sequences", NAMES)
    workspace = make_workspace(folder / "w", sequences, EXPERIMENTS)
    evaluate(workspace, "wanders", Recorder())
    return contents(workspace, "wanders")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    sequences = make_sequences(tmp_path / "sequences", NAMES)
    return make_workspace(tmp_path / "w", sequences, EXPERIMENTS)


def workers(cluster: Any, **options: Any) -> RayWorkers:
    return connect(RayOptions(cluster.address, cores=1, **options), "cpu")


@pytest.mark.parametrize("send", [False, True])
def test_results_are_those_of_one_process(
    cluster: Any, workspace: Workspace, expected: dict[str, bytes], send: bool
) -> None:
    hired = workers(cluster, send=send)
    assert hired.count == 2
    recorder = Recorder()
    evaluate(workspace, "wanders", recorder, hired)
    assert contents(workspace, "wanders") == expected
    assert {progress.experiment: progress.runs for progress in recorder.seen} == {
        "baseline": 8,
        "unsupervised": 4,
    }
    logs = list((workspace.folder / "logs" / "trackers").glob("*Wanders*.log"))
    assert len(logs) == 8, "a log for each process of the tracker came back"


def test_finished_runs_are_not_run_again(
    cluster: Any, workspace: Workspace, expected: dict[str, bytes]
) -> None:
    evaluate(workspace, "wanders", Recorder(), workers(cluster))
    kept = workspace.results("wanders") / "baseline" / "sequence1" / "sequence1_00000000.bin"
    lost = kept.with_name("sequence1_00000011.bin")
    before = kept.stat().st_mtime_ns
    lost.unlink()
    evaluate(workspace, "wanders", Recorder(), workers(cluster))
    assert kept.stat().st_mtime_ns == before
    assert contents(workspace, "wanders") == expected


def test_a_lost_nodes_parts_run_again(
    cluster: Any,
    workspace: Workspace,
    expected: dict[str, bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    doomed = cluster.add_node(num_cpus=1)
    hired = workers(cluster)
    assert hired.count == 3
    ticks = 0

    def kill_one(_: object) -> None:
        nonlocal ticks
        ticks += 1
        # Called for each experiment, twice a second: by now all three nodes are at work.
        if ticks == 12:
            cluster.remove_node(doomed, allow_graceful=False)

    evaluate(workspace, "wanders", kill_one, hired)
    cluster.wait_for_nodes()
    assert "a node was lost" in caplog.text
    assert contents(workspace, "wanders") == expected


def test_realtime_runs_one_at_a_time_on_one_node(cluster: Any) -> None:
    alone = workers(cluster).alone()
    assert alone.count == 1 and alone.pinned is not None
    assert alone.resources()["num_cpus"] == 1


def test_trackers_failure_is_shown(cluster: Any, workspace: Workspace) -> None:
    recorded = replace(workspace, records={**workspace.records, "explodes": RECORD})
    with pytest.raises(EvaluationError) as failure:
        evaluate(recorded, "explodes", Recorder(), workers(cluster))
    message = str(failure.value)
    assert "explodes failed" in message and "ArithmeticError: the network exploded" in message


def test_other_versions_are_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own = cluster_nodes.describe()
    monkeypatch.setattr(cluster_nodes, "describe", lambda: {**own, "torch": "1.0"})
    with pytest.raises(UsageError, match=r"torch .*, not 1\.0: install the same versions"):
        workers(cluster)


def test_bad_input(cluster: Any) -> None:
    for options, words in (
        (WorkerOptions(ray=cluster.address, gpus="0"), "Ray gives each part a GPU"),
        (WorkerOptions(ray=cluster.address, ray_cores=0), "--ray-cores 0"),
        (WorkerOptions(ray=cluster.address, jobs=0), "--jobs 0"),
    ):
        with pytest.raises(UsageError, match=words):
            choose_workers(options, "cpu")
    with pytest.raises(UsageError, match="no node has a GPU"):
        choose_workers(WorkerOptions(ray=cluster.address), "cuda")
