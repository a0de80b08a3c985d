"""`arvot benchmark score`: from the options to scores of all trackers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alpharefine.errors import UsageError
from alpharefine.onepass.archives import opened
from alpharefine.onepass.conventions import OFFICIAL, Convention, find_convention
from alpharefine.onepass.measures import Truth
from alpharefine.onepass.result_files import find_trackers
from alpharefine.onepass.score import ResultForm, TrackerScores, score_tracker
from alpharefine.onepass.truth import find_family, find_layout_entry, read_truths
from vot_integration.files import write_text
from vot_integration.onepass.results import read_record
from vot_integration.workspaces.records import tuned_notes


@dataclass(frozen=True)
class ScoreOptions:
    """Options of `arvot benchmark score`, as the user gave them.

    Attributes:
        results: folder of a tracker's results, or of several trackers'; or a zip file of one.
        truth: folder of the data set, or of its ground truth alone; or a zip file of one.
        layout: of the data set.
        convention: by which it is scored.
        corners: whether result files hold x1, y1, x2, y2.
        base: number of the leftmost pixel in the result files; None takes them as they are.
        part: of the data set, None for the one that is scored.
    """

    results: Path
    truth: Path
    layout: str
    convention: str = OFFICIAL
    corners: bool = False
    base: int | None = None
    part: str | None = None


@dataclass(frozen=True)
class BenchmarkScores:
    """Scores of trackers on a data set.

    Attributes:
        benchmark: name of the layout.
        convention: name of the convention.
        rules: what it says.
        trackers: by name.
    """

    benchmark: str
    convention: str
    rules: Convention
    trackers: Mapping[str, TrackerScores]

    def to_json(self) -> dict[str, Any]:
        """The document of `--json`."""
        return {
            "benchmark": self.benchmark,
            "convention": self.convention,
            "tool": self.rules.tool,
            "trackers": {name: scores.to_json() for name, scores in self.trackers.items()},
        }


def score_results(options: ScoreOptions, trackers: Sequence[str] | None = None) -> BenchmarkScores:
    """Score trackers that have results.

    Args:
        options: what the user says.
        trackers: their names where results are of several; None for all.

    Raises:
        UsageError: an option is wrong, or a file cannot be read.
    """
    rules = find_convention(options.convention, find_family(options.layout))
    find_layout_entry(options.layout)
    with opened(options.truth) as truth, opened(options.results) as results:
        return _score_folders(replace(options, truth=truth, results=results), rules, trackers)


def _score_folders(
    options: ScoreOptions, rules: Convention, trackers: Sequence[str] | None
) -> BenchmarkScores:
    form = ResultForm(options.corners, _offset(options))
    truths = read_truths(options.truth, options.layout, options.part)
    if not options.results.is_dir():
        raise UsageError(
            f"there is no folder {options.results}: give one with result files, or a zip file"
        )
    found = find_trackers(options.results, [truth.name for truth in truths])
    found = {name: files for name, files in found.items() if trackers is None or name in trackers}
    if not found:
        raise UsageError(
            f"{options.results} holds no results of the {len(truths)} sequences in "
            f"{options.truth}: expected files such as {truths[0].name}.txt, in it or in a folder "
            "a tracker"
        )
    scores = {name: score_tracker(truths, results, rules, form) for name, results in found.items()}
    noted = {
        name: replace(entry, notes=[*_tuned(options.results, name, truths), *entry.notes])
        for name, entry in scores.items()
    }
    return BenchmarkScores(options.layout, options.convention, rules, noted)


def _tuned(results: Path, tracker: str, truths: Sequence[Truth]) -> list[str]:
    folder = results / tracker
    record = read_record(folder if folder.is_dir() else results) or {}
    return tuned_notes(record.get("overrides", {}), [truth.name for truth in truths])


def report_results(options: ScoreOptions, file: Path) -> None:
    """Write the report of all trackers that have results.

    Raises:
        UsageError: an option is wrong, or a file cannot be read.
    """
    from vot_integration.report.benchmark_document import make_benchmark_report, render_benchmark

    scores = score_results(options)
    folders = {name: options.results / name for name in scores.trackers}
    records = {
        name: record
        for name, folder in folders.items()
        if (record := read_record(folder if folder.is_dir() else options.results)) is not None
    }
    report = make_benchmark_report(
        scores.benchmark, scores.convention, scores.rules, scores.trackers, records
    )
    write_text(file, render_benchmark(report))


def _offset(options: ScoreOptions) -> float:
    if options.base is None:
        return 0.0
    return float(find_layout_entry(options.layout).first_pixel - options.base)
