"""Targets of data sets with boxes: found in folders, and read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.box_layouts import BoxLayout, absolute
from alpharefine.data.images import FrameError, has_images, is_data, list_images
from alpharefine.data.regions import RegionRows, read_numbers, read_regions, read_vatic
from alpharefine.data.text import read_text

_NUMBER = re.compile(r"\d+")
_STRUCTURE = re.compile(
    r"'name'\s*,\s*'([^']*)'\s*,\s*'path'\s*,\s*'([^']*)'\s*,\s*'startFrame'\s*,\s*(\d+)"
)


@dataclass(frozen=True)
class BoxTarget:
    """One target of one sequence; nothing is read yet.

    Attributes:
        name: that of the sequence's folder, with _1, _2, ... where it has several targets; that of
            the file of boxes where the data set has it so.
        layout: of the data set.
        folder: of the sequence.
        boxes: file of boxes.
    """

    name: str
    layout: BoxLayout
    folder: Path
    boxes: Path

    @property
    def images(self) -> Path:
        """Folder of the frames."""
        candidates = [self.folder / images for images in self.layout.images]
        return next((folder for folder in candidates if has_images(folder)), candidates[0])

    def list_frames(self) -> list[Path]:
        """Files of the frames from that of the first box on.

        Raises:
            FrameError: the folder holds none, or does not reach to the first box.
        """
        files = list_images(self.images) if self.images.is_dir() else []
        if not files:
            raise FrameError(f"{self.images}: holds no frames")
        start, end = self._range()
        numbers = _frame_numbers(files)
        kept = [file for file, number in zip(files, numbers, strict=True) if start <= number <= end]
        if not kept:
            raise FrameError(
                f"{self.boxes}: its boxes belong to the frames from {start} on in "
                f"{self.layout.name}, but {self.images} has those from {numbers[0]} to "
                f"{numbers[-1]}"
            )
        return kept

    def _range(self) -> tuple[int, float]:
        """Numbers of the first frame and of the last that may have boxes."""
        layout = self.layout
        if layout.range_file is not None:
            file = self.folder / layout.range_file.format(name=absolute(self.folder).name)
            if file.is_file():
                numbers = read_numbers(file).ravel()
                if numbers.size != 2:
                    raise FrameError(f"{file}: {numbers.size} numbers, expected first,last frame")
                return int(numbers[0]), int(numbers[1])
        stated = self._stated_start()
        return layout.starts.get(self.start_key, 1) if stated is None else stated, float("inf")

    def _stated_start(self) -> int | None:
        """Number of the first frame by the data set's own list of sequences."""
        folder = absolute(self.folder)
        file = absolute(folder / (self.layout.starts_file or ""))
        if self.layout.starts_file is None or not file.is_file():
            return None
        for name, path, start in _STRUCTURE.findall(read_text(file)):
            # One list may have several sets, of the same names.
            parts = re.split(r"[/\\\\]", path.rstrip("/\\"))
            if name == self.start_key and parts[-2:] == [folder.parent.name, folder.name]:
                return int(start)
        return None

    @property
    def start_key(self) -> str:
        """What the layout's `starts` calls this target."""
        return self.boxes.stem if self.layout.names_targets else absolute(self.folder).name


def targets_in(folder: Path, layout: BoxLayout, name: str | None = None) -> list[BoxTarget]:
    """Targets of a sequence.

    Args:
        folder: of the sequence.
        layout: of the data set.
        name: of the sequence; None is the folder's.
    """
    files = layout.box_files(folder)
    if layout.names_targets and name in (None, absolute(folder).name):
        names = [file.stem for file in files]
    else:
        base = name or absolute(folder).name
        names = [base] if len(files) == 1 else [f"{base}_{n}" for n in range(1, len(files) + 1)]
    return [
        BoxTarget(target, layout, folder, file) for target, file in zip(names, files, strict=True)
    ]


def find_folders(root: Path, layout: BoxLayout, part: str | None = None) -> list[Path]:
    """Folders of the sequences in a part of a data set, in the order of their names.

    Args:
        root: the data set's folder.
        layout: of the data set.
        part: a key of the layout's `parts`; None is the first.
    """
    pattern = layout.parts[part or next(iter(layout.parts))]
    return sorted(p for p in root.glob(pattern) if is_data(p) and p.is_dir())


def read_rows(target: BoxTarget, frames: int | None = None) -> RegionRows:
    """Read the boxes of a target.

    Args:
        target: whose.
        frames: how many frames there are, to choose from the boxes of a higher rate; None where
            that is not known.

    Raises:
        FrameError: the file is missing or its lines are not boxes.
    """
    if target.layout.form == "regions":
        return read_regions(target.boxes)
    rows = read_vatic(target.boxes)
    step = _step(target, len(rows), frames)
    return RegionRows(rows.boxes[::step], {}) if step > 1 else rows


def _step(target: BoxTarget, rows: int, frames: int | None) -> int:
    """Of how many boxes one belongs to a frame: files at a low rate may hold those of the high."""
    rates = target.layout.rates
    rate = rates.get(absolute(target.folder).parent.name)
    if not frames or rate is None:
        return 1
    step = max(rates.values()) // rate
    return step if abs(rows / frames - step) < 1 else 1


def read_flags(path: Path, count: int) -> NDArray[np.float32]:
    """Read a number a box, in any arrangement.

    Raises:
        FrameError: the file is missing, or its numbers are not `count`.
    """
    flags = read_numbers(path).ravel()
    if flags.size != count:
        raise FrameError(f"{path} has {flags.size} numbers for {count} boxes")
    return flags


def _frame_numbers(files: Sequence[Path]) -> list[int]:
    """Numbers of frames by their names, counted from 1; their places where names have none."""
    found = [_NUMBER.findall(file.stem) for file in files]
    if not all(found):
        return list(range(1, len(files) + 1))
    numbers = [int(parts[-1]) for parts in found]
    return [number + 1 for number in numbers] if numbers[0] == 0 else numbers
