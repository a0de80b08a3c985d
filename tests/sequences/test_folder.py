import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from vot.dataset import load_dataset
from vot.region import Polygon, Rectangle, Special

from alpharefine.errors import UsageError
from alpharefine.types import Image, Mask
from tests.sequences.make import sound_sequences
from vot_integration.cli import main
from vot_integration.sequences.checks import place_anchors
from vot_integration.sequences.folder import (
    read_list,
    read_sequence_folder,
    write_list,
)
from vot_integration.sequences.writer import write_sequence_folder
from vot_integration.toolkit.files import read_regions, write_regions
from vot_integration.toolkit.regions import mask_region, region_mask

HEIGHT, WIDTH, LENGTH = 40, 60, 30


@dataclass(frozen=True)
class Frame:
    image: Image
    mask: Mask
    visibility: float = 1.0


def make_frame(index: int) -> Frame:
    """A smooth picture and a block that moves right; absent in frames 10 to 12."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    image = np.stack([rows * 4, columns * 3, rows + columns + index], axis=2).astype(np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    if index not in range(10, 13):
        mask[8:20, index : index + 14] = 1
        mask[12, index + 3] = 0
    return Frame(image, mask, float(mask.any()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of sequences with one sequence, `block`."""
    write_sequence_folder(tmp_path / "block", (make_frame(i) for i in range(LENGTH)), fps=25)
    write_list(tmp_path, ["block"])
    return tmp_path


def test_toolkit_reads_what_was_written(folder: Path) -> None:
    sequence = load_dataset(str(folder))["block"]
    assert (len(sequence), sequence.width, sequence.height) == (LENGTH, WIDTH, HEIGHT)
    assert sequence.metadata("fps") == 25
    for index in range(LENGTH):
        frame = make_frame(index)
        region = sequence.groundtruth(index)
        np.testing.assert_array_equal(region_mask(region, HEIGHT, WIDTH), frame.mask)
        assert isinstance(region, Special) == (not frame.mask.any())
        image = sequence.frame(index).channel()
        assert np.abs(image.astype(int) - frame.image).mean() < 3
    anchors = {i: v for i in range(LENGTH) if (v := sequence.values(i)["anchor"])}
    assert anchors == {0: 1.0, LENGTH - 1: -1.0}


def test_reads_what_the_toolkit_reads(folder: Path) -> None:
    theirs = load_dataset(str(folder))["block"]
    ours = read_sequence_folder(folder / "block")
    assert (ours.name, ours.length, ours.fps, ours.size) == ("block", LENGTH, 25, (WIDTH, HEIGHT))
    assert [str(frame) for frame in ours.frames] == [
        theirs.frame(index).filename() for index in range(LENGTH)
    ]
    assert [str(region) for region in ours.regions] == [str(r) for r in theirs.groundtruth()]
    assert list(ours.anchors) == [theirs.values(index)["anchor"] for index in range(LENGTH)]
    assert sound_sequences(folder) == [folder / "block"]


@given(
    hnp.arrays(
        np.uint8,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=24),
        elements=st.integers(0, 1),
    )
)
def test_masks_survive_the_ground_truth_file(
    tmp_path_factory: pytest.TempPathFactory, mask: Mask
) -> None:
    file = tmp_path_factory.mktemp("truth") / "groundtruth.txt"
    write_regions(file, [mask_region(mask)])
    (region,) = read_regions(file)
    if not region.is_empty():
        np.testing.assert_array_equal(region_mask(region, *mask.shape), mask)
    else:  # the toolkit takes a mask one row high or one column wide for empty
        assert min(mask.any(axis=0).sum(), mask.any(axis=1).sum()) < 2


def test_replacing_a_sequence_leaves_one_whole_folder(folder: Path) -> None:
    write_sequence_folder(folder / "block", (make_frame(i) for i in range(5)))
    assert read_sequence_folder(folder / "block").length == 5
    assert sorted(path.name for path in folder.iterdir()) == ["block", "list.txt"]


def test_failure_while_writing_keeps_the_old_folder(folder: Path) -> None:
    def frames() -> Iterator[Frame]:
        yield make_frame(0)
        raise RuntimeError("lens cap")

    with pytest.raises(RuntimeError, match="lens cap"):
        write_sequence_folder(folder / "block", frames())
    assert read_sequence_folder(folder / "block").length == LENGTH
    assert sorted(path.name for path in folder.iterdir()) == ["block", "list.txt"]


def test_absolute_names_and_other_region_formats(folder: Path, tmp_path: Path) -> None:
    lines = ["10,10,20,12", "5,5,30,5,30,20,5,20", *["10,10,20.5,12"] * (LENGTH - 3), "0"]
    (folder / "block" / "groundtruth.txt").write_text("\n".join(lines))
    (folder / "block" / "anchor.value").write_text("1\n-1\n")
    other = tmp_path / "other"
    other.mkdir()
    write_list(other, [str(folder / "block")])
    assert sound_sequences(other) == [folder / "block"]
    sequence = read_sequence_folder(folder / "block")
    assert isinstance(sequence.regions[0], Rectangle)
    assert isinstance(sequence.regions[1], Polygon)
    assert isinstance(sequence.regions[-1], Special)
    assert sequence.anchors == (1.0, -1.0, *[0.0] * (LENGTH - 2))


def test_old_format_without_properties(folder: Path) -> None:
    block = folder / "block"
    for frame in (block / "color").iterdir():
        frame.rename(block / frame.name)
    (block / "sequence").unlink()
    sequence = read_sequence_folder(block)
    assert (sequence.length, sequence.fps, sequence.size) == (LENGTH, 30, (WIDTH, HEIGHT))
    assert len(load_dataset(str(folder))["block"]) == LENGTH


def test_default_anchors_are_written_where_the_target_is(folder: Path) -> None:
    block = folder / "block"
    before = (block / "anchor.value").read_text()
    (block / "anchor.value").unlink()
    assert place_anchors(block) == 2
    assert (block / "anchor.value").read_text() == before
    (block / "groundtruth.txt").write_text("0\n" * LENGTH)
    with pytest.raises(UsageError, match="the target is absent at"):
        place_anchors(block)
    assert (block / "anchor.value").read_text() == before


def test_anchors_are_only_wanted_for_multi_start(folder: Path) -> None:
    (folder / "block" / "anchor.value").unlink()
    assert sound_sequences(folder, anchors=False) == [folder / "block"]
    truth = folder / "block" / "groundtruth.txt"
    truth.write_text("0\n" + truth.read_text().split("\n", 1)[1])
    with pytest.raises(UsageError, match="a run starts at frame 1, where the target is absent"):
        sound_sequences(folder, anchors=False)


def _edit(name: str, edit: Callable[[str], str]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        file = folder / name
        file.write_text(edit(file.read_text()))

    return apply


def _remove(name: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return apply


def _property(key: str, value: str) -> Callable[[Path], None]:
    def edit(text: str) -> str:
        kept = [line for line in text.splitlines() if not line.startswith(key)]
        return "\n".join([*kept, f"{key}={value}"])

    return _edit("block/sequence", edit)


def _other_size(folder: Path) -> None:
    cv2.imwrite(str(folder / "block/color/00000001.jpg"), np.zeros((10, 20, 3), dtype=np.uint8))


def _other_later_size(folder: Path) -> None:
    cv2.imwrite(str(folder / "block/color/00000007.jpg"), np.zeros((10, 20, 3), np.uint8))


def _cut_frame(folder: Path) -> None:
    file = folder / "block/color/00000007.jpg"
    file.write_bytes(file.read_bytes()[:-40])


def _objects(*names: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        truth = folder / "block" / "groundtruth.txt"
        for name in names:
            shutil.copy(truth, truth.with_stem(f"groundtruth_{name}"))
        truth.unlink()

    return apply


def _object_besides(folder: Path) -> None:
    truth = folder / "block" / "groundtruth.txt"
    shutil.copy(truth, truth.with_stem("groundtruth_a"))


def _only_infrared(text: str) -> str:
    return text.replace("channels.color=color", "channels.ir=ir")


def _first_line(line: str) -> Callable[[Path], None]:
    return _edit("block/groundtruth.txt", lambda text: line + "\n" + text.split("\n", 1)[1])


def _encode(name: str, encoding: str, text: str = "") -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        file = folder / name
        file.write_bytes((text + file.read_text()).encode(encoding))

    return apply


def _boxes(folder: Path) -> None:
    (folder / "block/groundtruth.txt").write_text("5,5,9,9\n" * LENGTH)


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "no list": (_remove("list.txt"), "list.txt is missing: write one line for each sequence"),
    "empty list": (_edit("list.txt", lambda _: "\n"), "names no sequence"),
    "blank line": (_edit("list.txt", lambda _: "block\n\nblock"), "line 2 is blank"),
    "escaping name": (_edit("list.txt", lambda _: "../block"), "'../block' is refused"),
    "hidden escape": (_edit("list.txt", lambda _: "block/../../x"), "x' is refused"),
    "absolute escape": (_edit("list.txt", lambda _: "/tmp/../etc"), "etc' is refused"),
    "slash": (_edit("list.txt", lambda _: "block/"), "without a slash at the end"),
    "dot": (_edit("list.txt", lambda _: "."), "'.' is refused"),
    "twice": (_edit("list.txt", lambda _: "block\nblock"), "names 'block' twice"),
    "no sequence": (_remove("block"), "there is no sequence folder .*block: correct .*list.txt"),
    "no frames": (_remove("block/color"), "frame .*00000001.jpg is missing"),
    "a frame gone": (_remove("block/color/00000007.jpg"), "frame .*00000007.jpg is missing"),
    "no truth": (_remove("block/groundtruth.txt"), "block has no groundtruth.txt: write one"),
    "short truth": (
        _edit("block/groundtruth.txt", lambda text: text.rsplit("\n", 4)[0]),
        "has 30 frames but 27 lines of ground truth",
    ),
    "no properties": (
        lambda folder: (
            _remove("block/sequence")(folder),
            _remove("block/groundtruth.txt")(folder),
        ),
        "has no `sequence` file: write one",
    ),
    "masks without properties": (_remove("block/sequence"), "has no `sequence` file: write one"),
    "another format": (
        lambda folder: (_remove("block/sequence")(folder), _boxes(folder)),
        r"block has no `sequence` file, and no frames 00000001.jpg, .*`arvot sequences convert",
    ),
    "a list of another format": (
        lambda folder: (
            _remove("block/sequence")(folder),
            _remove("list.txt")(folder),
            _boxes(folder),
        ),
        r"list.txt is missing, and the sequences in .* `arvot sequences convert",
    ),
    "too large": (_first_line("1e400,5,10,10"), "line 1: a number of the box is too large"),
    "longer": (_property("length", "31"), "00000031.jpg is missing; .* length of 31"),
    "no length": (_property("length", "many"), "length=many .* must be a whole number"),
    "odd fps": (_property("fps", "29.97"), "fps=29.97 .* must be a whole number above 0"),
    "zero fps": (_property("fps", "0"), "fps=0 .* must be a whole number above 0"),
    "escaping frames": (_property("channels.color", "../x/%08d.jpg"), "channels.color=.* refused"),
    "frames without number": (_property("channels.color", "a.jpg"), "channels.color=a.jpg is ref"),
    "frames of text": (_property("channels.color", "%s%s.jpg"), "channels.color=.* is refused"),
    "frames elsewhere": (_property("channels.color", "/x/%08d.jpg"), "channels.color=.* refused"),
    "other width": (_property("width", "61"), "has 60 x 40 pixels but `sequence` says 61 x 40"),
    "other image": (_other_size, "has 20 x 10 pixels but"),
    "no image": (
        lambda folder: (folder / "block/color/00000001.jpg").write_bytes(b"<html>"),
        "cannot be read as an image",
    ),
    "no anchors": (
        _remove("block/anchor.value"),
        "anchor.value is missing.*arvot sequences anchors",
    ),
    "only zeros": (
        _edit("block/anchor.value", lambda _: "0\n" * LENGTH),
        "names no anchor: write one number a frame",
    ),
    "words": (_edit("block/anchor.value", lambda _: "first\n"), "must have one number a line"),
    "too many": (_edit("block/anchor.value", lambda _: "1\n" * 31), "30 frames, not 31"),
    "not finite": (_edit("block/anchor.value", lambda _: "nan\n"), "one finite number"),
    "anchor on nothing": (
        _edit("block/anchor.value", lambda _: "0\n" * 10 + "1\n"),
        "starts at frame 11, where the target is absent",
    ),
    "empty mask": (_first_line("m0,0,0,0,0"), "starts at frame 1, where the target is absent"),
    "empty box": (_first_line("5,5,0,0"), "starts at frame 1, where the target is absent, empty"),
    "outside": (_first_line("70,5,10,10"), "starts at frame 1, .* or outside the image"),
    "text": (_first_line("hello"), "line 1: 'hello' is not a region"),
    "list with a mark": (_encode("list.txt", "utf-8-sig"), "list.txt has a byte order mark"),
    "truth in UTF-16": (_encode("block/groundtruth.txt", "utf-16"), "groundtruth.txt is UTF-16-LE"),
    "truth with a mark": (
        _encode("block/groundtruth.txt", "utf-8-sig"),
        "save it as UTF-8 without",
    ),
    "properties with a mark": (_encode("block/sequence", "utf-8-sig"), "sequence has a byte order"),
    "properties in Latin-1": (
        _encode("block/sequence", "latin-1", "name=F\xfc\xdfe\n"),
        "sequence is Latin-1, .* save it as UTF-8",
    ),
    "anchors in UTF-16": (_encode("block/anchor.value", "utf-16"), "value is UTF-16-LE.* save it"),
    "blank": (_first_line(""), "line 1 is blank: delete it"),
    "three numbers": (_first_line("1,2,3"), "line 1: '1,2,3' is not a region"),
    "short mask": (_first_line("m1,2,3"), "is not a region"),
    "overlong runs": (_first_line("m0,0,4,4,2,60000000"), "is not a region"),
    "negative runs": (_first_line("m0,0,4,4,-90,3"), "is not a region"),
    "huge mask": (_first_line("m0,0,99999,99999,0,4"), "is not a region"),
    "negative box": (_first_line("9,9,-4,5"), "line 1: a side of the box is negative"),
    "objects besides": (
        _object_besides,
        "has groundtruth.txt and groundtruth_.*of 'a', and the toolkit would read the latter alone",
    ),
    "infrared alone": (_edit("block/sequence", _only_infrared), "no color channel, only ir .*add"),
    "infrared alone, no color": (
        lambda folder: (
            _edit("block/sequence", _only_infrared)(folder),
            _remove("block/color")(folder),
        ),
        "no color channel, only ir .*leave the sequence out",
    ),
    "a channel of another name": (
        lambda folder: (
            _edit("block/sequence", lambda text: text.replace("color", "rgb"))(folder),
            (folder / "block/color").rename(folder / "block/rgb"),
        ),
        "no color channel, only rgb .*name such a channel channels.color",
    ),
    "no depth": (
        _property("channels.depth", "depth/%08d.png"),
        "depth/00000001.png of the channel 'depth' is missing: add it, or take the line",
    ),
    "odd depth": (_property("channels.depth", "../x/%08d.png"), "channels.depth=.*refused"),
    "a frame of another size": (_other_later_size, "frame 7.* has 20 x 10 pixels but the seq.* 60"),
    "a frame cut off": (_cut_frame, "00000007.jpg is cut off or damaged"),
    "negative mask": (_first_line("m0,0,-4,-4,0,4"), "is not a region"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_refused_in_one_line(folder: Path, fault: str) -> None:
    break_it, message = FAULTS[fault]
    break_it(folder)
    with pytest.raises(UsageError, match=message) as caught:
        sound_sequences(folder)
    assert "\n" not in str(caught.value)


def test_several_objects_are_for_stacks_of_several(folder: Path) -> None:
    _objects("a", "b")(folder)
    words = r"each object by itself \('a', 'b'\).*`arvot sequences convert .*block DST`"
    with pytest.raises(UsageError, match=words):
        read_sequence_folder(folder / "block")
    assert list(read_sequence_folder(folder / "block", several=True).objects) == ["a", "b"]


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no sequence folder"):
        read_list(tmp_path / "nowhere")


def test_the_command_that_the_message_gives_works(folder: Path) -> None:
    (folder / "block" / "anchor.value").unlink()
    with pytest.raises(UsageError) as caught:
        sound_sequences(folder)
    command = shlex.split(str(caught.value).split("let `arvot ")[1].split("`")[0])
    assert main(command) == 0
    assert sound_sequences(folder) == [folder / "block"]
