"""Sequence folders in VOT format, and the lists that name them.

A folder of sequences has a `list.txt` with a name or an absolute path a line. A sequence has the
properties file `sequence`, the frames, `groundtruth.txt`, and for multi-start `anchor.value`.
Everything is read as toolkit 0.7 reads it, but what it would trip over later is refused here.
"""

import math
import os
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from alpharefine.data.box_layouts import find_layout
from alpharefine.data.images import is_data, list_folders, read_frame
from alpharefine.errors import UsageError
from vot_integration.files import write_text
from vot_integration.sequences.channels import (
    COLOR_PATTERN,
    check_channels,
    find_frames,
    leads_out,
    positive_integer,
)
from vot_integration.toolkit.files import check_plain, read_properties, read_regions
from vot_integration.toolkit.regions import Region

LIST_FILE = "list.txt"

PROPERTIES_FILE = "sequence"
TRUTH_FILE = "groundtruth.txt"
ANCHOR_FILE = "anchor.value"
_OBJECT_PREFIX = "groundtruth_"
_OLD_PATTERN = "%08d.jpg"
"""Frames of the old format, which has no `sequence` file."""


@dataclass(frozen=True)
class SequenceFolder:
    """One sequence on disk.

    Attributes:
        path: its folder.
        properties: the lines of its `sequence` file.
        frames: image files in order.
        fps: frames a second.
        size: width and height of the images, pixels.
        objects: the toolkit's region objects of each target by its name, one a frame; `Special`
            where it is absent. The name of the one in groundtruth.txt is empty.
        anchors: one number a frame, > 0 a run starts here and goes forward, < 0 backward, 0 none;
            empty when there is no `anchor.value`.
    """

    path: Path
    properties: Mapping[str, str]
    frames: tuple[Path, ...]
    fps: int
    size: tuple[int, int]
    objects: Mapping[str, tuple[Region, ...]]
    anchors: tuple[float, ...]

    @property
    def name(self) -> str:
        """The toolkit's name of the sequence, which is its folder's."""
        return self.path.name

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions of the target, the first one where there are several."""
        return next(iter(self.objects.values()))

    def truth_file(self, name: str | None = None) -> Path:
        """The file with the ground truth of a target; None for the only one."""
        name = next(iter(self.objects)) if name is None else name
        if not name:
            return self.path / self.properties.get("groundtruth", TRUTH_FILE)
        return self.path / object_file(name)

    @property
    def length(self) -> int:
        """Number of frames."""
        return len(self.frames)


def read_list(folder: Path) -> list[Path]:
    """Folders of the sequences that `folder`/list.txt names, in its order.

    Raises:
        UsageError: there is no list, it is empty, or a line is blank, escapes from the folder by
            "..", or repeats the name of another sequence.
    """
    file = folder / LIST_FILE
    if not folder.is_dir():
        raise UsageError(f"there is no sequence folder {folder}")
    if not file.is_file():
        below = [folder, *list_folders(folder)]
        if any(map(_is_of_another_format, below)):
            raise UsageError(
                f"{file} is missing, and the sequences in {folder} are in another format than the "
                f"toolkit reads: {_conversion(folder)}"
            )
        raise UsageError(
            f"{file} is missing: write one line for each sequence, the name of its folder in "
            f"{folder} or an absolute path"
        )
    check_plain(file)
    try:
        names = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}") from error
    if not any(names):
        raise UsageError(f"{file} names no sequence: write the name of a sequence folder a line")
    paths = [_listed_path(folder, name, file, n) for n, name in enumerate(names, start=1)]
    repeated = sorted({path.name for path in paths if [p.name for p in paths].count(path.name) > 1})
    if repeated:
        raise UsageError(
            f"{file} names {repeated[0]!r} twice: the toolkit stores results by folder name, so "
            "rename one of the folders"
        )
    return paths


def _listed_path(folder: Path, name: str, file: Path, number: int) -> Path:
    path = Path(name)
    if not name:
        raise UsageError(f"{file}, line {number} is blank: delete it, the toolkit stops there")
    is_plain = name.isprintable() and all(len(os.fsencode(part)) < 256 for part in path.parts)
    if ".." in path.parts or name.endswith(("/", os.sep)) or not path.name or not is_plain:
        shown = repr(name[:80])
        raise UsageError(
            f"{file}, line {number}: {shown} is refused; write the name of a folder in {folder} "
            'or an absolute path, without ".." and without a slash at the end'
        )
    return folder / path


def read_sequence_folder(path: Path, *, several: bool = False) -> SequenceFolder:
    """Read one sequence; the frames' names, properties and labels, not the images.

    Args:
        path: its folder.
        several: whether it may have several objects, as in VOTS.

    A folder without a `sequence` file is read in the old format, with the images beside
    groundtruth.txt, as the toolkit does.

    Raises:
        UsageError: something is missing, cannot be read or does not fit together.
    """
    if not path.is_dir():
        raise UsageError(
            f"there is no sequence folder {path}: correct {path.parent / LIST_FILE} or add it"
        )
    properties = read_properties_file(path)
    frames = find_frames(path, properties)
    fps = positive_integer(path, properties, "fps", 30)
    objects = {
        name: _read_truth(path, file, len(frames))
        for name, file in _truth_files(path, properties, several=several).items()
    }
    check_channels(path, properties, len(frames))
    anchors = _read_anchors(path / ANCHOR_FILE, len(frames))
    size = _image_size(path, properties, frames[0])
    return SequenceFolder(path, properties, frames, fps, size, objects, anchors)


def read_properties_file(path: Path) -> dict[str, str]:
    """Lines of a sequence's `sequence` file, or what the old format stands for without one.

    Raises:
        UsageError: it cannot be read, or there is neither.
    """
    if (path / PROPERTIES_FILE).is_file():
        check_plain(path / PROPERTIES_FILE)
        try:
            return read_properties(path / PROPERTIES_FILE)
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read {path / PROPERTIES_FILE}: {error}") from error
    if _is_of_old_format(path):
        return {"channels.color": _OLD_PATTERN}
    if _is_of_another_format(path):
        raise UsageError(
            f"{path} has no `sequence` file, and no frames 00000001.jpg, ... beside {TRUTH_FILE}, "
            f"without which the toolkit cannot read it: {_conversion(path)}"
        )
    if (path / TRUTH_FILE).is_file() and not (path / COLOR_PATTERN).parent.is_dir():
        return {"channels.color": _OLD_PATTERN}
    raise UsageError(
        f"{path} has no `sequence` file: write one with lines such as "
        f"channels.color={COLOR_PATTERN}, fps=30, width=, height=, length="
    )


def _is_of_old_format(path: Path) -> bool:
    return (path / TRUTH_FILE).is_file() and (path / (_OLD_PATTERN % 1)).is_file()


def _is_of_another_format(path: Path) -> bool:
    """Whether frames and boxes are there, but not as the toolkit reads them."""
    is_known = (path / PROPERTIES_FILE).is_file() or _is_of_old_format(path)
    if is_known or find_layout(path) is None:
        return False
    truth = path / TRUTH_FILE
    has_masks = truth.is_file() and re.search(rb"^m", truth.read_bytes(), re.MULTILINE)
    return not has_masks


def _conversion(path: Path) -> str:
    """The command that makes sequences in VOT format of one, and of those listed with it."""
    source = path.parent if (path.parent / LIST_FILE).is_file() else path
    return f"`arvot sequences convert {shlex.quote(str(source))} DST` makes what it reads, in DST"


def is_sequence(path: Path) -> bool:
    """Whether a folder is a sequence by the names in it, in the old format or the new one."""
    return (path / PROPERTIES_FILE).is_file() or (
        (path / TRUTH_FILE).is_file() and not (path / LIST_FILE).is_file()
    )


def object_file(name: str) -> str:
    """Name of the file with the ground truth of an object."""
    return f"{_OBJECT_PREFIX}{name}.txt"


def object_files(path: Path) -> dict[str, Path]:
    """Ground truth of a sequence of several objects, by their names, as VOTS keeps it.

    The toolkit reads no other ground truth where there is one such file.
    """
    files = (file for file in sorted(path.glob(f"{_OBJECT_PREFIX}*.txt")) if is_data(file))
    return {file.stem.removeprefix(_OBJECT_PREFIX): file for file in files}


def followed_objects(path: Path) -> dict[str, Path]:
    """Those of `object_files` that a tracker has to follow; the toolkit's own begin with _."""
    return {name: file for name, file in object_files(path).items() if not name.startswith("_")}


def _read_truth(path: Path, file: Path, frames: int) -> tuple[Region, ...]:
    regions = read_regions(file)
    if len(regions) != frames:
        which = "" if file.name == TRUTH_FILE else f" in {file.name}"
        raise UsageError(
            f"{path} has {frames} frames but {len(regions)} lines of ground truth{which}: write "
            "one line a frame, 0 where the target is absent"
        )
    _check_sides(file, regions)
    return regions


def _check_sides(file: Path, regions: Iterable[Region]) -> None:
    for number, region in enumerate(regions, start=1):
        if any(math.isinf(getattr(region, side, 0)) for side in ("x", "y", "width", "height")):
            raise UsageError(
                f"{file}, line {number}: a number of the box is too large: correct it, or write 0 "
                "where the target is absent"
            )
        if min(getattr(region, "width", 0), getattr(region, "height", 0)) < 0:
            raise UsageError(
                f"{file}, line {number}: a side of the box is negative, which the toolkit takes "
                "for an absent target: correct it, or write 0 where the target is absent"
            )


def _truth_files(path: Path, properties: Mapping[str, str], *, several: bool) -> Mapping[str, Path]:
    """Ground truth of each target by its name, which is empty in groundtruth.txt."""
    objects = object_files(path)
    if objects:
        names = ", ".join(map(repr, objects))
        if (path / TRUTH_FILE).is_file():
            raise UsageError(
                f"{path} has {TRUTH_FILE} and {_OBJECT_PREFIX}*.txt of {names}, and the toolkit "
                "would read the latter alone: take one or the other out of the folder"
            )
        followed = followed_objects(path)
        if not followed:
            raise UsageError(f"{path} has ground truth of {names} alone, which is no target")
        if several:
            return followed
        raise UsageError(
            f"{path} has ground truth of each object by itself ({names}), as in VOTS, and "
            f"experiments here follow one: `arvot sequences convert {shlex.quote(str(path))} DST` "
            "makes a sequence of each, and stacks such as vots2025/main follow all"
        )
    name = properties.get("groundtruth", TRUTH_FILE)
    if leads_out(name):
        raise UsageError(
            f"{path}: groundtruth={name[:80]!r} in `sequence` is refused; name a file in its folder"
        )
    if not (path / name).is_file():
        raise UsageError(
            f"{path} has no {name}: write one with a line a frame, x,y,width,height for instance, "
            "and 0 where the target is absent"
        )
    return {"": path / name}


def _image_size(path: Path, properties: Mapping[str, str], first: Path) -> tuple[int, int]:
    """Size of the first frame, which must be the size that the properties give, if any."""
    image = read_frame(str(first))
    if image is None:
        raise UsageError(f"{first} cannot be read as an image: replace or remove this sequence")
    size = image.shape[1], image.shape[0]
    stated = (
        positive_integer(path, properties, "width", size[0]),
        positive_integer(path, properties, "height", size[1]),
    )
    if stated != size:
        raise UsageError(
            f"{first} has {size[0]} x {size[1]} pixels but `sequence` says "
            f"{stated[0]} x {stated[1]}: correct width and height"
        )
    return size


def _read_anchors(file: Path, length: int) -> tuple[float, ...]:
    """Values of `file`, filled up with zeros as the toolkit does; empty without a file."""
    if not file.is_file():
        return ()
    check_plain(file)
    try:
        values = [float(line) for line in file.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} must have one number a line: {error}") from error
    if len(values) > length or not all(math.isfinite(value) for value in values):
        raise UsageError(
            f"{file} must have one finite number for each of the {length} frames, not {len(values)}"
        )
    return tuple(values + [0.0] * (length - len(values)))


def has_anchors(path: Path) -> bool:
    """Whether a sequence has anchors, at least one of them a start.

    Raises:
        UsageError: the sequence cannot be read.
    """
    return any(read_sequence_folder(path).anchors)


def write_list(folder: Path, names: Iterable[str]) -> None:
    """Write `folder`/list.txt in one step."""
    write_text(folder / LIST_FILE, "".join(f"{name}\n" for name in names))


def counted(number: int) -> str:
    """A number of sequences in words."""
    return f"{number} sequence{'' if number == 1 else 's'}"
