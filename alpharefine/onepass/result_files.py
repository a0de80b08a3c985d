"""Files of results as tools write them: a box a line, and times beside them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.text import read_text, refuse_decimal_commas
from alpharefine.onepass.measures import Boxes

_SUFFIXES = frozenset({".txt", ".csv"})
_SEPARATORS = str.maketrans(",;\t", "   ")
_REPETITION = re.compile(r"_\d{3}$")
_TIME = "_time"
_NOT_RESULTS = re.compile(r"groundtruth|_confidence$|_scores?$", re.IGNORECASE)
_PREFIXES = re.compile("^(uav|nfs|tpl)_")
"""What pytracking puts before the names of some sets' sequences."""

_SAME = {"human4_2": "human4"}
"""OTB evaluates the second target of Human4 alone, and some tools say so in its name."""

NO_NUMBERS, RAGGED = "unreadable rows", "ragged rows"
NOT_FINITE, NO_EXTENT = "rows of NaN or infinity", "rows with a side of 0 or less"


@dataclass(frozen=True)
class ResultFiles:
    """Files of a tracker in one sequence.

    Attributes:
        boxes: a file a repetition.
        times: of them; None without.
        unread: further files of boxes under other names, which are not taken.
    """

    boxes: tuple[Path, ...]
    times: Path | None = None
    unread: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Run:
    """One repetition in one sequence.

    Attributes:
        boxes: answers, M x 4.
        faults: what is wrong with how many rows, by kind.
        lengths: how many numbers ragged rows have, each once.
        is_headed: whether the first row has a word, as a heading has.
    """

    boxes: Boxes
    faults: Mapping[str, int] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()
    is_headed: bool = False


def find_results(folder: Path) -> dict[str, ResultFiles]:
    """A tracker's files by `sequence_key`.

    Known are `SEQ.txt`, `SEQ_001.txt` and folders `SEQ/` with such files, with times in
    `SEQ_time.txt` beside them or in `times/`.

    Args:
        folder: of one tracker.
    """
    boxes: dict[str, list[Path]] = {}
    times: dict[str, Path] = {}
    for name, file in _candidates(folder):
        key = sequence_key(name)
        if file.stem.endswith(_TIME):
            times[key] = file
        else:
            boxes.setdefault(key, []).append(file)
    found = {}
    for key, files in sorted(boxes.items()):
        taken = _repetitions(files)
        unread = tuple(file for file in files if file not in taken)
        found[key] = ResultFiles(taken, times.get(key), unread)
    return found


def find_trackers(folder: Path, sequences: Sequence[str]) -> dict[str, dict[str, ResultFiles]]:
    """Results by tracker: those of a folder that holds them, or of each folder below it.

    Files that belong to none of the sequences are among them.

    Args:
        folder: of one tracker, or of several.
        sequences: names of those that results are asked for.
    """
    wanted = {sequence_key(name) for name in sequences}
    own = find_results(folder)
    if own.keys() & wanted:
        return {folder.resolve().name: own}
    below = {path.name: find_results(path) for path in sorted(folder.iterdir()) if path.is_dir()}
    return {name: results for name, results in below.items() if results.keys() & wanted}


def sequence_key(name: str) -> str:
    """What names of one sequence have in common: tools write Jogging-1, Jogging.1 or jogging_1."""
    key = _PREFIXES.sub("", re.sub("[-. ]", "_", name).casefold())
    return _SAME.get(key, key)


def read_run(file: Path, *, corners: bool = False) -> Run:
    """Read a file of boxes; rows that are none become NaN and are counted.

    Args:
        file: rows of four numbers, or of eight that are the corners of a polygon, separated by
            commas, semicolons, tabs or spaces.
        corners: rows are x1, y1, x2, y2 in place of x, y, w, h.

    Raises:
        FrameError: the file is missing or not text, or it cannot be told how to read it.
    """
    text = read_text(file)
    refuse_decimal_commas(text.lstrip().partition("\n")[0], str(file))
    rows = [line.split() for line in text.translate(_SEPARATORS).split("\n")]
    # Blank lines are no rows, as for the readers of all tools.
    boxes, faults = _parse([row for row in rows if row])
    if corners:
        boxes[:, 2:] -= boxes[:, :2]
    finite = np.isfinite(boxes).all(axis=1)
    empty = finite & (boxes[:, 2:] <= 0).any(axis=1)
    counts = Counter(faults)
    counts[NOT_FINITE] = int((~finite).sum()) - sum(faults.values())
    counts[NO_EXTENT] = int(empty.sum())
    lengths = {len(row) for row in rows} - {0, 4, 8} if counts[RAGGED] else set()
    return Run(
        boxes,
        {kind: count for kind, count in counts.items() if count > 0},
        tuple(sorted(lengths)),
        any(map(_is_word, next(filter(None, rows), ()))),
    )


def _is_word(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return True
    return False


def read_times(file: Path) -> NDArray[np.float64]:
    """Seconds of frames, in any arrangement, those above 0; numbers of nothing are left out.

    Raises:
        FrameError: the file is missing, or not text.
    """
    values = []
    for token in read_text(file).translate(_SEPARATORS).split():
        try:
            values.append(float(token))
        except ValueError:
            continue
    times = np.array(values, dtype=np.float64)
    return times[np.isfinite(times) & (times > 0)]


def _candidates(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name of a sequence, and a file of it."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_file():
            yield from _of_sequence(path, None)
        elif path.name == "times":
            for file in sorted(path.iterdir()):
                yield from _of_sequence(file, None)
        else:
            for file in sorted(path.iterdir()):
                yield from _of_sequence(file, path.name)


def _of_sequence(file: Path, folder: str | None) -> Iterator[tuple[str, Path]]:
    if file.suffix.lower() not in _SUFFIXES or not file.is_file():
        return
    if _NOT_RESULTS.search(file.stem):
        return
    name = _REPETITION.sub("", file.stem.removesuffix(_TIME))
    if folder is None:
        yield name, file
    elif name == folder or name in ("track_results", "results"):
        yield folder, file


def _repetitions(files: list[Path]) -> tuple[Path, ...]:
    """The numbered files of one name, or else the first one."""
    repeated = [file for file in files if _REPETITION.search(file.stem)]
    if not repeated:
        return tuple(files[:1])
    first = repeated[0]
    name = _REPETITION.sub("", first.stem)
    return tuple(
        file
        for file in repeated
        if (file.parent, _REPETITION.sub("", file.stem), file.suffix)
        == (first.parent, name, first.suffix)
    )


def _parse(rows: list[list[str]]) -> tuple[Boxes, dict[str, int]]:
    if all(len(row) == 4 for row in rows):
        try:
            numbers = [float(token) for row in rows for token in row]
            return np.array(numbers, dtype=np.float64).reshape(-1, 4), {}
        except ValueError:
            pass
    boxes, faults = np.full((len(rows), 4), np.nan), Counter[str]()
    for number, row in enumerate(rows):
        try:
            values = np.array([float(token) for token in row])
        except ValueError:
            faults[NO_NUMBERS] += 1
            continue
        if len(values) == 4:
            boxes[number] = values
        elif len(values) == 8:
            points = values.reshape(4, 2)
            boxes[number] = *points.min(axis=0), *np.ptp(points, axis=0)
        else:
            faults[RAGGED] += 1
    return boxes, dict(faults)
