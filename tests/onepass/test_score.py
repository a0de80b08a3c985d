"""Scores of result files: where they lie, how they are written, what is said of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from alpharefine.data.images import FrameError
from alpharefine.errors import UsageError
from alpharefine.onepass.conventions import find_convention
from alpharefine.onepass.measures import Truth
from alpharefine.onepass.result_files import find_results, find_trackers, read_run, sequence_key
from alpharefine.onepass.score import ResultForm, TrackerScores, score_tracker
from alpharefine.onepass.truth import read_truths

BOX = np.array([10.0, 20.0, 30.0, 40.0])
TRUTHS = [Truth(name, np.tile(BOX, (3, 1))) for name in ("car-1", "dog-2")]
ROWS = "10,20,30,40\n" * 3


def score(
    folder: Path, layout: str = "otb", convention: str = "official", form: ResultForm | None = None
) -> TrackerScores:
    return score_tracker(
        TRUTHS,
        find_results(folder),
        find_convention(convention, layout),
        form or ResultForm(),
    )


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        ROWS.replace(",", "\t"),
        ROWS.replace(",", "  "),
        ROWS.replace(",", ", ").replace("\n", "\r\n"),
        ROWS.replace(",", ";") + "\n\n",
        "10\t20,30 40\n" * 3,
        "1e1,2.0e1,30.000,40\n" * 3,
        "10,20,40,20,40,60,10,60\n" * 3,
        ROWS.replace("\n", "\n\n"),
    ],
)
def test_every_separator_is_read(tmp_path: Path, rows: str) -> None:
    found = score(write(tmp_path, {"car-1.txt": rows, "dog-2.txt": rows}), convention="pysot")
    assert (found.scores.ao, found.notes) == (1.0, [])


@pytest.mark.parametrize(
    "pattern",
    [
        "{0}.txt",
        "{0}/{0}.txt",
        "{0}/{0}_001.txt",
        "{0}_001.txt",
        "{0}/track_results.txt",
        "nfs_{0}.txt",
    ],
)
def test_every_place_of_files_is_known(tmp_path: Path, pattern: str) -> None:
    files = {pattern.format(truth.name): ROWS for truth in TRUTHS}
    files |= {"car-1/groundtruth.txt": "1,1,1,1\n", "car-1_time.txt": "0.5\n0.5\n0.25\n"}
    found = score(write(tmp_path, files))
    assert found.scores.sequences == 2
    assert found.fps == pytest.approx(3 / 1.25)


def test_speed_is_the_mean_of_rates_by_got10k(tmp_path: Path) -> None:
    files = {"car-1.txt": ROWS, "times/car-1_time.txt": "0.5\n0\nnan\n0.25\n"}
    assert score(write(tmp_path, files), convention="got10k").fps == 3.0


def test_repetitions_are_averaged(tmp_path: Path) -> None:
    files = {"car-1/car-1_001.txt": ROWS, "car-1/car-1_002.txt": ROWS.replace("10", "900")}
    found = score(write(tmp_path, files), convention="pysot")
    assert (found.scores.ao, found.scores.frames) == (0.5, 3)


def test_frames_of_all_repetitions_are_pooled_by_got10k(tmp_path: Path) -> None:
    files = {f"car-1/car-1_00{run}.txt": ROWS.replace("10,", "900,") for run in (1, 2)}
    found = score(write(tmp_path, {**files, "dog-2.txt": ROWS}), layout="got10k")
    assert (found.scores.ao, found.scores.frames) == (pytest.approx(1 / 3), 4)


def test_files_that_are_not_scored_are_said(tmp_path: Path) -> None:
    files = {"car-1.txt": ROWS, "car_1.txt": ROWS, "dog-2.txt": ROWS, "bird.txt": ROWS}
    doubled, strange = score(write(tmp_path, files)).notes
    assert (
        "1 sequences have a second file, such as car-1: car-1.txt is scored, car_1.txt" in doubled
    )
    assert "1 result files belong to no sequence of the data set, such as bird.txt" in strange


def test_rows_of_five_numbers_are_named(tmp_path: Path) -> None:
    rows = ROWS.replace("40", "40,0.9")
    notes = score(write(tmp_path, {"car-1.txt": rows, "dog-2.txt": ROWS})).notes
    assert notes[0].startswith("3 ragged rows, the first in car-1")
    assert notes[1].startswith("ragged rows have 5 numbers: expected are the 4 of x,y,w,h")


def test_a_heading_and_files_without_boxes_are_said(tmp_path: Path) -> None:
    found = score(write(tmp_path, {"car-1.txt": "x,y,w,h\n" + ROWS, "dog-2.txt": "hello\n" * 3}))
    assert found.unusable == ["dog-2"]
    assert any("no row that is a box, such as dog-2" in note for note in found.notes)
    assert any("a line that is no numbers, such as that of car-1" in note for note in found.notes)


@pytest.mark.parametrize("rows", ["20,3;20,2;22,5;22,2\n", "51,5\t21,7\t15,5\t21,4\n"])
def test_decimal_commas_are_not_taken_for_corners(tmp_path: Path, rows: str) -> None:
    with pytest.raises(FrameError, match="decimal commas or four corners"):
        read_run(write(tmp_path, {"car-1.txt": rows * 3}) / "car-1.txt")


@pytest.mark.parametrize(
    ("layout", "files", "notes"),
    [
        ("lasot", {}, ["lack full_occlusion.txt, out_of_view.txt, such as car-1"]),
        ("lasot", {"out_of_view.txt": "0,0,0"}, ["lack full_occlusion.txt, such as car-1"]),
        ("lasot", {"out_of_view.txt": "0,0,0", "full_occlusion.txt": "0,0,0"}, []),
        ("got10k", {}, ["lack cover.label, such as car-1", "lack meta_info.ini"]),
        ("got10k", {"cover.label": "8\n8\n8\n"}, ["lack meta_info.ini"]),
    ],
)
def test_what_the_convention_reads_and_does_not_find_is_said(
    tmp_path: Path, layout: str, files: dict[str, str], notes: list[str]
) -> None:
    rows = "10,20,30,40\n11,20,30,40\n12,20,30,40\n"
    beside = {f"set/car-1/{name}": text for name, text in files.items()}
    write(tmp_path, {"set/car-1/groundtruth.txt": rows, "found/car-1.txt": rows, **beside})
    found = score_tracker(
        read_truths(tmp_path / "set", layout),
        find_results(tmp_path / "found"),
        find_convention("official", layout),
    )
    assert len(found.notes) == len(notes)
    assert all(said in note for said, note in zip(notes, found.notes, strict=True))


def test_names_of_one_sequence_are_the_same_by_every_tool() -> None:
    names = ("Jogging-1", "Jogging.1", "jogging_1", "uav_Jogging_1")
    assert len({sequence_key(name) for name in names}) == 1
    assert sequence_key("bird1_1") != sequence_key("bird11")
    assert sequence_key("Human4-2") == sequence_key("Human4")


def test_a_folder_holds_one_tracker_or_several(tmp_path: Path) -> None:
    write(tmp_path, {"A/car-1.txt": ROWS, "B/car-1/car-1_001.txt": ROWS, "logs/other.txt": ROWS})
    names = [truth.name for truth in TRUTHS]
    assert list(find_trackers(tmp_path, names)) == ["A", "B"]
    assert list(find_trackers(tmp_path / "B", names)) == ["B"]


def test_what_is_wrong_is_counted_and_scored_as_failures(tmp_path: Path) -> None:
    rows = "10,20,30,40\n1,2,3\nnan,nan,nan,nan\n"
    found = score(write(tmp_path, {"car-1.txt": rows, "dog-2.txt": ROWS}), convention="pysot")
    assert found.scores.ao == pytest.approx((1 / 3 + 1) / 2)
    notes = "\n".join(found.notes)
    assert "1 ragged rows, the first in car-1: scored as failures" in notes
    assert "1 rows of NaN or infinity" in notes


def test_short_long_and_missing_files_are_said(tmp_path: Path) -> None:
    found = score(write(tmp_path, {"car-1.txt": "10,20,30,40\n"}))
    assert "2 missing rows" in found.notes[1]
    assert "1 of 2 sequences have no results, such as dog-2: left out" in found.notes[0]
    assert list(found.missing) == ["dog-2"]
    write(tmp_path, {"car-1.txt": ROWS * 2, "dog-2.txt": "x\n" + ROWS})
    notes = "\n".join(score(tmp_path).notes)
    assert "4 surplus rows" in notes and "1 unreadable rows" in notes


def test_a_missing_sequence_is_zeros_for_trackingnet(tmp_path: Path) -> None:
    found = score(write(tmp_path, {"car-1.txt": ROWS}), layout="trackingnet")
    assert found.scores.coverage == pytest.approx(4 / 6)
    assert found.missing == []


@pytest.mark.parametrize("layout", ["otb", "trackingnet", "got10k"])
def test_results_are_not_scored_by_the_first_box_alone(tmp_path: Path, layout: str) -> None:
    """The truth of GOT-10k's and TrackingNet's test sets is on their servers."""
    files = find_results(write(tmp_path, {"car-1.txt": ROWS, "dog-2.txt": ROWS}))
    convention = find_convention("official", layout)
    hidden = [Truth(truth.name, truth.boxes[:1]) for truth in TRUTHS]
    with pytest.raises(UsageError, match="the first box of each sequence alone"):
        score_tracker(hidden, files, convention)
    found = score_tracker([TRUTHS[0], hidden[1]], files, convention)
    assert [sequence.name for sequence in found.sequences] == ["car-1"]
    assert "1 sequences have their first box alone as truth, the first is dog-2" in found.notes[0]


def test_negative_sides_are_counted(tmp_path: Path) -> None:
    rows = "10,20,30,40\n10,20,-30,40\n10,20,30,40\n"
    found = score(write(tmp_path, {"car-1.txt": rows}), convention="pytracking")
    assert any("a side of 0 or less" in note for note in found.notes)
    assert found.scores.op50 == pytest.approx(2 / 3)


def test_files_of_another_base_are_noticed_and_shifted(tmp_path: Path) -> None:
    rows = ROWS.replace("10,20", "9,19")
    folder = write(tmp_path, {"car-1.txt": rows, "dog-2.txt": rows})
    found = score(folder)
    assert found.scores.ao < 1
    assert "--base 0" in found.notes[0]
    assert score(folder, form=ResultForm(offset=1.0)).scores.ao == 1.0


def test_corners_are_noticed_and_read(tmp_path: Path) -> None:
    rows = "10,20,40,60\n" * 3
    folder = write(tmp_path, {"car-1.txt": rows, "dog-2.txt": rows})
    assert "--boxes corners" in score(folder).notes[-1]
    assert score(folder, form=ResultForm(corners=True)).scores.ao == 1.0


def test_no_results_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no result file belongs to"):
        score(write(tmp_path, {"bird.txt": ROWS}))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "car-1.txt").write_bytes(b"\x00\x01\x02")
    with pytest.raises(FrameError, match="not a text file"):
        read_run(tmp_path / "car-1.txt")
    with pytest.raises(UsageError, match="not a text file"):
        score(tmp_path)


def test_attributes_and_classes_of_lasot(tmp_path: Path) -> None:
    flags = ["1" if k in (1, 9) else "0" for k in range(14)]
    truth = {
        "car/car-1/groundtruth.txt": ROWS,
        "car/car-1/full_occlusion.txt": "0,0,1",
        "car/car-1/out_of_view.txt": "0,1,0",
        "dog/dog-2/groundtruth.txt": ROWS,
        "att/car-1.txt": ",".join(flags),
    }
    truths = read_truths(write(tmp_path / "set", truth), "lasot")
    assert [t.group for t in truths] == ["car", "dog"]
    assert truths[0].absent is not None and truths[0].absent.tolist() == [False, True, True]
    results = find_results(write(tmp_path / "results", {"car-1.txt": ROWS, "dog-2.txt": ROWS}))
    found = score_tracker(truths, results, find_convention("official", "lasot"))
    assert set(found.attributes) == {"partial occlusion", "full occlusion"}
    document = found.to_json()
    assert document["class_means"]["op50"] == pytest.approx((1 / 3 + 1) / 2)
    assert document["attributes"]["full occlusion"]["op50"] == pytest.approx(1 / 3)


def got10k_set(folder: Path) -> Path:
    meta = "[METAINFO]\nobject_class: bird\nresolution: (100, 50)\n"
    return write(
        folder,
        {
            "val/GOT-10k_Val_000001/groundtruth.txt": ROWS,
            "val/GOT-10k_Val_000001/cover.label": "8\n0\n8\n",
            "val/GOT-10k_Val_000001/absence.label": "0\n0\n1\n",
            "val/GOT-10k_Val_000001/meta_info.ini": meta,
        },
    )


def test_got10k_reads_cover_class_and_size(tmp_path: Path) -> None:
    [truth] = read_truths(got10k_set(tmp_path), "got10k")
    assert (truth.name, truth.group, truth.size) == ("GOT-10k_Val_000001", "bird", (100, 50))
    assert truth.absent is not None and truth.absent.tolist() == [False, True, False]


def test_truth_alone_is_a_folder_of_files(tmp_path: Path) -> None:
    files = {"anno/car-1.txt": ROWS, "anno/dog-2.txt": ROWS, "anno/absent/car-1.txt": "0\n1\n0\n"}
    truths = read_truths(write(tmp_path, files), "lasot")
    assert [t.name for t in truths] == ["car-1", "dog-2"]
    assert truths[0].absent is not None and truths[0].absent.sum() == 1


def test_targets_of_one_otb_folder_are_two_sequences(tmp_path: Path) -> None:
    files = {f"Jogging/groundtruth_rect.{k}.txt": ROWS for k in (1, 2)}
    assert [t.name for t in read_truths(write(tmp_path, files), "otb")] == [
        "Jogging_1",
        "Jogging_2",
    ]


def test_an_empty_file_of_boxes_is_no_target(tmp_path: Path) -> None:
    files = {"Human4/groundtruth_rect.1.txt": "", "Human4/groundtruth_rect.2.txt": ROWS}
    assert [t.name for t in read_truths(write(tmp_path, files), "otb")] == ["Human4"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "holds no ground truth in the layout of LaSOT"),
        (lambda folder: write(folder, {"car-1.txt": "1,2,3\n"}), "1 ragged rows; expected x,y,w,h"),
        (lambda folder: write(folder, {"car-1.txt": ""}), "holds no boxes"),
        (
            lambda folder: write(
                folder, {"car/car-1/groundtruth.txt": ROWS, "car/car-1/out_of_view.txt": "0,0"}
            ),
            "2 numbers for 3 boxes",
        ),
        (
            lambda folder: write(folder, {f"{k}/car-1/groundtruth.txt": ROWS for k in "ab"}),
            "two sequences are called car-1",
        ),
    ],
)
def test_a_wrong_truth_is_one_line(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    make(tmp_path)
    with pytest.raises(UsageError, match=message):
        read_truths(tmp_path, "lasot")
