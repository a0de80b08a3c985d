"""Measure what a Ray cluster adds to an evaluation, and plan a large one with it.

    .venv/bin/python benchmarks/cluster_overhead.py
    .venv/bin/python benchmarks/cluster_overhead.py --plan --fps 25

The cluster is a real one of two nodes with room for a part each, all of them on this machine, which
should do nothing else. Both nodes share its processor, so only one is used while parts are timed.
"""

import argparse
import heapq
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster
from rich.console import Console

from vot_integration.cluster.ray_workers import RayOptions, RayWorkers, connect
from vot_integration.evaluation.evaluate import evaluate
from vot_integration.evaluation.workers import IN_TURN, Workers
from vot_integration.pipeline.run import RunOptions, plan_run
from vot_integration.sequences.anchors import default_anchors
from vot_integration.sequences.builtin import BUILTIN_NAMES, write_builtin_sequences
from vot_integration.serving.process import available_cores
from vot_integration.toolkit.results import tally_runs
from vot_integration.workspaces.workspace import Workspace, open_workspace

_TRACKER = "ARDiMP_lite"
_FRAMES = 60
_MEGABYTE = 1e6

_console = Console(highlight=False)


def main() -> None:
    """Measure, or plan."""
    parser = argparse.ArgumentParser(description="Measure what a Ray cluster adds.")
    parser.add_argument("--plan", action="store_true", help="only compute a plan")
    parser.add_argument("--sequences", type=int, default=60)
    parser.add_argument("--length", type=int, default=330, help="frames of a sequence")
    parser.add_argument("--trackers", type=int, default=10)
    parser.add_argument("--nodes", type=int, default=8)
    parser.add_argument("--fps", type=float, default=25.0, help="of a tracker on one node")
    parser.add_argument("--overhead", type=float, default=5.5, help="seconds a part, as measured")
    args = parser.parse_args()
    if args.plan:
        _plan(args)
        return
    with tempfile.TemporaryDirectory(prefix="arvot-cluster-") as name:
        _measure(Path(name))


def _plan(args: argparse.Namespace) -> None:
    anchors = default_anchors(args.length, [True] * args.length)
    runs = [max(args.length - at, at + 1) for at, way in enumerate(anchors) if way]
    timed = sum(runs)
    # Unsupervised has one more run, of the whole sequence.
    part = (timed + args.length) / args.fps + args.overhead
    ends = [0.0] * args.nodes
    for _ in range(args.sequences):
        heapq.heapreplace(ends, ends[0] + part)
    realtime = args.sequences * (timed / args.fps + args.overhead)
    rounds = -(-args.trackers // args.nodes)
    lines = {
        "a sequence, baseline and unsupervised": part,
        "a tracker on one node": args.sequences * part,
        f"a tracker on {args.nodes} nodes": max(ends),
        f"{args.trackers} trackers on {args.nodes} nodes": args.trackers * max(ends),
        "real-time of a tracker, which has a node for itself": realtime,
        f"real-time of {args.trackers} trackers, one after the other": args.trackers * realtime,
        f"the same, each of {args.nodes} nodes with a tracker of its own": rounds * realtime,
    }
    _console.print(f"a sequence: {len(runs)} anchors, {timed} frames in baseline; minutes")
    for what, seconds in lines.items():
        _console.print(f"{what}: {seconds / 60:.1f}")


def _measure(folder: Path) -> None:
    sequences = folder / "sequences"
    paths = write_builtin_sequences(sequences, BUILTIN_NAMES[:4], _FRAMES)
    size = sum(file.stat().st_size for path in paths for file in path.rglob("*"))
    megabytes = size / len(paths) / _MEGABYTE
    _console.print(
        f"{len(paths)} sequences, {megabytes:.2f} MB each, baseline, {_TRACKER}; seconds"
    )
    _report("one process of arvot", _overhead(_workspace(folder / "local", sequences), IN_TURN))
    with _cluster() as address:
        cores = available_cores()
        started = time.perf_counter()
        workers = connect(RayOptions(address, jobs=1, cores=cores), "cpu")
        _console.print(
            f"to join the cluster and check its nodes: {time.perf_counter() - started:.1f}"
        )
        for what, send in (("shared path", False), ("sent along", True)):
            hired = RayWorkers(
                RayOptions(address, jobs=1, cores=cores, send=send), workers.nodes, uses_gpus=False
            )
            workspace = _workspace(folder / what.replace(" ", "-"), sequences)
            _report(f"cluster, {what}", _overhead(workspace, hired))


def _report(what: str, seconds: float) -> None:
    _console.print(f"{what}, a part, beyond the tracker's own time: {seconds:.1f}")


@contextmanager
def _cluster() -> Iterator[str]:
    cluster: Any = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=available_cores())
        yield cluster.address
    finally:
        ray.shutdown()
        cluster.shutdown()


def _workspace(folder: Path, sequences: Path) -> Workspace:
    return open_workspace(plan_run(RunOptions(_TRACKER, "baseline", folder, sequences=sequences)))


def _overhead(workspace: Workspace, workers: Workers) -> float:
    """Seconds a sequence that are not the tracker's time for a frame."""
    started = time.perf_counter()
    evaluate(workspace, _TRACKER, lambda progress: None, workers)
    spent = time.perf_counter() - started
    runs = workspace.runs
    tracked = tally_runs(runs, workspace.results(_TRACKER)).seconds
    return (spent - tracked) / len(workspace.dataset.sequences)


if __name__ == "__main__":
    main()
