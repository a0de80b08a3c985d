"""Text files of every encoding and line end."""

import codecs
from pathlib import Path

import numpy as np
import pytest

from alpharefine.data.images import FrameError
from alpharefine.data.regions import RegionTrack, read_numbers, read_regions
from alpharefine.data.text import NAME_COMMENTS, read_lines, read_text

BOXES = "1,2,30,40\n5,6,30,40\n"

FORMS = {
    "plain": BOXES.encode(),
    "mark": codecs.BOM_UTF8 + BOXES.encode(),
    "UTF-16": BOXES.encode("utf-16"),
    "UTF-16, big end first": codecs.BOM_UTF16_BE + BOXES.encode("utf-16-be"),
    "UTF-16 without mark": BOXES.encode("utf-16-le"),
    "UTF-16, big end first, without mark": BOXES.encode("utf-16-be"),
    "UTF-32": BOXES.encode("utf-32"),
    "Latin-1": b"# F\xfc\xdfe\n" + BOXES.encode(),
    "CR": BOXES.replace("\n", "\r").encode(),
    "CRLF": BOXES.replace("\n", "\r\n").encode(),
    "CRCRLF": BOXES.replace("\n", "\r\r\n").encode(),
    "no end": BOXES.rstrip().encode(),
    "blank ends": b"\n" + BOXES.encode() + b"\n  \n\n",
    "Ctrl-Z": BOXES.encode() + b"\x1a",
    "comments": b"# x,y,w,h\n" + BOXES.replace("5", "// next\n5", 1).encode() + b"% the end\n",
    "comments behind": BOXES.replace("\n", " # seen\n", 1).encode(),
    "tabs": BOXES.replace(",", "\t").encode(),
    "semicolons": BOXES.replace(",", "; ").encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_numbers_in_every_form(form: str, tmp_path: Path) -> None:
    file = tmp_path / "boxes.txt"
    file.write_bytes(FORMS[form])
    assert read_regions(file).boxes.tolist() == [[1, 2, 30, 40], [5, 6, 30, 40]]


@pytest.mark.parametrize("form", ["mark", "UTF-16", "CR", "comments", "CRCRLF"])
def test_regions_in_every_form(form: str, tmp_path: Path) -> None:
    file = tmp_path / "groundtruth.txt"
    file.write_bytes(FORMS[form])
    track = RegionTrack(file)
    assert track.visible.tolist() == [True, True]
    assert track.target(1, 80, 90)[0] == (5, 6, 30, 40)


REFUSED = {
    b"1,2,3,4\n\n5,6,7,8\n": "line 2 is ''",
    b"x,y,w,h\n1,2,3,4\n": "line 1 is 'x,y,w,h'",
    b"1,2,3,4\n1,2,3\n": "3 in line 2, 4 before",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR": "not a text file; save it as text",
    b"\xff\xfe1": "not a text file; save it as text",
    b"": "holds no rows",
    b"# nothing\n": "holds no rows",
}


@pytest.mark.parametrize("content", REFUSED)
def test_what_is_no_rows_of_numbers_is_said(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "boxes.txt"
    file.write_bytes(content)
    with pytest.raises(FrameError, match=REFUSED[content]) as error:
        read_numbers(file)
    assert "\n" not in str(error.value) and str(file) in str(error.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match=r"lost\.txt: missing"):
        read_text(tmp_path / "lost.txt")


def test_names_keep_percent_signs(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes("# mine\r\n%dog\r\nM\u00fcll\r\n\r\n".encode("utf-8-sig"))
    assert list(read_lines(file, NAME_COMMENTS)) == [(2, "%dog"), (3, "M\u00fcll")]


def test_numbers_are_single_precision(tmp_path: Path) -> None:
    file = tmp_path / "n.txt"
    file.write_text("NaN 1e2 -3.5")
    numbers = read_numbers(file)
    assert numbers.dtype == np.float32
    assert np.isnan(numbers[0, 0]) and numbers[0, 1:].tolist() == [100, -3.5]
