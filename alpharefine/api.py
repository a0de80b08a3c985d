"""The functions that most programs need: a tracker by name, and a loop over frames."""

from collections.abc import Iterator
from itertools import islice

from alpharefine import build
from alpharefine.catalogue import DEFAULT_TRACKER, TrackerSpec
from alpharefine.data.frames import FrameInput, first_frame, open_source
from alpharefine.inputs import BoxLike
from alpharefine.session import TrackingSession
from alpharefine.types import Estimate, Tracker


def create_tracker(
    tracker: str | TrackerSpec = DEFAULT_TRACKER,
    *,
    device: str = "auto",
    precision: str = "auto",
    weights: str | None = None,
) -> TrackingSession:
    """A tracker with its weights loaded, ready for `initialize`, `track` and `alpharefine.track`.

    Args:
        tracker: a name of `list_trackers`, "BASE+REFINEMENT", or a specification of
            `alpharefine.catalogue`, which `dataclasses.replace` can change.
        device: "auto" (CUDA where present), "cpu", "cuda", "cuda:1", ...
        precision: "auto" (the fastest one whose results stay close to float32's), "float32",
            "bfloat16" or "float16".
        weights: None for the registered ones, or seeded random ones (with a warning in the log)
            where they are not on this machine; else a registered name, a .safetensors file, a
            folder of them, or "random:SEED".

    Raises:
        UsageError: unknown tracker, weights, device or precision; weights for another network.

    Example:
        >>> import numpy as np
        >>> tracker = create_tracker("DiMPlite", device="cpu")
        >>> image = np.zeros((180, 240, 3), np.uint8)
        >>> tracker.initialize(image, (100, 60, 40, 40)).box
        Box(x=100.0, y=60.0, w=40.0, h=40.0)
        >>> 0 <= tracker.track(image).confidence <= 1
        True
    """
    return TrackingSession(
        build.build_guarded_tracker(tracker, device=device, precision=precision, weights=weights)
    )


def track(
    tracker: Tracker | TrackingSession, frames: FrameInput, box: BoxLike
) -> Iterator[Estimate]:
    """Follow a target through frames.

    Args:
        tracker: from `create_tracker`, or any tracker.
        frames: a video file, a folder of images, a camera's number as text, a T x H x W x 3
            array, or any iterable of frames; one that is None, or a file of a folder that cannot
            be read, keeps the last answer.
        box: (x, y, w, h) around the target in the first frame, image px.

    Yields:
        One estimate a frame, the first one the given box with confidence 1.

    Raises:
        UsageError: the frames cannot be opened, there are none, or the box is no target.
    """
    session = tracker if isinstance(tracker, TrackingSession) else TrackingSession(tracker)
    first, images = first_frame(open_source(frames))
    yield session.initialize(first, box)
    for image in islice(images, 1, None):
        yield session.track(image)
