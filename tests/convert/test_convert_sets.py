"""Data sets in which something is wrong: the rest is converted, and nothing is lost unsaid."""

import errno
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from alpharefine.errors import UsageError
from tests.sequences.make import (
    LENGTH,
    sound_sequences,
    stems,
    write_boxes,
    write_davis,
    write_got,
    write_images,
    write_lasot,
    write_masks,
)
from vot_integration.convert import convert as convert_module
from vot_integration.convert.convert import Watcher, convert
from vot_integration.convert.outcome import Conversion
from vot_integration.convert.source import ConvertOptions
from vot_integration.sequences.folder import read_list

DEFAULT = ConvertOptions()


def names(done: Conversion) -> list[str]:
    return [written.path.name for written in done.written]


@pytest.fixture
def lasot(tmp_path: Path) -> Path:
    """Three sequences."""
    for name in ("car/car-1", "car/car-2", "dog/dog-1"):
        write_lasot(tmp_path / "LaSOT" / name)
    return tmp_path / "LaSOT"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_one_box_alone_is_no_flaw(tmp_path: Path, out: Path) -> None:
    for number in range(5):
        write_got(tmp_path / "got" / "test" / f"GOT-10k_Test_{number:06d}", boxes=1)
    write_got(tmp_path / "got" / "val" / "GOT-10k_Val_000001")
    done = convert(tmp_path / "got", out, DEFAULT)
    assert names(done) == ["GOT-10k_Val_000001"] and done.is_complete
    (line,) = done.left_out()
    assert line.startswith("skipped 5 sequences (GOT-10k_Test_000000, ")
    assert line.endswith(
        "...): ground truth of one frame only, as in the test sets of GOT-10k and DAVIS"
    )


def test_nothing_but_one_box_each(tmp_path: Path, out: Path) -> None:
    for number in range(3):
        write_got(tmp_path / "test" / f"GOT-10k_Test_{number:06d}", boxes=1)
    with pytest.raises(UsageError, match=r"nothing to write: skipped 3 sequences .*one frame only"):
        convert(tmp_path / "test", out, DEFAULT)
    assert not out.exists()


def test_one_mask_alone_is_no_flaw(tmp_path: Path, out: Path) -> None:
    write_davis(tmp_path / "DAVIS", {"dog": [1]})
    write_images(tmp_path / "DAVIS/JPEGImages/480p/secret", stems("%05d", 0))
    write_masks(tmp_path / "DAVIS/Annotations/480p/secret", ["00000"], [1])
    done = convert(tmp_path / "DAVIS", out, DEFAULT)
    assert names(done) == ["dog"] and done.is_complete
    assert [skipped.name for skipped in done.skipped] == ["secret"]


def no_truth(folder: Path) -> None:
    (folder / "groundtruth.txt").unlink()


def no_frames(folder: Path) -> None:
    for file in (folder / "img").iterdir():
        file.unlink()


def frames_elsewhere(folder: Path) -> None:
    (folder / "img").rename(folder / "pictures")


def few_boxes(folder: Path) -> None:
    write_boxes(folder / "groundtruth.txt", count=4)


def negative_side(folder: Path) -> None:
    lines = (folder / "groundtruth.txt").read_text().splitlines()
    lines[2] = "10,10,-5,3"
    (folder / "groundtruth.txt").write_text("\n".join(lines) + "\n")


def many_boxes(folder: Path) -> None:
    write_boxes(folder / "groundtruth.txt", count=7)


def words(folder: Path) -> None:
    (folder / "groundtruth.txt").write_text("left of the tree\n" * LENGTH)


def few_flags(folder: Path) -> None:
    (folder / "out_of_view.txt").write_text("0,0,0")


def empty_frame(folder: Path) -> None:
    (folder / "img" / "00000003.jpg").write_bytes(b"")


def never_seen(folder: Path) -> None:
    (folder / "full_occlusion.txt").write_text("1," * (LENGTH - 1) + "1")


def last_seen(folder: Path) -> None:
    (folder / "full_occlusion.txt").write_text("1," * (LENGTH - 1) + "0")


def broken_flags(folder: Path) -> None:
    (folder / "out_of_view.txt").write_text("yes\n" * LENGTH)


def cut_off_frame(folder: Path) -> None:
    file = folder / "img" / "00000003.jpg"
    file.write_bytes(file.read_bytes()[:-30])


def frame_of_another_size(folder: Path) -> None:
    cv2.imwrite(str(folder / "img" / "00000003.jpg"), np.zeros((20, 30, 3), np.uint8))


FLAWS = {
    no_truth: "frames but no ground truth",
    no_frames: "ground truth but no frames",
    frames_elsewhere: "ground truth but no frames, beside it or in img",
    few_boxes: "4 boxes for 6 frames",
    negative_side: "line 3: a side is negative",
    many_boxes: "7 boxes for 6 frames",
    words: "not rows of numbers",
    few_flags: "3 numbers for 6 boxes",
    empty_frame: "00000003.jpg is empty",
    never_seen: "the target is in no frame",
    last_seen: "in the last alone",
    broken_flags: "write 0 where the target can be seen and 1 where it cannot",
    cut_off_frame: "00000003.jpg is cut off or damaged",
    frame_of_another_size: "00000003.jpg (frame 3) has 30 x 20 pixels but the sequence 48 x 36",
}


@pytest.mark.parametrize("spoil", FLAWS, ids=lambda spoil: spoil.__name__)
def test_a_flaw_costs_one_sequence(spoil, lasot: Path, out: Path) -> None:  # type: ignore[no-untyped-def]
    spoil(lasot / "car" / "car-2")
    done = convert(lasot, out, DEFAULT)
    assert names(done) == ["car-1", "dog-1"] and not done.is_complete
    assert [path.name for path in sound_sequences(out)] == ["car-1", "dog-1"]
    (line,) = done.left_out()
    assert "car" in line and FLAWS[spoil] in line and line.isprintable()
    assert sorted(path.name for path in out.iterdir()) == ["car-1", "dog-1", "list.txt"]


@pytest.mark.parametrize("name", ["50%", "car#2", "[a]", "car\x1b[31m\n", "car\udcff", " x"])
def test_a_name_that_no_sequence_can_have_is_changed(name: str, lasot: Path, out: Path) -> None:
    (lasot / "car" / "car-2").rename(lasot / "car" / name)
    done = convert(lasot, out, DEFAULT)
    assert done.is_complete and len(done.written) == len(sound_sequences(out)) == 3
    [note] = done.notes()
    assert repr(name) in note and note.isprintable()
    assert all(written.path.name.isprintable() for written in done.written)


def test_all_names_are_told_of_what_has_a_flaw(lasot: Path, out: Path) -> None:
    for number in range(5):
        write_images(lasot / "car" / f"bare-{number}" / "img", stems("%08d"))
    (line,) = convert(lasot, out, DEFAULT).left_out()
    assert "skipped 5 sequences" in line
    assert all(f"bare-{number}" in line for number in range(5))


def test_an_object_in_one_frame_costs_no_other(tmp_path: Path, out: Path) -> None:
    write_images(tmp_path / "walk", stems("%08d"))
    write_masks(tmp_path / "walk" / "masks", stems("%08d", 1, LENGTH - 1), [1])
    write_masks(tmp_path / "walk" / "masks", stems("%08d", LENGTH, 1), [1, 2])
    done = convert(tmp_path / "walk", out, DEFAULT)
    assert names(done) == ["walk_1"]
    assert [skipped.name for skipped in done.skipped] == ["walk_2"]


def test_videos_with_frames_or_masks_alone(tmp_path: Path, out: Path) -> None:
    write_davis(tmp_path / "DAVIS", {"dog": [1]})
    write_images(tmp_path / "DAVIS/JPEGImages/480p/bare", stems("%05d", 0))
    write_masks(tmp_path / "DAVIS/Annotations/480p/ghost", stems("%05d", 0), [1])
    done = convert(tmp_path / "DAVIS", out, DEFAULT)
    assert names(done) == ["dog"] and not done.is_complete
    assert [skipped.name for skipped in done.skipped] == ["bare", "ghost"]


def test_one_name_for_many_is_refused(lasot: Path, out: Path) -> None:
    with pytest.raises(UsageError, match=r"--name mine is for one sequence, but .* holds 3"):
        convert(lasot, out, ConvertOptions(name="mine"))
    assert not out.exists()


def test_one_name_for_the_objects_of_a_sequence(tmp_path: Path, out: Path) -> None:
    write_davis(tmp_path / "DAVIS", {"pair": [3, 7]})
    done = convert(tmp_path / "DAVIS", out, ConvertOptions(name="mine"))
    assert names(done) == ["mine_3", "mine_7"]


def test_two_of_a_name_are_refused(lasot: Path, out: Path) -> None:
    write_lasot(lasot / "dog" / "car-1")
    with pytest.raises(UsageError, match=r"two sequences are called 'car-1', .*car/.* and .*dog/"):
        convert(lasot, out, DEFAULT)
    assert not out.exists()


def test_a_name_that_an_object_has_already(tmp_path: Path, out: Path) -> None:
    write_davis(tmp_path / "DAVIS", {"pair": [1, 2], "pair_1": [1]})
    done = convert(tmp_path / "DAVIS", out, DEFAULT)
    assert names(done) == ["pair_1", "pair_2"]
    assert [skipped.name for skipped in done.skipped] == ["pair_1"] and not done.is_complete


def converted_then(lasot: Path, out: Path, first: Sequence[str]) -> Conversion:
    for name in first:
        convert(lasot / name, out, DEFAULT)
    return convert(lasot, out, DEFAULT)


def test_what_is_there_is_kept(lasot: Path, out: Path) -> None:
    done = converted_then(lasot, out, ["car/car-2"])
    assert names(done) == ["car-1", "dog-1"] and done.kept == ["car-2"] and done.is_complete
    assert [path.name for path in read_list(out)] == ["car-2", "car-1", "dog-1"]
    again = convert(lasot, out, DEFAULT)
    assert not again.written and len(again.kept) == 3 and again.is_complete


def test_what_was_deleted_is_written_again_and_listed_once(lasot: Path, out: Path) -> None:
    convert(lasot, out, DEFAULT)
    (out / "car-2").rename(out.parent / "gone")
    assert names(convert(lasot / "car" / "car-2", out, DEFAULT)) == ["car-2"]
    assert len(sound_sequences(out)) == 3


def test_a_folder_that_is_no_sequence_is_not_touched(lasot: Path, out: Path) -> None:
    (out / "car-2").mkdir(parents=True)
    (out / "car-2" / "thesis.tex").write_text("precious")
    done = convert(lasot, out, DEFAULT)
    assert names(done) == ["car-1", "dog-1"] and "is in the way" in done.skipped[0].reason
    assert (out / "car-2" / "thesis.tex").read_text() == "precious"


def test_the_source_is_never_what_is_in_the_way(lasot: Path) -> None:
    with pytest.raises(UsageError, match="is in the way"):
        convert(lasot / "car" / "car-1", lasot / "car", DEFAULT)
    assert (lasot / "car" / "car-1" / "img").is_dir()


def test_an_interrupted_conversion_goes_on(lasot: Path, out: Path) -> None:
    def interrupt(name: str, done: int, total: int) -> None:
        if (name, done) == ("car-2", 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(lasot, out, DEFAULT, Watcher(on_frame=interrupt))
    assert sorted(path.name for path in out.iterdir()) == ["car-1", "list.txt"]
    done = convert(lasot, out, DEFAULT)
    assert names(done) == ["car-2", "dog-1"] and len(sound_sequences(out)) == 3


def test_a_full_disk_ends_it(lasot: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_frames = convert_module.write_frames

    def write(path: Path, frames: object, form: object) -> None:
        if path.name == "car-2":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_frames(path, frames, form)  # type: ignore[arg-type]

    monkeypatch.setattr(convert_module, "write_frames", write)
    with pytest.raises(UsageError, match=r"car-2 cannot be written \(No space left.* 1 sequence"):
        convert(lasot, out, DEFAULT)
    assert [path.name for path in sound_sequences(out)] == ["car-1"]


@pytest.mark.parametrize("layout", ["lasot", "davis", "plain"])
def test_hidden_files_are_no_frames_and_no_masks(layout: str, tmp_path: Path, out: Path) -> None:
    source = tmp_path / "source"
    options = ConvertOptions()
    if layout == "lasot":
        write_lasot(source / "car-1")
    elif layout == "davis":
        write_davis(source, {"dog": [1, 2]})
    else:
        write_images(source, stems("%02d"))
        write_masks(tmp_path / "masks", stems("%02d"), [1])
        (tmp_path / "masks" / "._01.png").write_bytes(b"\0\5\x16\7")
        options = ConvertOptions(masks=tmp_path / "masks")
    for file in [path for path in source.rglob("*.*") if path.is_file()]:
        (file.parent / f"._{file.name}").write_bytes(b"\0\5\x16\7")
        (file.parent / "Thumbs.db").write_bytes(b"x")
    write_images(source / "__MACOSX" / "img", stems("%08d"))
    done = convert(source, out, options)
    assert not done.skipped
    assert {written.frames for written in done.written} == {LENGTH}
