"""Result files of the toolkit: which are there, whether they are whole, and their times.

The toolkit writes `results/<tracker>/<experiment>/<sequence>/<run>.bin` (regions) and then
`<run>_time.value` (seconds for each frame, a line each) and other properties. It exits 0 when a
tracker fails, and takes any file that exists for a finished one, so both are checked here: a run
that was cut off in the middle of its files has too few regions, too few lines, or fewer property
files than the others of its kind.
"""

import glob
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run of a tracker, from an initialization to the end.

    Attributes:
        experiment: name of the experiment.
        sequence: name of the sequence.
        name: stem of the result files.
        frames: number of frames, the initial one included.
        required: False for repetitions that the toolkit may leave out.
    """

    experiment: str
    sequence: str
    name: str
    frames: int
    required: bool = True

    def folder(self, results: Path) -> Path:
        """Folder of the run's files, given the tracker's folder of results."""
        return results / self.experiment / self.sequence

    def exists(self, results: Path) -> bool:
        """Whether the toolkit takes this run for finished."""
        return any(file.is_file() for file in self._regions(results))

    def read_regions(self, results: Path) -> bytes:
        """Content of the run's regions, whose files are there."""
        return b"".join(file.read_bytes() for file in self._regions(results) if file.is_file())

    def times(self, results: Path) -> list[float]:
        """Seconds that each frame took; frames without a time (after a failure) are left out."""
        text = (self.folder(results) / f"{self.name}_time.value").read_text(encoding="ascii")
        return [float(line) for line in text.splitlines() if line.strip()]

    def is_whole(self, results: Path) -> bool:
        """Whether regions and every property have an entry for each frame, times among them."""
        files = [file for file in self._regions(results) if file.is_file()]
        lines = (file.read_bytes().count(b"\n") for file in self._properties(results))
        return (
            bool(files)
            and "time" in self.properties(results)
            and all(count == self.frames for count in lines)
            and all(count_regions(file) == self.frames for file in files)
        )

    def properties(self, results: Path) -> frozenset[str]:
        """Names of the properties that have a file."""
        start = len(self.name) + 1
        return frozenset(file.stem[start:] for file in self._properties(results))

    def discard(self, results: Path) -> None:
        """Delete the run's files, so that the toolkit repeats it."""
        for file in [*self._regions(results), *self._properties(results)]:
            file.unlink(missing_ok=True)

    def _regions(self, results: Path) -> list[Path]:
        return [self.folder(results) / f"{self.name}{suffix}" for suffix in (".bin", ".txt")]

    def _properties(self, results: Path) -> list[Path]:
        return list(self.folder(results).glob(f"{glob.escape(self.name)}_*.value"))


def discard_unfinished(runs: Iterable[Run], results: Path) -> list[Run]:
    """Delete the files of runs that were cut off while they were written; returns these runs."""
    existing = [run for run in runs if run.exists(results)]
    whole = {run: run.properties(results) for run in existing if run.is_whole(results)}
    known = frozenset().union(*whole.values())
    # Cut off between two files, a run lacks a property that others have.
    unfinished = [run for run in existing if whole.get(run) != known]
    for run in unfinished:
        run.discard(results)
    return unfinished


@dataclass(frozen=True)
class RunTally:
    """Sums over the runs of one experiment.

    Attributes:
        sequences: how many have runs.
        frames: of all runs.
        seconds: that the tracker took.
        longest: frames of the longest run, 0 without any.
    """

    sequences: int
    frames: int
    seconds: float
    longest: int

    @property
    def fps(self) -> float | None:
        """Frames for each second of tracker time; None when there was no time."""
        return self.frames / self.seconds if self.seconds > 0 else None


def tally_runs(runs: Iterable[Run], results: Path) -> RunTally:
    """Count what the existing runs took; every frame counts, the initial one included."""
    existing = [run for run in runs if run.exists(results)]
    times = [seconds for run in existing for seconds in run.times(results)]
    longest = max((run.frames for run in existing), default=0)
    return RunTally(len({run.sequence for run in existing}), len(times), sum(times), longest)


def count_regions(file: Path) -> int | None:
    """Regions in a result file of the toolkit; None if it is damaged or ends too early."""
    data = file.read_bytes()
    if file.suffix != ".bin":
        return data.count(b"\n")
    try:
        _, count = struct.unpack_from("<hI", data)
        position = struct.calcsize("<hI")
        for _ in range(count):
            position += _region_size(data, position)
    except struct.error:
        return None
    return int(count) if position == len(data) else None


def _region_size(data: bytes, start: int) -> int:
    """Bytes of the region that starts here, in the toolkit's binary format."""
    (region_type,) = struct.unpack_from("<B", data, start)
    match region_type:
        case 0:
            return 5
        case 1:
            return 17
        case 2:
            (corners,) = struct.unpack_from("<H", data, start + 1)
            return 3 + 8 * int(corners)
        case 3:
            (runs,) = struct.unpack_from("<H", data, start + 9)
            return 11 + 2 * int(runs)
        case _:
            raise struct.error
