"""Ground truth of data sets for one-pass evaluation, with or without their frames."""

import ast
import configparser
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.box_layouts import BOX_LAYOUTS, BoxLayout
from alpharefine.data.box_targets import BoxTarget, find_folders, read_flags, read_rows, targets_in
from alpharefine.data.images import FrameError, is_data, list_images, walk_folders
from alpharefine.data.text import read_text
from alpharefine.errors import UsageError
from alpharefine.onepass.measures import Boxes, Truth
from alpharefine.onepass.result_files import NO_NUMBERS, RAGGED, read_run

_META = "meta_info.ini"
_DEPTH = 4
_ATTRIBUTE_FOLDERS = ("att", "attributes")
_BESIDE = frozenset({*_ATTRIBUTE_FOLDERS, "absent"})
"""Folders of facts about sequences, in sets that keep files of boxes in one folder."""

_SCORED: Mapping[str, tuple[str, ...]] = {
    "got10k": ("val", "test"),
    "trackingnet": ("test",),
    "nfs": ("30",),
}
"""Layout -> parts that are scored, the first that is there, where other parts are not."""

_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "lasot": (
        "illumination variation",
        "partial occlusion",
        "deformation",
        "motion blur",
        "camera motion",
        "rotation",
        "background clutter",
        "viewpoint change",
        "scale variation",
        "full occlusion",
        "fast motion",
        "out of view",
        "low resolution",
        "aspect ratio change",
    ),
    "otb": (
        "illumination variation",
        "out-of-plane rotation",
        "scale variation",
        "occlusion",
        "deformation",
        "motion blur",
        "fast motion",
        "in-plane rotation",
        "out of view",
        "background clutter",
        "low resolution",
    ),
    "uav123": (
        "scale variation",
        "aspect ratio change",
        "low resolution",
        "fast motion",
        "full occlusion",
        "partial occlusion",
        "out of view",
        "background clutter",
        "illumination variation",
        "viewpoint change",
        "camera motion",
        "similar object",
    ),
}
"""Layout -> what the columns of its files of attributes mean, in their order."""


def find_family(layout: str) -> str:
    """The data set that a layout is a form of, by which conventions and attributes are named.

    Example:
        >>> find_family("uav20l"), find_family("nfs-flat")
        ('uav123', 'nfs')
    """
    return "uav123" if layout.startswith("uav") else layout.partition("-")[0]


def read_truths(root: Path, layout: str, part: str | None = None) -> list[Truth]:
    """Ground truth of all sequences of a data set, sorted by name.

    Args:
        root: the data set or a part of it, its frames included or not; or a folder of files of
            boxes alone, a sequence each.
        layout: a key of `alpharefine.data.box_layouts.BOX_LAYOUTS`.
        part: as of `find_targets`.

    Raises:
        UsageError: there is none, or a file cannot be read.
    """
    targets = find_targets(root, layout, part)
    try:
        return [_read(root, target, find_family(layout)) for target in targets]
    except FrameError as error:
        raise UsageError(error) from error


def find_layout_entry(layout: str) -> BoxLayout:
    """The layout of a name.

    Raises:
        UsageError: there is none.
    """
    if layout not in BOX_LAYOUTS:
        raise UsageError(f"unknown layout {layout!r}; choose one of {', '.join(BOX_LAYOUTS)}")
    return BOX_LAYOUTS[layout]


def find_targets(root: Path, layout: str, part: str | None = None) -> list[BoxTarget]:
    """Targets below a folder, sorted by name: in sequences' folders, or else files of boxes alone.

    Args:
        root: the data set or a part of it.
        layout: a key of `alpharefine.data.box_layouts.BOX_LAYOUTS`.
        part: key of the layout's `parts`; None is the part of a whole data set that is scored, or
            all that there is in the folder of a part.

    Raises:
        UsageError: there is none, or two have one name.
    """
    table = find_layout_entry(layout)
    if part is not None and part not in table.parts:
        raise UsageError(
            f"{table.name} has no part {part!r}; choose one of {', '.join(table.parts)}"
        )
    if not root.is_dir():
        raise UsageError(f"there is no folder {root}: give the one that holds the data set")
    parts = _SCORED.get(layout, ()) if part is None else (part,)
    folders = next(filter(None, (find_folders(root, table, name) for name in parts)), [])
    targets = [target for folder in folders for target in targets_in(folder, table)]
    if not targets and part is None:
        targets = list(_in_folders(root, table, _DEPTH)) or list(_flat(root, table))
    if not targets:
        raise UsageError(
            f"{root} holds no ground truth in the layout of {table.name}: expected "
            f"{table.expected}, or a folder of files <sequence>.txt"
        )
    places: dict[str, Path] = {}
    for target in targets:
        if target.name in places:
            raise UsageError(
                f"two sequences are called {target.name}, {places[target.name]} and "
                f"{target.boxes}: give a part of the data set that has one"
            )
        places[target.name] = target.boxes
    return sorted(targets, key=lambda target: target.name)


def _in_folders(folder: Path, layout: BoxLayout, depth: int) -> Iterator[BoxTarget]:
    found = targets_in(folder, layout)
    yield from found
    if depth and not found:
        # A folder of frames has thousands of entries, of which the listing knows what they are.
        with os.scandir(folder) as entries:
            below = sorted(Path(entry) for entry in entries if entry.is_dir())
        for path in filter(is_data, below):
            yield from _in_folders(path, layout, depth - 1)


def _flat(root: Path, layout: BoxLayout) -> Iterator[BoxTarget]:
    for folder in walk_folders(root):
        if folder.name not in _BESIDE:
            for file in sorted(p for p in folder.glob("*.txt") if is_data(p)):
                yield BoxTarget(file.stem, layout, folder, file)


def read_truth_boxes(target: BoxTarget) -> Boxes:
    """Boxes of a target, N x 4 float64 as the file has them; NaN where it is absent.

    Raises:
        FrameError: the file is missing, or a row is no box.
    """
    if target.layout.form == "vatic":
        frames = len(list_images(target.images)) if target.images.is_dir() else None
        return read_rows(target, frames).boxes.astype(np.float64)
    run = read_run(target.boxes)
    wrong = [kind for kind in (NO_NUMBERS, RAGGED) if kind in run.faults]
    if not len(run.boxes):
        raise FrameError(f"{target.boxes}: holds no boxes")
    if wrong and target.layout.name != "VOT":
        raise FrameError(
            f"{target.boxes}: {run.faults[wrong[0]]} {wrong[0]}; expected x,y,w,h a line"
        )
    return run.boxes


def _read(root: Path, target: BoxTarget, family: str) -> Truth:
    boxes = read_truth_boxes(target)
    meta = _read_meta(target.folder / _META)
    return Truth(
        target.name,
        boxes,
        _read_absent(target, len(boxes)),
        _read_size(meta),
        meta.get("object_class") or _group(target, family),
        _read_attributes(root, target, family),
        _missing_marks(target),
    )


def _missing_marks(target: BoxTarget) -> tuple[str, ...]:
    """Files that mark absence and are not there, of those that the layout's tool reads."""
    layout = target.layout
    if (target.folder / "absent" / f"{target.name}.txt").is_file():
        return ()
    names = layout.shown or layout.hidden
    return tuple(name for name in names if not (target.folder / name).is_file())


def _read_absent(target: BoxTarget, count: int) -> NDArray[np.bool_] | None:
    folder, layout = target.folder, target.layout
    flat = folder / "absent" / f"{target.name}.txt"
    shown = [folder / name for name in layout.shown if (folder / name).is_file()]
    hidden = [folder / name for name in layout.hidden if (folder / name).is_file()]
    if shown:
        # GOT-10k's toolkit reads how much is visible, not the flag of absence beside it.
        return np.asarray(np.any([read_flags(path, count) == 0 for path in shown], axis=0))
    if flat.is_file():
        hidden.append(flat)
    if not hidden:
        return None
    return np.asarray(np.any([read_flags(path, count) > 0 for path in hidden], axis=0))


def _read_meta(file: Path) -> Mapping[str, str]:
    if not file.is_file():
        return {}
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(file))
    except configparser.Error as error:
        raise FrameError(f"{file}: {' '.join(str(error).split())}") from error
    return {key: value for name in parser.sections() for key, value in parser[name].items()}


def _read_size(meta: Mapping[str, str]) -> tuple[float, float] | None:
    try:
        width, height = ast.literal_eval(meta.get("resolution", ""))
        return float(width), float(height)
    except (ValueError, SyntaxError, TypeError):
        return None


def _group(target: BoxTarget, family: str) -> str | None:
    match = re.fullmatch(r"(.+)-\d+", target.name)
    return match[1] if family == "lasot" and match else None


def _read_attributes(root: Path, target: BoxTarget, family: str) -> tuple[str, ...]:
    places = [target.folder / "attributes.txt"]
    for base in (target.boxes.parent, root):
        places += [base / folder / f"{target.name}.txt" for folder in _ATTRIBUTE_FOLDERS]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        return ()
    words = read_text(found).replace(",", " ").split()
    if not all(word in ("0", "1") for word in words):
        return tuple(dict.fromkeys(words))
    names = _ATTRIBUTES.get(family, ())
    if len(words) != len(names):
        raise FrameError(f"{found}: {len(words)} attributes, and {family} has {len(names)}")
    return tuple(name for name, word in zip(names, words, strict=True) if word == "1")
