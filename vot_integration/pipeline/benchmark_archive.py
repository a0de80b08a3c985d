"""`arvot benchmark pack` and `check`: archives for the servers that keep their truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alpharefine.errors import UsageError
from alpharefine.onepass.archive_check import check_archive
from alpharefine.onepass.archives import SERVERS, Server, opened, write_archive
from alpharefine.onepass.measures import Truth
from alpharefine.onepass.result_files import ResultFiles, find_results, sequence_key
from alpharefine.onepass.truth import read_truths
from vot_integration.onepass.sequences import read_set
from vot_integration.pipeline.benchmark import BenchmarkScores, ScoreOptions, score_results


@dataclass(frozen=True)
class Checked:
    """What was found in an archive.

    Attributes:
        server: name of the server's data set.
        faults: what the server rejects or scores as zero, in words.
        notes: what costs no score.
        scores: by the local truth, None without one.
    """

    server: str
    faults: list[str]
    notes: list[str]
    scores: BenchmarkScores | None


@dataclass(frozen=True)
class Packed:
    """An archive that was written.

    Attributes:
        server: that takes it.
        untimed: sequences without times.
    """

    server: Server
    untimed: list[str]


def pack_results(results: Path, server: str, data: Path | None, target: Path) -> Packed:
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
    _refuse_validation(results, found, entry)
    if data is not None:
        if data.is_file():
            raise UsageError(f"--data {data} is a file: unpack it, as frames are counted")
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
    untimed = [name for name in lengths if found[sequence_key(name)].times is None]
    return Packed(entry, untimed if entry.wants_times else [])


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
            looked = check_archive(archive, entry, None)
            return Checked(entry.name, looked.faults, looked.notes, None)
        with opened(truth) as place:
            truths = read_truths(place, server)
            looked = check_archive(archive, entry, _lengths(truths, place, server))
            scores = None
            if any(len(each.boxes) > 1 for each in truths):
                scores = _score(folder, place, server, has_faults=bool(looked.faults))
    return Checked(entry.name, looked.faults, looked.notes, scores)


def _lengths(truths: Sequence[Truth], place: Path, server: str) -> dict[str, int | None]:
    """Frames of each sequence, counted where the first box alone is public."""
    lengths: dict[str, int | None] = {t.name: len(t.boxes) for t in truths}
    hidden = [name for name, length in lengths.items() if length == 1]
    if hidden:
        try:
            counted = {entry.name: entry.rows for entry in read_set(place, server).sequences}
        except UsageError:
            # The truth came without frames.
            counted = {}
        lengths |= {name: counted.get(name) for name in hidden}
    return lengths


def _score(folder: Path, place: Path, server: str, *, has_faults: bool) -> BenchmarkScores | None:
    try:
        return score_results(ScoreOptions(_tracker_folder(folder), place, server))
    except UsageError:
        # What is wrong with the archive says why it has no scores.
        if has_faults:
            return None
        raise


def _refuse_validation(results: Path, found: Mapping[str, ResultFiles], server: Server) -> None:
    names = {sequence_key(name) for name in server.names or ()}
    if names and found and not names & found.keys() and any("_val_" in key for key in found):
        raise UsageError(
            f"{results} has results of {server.name}'s validation set, whose truth is public: "
            "`arvot benchmark score` scores them; its server takes those of the test set, which "
            "`arvot benchmark run --part test` makes"
        )


def _tracker_folder(folder: Path) -> Path:
    """The folder that holds the results: an archive may have one of the tracker's name around."""
    inside = [path for path in folder.iterdir() if path.name != "__MACOSX"]
    is_wrapped = len(inside) == 1 and inside[0].is_dir() and any(inside[0].glob("*/*.txt"))
    return inside[0] if is_wrapped else folder
