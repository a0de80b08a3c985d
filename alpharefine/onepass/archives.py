"""Archives for the servers of GOT-10k and TrackingNet: written, and looked at before a server is.

Both servers score silently as zero, or not at all, what is not as they expect it.
"""

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

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
        entries: files of a sequence, from its name, boxes and times.
        file: name of the file of boxes of a sequence, without folders.
    """

    name: str
    decimals: int
    count: int
    names: tuple[str, ...] | None
    entries: Callable[[str, str, str | None], Entries]
    file: str


def _got10k_entries(name: str, boxes: str, times: str | None) -> Entries:
    found = {f"{name}/{name}_001.txt": boxes}
    return found if times is None else {**found, f"{name}/{name}_time.txt": times}


def _trackingnet_entries(name: str, boxes: str, times: str | None) -> Entries:
    return {f"{name}.txt": boxes}


SERVERS: Mapping[str, Server] = {
    "got10k": Server(
        "GOT-10k",
        4,
        180,
        tuple(f"GOT-10k_Test_{number:06d}" for number in range(1, 181)),
        _got10k_entries,
        "{0}_001.txt",
    ),
    "trackingnet": Server("TrackingNet", 2, 511, None, _trackingnet_entries, "{0}.txt"),
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
                boxes = _read_whole(files.boxes[0], name, length)
                times = None if files.times is None else read_text(files.times)
                entries = server.entries(name, _numbers(boxes, server.decimals), times)
                for entry, text in entries.items():
                    archive.writestr(entry, text)
        draft.replace(file)
    except FrameError as error:
        raise UsageError(error) from error
    finally:
        draft.unlink(missing_ok=True)


def check_archive(
    file: Path, server: Server, lengths: Mapping[str, int | None] | None
) -> list[str]:
    """What a server would reject, or silently score as zero.

    Args:
        file: a zip file.
        server: that it is for.
        lengths: frames of each sequence that the server asks for; None for the names that the
            official test set has, where they are known.

    Returns:
        Faults in words; none when all is well.

    Raises:
        UsageError: it is no zip file.
    """
    entries = _read_entries(file)
    boxes = {path: text for path, text in entries.items() if not path.stem.endswith("_time")}
    faults = []
    if lengths is None and server.names is not None:
        lengths = dict.fromkeys(server.names)
    if lengths is None:
        if len(boxes) != server.count:
            faults.append(f"{len(boxes)} files of boxes; the test set has {server.count} sequences")
        lengths = dict.fromkeys(path.stem for path in boxes)
    found, name_faults = _match(boxes, server, lengths)
    faults += name_faults
    for name, path in found.items():
        faults += _check_rows(name, boxes[path], lengths[name])
        times = entries.get(path.with_name(f"{name}_time.txt"))
        if times is not None:
            rows, timed = len(boxes[path].split()), len(times.split())
            if timed != rows:
                faults.append(f"{name}: {timed} times for {rows} rows of boxes")
    return faults


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


def _read_entries(file: Path) -> dict[PurePosixPath, str]:
    try:
        with zipfile.ZipFile(file) as archive:
            return {
                PurePosixPath(entry): archive.read(entry).decode("utf-8", "replace")
                for entry in archive.namelist()
                if entry.endswith(".txt") and "__MACOSX" not in entry
            }
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise UsageError(f"{file} cannot be read as a zip file: {error}") from error


def _match(
    boxes: Mapping[PurePosixPath, str], server: Server, names: Mapping[str, int | None]
) -> tuple[dict[str, PurePosixPath], list[str]]:
    """The file of each sequence by the server's rules, and what is wrong with names."""
    found: dict[str, PurePosixPath] = {}
    missing, ambiguous = [], []
    for name in names:
        if server.name == "TrackingNet":
            # Its server takes the only file whose name contains that of the sequence.
            matching = [path for path in boxes if name in path.name]
        else:
            matching = [path for path in boxes if path.name == server.file.format(name)]
        if not matching:
            missing.append(name)
        elif len(matching) > 1:
            ambiguous.append(f"{name}: {len(matching)} files match it, so none is taken")
        else:
            found[name] = matching[0]
    faults = list(ambiguous)
    if missing:
        faults.insert(
            0, f"{len(missing)} of {len(names)} sequences are missing, such as {missing[0]}"
        )
    depths = sorted({len(path.parts) for path in found.values()})
    if len(depths) > 1:
        faults.append("files lie at different depths of folders")
    strangers = set(boxes) - set(found.values())
    extra = [path for path in strangers if not any(name in path.name for name in names)]
    if extra:
        faults.append(f"{len(extra)} files belong to no sequence, such as {min(extra)}")
    return found, faults


def _check_rows(name: str, text: str, length: int | None) -> list[str]:
    rows = text.rstrip().splitlines()
    faults = []
    if any(row.count(",") != 3 for row in rows):
        [first] = [row for row in rows if row.count(",") != 3][:1]
        faults.append(f"{name}: not x,y,w,h with commas ({first[:40]!r}): such rows get no score")
        return faults
    try:
        boxes = np.array([[float(value) for value in row.split(",")] for row in rows])
    except ValueError:
        return [f"{name}: not all numbers"]
    if not np.isfinite(boxes).all():
        faults.append(f"{name}: {int((~np.isfinite(boxes)).any(axis=1).sum())} rows with NaN")
    elif len(boxes) and (boxes[:, 2:] < 0).any():
        faults.append(f"{name}: {int((boxes[:, 2:] < 0).any(axis=1).sum())} rows of negative size")
    if length is not None and len(rows) != length:
        faults.append(f"{name}: {len(rows)} rows for {length} frames")
    return faults
