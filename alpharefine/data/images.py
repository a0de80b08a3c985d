"""Files of images: finding, reading, counting what has to be skipped."""

import logging
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from alpharefine.errors import UsageError
from alpharefine.stage_timer import stage
from alpharefine.types import Image

_log = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})

_SYSTEM_NAMES = frozenset(
    {"__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found"}
    | {"thumbs.db", "desktop.ini"}
)
"""Of macOS archives, network storage, Windows and Linux; the folders hold pictures, too."""


class FrameError(Exception):
    """A frame cannot be used; the sampler draws another one."""


class SkipCounter:
    """Counts skipped files and warns at the 1st, 10th, 100th, ... of them.

    Args:
        source: name of the data set, for the message.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self.count = 0

    def add(self, reason: object) -> None:
        """Count one more file, skipped for `reason`."""
        self.count += 1
        if self.count == 10 ** (len(str(self.count)) - 1):
            _log.warning("%s: %d skipped so far, the last: %s", self._source, self.count, reason)

    def report(self, usable: int) -> None:
        """Log the total once reading is over and `usable` items are left."""
        if self.count:
            _log.warning("%s: %d skipped, %d usable", self._source, self.count, usable)


@dataclass(frozen=True)
class FrameFiles:
    """Files of a sequence without one path object for each.

    Attributes:
        folder: where they lie.
        names: file names in order, or a `str.format` pattern of the number.
        first: number of the first file, for a pattern.
    """

    folder: Path
    names: tuple[str, ...] | str
    first: int = 0

    def __getitem__(self, t: int) -> Path:
        name = self.names.format(self.first + t) if isinstance(self.names, str) else self.names[t]
        return self.folder / name


def is_data(path: Path) -> bool:
    """Whether a file or folder may hold data by its name: what a desktop or archiver left may not.

    Hidden files are not data, AppleDouble files such as `._0001.jpg` among them, and nor are the
    folders that systems keep thumbnails, waste and resource forks in.
    """
    return not path.name.startswith(".") and path.name.lower() not in _SYSTEM_NAMES


def natural_order(path: Path) -> tuple[tuple[str | int, ...], str]:
    """What to sort files of frames by: their names, with numbers in them by value, 2 before 10."""
    parts = re.split(r"(\d+)", path.name)
    # Text and numbers take turns, so that like is compared with like.
    return tuple(int(p) if n % 2 else p for n, p in enumerate(parts)), path.name


def images_in(folder: Path, suffixes: Collection[str] = IMAGE_SUFFIXES) -> Iterator[Path]:
    """Image files directly in `folder`, in no order; see `is_data`.

    A link that leads nowhere is among them: it is a frame that is missing.
    """
    for path in folder.iterdir():
        if path.suffix.lower() in suffixes and is_data(path) and not path.is_dir():
            yield path


def list_images(folder: Path, suffixes: Collection[str] = IMAGE_SUFFIXES) -> list[Path]:
    """Image files directly in `folder`, in `natural_order`; see `images_in`."""
    return sorted(images_in(folder, suffixes), key=natural_order)


def has_images(folder: Path, suffixes: Collection[str] = IMAGE_SUFFIXES) -> bool:
    """Whether a folder is there and an image lies directly in it."""
    return folder.is_dir() and any(True for _ in images_in(folder, suffixes))


def list_folders(folder: Path) -> list[Path]:
    """Folders of data directly in `folder`, sorted by name; see `is_data`."""
    return sorted(p for p in folder.iterdir() if is_data(p) and p.is_dir())


def walk_folders(root: Path) -> Iterator[Path]:
    """`root` and all folders of data below it, depth first, sorted by name; none without it."""
    if root.is_dir():
        yield root
        for folder in list_folders(root):
            yield from walk_folders(folder)


def read_image(path: Path) -> Image:
    """Read an image as H x W x 3 RGB uint8.

    The EXIF orientation is ignored: annotations refer to the pixels as stored.

    Raises:
        FrameError: the file is missing or not an image.
    """
    image = _decode(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise FrameError(f"{path}: missing or not a readable image")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def is_name_for_opencv(path: str | Path) -> bool:
    """Whether OpenCV can be given a name: it crashes on one with bytes that are no UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _decode(path: str, flags: int) -> Any:
    if is_name_for_opencv(path):
        return cv2.imread(path, flags)
    content = np.fromfile(path, np.uint8) if Path(path).is_file() else np.empty(0, np.uint8)
    return cv2.imdecode(content, flags) if content.size else None


@stage("decoding")
def read_frame(path: str) -> Image | None:
    """Read an image file as RGB with the meaning of a plain `cv2.imread`.

    Gray, 16-bit and RGBA files become three 8-bit channels, EXIF rotation is applied, and a
    truncated JPEG is what OpenCV makes of it.

    Args:
        path: file name.

    Returns:
        H x W x 3 uint8 RGB, C-contiguous; None when OpenCV cannot read the file.
    """
    try:
        image = _decode(path, cv2.IMREAD_COLOR)
        if image is None or image.size == 0:
            return None
        return np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    except cv2.error as error:
        # Raised instead of None for images beyond OpenCV's size limit.
        _log.warning("OpenCV refuses %s: %s", path, error)
        return None


def require_folders(root: Path, folders: Iterable[str], data_set: str, expected: str) -> None:
    """Check a data set's layout.

    Raises:
        UsageError: one of `folders` below `root` is missing; names the expected layout.
    """
    for folder in folders:
        if not (root / folder).is_dir():
            raise layout_error(root, f"no folder {folder}", data_set, expected)


def layout_error(root: Path, problem: str, data_set: str, expected: str) -> UsageError:
    """The error for a folder that is not laid out as `data_set` is."""
    return UsageError(f"{root}: not a {data_set} folder ({problem}); expected {expected}")
