"""`arvot benchmark pack` and `check`: archives for the servers that keep their truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alpharefine.errors import UsageError
from alpharefine.onepass.archives import SERVERS, Server, check_archive, opened, write_archive
from alpharefine.onepass.result_files import find_results
from alpharefine.onepass.truth import read_truths
from vot_integration.onepass.sequences import read_set
from vot_integration.pipeline.benchmark import BenchmarkScores, ScoreOptions, score_results


@dataclass(frozen=True)
class Checked:
    """What was found in an archive.

    Attributes:
        server: name of the server's data set.
        faults: in words.
        scores: by the local truth, None without one.
    """

    server: str
    faults: list[str]
    scores: BenchmarkScores | None


def pack_results(results: Path, server: str, data: Path | None, target: Path) -> Server:
    """Write the archive of a tracker's results.

    Args:
        results: folder of the tracker.
        server: key of `SERVERS`.
        data: the data set, by which names and lengths are checked; None for the official names.
        target: file to write.

    Raises:
        UsageError: results are missing or not whole.
    """
    if not results.is_dir():
        raise UsageError(f"there is no folder {results}: give the results of one tracker")
    found = find_results(results)
    entry = SERVERS[server]
    if data is not None:
        sequences = read_set(data, server, part="test").sequences
        lengths: Mapping[str, int | None] = {s.name: s.rows for s in sequences}
    elif entry.names is not None:
        lengths = dict.fromkeys(entry.names)
    else:
        if len(found) != entry.count:
            raise UsageError(
                f"{results} has results of {len(found)} sequences, and the test set of "
                f"{entry.name} has {entry.count}: run the others, or give the data set with --data"
            )
        lengths = dict.fromkeys(files.boxes[0].stem for files in found.values())
    write_archive(target, entry, found, lengths)
    return entry


def check_results(archive: Path, server: str | None, truth: Path | None) -> Checked:
    """Look at an archive as its server would, and score it where the truth is at hand.

    Args:
        archive: a zip file.
        server: key of `SERVERS`; None to tell by the names in it.
        truth: folder or zip file of the ground truth, or of the data set; None without.

    Raises:
        UsageError: it cannot be read.
    """
    if not archive.is_file():
        raise UsageError(f"there is no file {archive}: give a zip file")
    with opened(archive) as folder:
        if server is None:
            is_got10k = any("GOT-10k" in path.name for path in folder.rglob("*.txt"))
            server = "got10k" if is_got10k else "trackingnet"
        entry = SERVERS[server]
        if truth is None:
            return Checked(entry.name, check_archive(archive, entry, None), None)
        with opened(truth) as place:
            truths = read_truths(place, server)
            lengths: dict[str, int | None] = {t.name: len(t.boxes) for t in truths}
            if all(length == 1 for length in lengths.values()):
                # The first box alone is public.
                sequences = read_set(place, server).sequences
                lengths = {sequence.name: sequence.rows for sequence in sequences}
                return Checked(entry.name, check_archive(archive, entry, lengths), None)
            faults = check_archive(archive, entry, lengths)
            inner = _tracker_folder(folder)
            scores = score_results(ScoreOptions(inner, place, server))
    return Checked(entry.name, faults, scores)


def _tracker_folder(folder: Path) -> Path:
    """The folder that holds the results: an archive may have one of the tracker's name around."""
    inside = [path for path in folder.iterdir() if path.name != "__MACOSX"]
    is_wrapped = len(inside) == 1 and inside[0].is_dir() and any(inside[0].glob("*/*.txt"))
    return inside[0] if is_wrapped else folder
