"""`arvot sequences convert`, `check` and `anchors`: what is printed, and the exit codes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sequences.make import LENGTH, stems, write_boxes, write_got, write_images, write_lasot
from vot_integration.cli import main

Capture = pytest.CaptureFixture[str]


def convert(*arguments: object) -> int:
    return main(["sequences", "convert", *map(str, arguments)])


@pytest.fixture
def lasot(tmp_path: Path) -> Path:
    for name in ("car-1", "car-2"):
        write_lasot(tmp_path / "LaSOT" / "car" / name)
    return tmp_path / "LaSOT"


def test_convert_and_check(tmp_path: Path, capsys: Capture) -> None:
    write_images(tmp_path / "frames", stems("%02d"))
    write_boxes(tmp_path / "boxes.txt")
    arguments = tmp_path / "frames", tmp_path / "my out"
    boxes = "--boxes", tmp_path / "boxes.txt"
    assert convert(*arguments, *boxes, "--name", "mine") == 0
    output = capsys.readouterr().out.splitlines()
    assert output[0] == f"wrote {tmp_path / 'my out' / 'mine'} ({LENGTH} frames)"
    assert output[1] == f"next: arvot run --sequences '{tmp_path / 'my out'}'"
    assert main(["sequences", "check", str(tmp_path / "my out")]) == 0
    assert "good: 1 sequence in" in capsys.readouterr().out
    assert convert(*arguments, *boxes, "--name", "mine") == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("nothing new: 1 sequence of") and "left as it is" in printed.err
    for wrong in ([], ["--fps", "0"], ["--start", "2"]):
        assert convert(*arguments, *wrong) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_frames_that_are_left_out_are_counted(tmp_path: Path, capsys: Capture) -> None:
    write_got(tmp_path / "one")
    (tmp_path / "one" / "absence.label").write_text("1\n" * 2 + "0\n" * (LENGTH - 2))
    assert convert(tmp_path / "one", tmp_path / "out") == 0
    assert f"(4 of {LENGTH} frames)" in capsys.readouterr().out


def test_exit_code_of_a_flaw(lasot: Path, tmp_path: Path, capsys: Capture) -> None:
    (lasot / "car" / "car-2" / "img" / "00000002.jpg").write_bytes(b"")
    assert convert(lasot, tmp_path / "out") == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("skipped car-2: ") and "00000002.jpg" in printed.err
    assert printed.err.count("\n") == 1
    assert "wrote 1 sequence, skipped 1" in printed.out


def test_exit_code_of_secret_truth(lasot: Path, tmp_path: Path, capsys: Capture) -> None:
    write_got(lasot / "secret", boxes=1)
    assert convert(lasot, tmp_path / "out") == 0
    assert capsys.readouterr().err.startswith("skipped secret: ground truth of one frame")


def is_file(folder: Path, source: Path) -> Path:
    (folder / "out").write_text("precious")
    return folder / "out"


def parent_is_file(folder: Path, source: Path) -> Path:
    (folder / "file").write_text("precious")
    return folder / "file" / "out" / "deep"


def is_source(folder: Path, source: Path) -> Path:
    return source


def is_in_source(folder: Path, source: Path) -> Path:
    return source / "new" / "out"


def is_source_by_a_link(folder: Path, source: Path) -> Path:
    (folder / "link").symlink_to(source)
    return folder / "link"


def has_no_list(folder: Path, source: Path) -> Path:
    (folder / "out").mkdir()
    (folder / "out" / "list.txt").write_text("../up\n")
    return folder / "out"


DESTINATIONS: dict[Callable[[Path, Path], Path], str] = {
    is_file: "is a file",
    parent_is_file: "cannot be written to (Not a directory)",
    is_source: "is the source",
    is_in_source: "lies in the source",
    is_source_by_a_link: "is the source",
    has_no_list: "'../up' is refused",
}


@pytest.mark.parametrize("make", DESTINATIONS, ids=lambda make: make.__name__)
def test_destinations_that_cannot_be(
    make: Callable[[Path, Path], Path], lasot: Path, tmp_path: Path, capsys: Capture
) -> None:
    destination = make(tmp_path, lasot)
    before = sorted(tmp_path.rglob("*"))
    assert convert(lasot, destination) == 2
    error = capsys.readouterr().err
    assert error.startswith("arvot: ") and error.count("\n") == 1
    assert DESTINATIONS[make] in error
    assert sorted(tmp_path.rglob("*")) == before


def test_a_destination_that_is_read_only(
    lasot: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Permissions do not hold back a superuser, who may run the tests.
    reason = "Read-only file system"
    monkeypatch.setattr(
        "vot_integration.convert.destination.why_not_writable", lambda folder: reason
    )
    assert convert(lasot, tmp_path / "out") == 2
    assert f"cannot be written to ({reason})" in capsys.readouterr().err


def test_check_tells_of_every_sequence(lasot: Path, tmp_path: Path, capsys: Capture) -> None:
    write_lasot(lasot / "car" / "car-3")
    assert convert(lasot, tmp_path / "out") == 0
    (tmp_path / "out" / "car-1" / "anchor.value").unlink()
    (tmp_path / "out" / "car-3" / "color" / "00000004.jpg").write_text("<html>")
    capsys.readouterr()
    assert main(["sequences", "check", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    first, second = printed.err.splitlines()
    assert "car-1" in first and "00000004.jpg" in second
    assert "bad: 2 of 3 sequences" in printed.out


@pytest.mark.parametrize("command", [[], ["convert"], ["check"]])
def test_help_has_examples(command: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["sequences", *command, "--help"])
    text = capsys.readouterr().out
    examples = text.partition("\nexamples:\n")[2]
    assert f"arvot sequences {command[0] if command else 'convert'} " in examples
    if not command:
        assert "Make sequences of videos" in text and "Check a folder" in text


@pytest.fixture
def converted(tmp_path: Path, capsys: Capture) -> Path:
    """Two sequences, `one` without anchors and `two` with them."""
    for name in ("one", "two"):
        write_images(tmp_path / name, stems("%02d"))
        write_boxes(tmp_path / "boxes.txt")
        assert convert(tmp_path / name, tmp_path / "out", "--boxes", tmp_path / "boxes.txt") == 0
    (tmp_path / "out" / "one" / "anchor.value").unlink()
    capsys.readouterr()
    return tmp_path / "out"


def anchors(*arguments: object) -> int:
    return main(["sequences", "anchors", *map(str, arguments)])


def test_anchors_are_placed_where_there_are_none(converted: Path, capsys: Capture) -> None:
    other = converted / "two" / "anchor.value"
    other.write_text("0\n1\n")
    assert anchors(converted) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{converted / 'one'}: placed 2 anchors",
        f"{converted / 'two'}: has anchors, left as it is",
    ]
    assert other.read_text() == "0\n1\n"
    placed = (converted / "one" / "anchor.value").read_text().split()
    assert placed == ["1", *["0"] * (LENGTH - 2), "-1"]
    assert main(["sequences", "check", str(converted)]) == 0


def test_anchors_of_one_sequence_are_placed_anew(converted: Path, capsys: Capture) -> None:
    folder = converted / "two"
    before = (folder / "anchor.value").read_text()
    (folder / "anchor.value").write_text("0\n1\n")
    assert anchors(folder, "--replace") == 0
    assert capsys.readouterr().out == f"{folder}: placed 2 anchors\n"
    assert (folder / "anchor.value").read_text() == before


def test_anchors_that_cannot_be_placed(converted: Path, capsys: Capture) -> None:
    (converted / "one" / "groundtruth.txt").write_text("0\n" * LENGTH)
    assert anchors(converted) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"arvot: {converted / 'one'}: the target is absent at the first")
    assert printed.out.splitlines()[-1] == f"bad: 1 of 2 sequences in {converted}"
    assert not (converted / "one" / "anchor.value").exists()
    assert anchors(converted / "nowhere") == 2
    assert capsys.readouterr().err == f"arvot: there is no sequence folder {converted}/nowhere\n"
