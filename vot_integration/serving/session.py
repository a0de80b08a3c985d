"""One tracker answering one client: every request in, exactly one object out."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import trax

from alpharefine.errors import UsageError
from alpharefine.stage_timer import stage
from alpharefine.trackers.base import Estimate, Image, Tracker
from vot_integration.regions.outputs import Output
from vot_integration.sequences.frames import read_frame
from vot_integration.serving.protocol import read_target, write_region
from vot_integration.serving.service import Tally

_log = logging.getLogger(__name__)

_to_region = stage("region")(write_region)

Objects = Sequence[tuple[trax.Region, dict[str, str]]]


class Reply(NamedTuple):
    """What is sent back for one frame: a region and the confidence in it, 0..1."""

    region: trax.Region
    confidence: float


class Session:
    """The state between two requests: the tracker and its last good answer.

    `initialize` may come at any time and leaves nothing of what was before, so that one process
    serves all anchors of a sequence.
    """

    def __init__(self, tracker: Tracker, output: Output, tally: Tally) -> None:
        """Serve `tracker` with answers of the form `output`, counting events in `tally`."""
        self._tracker = tracker
        self._output = output
        self._tally = tally
        self._last: trax.Region | None = None

    def initialize(self, path: str, objects: Objects | None) -> Reply:
        """Start on the one object of a frame.

        Args:
            path: image file.
            objects: regions and properties as TraX gives them; must be one.

        Returns:
            The target in the form of the later answers, confidence 1.

        Raises:
            UsageError: there is not exactly one object, the image cannot be read, or the region is
                no target.
        """
        self._tally.add("initializations")
        if not objects or len(objects) != 1:
            raise UsageError(
                f"this tracker follows one object, {len(objects or [])} were sent: "
                "use a single-object experiment"
            )
        image = read_frame(path)
        if image is None:
            raise UsageError(f"the first frame cannot be read: {path}: check the file")
        height, width = image.shape[:2]
        target = read_target(objects[0][0], height, width)
        _log.info("initialize on %s, box %s", path, tuple(round(v, 2) for v in target.box))
        self._last = write_region(
            Estimate(target.box, target.mask, score=1.0), self._output, height, width
        )
        self._tracker.initialize(image, target.box)
        return Reply(self._last, 1.0)

    def track(self, path: str, objects: Objects | None) -> Reply:
        """Follow the object into the next frame.

        A frame that cannot be read, and an answer that is not finite, keep the last good state
        with confidence 0; both are logged and counted, and so is each part of the computation for
        which the tracker itself fell back on its last state (`Estimate.fallbacks`).

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
            return self._keep("unreadable frames", f"cannot read {path}")
        return self._answer(image, path)

    def _answer(self, image: Image, path: str) -> Reply:
        estimate = self._tracker.track(image)
        for fallback in sorted(estimate.fallbacks, key=lambda part: part.name):
            self._tally.add(fallback.value)
            _log.warning("%s: %s, the last state of this part is kept", path, fallback.name)
        region = _to_region(estimate, self._output, *image.shape[:2])
        if region is None:
            return self._keep("invalid estimates", f"{path}: the tracker answered {estimate.box}")
        self._last = region
        return Reply(region, estimate.confidence)

    def _keep(self, event: str, reason: str) -> Reply:
        self._tally.add(event)
        _log.warning("%s: the last state is kept", reason)
        return Reply(self._last, 0.0)


def answer_requests(server: trax.Server, session: Session) -> None:
    """Answer `initialize` and `frame` until the client quits.

    Raises:
        TraxException: the connection is closed or broken.
        UsageError: a request cannot be served; so do the tracker's own exceptions come through.
    """
    while True:
        request = server.wait()
        if request.type == trax.TraxStatus.QUIT:
            return
        answer = session.initialize if request.type == trax.TraxStatus.INITIALIZE else session.track
        reply = answer(request.image["color"].path(), request.objects)
        server.status([(reply.region, {"confidence": f"{reply.confidence:.6f}"})], {})
