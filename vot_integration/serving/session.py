"""One tracker answering one client: every request in, one answer for each object out."""

import logging
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import trax

from alpharefine.data.images import read_frame
from alpharefine.errors import UsageError
from alpharefine.session import KEPT, MultiTrackingSession, TrackingSession
from alpharefine.stage_timer import stage
from alpharefine.types import Estimate, Image, MultiTracker, Tracker
from vot_integration.regions.answers import Output, make_answer
from vot_integration.regions.shapes import Shape
from vot_integration.regions.targets import read_target
from vot_integration.serving.protocol import from_trax, to_trax
from vot_integration.serving.run_log import Tally

_log = logging.getLogger(__name__)

_make_answer = stage("region")(make_answer)


class Reply(NamedTuple):
    """What is answered for one frame: where the target is, and the confidence in it, 0..1."""

    shape: Shape
    confidence: float


class Answering(Protocol):
    """What answers the requests of a client."""

    def begin(self, path: str, objects: Sequence[Shape]) -> Sequence[Reply]:
        """Answer `initialize`: follow the objects in an image file, none of those before."""
        ...

    def go_on(self, path: str, objects: Sequence[Shape]) -> Sequence[Reply]:
        """Answer `frame`: all objects, then the new ones that came with it."""
        ...


class Session:
    """The state between two requests: the tracker and its last good answer.

    `initialize` may come at any time and leaves nothing of what was before, so that one process
    serves all anchors of a sequence.
    """

    def __init__(self, tracker: Tracker, output: Output, tally: Tally) -> None:
        """Serve `tracker` with answers of the form `output`, counting events in `tally`."""
        self._session = TrackingSession(tracker)
        self._output = output
        self._tally = tally
        self._last: Shape | None = None

    def initialize(self, path: str, objects: Sequence[Shape]) -> Reply:
        """Start on the one object of a frame.

        Args:
            path: image file.
            objects: where they are; must be one.

        Returns:
            The target in the form of the later answers, confidence 1.

        Raises:
            UsageError: there is not exactly one object, the image cannot be read, or the region is
                no target.
        """
        self._tally.add("initializations")
        if len(objects) != 1:
            raise UsageError(
                f"this tracker follows one object, {len(objects)} were sent: "
                "use a single-object experiment"
            )
        image = _read_first(path)
        height, width = image.shape[:2]
        target = read_target(objects[0], height, width)
        _log.info("initialize on %s, box %s", path, tuple(round(v, 2) for v in target.box))
        given = self._session.initialize(image, target.box, target.mask)
        self._last = make_answer(given, self._output, height, width)
        return Reply(self._last, given.confidence)

    def begin(self, path: str, objects: Sequence[Shape]) -> Sequence[Reply]:
        """See `Answering`."""
        return [self.initialize(path, objects)]

    def go_on(self, path: str, objects: Sequence[Shape]) -> Sequence[Reply]:
        """See `Answering`."""
        return [self.track(path, objects)]

    def track(self, path: str, objects: Sequence[Shape] = ()) -> Reply:
        """Follow the object into the next frame.

        What was kept of the last frame is logged and counted: the whole answer (see
        `TrackingSession`), or a part of the computation (`Estimate.fallbacks`).

        Args:
            path: image file.
            objects: new objects, which must not be.

        Raises:
            UsageError: a further object was sent, or nothing was initialized yet.
        """
        self._tally.add("frames")
        if objects:
            raise UsageError(
                "this tracker follows one object, another was sent: use a single-object experiment"
            )
        if self._last is None:
            raise UsageError("a frame was sent before a target: send 'initialize' first")
        image = read_frame(path)
        if image is None:
            _log.warning("cannot read %s", path)
        estimate = self._session.track(image)
        for fallback in sorted(estimate.fallbacks):
            self._tally.add(fallback)
            _log.warning("%s: %s, the last state is kept", path, fallback)
        if image is not None and not estimate.fallbacks & KEPT:
            self._last = _make_answer(estimate, self._output, *image.shape[:2])
        return Reply(self._last, estimate.confidence)


class MultiSession:
    """As `Session`, for a tracker of several objects, which are answered in their order.

    Args:
        tracker: what follows them.
        output: form of the answers.
        tally: counts events.
    """

    def __init__(self, tracker: MultiTracker, output: Output, tally: Tally) -> None:
        self._session = MultiTrackingSession(tracker)
        self._output = output
        self._tally = tally
        self._last: list[Shape] = []

    def begin(self, path: str, objects: Sequence[Shape]) -> Sequence[Reply]:
        """See `Answering`.

        Raises:
            UsageError: there is no object, the image cannot be read, or a region is no target.
        """
        self._tally.add("initializations")
        if not objects:
            raise UsageError("no object was sent to begin with: send at least one")
        image = _read_first(path)
        targets = [read_target(shape, *image.shape[:2]) for shape in objects]
        _log.info("initialize on %s, %d objects", path, len(targets))
        given = self._session.initialize(
            image, [target.box for target in targets], [target.mask for target in targets]
        )
        return self._answer(path, image, given, [])

    def go_on(self, path: str, objects: Sequence[Shape]) -> Sequence[Reply]:
        """See `Answering`.

        Raises:
            UsageError: nothing was initialized yet, or a new object cannot be followed.
        """
        self._tally.add("frames")
        if not self._last:
            raise UsageError("a frame was sent before a target: send 'initialize' first")
        image = read_frame(path)
        if image is None:
            _log.warning("cannot read %s", path)
        new = (
            [read_target(shape, *image.shape[:2]) for shape in objects] if image is not None else []
        )
        if len(new) < len(objects):
            raise UsageError(f"a frame with new objects cannot be read: {path}: check the file")
        if new:
            _log.info("%d new objects in %s", len(new), path)
            self._tally.add("new objects")
        boxes, masks = [target.box for target in new], [target.mask for target in new]
        return self._answer(path, image, self._session.track(image, boxes, masks), self._last)

    def _answer(
        self,
        path: str,
        image: Image | None,
        estimates: Sequence[Estimate],
        last: Sequence[Shape],
    ) -> list[Reply]:
        """Answers to estimates; those that were kept are answered as before."""
        shapes = []
        for number, estimate in enumerate(estimates):
            for fallback in sorted(estimate.fallbacks):
                self._tally.add(fallback)
                _log.warning("%s: %s of object %d", path, fallback, number + 1)
            if image is None or estimate.fallbacks & KEPT:
                shapes.append(last[number])
            else:
                shapes.append(_make_answer(estimate, self._output, *image.shape[:2]))
        self._last = shapes
        return [
            Reply(shape, estimate.confidence)
            for shape, estimate in zip(shapes, estimates, strict=True)
        ]


def _read_first(path: str) -> Image:
    image = read_frame(path)
    if image is None:
        raise UsageError(f"the first frame cannot be read: {path}: check the file")
    return image


def answer_requests(server: trax.Server, session: Answering) -> None:
    """Answer `initialize` and `frame` until the client quits.

    Raises:
        TraxException: the connection is closed or broken.
        UsageError: a request cannot be served; so do the tracker's own exceptions come through.
    """
    while True:
        request = server.wait()
        if request.type == trax.TraxStatus.QUIT:
            return
        answer = session.begin if request.type == trax.TraxStatus.INITIALIZE else session.go_on
        objects = [from_trax(region) for region, _ in request.objects or []]
        replies = answer(request.image["color"].path(), objects)
        server.status(
            [
                (to_trax(reply.shape), {"confidence": f"{reply.confidence:.6f}"})
                for reply in replies
            ],
            {},
        )
