"""Small sources of `arvot sequences convert`."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PilImage

from alpharefine.errors import UsageError
from vot_integration.sequences.checks import check_sequences

LENGTH = 6
WIDTH, HEIGHT = 48, 36


def write_images(folder: Path, stems: Sequence[str], suffix: str = ".jpg") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, stem in enumerate(stems):
        image = np.full((HEIGHT, WIDTH, 3), 40 + 10 * number % 200, np.uint8)
        cv2.imwrite(str(folder / f"{stem}{suffix}"), image)


def stems(pattern: str, first: int = 1, count: int = LENGTH) -> list[str]:
    return [pattern % number for number in range(first, first + count)]


def write_boxes(file: Path, separator: str = ",", count: int = LENGTH) -> None:
    lines = (separator.join(map(str, (4 + n, 5, 10, 8))) for n in range(count))
    file.write_text("\n".join(lines) + "\n")


def write_masks(folder: Path, names: Sequence[str], values: Sequence[int], empty: int = -1) -> None:
    """Masks with a square for each value; none in frame `empty`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        for place, value in enumerate(values):
            if number != empty:
                labels[4 + 14 * place : 14 + 14 * place, 3 + number : 13 + number] = value
        PilImage.fromarray(labels).save(folder / f"{name}.png")


def write_video(file: Path, count: int = LENGTH, fps: float = 12) -> None:
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), fps, (WIDTH, HEIGHT))
    for number in range(count):
        writer.write(np.full((HEIGHT, WIDTH, 3), 30 * number % 240, np.uint8))
    writer.release()


def write_davis(root: Path, objects: dict[str, Sequence[int]]) -> None:
    """A DAVIS root with a video for each name, and its objects."""
    for name, values in objects.items():
        write_images(root / "JPEGImages" / "480p" / name, stems("%05d", 0))
        write_masks(root / "Annotations" / "480p" / name, stems("%05d", 0), values)


def write_got(folder: Path, boxes: int = LENGTH, rate: str | None = "10Hz") -> None:
    """A sequence of GOT-10k; of its test set with one box."""
    write_images(folder, stems("%08d"))
    write_boxes(folder / "groundtruth.txt", count=boxes)
    if rate is not None:
        lines = ["[METAINFO]", "url: https://youtu.be/a?v=b", "begin: 00:00:00", "end: 00:00:10"]
        lines += [f"anno_fps: {rate}", "object_class: ladybug", "resolution: (1920, 1080)"]
        (folder / "meta_info.ini").write_text("\n".join(lines))


def write_lasot(folder: Path, boxes: int = LENGTH) -> None:
    """A sequence of LaSOT."""
    write_images(folder / "img", stems("%08d"))
    write_boxes(folder / "groundtruth.txt", count=boxes)


def sound_sequences(folder: Path, *, anchors: bool = True) -> list[Path]:
    """The sequences of a folder.

    Raises:
        UsageError: something is wrong with the first of them that anything is wrong with.
    """
    found = check_sequences(folder, anchors=anchors)
    for problem in found.problems:
        raise UsageError(problem)
    return list(found.paths)
