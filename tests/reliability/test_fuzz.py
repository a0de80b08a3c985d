"""Readers of files that anybody may have written: they take them, or refuse them in one line.

What was found here stands as an example below the readers; the checkpoint reader's own corpus is in
`tests/weights/test_hostile.py`.
"""

import configparser
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from vot.tracker import Registry

from alpharefine.weights.files import open_weights, write_weights
from alpharefine.weights.official_files import read_checkpoint
from tests.conftest import Report
from tests.reliability.fuzzing import TOTAL_SECONDS, fuzz, mutated, read_or_refuse
from tests.weights.official_files import tiny_state, write_official
from vot_integration.sequences.checks import check_starts
from vot_integration.sequences.folder import read_list, read_sequence_folder
from vot_integration.toolkit.files import read_regions
from vot_integration.toolkit.regions import region_mask
from vot_integration.toolkit.results import count_regions
from vot_integration.toolkit.stacks import load_stack
from vot_integration.workspaces.manifest import read_manifest
from vot_integration.workspaces.own_trackers import read_own_trackers

TRUTH = [
    b"m3,4,5,2,0,3,2,5\n10,10,20,12\n5,5,30,5,30,20,5,20\n0\n",
    b"m0,0,300,200,60000\nm1,1,1,1,0,1\n1.5,2e3,-4,nan\n",
]
TRUTH_PIECES = [b"m", b",", b"\n", b"-1", b"99999999999", b"nan", b"inf", b"1e400", b"0", b"m0,0,"]
PROPERTIES = [
    b"channels.color=color/%08d.jpg\nformat=default\nfps=30\nname=s\nwidth=8\nheight=6\nlength=2\n"
]
PROPERTIES_PIECES = [
    b"=",
    b"\n",
    b"%",
    b"d",
    b"..",
    b"/",
    b"length=",
    b"groundtruth=",
    b"fps=",
    b"0",
]
STACK = [
    b"title: x\nexperiments:\n  baseline:\n    type: multistart\n    analyses:\n"
    b"      - type: multistart_eao_score\n        low: 30\n        high: 100\n",
]
STACK_PIECES = [
    b": ",
    b"- ",
    b"{",
    b"}",
    b"[",
    b"&a ",
    b"*a",
    b"!!python/object:os.system ",
    b"\n  ",
]
INI = [
    b"[mine]\nlabel = Mine\nprotocol = traxpython\ncommand = my.module\npaths = a:b\ntimeout = 3\n"
]
INI_PIECES = [
    b"[",
    b"]",
    b"=",
    b"\n",
    b"%",
    b"%(x)s",
    b"$HOME",
    b"[DEFAULT]\n",
    b" ",
    b"protocol",
    b";",
]
ANCHORS = [b"1\n0\n"]
LIST = [b"s\n", b"/tmp/a\ns\n"]
LIST_PIECES = [b"/", b"..", b"\n", b"s", b"\x00", b"\xff", b" "]


class Reader(NamedTuple):
    """How a format is checked.

    Attributes:
        check: called with the folder of a valid file and a content to put in its place.
        valid: contents that are taken.
        pieces: words of the format.
    """

    check: Callable[[Path, bytes], None]
    valid: list[bytes]
    pieces: list[bytes]


def check_truth(folder: Path, content: bytes) -> None:
    file = folder / "groundtruth.txt"
    file.write_bytes(content)

    def read() -> None:
        for region in read_regions(file):
            mask = region_mask(region, 48, 64)
            assert mask.shape == (48, 64)
            assert mask.dtype == "uint8"
            assert mask.max(initial=0) <= 1

    read_or_refuse(read)


def check_sequence(folder: Path, content: bytes) -> None:
    (folder / "s" / "sequence").write_bytes(content)
    read_or_refuse(lambda: check_starts(read_sequence_folder(folder / "s")))


def check_anchors(folder: Path, content: bytes) -> None:
    (folder / "s" / "anchor.value").write_bytes(content)
    read_or_refuse(lambda: check_starts(read_sequence_folder(folder / "s")))


def check_list(folder: Path, content: bytes) -> None:
    (folder / "list.txt").write_bytes(content)

    def read() -> None:
        for path in read_list(folder):
            read_sequence_folder(path)

    read_or_refuse(read)


def check_stack(folder: Path, content: bytes) -> None:
    file = folder / "stack.yaml"
    file.write_bytes(content)

    def read() -> None:
        stack = load_stack(str(file))
        stack.find_interval()
        stack.starts_at_anchors()
        if stack.find_interval() is not None:
            assert stack.with_interval((3, 7)).interval() == (3, 7)
        stack.dump()

    read_or_refuse(read)


def check_ini(folder: Path, content: bytes) -> None:
    file = folder / "trackers.ini"
    file.write_bytes(content)

    def read() -> None:
        read_own_trackers(file)
        try:
            Registry([str(file)])
        except configparser.Error as error:  # pragma: no cover
            raise AssertionError(f"the toolkit refuses what we took: {error}") from error

    read_or_refuse(read)


def check_manifest(folder: Path, content: bytes) -> None:
    (folder / "arvot.json").write_bytes(content)
    read_or_refuse(lambda: read_manifest(folder))


def check_weights(folder: Path, content: bytes) -> None:
    file = folder / "w.safetensors"
    file.write_bytes(content)

    def read() -> None:
        weights = open_weights(file)
        for kind in weights.parts:
            assert all(isinstance(value, torch.Tensor) for value in weights.read(kind).values())

    read_or_refuse(read)


def check_checkpoint(folder: Path, content: bytes) -> None:
    file = folder / "net.pth.tar"
    file.write_bytes(content)
    read_or_refuse(lambda: read_checkpoint(file))


def check_results(folder: Path, content: bytes) -> None:
    file = folder / "run.bin"
    file.write_bytes(content)
    count = count_regions(file)
    assert count is None or count <= len(content)


def manifests() -> list[bytes]:
    tracker = {
        "weights": "lite",
        "sha256": "0" * 64,
        "device": "cpu",
        "precision": "auto",
        "settings": {"weights": None, "device": "cpu", "precision": "auto"},
    }
    stack = {"name": "x", "title": "x", "experiments": {"baseline": {"type": "multistart"}}}
    document = {
        "source": "s",
        "fingerprint": "0",
        "stack": stack,
        "experiments": {},
        "trackers": {"ARDiMP_lite": tracker},
    }
    return [json.dumps(document).encode()]


def binary_results() -> list[bytes]:
    import io

    import numpy as np
    from vot.region import Mask, Polygon, Rectangle, Special
    from vot.region.io import write_trajectory

    stream = io.BytesIO()
    mask = Mask(np.eye(4, dtype=np.uint8))
    regions = [Special(1), Rectangle(1, 2, 3, 4), Polygon([(0, 0), (5, 0), (5, 5)]), mask]
    write_trajectory(stream, regions)
    return [stream.getvalue()]


def weights_files(folder: Path) -> list[bytes]:
    file = folder / "valid.safetensors"
    write_weights(file, {"tiny": tiny_state()}, {"tiny": {"source": "test"}})
    return [file.read_bytes()]


def checkpoints(folder: Path) -> list[bytes]:
    return [
        write_official(folder / "valid.pth.tar", tiny_state(), zipped=zipped).read_bytes()
        for zipped in (False, True)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Valid files beside which each broken one is put."""
    import cv2
    import numpy as np

    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "s" / "color").mkdir(parents=True)
    for number in (1, 2):
        picture = np.zeros((6, 8, 3), np.uint8)
        cv2.imwrite(str(folder / "s" / "color" / f"{number:08d}.jpg"), picture)
    (folder / "s" / "groundtruth.txt").write_text("1,1,4,4\n1,1,4,4\n")
    (folder / "s" / "anchor.value").write_bytes(ANCHORS[0])
    (folder / "s" / "sequence").write_bytes(PROPERTIES[0])
    (folder / "list.txt").write_bytes(LIST[0])
    return folder


@pytest.fixture(scope="module")
def readers(folder: Path) -> dict[str, Reader]:
    json_pieces = [b'"', b"{", b"}", b"null", b"[", b":", b"-1", b"1e999", b'"type"', b"\\u0000"]
    binary_pieces = [b"\x00", b"\xff", b"\xff\xff", b"\x00\x00\x00\x80", b"\x03", b"\x01"]
    return {
        "ground truth": Reader(check_truth, TRUTH, TRUTH_PIECES),
        "sequence file": Reader(check_sequence, PROPERTIES, PROPERTIES_PIECES),
        "anchors": Reader(check_anchors, ANCHORS, [b"\n", b"nan", b"1e999", b"-", b"_", b" "]),
        "list of sequences": Reader(check_list, LIST, LIST_PIECES),
        "stack": Reader(check_stack, STACK, STACK_PIECES),
        "trackers.ini": Reader(check_ini, INI, INI_PIECES),
        "record": Reader(check_manifest, manifests(), json_pieces),
        "weights": Reader(check_weights, weights_files(folder), json_pieces),
        "checkpoint": Reader(check_checkpoint, checkpoints(folder), binary_pieces),
        "results": Reader(check_results, binary_results(), binary_pieces),
    }


NAMES = (
    "ground truth",
    "sequence file",
    "anchors",
    "list of sequences",
    "stack",
    "trackers.ini",
    "record",
    "weights",
    "checkpoint",
    "results",
)


@pytest.mark.parametrize("name", NAMES)
def test_valid_contents_are_valid(name: str, folder: Path, readers: dict[str, Reader]) -> None:
    """Without this, the fuzzing below could start from what is refused at once."""
    reader = readers[name]
    for content in reader.valid:
        reader.check(folder, content)


@pytest.mark.parametrize("name", NAMES)
def test_broken_files(name: str, folder: Path, readers: dict[str, Reader]) -> None:
    reader = readers[name]

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(mutated(reader.valid, reader.pieces))
    def check(content: bytes) -> None:
        reader.check(folder, content)

    check()


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_broken_files_at_length(
    name: str, folder: Path, readers: dict[str, Reader], figure: Report
) -> None:
    reader = readers[name]
    contents = mutated(reader.valid, reader.pieces)
    seconds = TOTAL_SECONDS / len(NAMES)
    tried = fuzz(lambda content: reader.check(folder, content), contents, seconds)
    figure(f"{name}, files tried", tried)
    assert tried > 0


@given(
    pairs=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=40),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
)
@settings(max_examples=150)
@example(pairs=[(0, 300)], width=1, height=1)
def test_run_lengths_of_any_sum(
    folder: Path, pairs: list[tuple[int, int]], width: int, height: int
) -> None:
    """The toolkit writes past the end of an array when runs are longer than their box."""
    runs = [run for pair in pairs for run in pair]
    content = f"m0,0,{width},{height},{','.join(map(str, runs))}\n".encode()
    check_truth(folder, content)
