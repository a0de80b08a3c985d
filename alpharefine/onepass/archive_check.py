"""What the servers of GOT-10k and TrackingNet would reject, or silently score as zero."""

import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from alpharefine.errors import UsageError
from alpharefine.onepass.archives import Server
from alpharefine.onepass.findings import SHOWN, Findings

_TIME = "_time"


@dataclass(frozen=True)
class ArchiveFindings:
    """What was found in an archive.

    Attributes:
        faults: what is rejected or scored as zero, a line a kind.
        notes: what costs no score.
    """

    faults: list[str]
    notes: list[str]


def check_archive(
    file: Path, server: Server, lengths: Mapping[str, int | None] | None
) -> ArchiveFindings:
    """Look at an archive as a server does.

    Args:
        file: a zip file.
        server: that it is for.
        lengths: frames of each sequence that the server asks for, None where they are not known;
            None for the names that the official test set has, where they are known.

    Raises:
        UsageError: it is no zip file.
    """
    faults, notes = Findings(), Findings()
    entries = _read_entries(file, faults)
    boxes = {path: text for path, text in entries.items() if not path.stem.endswith(_TIME)}
    if lengths is None and server.names is not None:
        lengths = dict.fromkeys(server.names)
    if lengths is None:
        if len(boxes) != server.count:
            faults.say(f"{len(boxes)} files of boxes; the test set has {server.count} sequences")
        lengths = dict.fromkeys(path.stem for path in boxes)
    found = _match(boxes, server, lengths, faults)
    _check_folders(found, server, faults)
    for name, paths in found.items():
        for path in paths:
            _check_rows(name, boxes[path], lengths[name], faults)
        if server.wants_times:
            rows = len(_rows(boxes[paths[0]]))
            times = entries.get(paths[0].with_name(f"{name}{_TIME}.txt"))
            _check_times(name, rows, times, faults, notes)
    return ArchiveFindings(faults.lines(), notes.lines())


def _read_entries(file: Path, faults: Findings) -> dict[PurePosixPath, str]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = [
                entry
                for entry in archive.namelist()
                if entry.endswith(".txt") and "__MACOSX" not in entry
            ]
            for entry, count in Counter(names).items():
                if count > 1:
                    faults.add("files that are there more than once", entry, f"{count} times")
            return {
                PurePosixPath(entry): archive.read(entry).decode("utf-8", "replace")
                for entry in dict.fromkeys(names)
            }
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise UsageError(f"{file} cannot be read as a zip file: {error}") from error


def _match(
    boxes: Mapping[PurePosixPath, str],
    server: Server,
    names: Mapping[str, int | None],
    faults: Findings,
) -> dict[str, list[PurePosixPath]]:
    """Files of each sequence by the server's rules, a repetition each."""
    found: dict[str, list[PurePosixPath]] = {}
    missing = []
    matched: set[PurePosixPath] = set()
    for name in names:
        paths = [path for path in boxes if server.takes(path.name, name)]
        matched.update(paths)
        doubled = len(paths) > len({path.name for path in paths}) or (
            len(paths) > 1 and not server.repetitions
        )
        if not paths:
            missing.append(name)
        elif doubled:
            faults.add("sequences of several files, so none is taken", name, f"{len(paths)} files")
        else:
            found[name] = sorted(paths)
    if missing:
        faults.say(
            f"{len(missing)} of {len(names)} sequences are missing, such as "
            f"{', '.join(missing[:SHOWN])}"
        )
    for path in sorted(boxes.keys() - matched):
        faults.add("files that belong to no sequence by their names", str(path))
    return found


def _check_folders(
    found: Mapping[str, list[PurePosixPath]], server: Server, faults: Findings
) -> None:
    """Files lie below one folder at most, each where it is looked for."""
    tops: dict[tuple[tuple[str, ...], bool], str] = {}
    for name, paths in found.items():
        for path in paths:
            folders = path.parts[:-1]
            own = bool(folders) and folders[-1] == name
            around = folders[:-1] if own else folders
            tops.setdefault((around, own), str(path))
            if server.has_folders and not own:
                faults.add("files that are not in a folder of the sequence's name", str(path))
            elif len(around) > 1:
                faults.add("files that lie deeper than TRACKER/SEQUENCE/", str(path))
    if len(tops) > 1:
        for first in tops.values():
            faults.add("files lie in different folders, or at different depths", first)


def _rows(text: str) -> list[str]:
    return [row for row in text.splitlines() if row.strip()]


def _check_rows(name: str, text: str, length: int | None, faults: Findings) -> None:
    rows = _rows(text)
    if not rows:
        faults.add("files without a row", name)
        return
    if length is not None and len(rows) != length:
        faults.add(
            "sequences with a wrong number of rows", name, f"{len(rows)} rows for {length} frames"
        )
    odd = next((row for row in rows if row.count(",") != 3), None)
    if odd is not None:
        faults.add("rows that are not x,y,w,h with commas get no score", name, repr(odd[:40]))
        return
    try:
        boxes = np.array([[float(value) for value in row.split(",")] for row in rows])
    except ValueError:
        faults.add("rows that are not all numbers get no score", name)
        return
    broken = ~np.isfinite(boxes).all(axis=1)
    negative = (boxes[:, 2:] < 0).any(axis=1) & ~broken
    for kind, flags in (("NaN or infinity", broken), ("a negative side", negative)):
        if flags.any():
            faults.add(f"rows with {kind}", name, f"{int(flags.sum())} rows")
    flat = (boxes[1:, 2:] == 0).any(axis=1)
    if len(flat) and flat.all():
        faults.add("sequences without a box that has an extent score zero", name)


def _check_times(
    name: str, rows: int, times: str | None, faults: Findings, notes: Findings
) -> None:
    if times is None:
        notes.add(f"no times in SEQUENCE{_TIME}.txt, so no speed is shown", name)
        return
    lines = _rows(times)
    if len(lines) != rows:
        faults.add(
            "sequences with a wrong number of times",
            name,
            f"{len(lines)} times for {rows} rows of boxes",
        )
        return
    try:
        values = [float(value) for line in lines for value in line.split(",")]
    except ValueError:
        faults.add("times that are no numbers", name)
        return
    if not np.isfinite(values).all() or min(values) < 0:
        faults.add("times that are NaN or negative", name)
