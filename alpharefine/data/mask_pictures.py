"""Pictures of masks: what their pixels number, and which objects a set of them shows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import UnidentifiedImageError

from alpharefine.data.images import IMAGE_SUFFIXES, FrameError
from alpharefine.errors import UsageError
from alpharefine.types import Mask

BINARY_THRESHOLD = 128
"""Gray masks of one object: this value of 255 and above is object, as saliency benchmarks do."""

_MOST_COLORS = 256
_GRAY_SPREAD = 16
"""Channels of a gray picture differ by no more, in JPEG for instance."""
_LARGEST_CLASS = 40
"""Numbers of classes and objects that data sets have beside 255, which is "ignore" there."""
_SMALLEST_LEVEL = 85
"""A third of white: this and above beside 255 are gray levels of several objects."""
_FEW_THIN = 3
_MOST_LABELS = 20
_LOSSY_SPREAD = 8
_CLEAR_SHARE = 0.2
_SOFT_SHARE = 0.1
"""Share of inner pixels: objects have more than the one, soft edges less than the other."""
_LOSSY = {"JPEG", "MPO", "WEBP"}
_LARGE_SHARE = 0.5
_BORDER_SHARE = 0.75
"""Backgrounds have more than the one of the border and of the picture, or than the other of the
border; objects that do are rare."""

MASK_SUFFIXES = IMAGE_SUFFIXES | {".tif", ".tiff", ".gif", ".pgm", ".pbm", ".ppm", ".pnm", ".tga"}
"""Of files that may be pictures of masks, which OpenCV need not read."""


@dataclass(frozen=True)
class MaskPicture:
    """A picture of masks, decoded.

    Attributes:
        values: H x W int64; 0 is background. Gray value, index of a palette, or number of a color:
            its index in the palette of PASCAL VOC and DAVIS, else a 1 followed by red, green and
            blue with three digits each, which is no index.
        white: the largest gray value; None where values are numbers without an order.
        is_lossy: whether the file's format changes values near edges.
    """

    values: NDArray[np.int64]
    white: int | None
    is_lossy: bool = False


def read_picture_of_masks(path: Path) -> MaskPicture:
    """Decode a mask or label map of any form.

    Where transparency varies, it is the mask if what is opaque has one color or is a photograph;
    else the colors of what is opaque are objects.

    Raises:
        FrameError: the file is missing, broken, or no picture of masks.
    """
    try:
        with PilImage.open(path) as picture:
            count = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
            if count > 1:
                raise ValueError(f"holds {count} pictures: save the mask of each frame by itself")
            picture.load()
            return _decode(picture, picture.format in _LOSSY)
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise FrameError(f"{path}: missing or not a readable mask ({error})") from error
    except ValueError as error:
        raise FrameError(f"{path}: {error}") from error


def _decode(picture: PilImage.Image, is_lossy: bool) -> MaskPicture:
    if picture.mode == "P":
        return _indexed(picture, is_lossy)
    if picture.mode == "1":
        return MaskPicture(np.asarray(picture).astype(np.int64), None)
    pixels = np.asarray(picture)
    if pixels.ndim == 2 and pixels.dtype != np.uint8:
        return _deep(pixels)
    if picture.mode in ("LA", "RGBA", "PA", "La", "RGBa"):
        return _transparent(np.asarray(picture.convert("RGBA")))
    if picture.mode != "L":
        return _colored(np.asarray(picture.convert("RGB")), is_lossy)
    return MaskPicture(pixels.astype(np.int64), 255, is_lossy)


def _indexed(picture: PilImage.Image, is_lossy: bool) -> MaskPicture:
    """Indices, unless the palette says that it only packs a gray or color picture."""
    indices = np.asarray(picture)
    palette = np.asarray(picture.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    used = np.unique(indices)
    is_gray = bool((palette[used] == palette[used][:, :1]).all())
    is_black = ~palette[used].any(axis=1)
    if (is_gray and len(used) > _MOST_LABELS) or (palette[0].any() and is_black.any()):
        return _colored(palette[indices], is_lossy)
    return MaskPicture(indices.astype(np.int64), None)


def _deep(pixels: NDArray[np.generic]) -> MaskPicture:
    """16 or 32 bits a pixel, or floating point."""
    values = pixels.astype(np.int64)
    if (values != pixels).any() or values.min() < 0:
        raise ValueError("fractions or negative numbers, not a mask: save it with 8 or 16 bits")
    return MaskPicture(values, 65535)


def _transparent(pixels: NDArray[np.uint8]) -> MaskPicture:
    color, alpha = pixels[..., :3], pixels[..., 3]
    if alpha.min() == alpha.max():
        return _colored(color, False)
    shown = np.unique(_packed(color)[alpha >= BINARY_THRESHOLD])
    if 1 < len(shown) <= _MOST_COLORS:
        return _colored(np.where(alpha[..., None] >= BINARY_THRESHOLD, color, 0), False)
    return MaskPicture(alpha.astype(np.int64), 255)


def _colored(color: NDArray[np.uint8], is_lossy: bool) -> MaskPicture:
    spread = color.max(axis=2).astype(np.int64) - color.min(axis=2)
    if not spread.any() or (is_lossy and spread.max() <= _GRAY_SPREAD):
        return MaskPicture(color[..., 1].astype(np.int64), 255, is_lossy)
    packed = _packed(color)
    found, places = np.unique(packed, return_inverse=True)
    if is_lossy or len(found) > _MOST_COLORS or found[0] != 0:
        raise ValueError(
            "a color picture, not a palette or gray mask: save label maps as PNG, without soft "
            "edges, on black"
        )
    known = {color: index for index, color in enumerate(_voc_palette())}
    numbers = np.array(
        [known.get(int(value), _color_number(int(value))) for value in found], dtype=np.int64
    )
    return MaskPicture(numbers[places].reshape(packed.shape), None)


def _packed(color: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.asarray(color.astype(np.int64) @ np.array([65536, 256, 1]), dtype=np.int64)


def _color_number(packed: int) -> int:
    red, green, blue = packed >> 16, packed >> 8 & 255, packed & 255
    return 10**9 + red * 10**6 + green * 1000 + blue


def _voc_palette() -> list[int]:
    """Colors of PASCAL VOC by index: its bits, three at a time, fill channels from the top."""
    colors = []
    for index in range(256):
        channels = [0, 0, 0]
        for place in range(3):
            for channel in range(3):
                channels[channel] |= (index >> (3 * place + channel) & 1) << (7 - place)
        colors.append(channels[0] << 16 | channels[1] << 8 | channels[2])
    return colors


@dataclass(frozen=True)
class ObjectChoice:
    """Which pixels of a picture of masks are an object.

    Attributes:
        label: their value; None for all from the threshold on.
        threshold: smallest gray value of 255.
        is_dark: the object is what lies below the threshold.
    """

    label: int | None
    threshold: int = BINARY_THRESHOLD
    is_dark: bool = False

    def mask(self, picture: MaskPicture) -> Mask:
        """Its mask, H x W {0, 1}."""
        if self.label is not None:
            chosen = picture.values == self.label
        else:
            is_bright = picture.values * 255 >= self.threshold * (picture.white or 255)
            chosen = is_bright != self.is_dark
        return np.ascontiguousarray(chosen, dtype=np.uint8)


@dataclass(frozen=True)
class FoundObjects:
    """Objects to follow, and what the user should know of how they were chosen, a line each."""

    choices: Sequence[ObjectChoice]
    notes: Sequence[str] = ()


@dataclass
class MaskSurvey:
    """What a set of pictures of masks shows, all of a sequence or one alone.

    Objects are areas of one value. Soft edges, as of anti-aliasing, blurring or JPEG, have no such
    area: next to no pixel between black and white has only neighbors of its own value.

    Attributes:
        where: the pictures, for messages.
    """

    where: str
    _areas: Counter[int] = field(default_factory=Counter)
    _inner_areas: Counter[int] = field(default_factory=Counter)
    _borders: Counter[int] = field(default_factory=Counter)
    _size: int = 0
    _border_size: int = 0
    _whites: set[int | None] = field(default_factory=set)
    _is_lossy: bool = False

    def add(self, picture: MaskPicture) -> None:
        """Look at one more picture."""
        values = picture.values
        border = np.concatenate([values[0], values[-1], values[1:-1, 0], values[1:-1, -1]])
        _count(values, self._areas)
        _count(border, self._borders)
        self._size += values.size
        self._border_size += border.size
        self._whites.add(picture.white)
        self._is_lossy |= picture.is_lossy
        if picture.white is not None:
            # Of the types that OpenCV filters, this holds all numbers.
            exact, kernel = picture.values.astype(np.float64), np.ones((3, 3), np.uint8)
            spread = cv2.dilate(exact, kernel) - cv2.erode(exact, kernel)
            is_inner = spread <= (_LOSSY_SPREAD if picture.is_lossy else 0)
            _count(picture.values[is_inner], self._inner_areas)

    def find(self, labels: Sequence[int], threshold: int | None) -> FoundObjects:
        """The objects to follow for a user who can be asked, and told what is left out.

        Args:
            labels: those that the user wants, 0 for what is black; none for all.
            threshold: as of `choose`.

        Raises:
            UsageError: as of `choose`; or what is not black seems to be the background.
        """
        if labels:
            wanted = (self.choose(label, threshold) for label in dict.fromkeys(labels))
            return FoundObjects([choice for choices in wanted for choice in choices])
        choices = self.choose(None, threshold)
        if threshold is None:
            for choice in choices:
                self._check_no_background(choice)
        left = sorted(self._areas.keys() - {choice.label for choice in choices})
        if not left or any(choice.label is None for choice in choices):
            return FoundObjects(choices)
        [ignored] = left
        note = f"{self.where} have {ignored}, taken for 'ignore': --object {ignored} follows it"
        return FoundObjects(choices, [note])

    def _check_no_background(self, choice: ObjectChoice) -> None:
        def share(counts: Counter[int], whole: int) -> float:
            white = max((white for white in self._whites if white is not None), default=255)
            least = choice.threshold * white / 255
            return sum(
                number
                for value, number in counts.items()
                if (value == choice.label if choice.label is not None else value >= least)
            ) / max(whole, 1)

        area, border = share(self._areas, self._size), share(self._borders, self._border_size)
        if border <= _LARGE_SHARE or (area <= _LARGE_SHARE and border <= _BORDER_SHARE):
            return
        covers = f"covers {area:.0%} of them and {border:.0%} of their border"
        if choice.label is not None and len(self._areas) > 1:
            known = ", ".join(map(str, sorted(self._areas)[:_MOST_LABELS]))
            raise UsageError(
                f"{self.where} have an object {choice.label} that {covers}, as a background does: "
                f"say which to follow with --object K, of {known}"
            )
        kept = "--threshold 128" if choice.label is None else f"--object {choice.label}"
        raise UsageError(
            f"{self.where} may have a white background: what is not black {covers}; give "
            f"--object 0 where the target is black, or {kept} where it is not"
        )

    def choose(self, label: int | None, threshold: int | None) -> Sequence[ObjectChoice]:
        """The objects to follow.

        Args:
            label: the one that the user wants, 0 for what is black, or None.
            threshold: smallest gray value of the one object that the user says there is, or None.

        Raises:
            UsageError: there is none, not the one that is wanted, or what is there is ambiguous.
        """
        if not self._areas:
            raise UsageError(f"{self.where} are empty: mark the target with any number but 0")
        if threshold is not None:
            return [self._by_threshold(label, threshold)]
        is_soft = self._is_soft()
        if is_soft:
            if label:
                raise UsageError(f"{self.where} show one object: leave out --object")
            return [ObjectChoice(None, is_dark=label == 0)]
        if label is not None and not self._is_lossy:
            return [self._by_label(label)]
        if self._is_lossy:
            raise UsageError(
                f"{self.where} are JPEG, which changes numbers, and have gray levels between black "
                "and white: save them as PNG, or give --threshold 128 for one object"
            )
        if is_soft is None:
            raise UsageError(
                f"{self.where} have gray levels that may be soft edges or objects: give "
                "--threshold 128 for one object, or --object K for the pixels of one value"
            )
        return [ObjectChoice(value) for value in self._objects()]

    def _by_threshold(self, label: int | None, threshold: int) -> ObjectChoice:
        if label:
            raise UsageError("--object and --threshold exclude each other: give one of them")
        if not 1 <= threshold <= 255:
            raise UsageError(f"--threshold {threshold}: give a gray value, 1 to 255")
        if None in self._whites:
            raise UsageError(
                f"{self.where} have a palette or colors, no gray levels: leave out --threshold"
            )
        return ObjectChoice(None, threshold, is_dark=label == 0)

    def _by_label(self, label: int) -> ObjectChoice:
        is_there = label in self._areas or (label == 0 and self._areas.total() < self._size)
        if not is_there:
            known = [str(value) for value in sorted(self._areas)]
            more = [*known[:_MOST_LABELS], "..."] if len(known) > _MOST_LABELS else known
            raise UsageError(f"object {label} is not in {self.where}; there are {', '.join(more)}")
        return ObjectChoice(label)

    def _is_soft(self) -> bool | None:
        """Whether the pictures show one object with soft edges; None where that is not clear."""
        whites = {white for white in self._whites if white is not None}
        if None in self._whites or not whites:
            return False
        brightest = max(self._areas)
        is_bright = brightest * 2 > max(whites)
        if self._is_lossy:
            between = [value for value in self._areas if 48 <= value < 208]
            return True if is_bright and self._inner_share(between) < _CLEAR_SHARE else None
        between = [value for value in self._areas if value != brightest]
        thin = sum(not self._inner_areas[value] for value in between)
        is_thin = thin > max(_FEW_THIN, len(between) // 2)
        share = self._inner_share(between)
        if not between or (share >= _CLEAR_SHARE and not is_thin):
            return False
        if is_bright:
            return True if share < _SOFT_SHARE else None
        return None if is_thin and len(between) > _MOST_LABELS else False

    def _inner_share(self, values: Sequence[int]) -> float:
        """Share of the pixels of some values that have neighbors of their own value alone."""
        area = sum(self._areas[value] for value in values)
        return sum(self._inner_areas[value] for value in values) / max(area, 1)

    def _objects(self) -> list[int]:
        """Values of objects; without the one that stands for "ignore"."""
        white = max((white for white in self._whites if white is not None), default=255)
        others = sorted(self._areas.keys() - {white})
        if not others or white not in self._areas:
            return sorted(self._areas)
        if None in self._whites or others[-1] <= _LARGEST_CLASS * (white // 255):
            return others
        if others[-1] >= _SMALLEST_LEVEL * (white // 255):
            return sorted(self._areas)
        raise UsageError(
            f"{self.where} have {white}, which may be an object or 'ignore', beside "
            f"{', '.join(map(str, others[:_MOST_LABELS]))}: say which to follow with --object K"
        )


def _count(values: NDArray[np.int64], counter: Counter[int]) -> None:
    """Add how often values other than 0 occur."""
    found, counts = np.unique(values, return_counts=True)
    counter.update({int(v): int(n) for v, n in zip(found, counts, strict=True) if v})
