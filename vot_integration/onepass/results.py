"""Result files of one tracker on one data set, and the record of what they were made with."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from alpharefine.errors import UsageError
from alpharefine.types import Box, Image
from vot_integration.files import write_text
from vot_integration.onepass.sequences import OnePassSequence
from vot_integration.regions.shapes import Shape
from vot_integration.track.follower import Answer, Follower
from vot_integration.workspaces.records import TrackerRecord

RECORD_FILE = "record.json"
MASKS = "masks"


@dataclass(frozen=True)
class ResultFolder:
    """Folder of a tracker's results: SEQ.txt, SEQ_time.txt and masks/SEQ/."""

    path: Path

    def boxes(self, sequence: OnePassSequence) -> Path:
        """File of boxes: x,y,w,h in a line for each row of the truth."""
        return self.path / f"{sequence.name}.txt"

    def times(self, sequence: OnePassSequence) -> Path:
        """File of seconds that each frame took, the first one with the initialization's."""
        return self.path / f"{sequence.name}_time.txt"

    def masks(self, sequence: OnePassSequence) -> Path:
        """Folder of masks."""
        return self.path / MASKS / sequence.name

    def is_done(self, sequence: OnePassSequence) -> bool:
        """Whether a sequence is finished: boxes are written last, and in one step."""
        return self.boxes(sequence).is_file()

    def check(self, record: TrackerRecord, data: str) -> None:
        """Check that results may be added to those here, if there are any.

        Args:
            record: how the tracker runs.
            data: what is known of the data set.

        Raises:
            UsageError: there are results that were made otherwise.
        """
        kept = read_record(self.path)
        if kept is None:
            return
        made = {**_comparable(record), "data": data}
        differing = [key for key, value in made.items() if kept.get(key) != value]
        if differing:
            raise UsageError(
                f"results in {self.path} were made with another {', '.join(differing)}: "
                "delete that folder, or pass another --workspace"
            )

    def record(self, record: TrackerRecord, data: str) -> None:
        """Keep what results here are made with.

        Args:
            record: as of `check`.
            data: as of `check`.

        Raises:
            UsageError: as of `check`.
        """
        self.check(record, data)
        self.path.mkdir(parents=True, exist_ok=True)
        document = {**_comparable(record), "data": data, "environment": dict(record.environment)}
        write_text(self.path / RECORD_FILE, json.dumps(document, indent=2) + "\n")


def read_record(folder: Path) -> dict[str, Any] | None:
    """What the results in a folder were made with; None where they were made elsewhere.

    Raises:
        UsageError: the file that says it cannot be read.
    """
    file = folder / RECORD_FILE
    if not file.is_file():
        return None
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{file} is damaged ({error}): delete it and the results") from error
    return dict(document)


def _comparable(record: TrackerRecord) -> dict[str, Any]:
    document = json.loads(json.dumps(asdict(record)))
    del document["environment"], document["foreign"]
    # A name of weights may come to mean another file, which the hash tells.
    del document["settings"]
    return dict(document)


class TimedFollower:
    """A tracker that measures how long it takes for each frame, decoding left out.

    Args:
        follower: the tracker.
        clock: gives seconds.
    """

    def __init__(self, follower: Follower, clock: Any) -> None:
        self._follower, self._clock = follower, clock
        self._seconds = 0.0

    def initialize(self, image: Image, target: Shape) -> Answer:
        """See `Follower`."""
        started = self._clock()
        answer = self._follower.initialize(image, target)
        self._seconds = self._clock() - started
        return answer

    def track(self, image: Image) -> Answer:
        """See `Follower`."""
        started = self._clock()
        answer = self._follower.track(image)
        self._seconds = self._clock() - started
        return answer

    def close(self) -> None:
        """See `Follower`."""
        self._follower.close()

    def take_seconds(self) -> float:
        """Seconds since this was last asked; 0 for a frame that was not shown to the tracker."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds


class ResultFiles:
    """Writes boxes and times of one sequence when all frames are done.

    Args:
        folder: of the results.
        sequence: that is run.
        follower: is asked for the seconds.
    """

    def __init__(
        self, folder: ResultFolder, sequence: OnePassSequence, follower: TimedFollower
    ) -> None:
        self._folder, self._sequence, self._follower = folder, sequence, follower
        self._boxes: list[Box] = []
        self._seconds: list[float] = []

    def __enter__(self) -> Self:
        return self

    def write(self, image: Image, answers: Sequence[Answer]) -> None:
        """Take the next frame."""
        [answer] = answers
        self._boxes.append(answer.box)
        self._seconds.append(self._follower.take_seconds())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            rows = self._boxes + [self._boxes[-1]] * (self._sequence.rows - len(self._boxes))
            write_text(self._folder.times(self._sequence), _lines([[s] for s in self._seconds], 8))
            offset = np.array([self._sequence.first_pixel] * 2 + [0, 0])
            write_text(self._folder.boxes(self._sequence), _lines(np.array(rows) + offset, 4))


def _lines(rows: Sequence[Sequence[float]] | np.ndarray[Any, Any], decimals: int) -> str:
    return "".join(",".join(f"{value:.{decimals}f}" for value in row) + "\n" for row in rows)
