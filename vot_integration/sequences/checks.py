"""Whether runs can start in a sequence, and the anchors where they do."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.files import write_text
from vot_integration.sequences.anchors import default_anchors, format_anchors
from vot_integration.sequences.folder import (
    ANCHOR_FILE,
    LIST_FILE,
    SequenceFolder,
    is_sequence,
    object_files,
    read_list,
    read_sequence_folder,
)
from vot_integration.sequences.frames import check_images
from vot_integration.toolkit.regions import Region


@dataclass(frozen=True)
class SequenceCheck:
    """What was found in a folder of sequences.

    Attributes:
        paths: the folders of its sequences.
        problems: a line for each of them with something wrong, which says what to do.
    """

    paths: tuple[Path, ...]
    problems: tuple[str, ...]


def check_sequences(folder: Path, *, anchors: bool = True) -> SequenceCheck:
    """Check a folder of sequences as `arvot run --sequences` needs it.

    Args:
        folder: holds list.txt.
        anchors: whether the experiments are multi-start, which starts at anchors; without, runs
            start at the first frame.

    Raises:
        UsageError: there is no list of sequences.
    """
    paths, problems = read_list(folder), []
    for path in paths:
        try:
            sequence = read_sequence_folder(path, several=True)
            check_starts(sequence, anchors=anchors and not object_files(path))
            check_images(sequence.frames, sequence.size)
        except UsageError as error:
            problems.append(str(error))
    return SequenceCheck(tuple(paths), tuple(problems))


def check_starts(sequence: SequenceFolder, *, anchors: bool = True) -> None:
    """Check that a sequence has runs to start, and that the target is there where they start.

    Args:
        sequence: the sequence.
        anchors: whether runs start at anchors (multi-start) or at the first frame.

    Raises:
        UsageError: there is no anchor, or the target is absent or outside the image at a start.
    """
    if object_files(sequence.path):
        _check_objects(sequence)
        return
    if not anchors:
        _check_start(sequence, 0, "change the ground truth or drop the frames before the target")
        return
    file = sequence.path / ANCHOR_FILE
    starts = [frame for frame, value in enumerate(sequence.anchors) if value]
    if not starts:
        problem = "names no anchor" if sequence.anchors else "is missing, and multi-start needs it"
        folder = sequence.path.parent
        place = folder if (folder / LIST_FILE).is_file() else sequence.path
        command = f"arvot sequences anchors {shlex.quote(str(place))}"
        raise UsageError(
            f"{file} {problem}: write one number a frame (1 forward, -1 backward, 0 none), or let "
            f"`{command}` place them"
        )
    for frame in starts:
        _check_start(sequence, frame, f"move the anchor in {file}")


def _check_objects(sequence: SequenceFolder) -> None:
    """Check that every object appears, and one of them in the first frame."""
    starts = {name: first_frame_of(regions) for name, regions in sequence.objects.items()}
    for name, start in starts.items():
        file = sequence.truth_file(name)
        if start is None:
            raise UsageError(f"{file}: the object is in no frame: delete the file")
        if not is_in_image(sequence.objects[name][start], sequence.size):
            raise UsageError(
                f"{file}, line {start + 1}: a run starts here, where the object is empty or "
                "outside the image: write 0 until it is in the image"
            )
    if 0 not in starts.values():
        raise UsageError(
            f"{sequence.path}: no object is in the first frame, where runs start: drop the frames "
            "before the first object"
        )


def first_frame_of(regions: Sequence[Region]) -> int | None:
    """Index of the frame in which an object appears, where trackers are started on it."""
    return next((index for index, region in enumerate(regions) if not region.is_empty()), None)


def late_objects(sequence: SequenceFolder) -> dict[str, int]:
    """Objects that appear after the first frame, with the index of that."""
    starts = {name: first_frame_of(regions) for name, regions in sequence.objects.items()}
    return {name: start for name, start in starts.items() if start}


def _check_start(sequence: SequenceFolder, frame: int, remedy: str) -> None:
    if not is_in_image(sequence.regions[frame], sequence.size):
        raise UsageError(
            f"{sequence.path}: a run starts at frame {frame + 1}, where the target is absent, "
            f"empty or outside the image: {remedy}"
        )


def is_in_image(region: Region, size: tuple[int, int]) -> bool:
    """Whether a target is present and partly inside an image of that width and height."""
    if region.is_empty():
        return False
    left, top, right, bottom = region.bounds()
    return bool(left < size[0] and top < size[1] and right >= 0 and bottom >= 0)


def find_sequences(folder: Path) -> list[Path]:
    """The sequences that a folder is or lists.

    Raises:
        UsageError: it is no sequence, and has no list of any.
    """
    return [folder] if is_sequence(folder) else read_list(folder)


def place_anchors(path: Path) -> int:
    """Write `anchor.value` for a sequence by `default_anchors`, where the target is present.

    Args:
        path: folder of the sequence; anchors in it are replaced.

    Returns:
        How many there are now.

    Raises:
        UsageError: the sequence cannot be read, or the target is absent at all candidates.
    """
    sequence = read_sequence_folder(path)
    visible = [is_in_image(region, sequence.size) for region in sequence.regions]
    anchors = default_anchors(sequence.length, visible)
    if not any(anchors):
        raise UsageError(f"{path}: the target is absent at the first, last and every 50th frame")
    write_text(path / ANCHOR_FILE, format_anchors(anchors))
    return sum(map(bool, anchors))
