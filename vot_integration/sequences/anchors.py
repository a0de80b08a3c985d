"""Anchors: the frames of a sequence where multi-start runs begin, and their directions.

Source: Kristan et al., The Eighth Visual Object Tracking VOT2020 Challenge Results, section 2:
a start every 50 frames, each run in the direction that leaves more frames.
"""

from collections.abc import Sequence

ANCHOR_STEP = 50
"""Frames between anchors."""

_MIN_DISTANCE_FROM_END = 25
_MAX_SHIFT = 12


def default_anchors(n_frames: int, visible: Sequence[bool]) -> list[int]:
    """Place anchors by VOT2020's rule.

    Candidates are the frames 0, 50, 100, ..., without those that have fewer than 25 frames after
    them, and the last frame. A candidate on which the target is not well visible moves to the
    nearest frame, at most 12 away, on which it is (the earlier of two); otherwise it is dropped.

    Args:
        n_frames: length of the sequence.
        visible: for every frame, whether a tracker can be started on it.

    Returns:
        One value a frame, as in `anchor.value`: 1 the run goes forward, -1 it goes backward
        (whichever is longer, forward when equal), 0 no anchor.

    Raises:
        ValueError: `visible` does not have n_frames entries.
    """
    if len(visible) != n_frames:
        raise ValueError(f"{len(visible)} visibility flags for {n_frames} frames")
    anchors = [0] * n_frames
    for candidate in _candidates(n_frames):
        frame = _nearest_visible(candidate, visible)
        if frame is not None:
            anchors[frame] = 1 if n_frames - frame >= frame + 1 else -1
    return anchors


def _candidates(n_frames: int) -> list[int]:
    last = n_frames - 1
    regular = range(0, n_frames, ANCHOR_STEP)
    kept = [frame for frame in regular if frame == 0 or last - frame >= _MIN_DISTANCE_FROM_END]
    return [*kept, last] if last > 0 else kept


def _nearest_visible(frame: int, visible: Sequence[bool]) -> int | None:
    for shift in range(_MAX_SHIFT + 1):
        for shifted in (frame - shift, frame + shift):
            if 0 <= shifted < len(visible) and visible[shifted]:
                return shifted
    return None


def format_anchors(anchors: Sequence[int]) -> str:
    """Text of an `anchor.value` file: a number a line."""
    return "".join(f"{value}\n" for value in anchors)
