"""Archives for the servers of GOT-10k and TrackingNet, as these take them."""

import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alpharefine.data.images import FrameError
from alpharefine.data.text import read_text
from alpharefine.errors import UsageError
from alpharefine.onepass.measures import Boxes
from alpharefine.onepass.result_files import (
    NO_EXTENT,
    ResultFiles,
    read_run,
    sequence_key,
)

Entries = Mapping[str, str]
"""Content of text files by their names in an archive."""


@dataclass(frozen=True)
class Server:
    """What a server expects.

    Attributes:
        name: of the data set.
        decimals: of the numbers that are written.
        count: number of sequences of the official test set.
        names: of its sequences, None where they cannot be told from their number.
        entries: files of a sequence, from its name, the boxes of each repetition and times.
        takes: whether it takes a file's name for a sequence's.
        repetitions: whether a sequence may have several files.
        has_folders: whether each sequence has a folder of its name.
        wants_times: whether there are to be times beside the boxes.
    """

    name: str
    decimals: int
    count: int
    names: tuple[str, ...] | None
    entries: Callable[[str, Sequence[str], str | None], Entries]
    takes: Callable[[str, str], bool]
    repetitions: bool
    has_folders: bool
    wants_times: bool


def _got10k_entries(name: str, boxes: Sequence[str], times: str | None) -> Entries:
    found = {f"{name}/{name}_{number:03d}.txt": text for number, text in enumerate(boxes, 1)}
    return found if times is None else {**found, f"{name}/{name}_time.txt": times}


def _trackingnet_entries(name: str, boxes: Sequence[str], times: str | None) -> Entries:
    return {f"{name}.txt": boxes[0]}


def _got10k_takes(file: str, name: str) -> bool:
    return re.fullmatch(rf"{re.escape(name)}_\d{{3}}\.txt", file) is not None


def _trackingnet_takes(file: str, name: str) -> bool:
    # Its server takes the only file whose name contains that of the sequence.
    return name in file


SERVERS: Mapping[str, Server] = {
    "got10k": Server(
        "GOT-10k",
        4,
        180,
        tuple(f"GOT-10k_Test_{number:06d}" for number in range(1, 181)),
        _got10k_entries,
        _got10k_takes,
        repetitions=True,
        has_folders=True,
        wants_times=True,
    ),
    "trackingnet": Server(
        "TrackingNet",
        2,
        511,
        None,
        _trackingnet_entries,
        _trackingnet_takes,
        repetitions=False,
        has_folders=False,
        wants_times=False,
    ),
}
"""Name -> server."""


def write_archive(
    file: Path,
    server: Server,
    results: Mapping[str, ResultFiles],
    lengths: Mapping[str, int | None],
) -> None:
    """Write a tracker's results as a server takes them.

    Args:
        file: to write; in one step.
        server: for which.
        results: files by `sequence_key`.
        lengths: frames of each sequence that the server asks for, None where they are not known.

    Raises:
        UsageError: results are missing or not whole: the server would score them as zero.
    """
    missing = [name for name in lengths if sequence_key(name) not in results]
    if missing:
        raise UsageError(
            f"{len(missing)} of {len(lengths)} sequences have no results, such as {missing[0]}: "
            f"the server of {server.name} would score them as zero; run them first"
        )
    draft = file.with_name(f".{file.name}.draft")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, length in lengths.items():
                files = results[sequence_key(name)]
                runs = [_read_whole(path, name, length) for path in files.boxes]
                boxes = [_numbers(run, server.decimals) for run in runs]
                times = None if files.times is None else _times(files.times, len(runs[0]))
                entries = server.entries(name, boxes, times)
                for entry, text in entries.items():
                    archive.writestr(entry, text)
        draft.replace(file)
    except FrameError as error:
        raise UsageError(error) from error
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """A folder, or the content of a zip file as one for as long as it is needed.

    Raises:
        UsageError: it is a file, and no zip file.
    """
    if not path.is_file():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="arvot-") as name:
        folder = Path(name) / path.stem
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
        except (zipfile.BadZipFile, OSError, RuntimeError) as error:
            raise UsageError(f"{path} is neither a folder nor a zip file ({error})") from error
        yield folder


def _read_whole(file: Path, name: str, length: int | None) -> Boxes:
    run = read_run(file)
    if set(run.faults) - {NO_EXTENT}:
        raise FrameError(f"{file}: {', '.join(run.faults)}; run {name} again")
    if length is not None and len(run.boxes) != length:
        raise FrameError(f"{file}: {len(run.boxes)} boxes for {length} frames; run {name} again")
    return run.boxes


def _numbers(rows: Boxes, decimals: int) -> str:
    return "".join(",".join(f"{value:.{decimals}f}" for value in row) + "\n" for row in rows)


def _times(file: Path, count: int) -> str:
    rows = [row.replace(",", " ").split() for row in read_text(file).splitlines() if row.strip()]
    if len(rows) != count:
        raise FrameError(f"{file}: {len(rows)} times for {count} boxes: delete it, or run it again")
    return "".join(",".join(row) + "\n" for row in rows)
