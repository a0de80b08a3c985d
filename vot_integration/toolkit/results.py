"""Result files of the toolkit: which are there, whether they are whole, and their times.

The toolkit writes `results/<tracker>/<experiment>/<sequence>/<run>.bin` (regions) and then
`<run>_time.value` (seconds for each frame, a line each) and other properties. It exits 0 when a
tracker fails, and takes any file that exists for a finished one, so both are checked here: a run
that was cut off in the middle of its files has too few regions, too few lines, or fewer property
files than the others of its kind. Results that something else made, and that were copied, may well
have no times, and text whose last line has no end.
"""

import glob
import math
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
        target: name of the object, in sequences of several.
    """

    experiment: str
    sequence: str
    name: str
    frames: int
    required: bool = True
    target: str | None = None

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
        return [seconds for seconds in self.all_times(results) if not math.isnan(seconds)]

    def all_times(self, results: Path) -> list[float]:
        """Seconds of every frame, NaN for those without a time."""
        file = self.folder(results) / f"{self.name}_time.value"
        if not file.is_file():
            return [math.nan] * self.frames
        lines = file.read_text(encoding="ascii").splitlines()
        return [float(line) if line.strip() else math.nan for line in lines]

    def is_whole(self, results: Path, *, foreign: bool = False) -> bool:
        """Whether regions and every property have an entry for each frame, times among them.

        Args:
            results: folder of the tracker's results.
            foreign: whether something else may have made them, so that times may be missing.
        """
        return self.exists(results) and self.flaw(results, foreign=foreign) is None

    def flaw(self, results: Path, *, foreign: bool = False) -> str | None:
        """What is wrong with a file of the run that is there; None where nothing is."""
        for file in self._regions(results):
            count = count_regions(file, foreign=foreign) if file.is_file() else self.frames
            if count != self.frames:
                has = "is damaged" if count is None else f"has {count} regions"
                return f"{file} {has}, its run has {self.frames} frames"
        for file in self._properties(results):
            lines = count_lines(file.read_bytes(), foreign=foreign)
            if lines != self.frames:
                return f"{file} has {lines} lines, its run has {self.frames} frames"
        if not foreign and "time" not in self.properties(results):
            return f"{self.regions_file(results)} has no times beside it"
        return None

    def properties(self, results: Path) -> frozenset[str]:
        """Names of the properties that have a file."""
        start = len(self.name) + 1
        return frozenset(file.stem[start:] for file in self._properties(results))

    def regions_file(self, results: Path) -> Path:
        """The file that the toolkit reads the run's regions from: text where there are both."""
        text, binary = self._regions(results)
        return text if text.is_file() else binary

    def discard(self, results: Path, *, keep: bool = False) -> None:
        """Delete the run's files, so that the toolkit repeats it.

        Args:
            results: folder of the tracker's results.
            keep: give them another name instead, with `.unfinished` at its end.
        """
        for file in [*self._regions(results), *self._properties(results)]:
            if keep and file.is_file():
                file.rename(file.with_name(f"{file.name}.unfinished"))
            file.unlink(missing_ok=True)

    def _regions(self, results: Path) -> list[Path]:
        return [self.folder(results) / f"{self.name}{suffix}" for suffix in (".txt", ".bin")]

    def _properties(self, results: Path) -> list[Path]:
        return list(self.folder(results).glob(f"{glob.escape(self.name)}_*.value"))


def discard_unfinished(runs: Iterable[Run], results: Path, *, foreign: bool = False) -> list[Run]:
    """Delete the files of runs that were cut off while they were written; returns these runs.

    Args:
        runs: that may be there.
        results: folder of the tracker's results.
        foreign: whether something else may have made them; nothing is deleted then, and only what
            is damaged gets another name.
    """
    existing = [run for run in runs if run.exists(results)]
    if foreign:
        unfinished = [run for run in existing if not run.is_whole(results, foreign=True)]
        for run in unfinished:
            run.discard(results, keep=True)
        return unfinished
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
        frames: of all runs, but those without a time in runs that have times.
        timed: frames that have a time.
        seconds: that the tracker took.
        longest: frames of the longest run, 0 without any.
    """

    sequences: int
    frames: int
    timed: int
    seconds: float
    longest: int

    @property
    def fps(self) -> float | None:
        """Frames for each second of tracker time; None when there was no time."""
        return self.timed / self.seconds if self.seconds > 0 else None


def tally_runs(runs: Iterable[Run], results: Path) -> RunTally:
    """Count what the existing runs took; every frame counts, the initial one included."""
    existing = [run for run in runs if run.exists(results)]
    times = [run.times(results) for run in existing]
    timed = [seconds for of_run in times for seconds in of_run]
    frames = sum(len(of_run) or run.frames for run, of_run in zip(existing, times, strict=True))
    longest = max((run.frames for run in existing), default=0)
    sequences = len({run.sequence for run in existing})
    return RunTally(sequences, frames, len(timed), sum(timed), longest)


def count_lines(data: bytes, *, foreign: bool = False) -> int:
    """Lines of a text; the last one counts without its end only where something else wrote it."""
    has_open_end = foreign and data[-1:] not in (b"", b"\n")
    return data.count(b"\n") + has_open_end


def count_regions(file: Path, *, foreign: bool = False) -> int | None:
    """Regions in a result file of the toolkit; None if it is damaged or ends too early."""
    data = file.read_bytes()
    if file.suffix != ".bin":
        return count_lines(data, foreign=foreign)
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
