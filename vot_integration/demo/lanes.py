"""Trackers side by side on the same frames, and what each of them has found."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from alpharefine.types import Image
from vot_integration.demo.found import Found
from vot_integration.regions.shapes import Shape
from vot_integration.track.choice import Chosen
from vot_integration.track.follower import Follower

FindTracker = Callable[[str], Chosen]
"""A tracker by its name; raises UsageError where there is none."""


@dataclass
class Lane:
    """One tracker and its answers.

    Attributes:
        name: of the tracker.
        chosen: how it is built.
        found: its answers, one a frame, from the first marked frame on.
    """

    name: str
    chosen: Chosen
    found: list[Found] = field(default_factory=list)
    _follower: Follower | None = None

    def load(self) -> None:
        """Build the tracker, if that has not been done."""
        if self._follower is None:
            self._follower = self.chosen.build()

    def step(self, image: Image | None, mark: Shape | None) -> Found:
        """Go one frame further.

        Args:
            image: the frame; None where it could not be read, which keeps the last answer.
            mark: the target, where the user has marked it in this frame.

        Raises:
            UsageError: the mark is no target.
            EvaluationError: the tracker failed.
        """
        assert self._follower is not None, "load() comes before"
        if image is None:
            found = replace(self.found[-1], confidence=0.0, lost=True)
        elif mark is not None:
            found = Found.of(self._follower.initialize(image, mark))
        else:
            found = Found.of(self._follower.track(image))
        self.found.append(found)
        return found

    def close(self) -> None:
        """End the tracker's process, if it has one; it is built anew when it is needed again."""
        follower, self._follower = self._follower, None
        if follower is not None:
            follower.close()

    def view(self) -> dict[str, Any]:
        """What the page has to know of it."""
        return {
            "tracker": self.name,
            "masks": self.chosen.answers_masks,
            "random": self.chosen.has_random_weights,
        }


@dataclass
class Run:
    """What is tracked: one stretch of frames, from the first mark on.

    Attributes:
        lanes: the trackers, one or two.
        marks: frames in which the user has marked the target, and where it is there.
    """

    lanes: list[Lane] = field(default_factory=list)
    marks: dict[int, Shape] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """The first frame, where there is a mark."""
        return min(self.marks)

    @property
    def next(self) -> int:
        """The frame that is tracked next."""
        return self.first + len(self.lanes[0].found)

    @property
    def has_found(self) -> bool:
        """Whether there is something to see and to download."""
        return bool(self.lanes and self.lanes[0].found)

    def copy(self) -> "Run":
        """What is found now."""
        count = min((len(lane.found) for lane in self.lanes), default=0)
        lanes = [Lane(lane.name, lane.chosen, lane.found[:count]) for lane in self.lanes]
        return Run(lanes, dict(self.marks))

    def step(self, image: Image | None) -> list[Found]:
        """Go one frame further with each tracker."""
        mark = self.marks.get(self.next)
        before = len(self.lanes[0].found)
        try:
            return [lane.step(image, mark) for lane in self.lanes]
        except BaseException:
            # All trackers stand at the same frame, always.
            for lane in self.lanes:
                del lane.found[before:]
            raise

    def mark(self, frame: int, target: Shape) -> None:
        """Start on a target, or correct: what was found from this frame on is dropped.

        Of a frame that what was found does not reach, all before is dropped, too.
        """
        goes_on = self.has_found and self.first <= frame <= self.next
        kept = frame - self.first if goes_on else 0
        for lane in self.lanes:
            del lane.found[kept:]
        self.marks = {at: m for at, m in self.marks.items() if goes_on and at < frame}
        self.marks[frame] = target

    def use(self, names: list[str], find: FindTracker) -> bool:
        """Take other trackers; those that stay are kept with their weights.

        Args:
            names: of the trackers.
            find: makes those that are new.

        Returns:
            Whether anything has changed; what was found is dropped then.

        Raises:
            UsageError: there is no such tracker.
        """
        if names == [lane.name for lane in self.lanes]:
            return False
        there: Mapping[str, Lane] = {lane.name: lane for lane in self.lanes}
        lanes = [there.get(name) or Lane(name, find(name)) for name in names]
        for lane in self.lanes:
            if lane not in lanes:
                lane.close()
        self.lanes = lanes
        self.restart()
        return True

    def restart(self) -> None:
        """Drop what was found; the marks stay."""
        for lane in self.lanes:
            lane.found.clear()

    def clear(self) -> None:
        """Drop what was found, and the marks; another clip comes."""
        self.restart()
        self.marks.clear()

    def close(self) -> None:
        """End all trackers; all are ended, also where one fails at that."""
        with ExitStack() as stack:
            for lane in self.lanes:
                stack.callback(lane.close)
