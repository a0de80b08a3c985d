"""The toolkit's experiments as its version 0.9 can run them; stack files name these classes.

That version lost, in its own classes, the multi-start experiment (it queries objects that are no
regions, in frames that the run does not have), every real-time experiment (its runtime has no
`run`, and asks trackers of one object in a way that they refuse) and the supervised one (it expects
one object where it gets a list). The results are those of version 0.7, byte for byte but for times.
"""

from collections.abc import Callable
from typing import Any

from vot.dataset import Sequence
from vot.dataset.proxy import FrameMapSequence
from vot.experiment.multirun import SupervisedExperiment, UnsupervisedExperiment
from vot.experiment.multistart import MultiStartExperiment, find_anchors
from vot.region import Special
from vot.tracker import (
    ObjectQuery,
    ObjectStatus,
    OnlineTrackerRuntime,
    RealtimeTrackerRuntime,
    Tracker,
    TrackerRuntime,
    Trajectory,
)

Status = Any
"""Objects as the toolkit's runtimes give them: one or a list."""


class _AskedPlainly(OnlineTrackerRuntime):
    """A runtime that is asked for the next frame in the way that every tracker takes.

    Args:
        runtime: of a tracker.
        single: whether it is given, and gives, one object in place of a list of one.
    """

    def __init__(self, runtime: TrackerRuntime, *, single: bool) -> None:
        super().__init__(runtime.tracker)
        self._runtime = runtime
        self._single = single

    @property
    def multiobject(self) -> bool:
        """Whether the tracker takes several objects."""
        return bool(self._runtime.multiobject)

    def stop(self) -> None:
        """End the tracker."""
        self._runtime.stop()

    def restart(self) -> None:
        """End the tracker and start it again."""
        self._runtime.restart()

    def initialize(self, frame: Any, new: Status = None) -> tuple[Status, float]:
        """Start on objects, or on one object."""
        objects, elapsed = self._runtime.initialize(frame, [new] if self._single else new)
        # What a tracker says of its first frame was never written into result files.
        objects = [ObjectStatus(status.region, {}) for status in objects]
        return (objects[0] if self._single else objects), elapsed

    def update(self, frame: Any, new: Status = None) -> tuple[Status, float]:
        """Ask for the objects in the next frame."""
        objects, elapsed = self._runtime.update(frame, [] if new is None else new)
        return (objects[0] if self._single else objects), elapsed


class _Realtime(RealtimeTrackerRuntime, OnlineTrackerRuntime):
    """The real-time runtime; `run` is the one of all runtimes that are asked frame by frame."""


class _Mended:
    """What all experiments here have in common."""

    _single = False
    """Whether the experiment expects one object in place of a list of one."""

    def _get_runtime(
        self, tracker: Tracker, sequence: Sequence, multiobject: bool = False
    ) -> TrackerRuntime:
        runtime = super()._get_runtime(tracker, sequence, multiobject)  # type: ignore[misc]
        if isinstance(runtime, RealtimeTrackerRuntime):
            asked = _AskedPlainly(runtime._runtime, single=self._single)
            return _Realtime(asked, runtime._grace, runtime._interval)
        if not isinstance(runtime, OnlineTrackerRuntime):
            return runtime
        return _AskedPlainly(runtime, single=self._single)


class MultiStart(_Mended, MultiStartExperiment):
    """Runs from anchors, as in VOT2020 and after."""

    def execute(
        self,
        tracker: Tracker,
        sequence: Sequence,
        force: bool = False,
        callback: Callable[[float], None] | None = None,
    ) -> None:
        """Run a tracker from every anchor of a sequence, but where results are there."""
        results = self.results(tracker, sequence)
        forward, backward = find_anchors(sequence, self.anchor)
        if not forward and not backward:
            raise RuntimeError("Sequence does not contain any anchors")
        runs = [(anchor, range(anchor, len(sequence))) for anchor in forward]
        runs += [(anchor, range(anchor, -1, -1)) for anchor in backward]
        with self._get_runtime(tracker, sequence) as runtime:
            for done, (anchor, frames) in enumerate(runs, 1):
                name = f"{sequence.name}_{anchor:08d}"
                if Trajectory.exists(results, name) and not force:
                    continue
                proxy = FrameMapSequence(sequence, list(frames))
                trajectory = _trajectory(runtime, proxy, proxy.groundtruth(0))
                trajectory.write(results, name)
                if callback is not None:
                    callback(done / len(runs))


class Unsupervised(_Mended, UnsupervisedExperiment):
    """Repeated runs from the first frame."""


class Supervised(_Mended, SupervisedExperiment):
    """Runs that begin again where they have failed, as until VOT2019."""

    _single = True


def _trajectory(runtime: TrackerRuntime, frames: Sequence, target: Any) -> Trajectory:
    """What a tracker makes of a target in frames."""
    result = runtime.run(frames, [ObjectQuery(target, {}, 0)])
    [objects] = result.objects
    trajectory = Trajectory(len(frames))
    trajectory.set(0, Special(Trajectory.INITIALIZATION), {"time": result.times[0]})
    for number, (status, elapsed) in enumerate(zip(objects, result.times, strict=True)):
        if number:
            trajectory.set(number, status.region, {**status.properties, "time": elapsed})
    return trajectory
