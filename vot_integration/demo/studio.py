"""One page's work: a clip, marks, trackers, and the thread that tracks. Safe to use from threads.

empty -> reading -> ready -> loading -> tracking -> paused | finished | failed
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alpharefine.errors import UsageError
from alpharefine.types import Image
from vot_integration.demo.clips import Clip, FrameReader, RecordedClip, VideoClip, describe
from vot_integration.demo.contract import BUSY, Listener, Phase, Tools
from vot_integration.demo.files import StudioFiles
from vot_integration.demo.found import outlines
from vot_integration.demo.lanes import Run
from vot_integration.demo.refused import RefusedError, not_now
from vot_integration.errors import EvaluationError
from vot_integration.regions.shapes import MaskCrop, Shape, crop_mask
from vot_integration.regions.targets import read_target
from vot_integration.toolkit.regions import shape_box

MOST_TRACKERS = 2
_POLL_SECONDS = 0.2
_TOLD_EVERY = 10
"""Frames of a video that is read between two words about it."""

_log = logging.getLogger(__name__)


class Studio:
    """One page's work.

    Args:
        folder: for what is uploaded and written; it is deleted at the end.
        tools: what it works with.
        limit: bytes of a video or recording.
    """

    def __init__(self, folder: Path, tools: Tools, limit: int) -> None:
        self.files, self.limit = StudioFiles(folder), limit
        self.listener: Listener | None = None
        self._tools = tools
        self._proposed: tuple[int, list[MaskCrop]] = 0, []
        self._lock = threading.RLock()
        self._phase = self._before = Phase.EMPTY
        self._message, self._progress = "", 0
        self._clip: Clip | None = None
        self._viewer: FrameReader | None = None
        self._viewing = threading.Lock()
        self._run = Run()
        self._job: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def phase(self) -> Phase:
        """What it is at."""
        return self._phase

    @property
    def clip(self) -> Clip:
        """The frames.

        Raises:
            RefusedError: there are none yet.
        """
        if self._clip is None:
            raise not_now("there is no video yet: choose one first")
        return self._clip

    def snapshot(self) -> tuple[Clip, Run]:
        """The frames, and what was found in them so far: what comes later does not change it.

        Raises:
            RefusedError: there is no clip yet.
        """
        with self._lock:
            return self.clip, self._run.copy()

    def begin_upload(self) -> None:
        """A video comes: nothing else may begin until it is opened or given up.

        Raises:
            RefusedError: something else is going on.
        """
        with self._lock:
            self._require_idle()
            self._before = self._phase
            self._set(Phase.READING)

    def give_up_upload(self) -> None:
        """The video did not come whole: all is as it was before."""
        with self._lock:
            self._set(self._before)

    def tell_progress(self, count: int) -> None:
        """So many frames of the video are there."""
        if count % _TOLD_EVERY == 0:
            self._set(Phase.READING, progress=count)

    def open_video(self, file: Path, name: str) -> None:
        """Take a file in the place of the clip before; see `begin_upload`.

        Raises:
            UsageError: it is not a video that can be read; the clip before stays.
        """
        try:
            clip = VideoClip(file, name, self.tell_progress)
        except BaseException:
            file.unlink(missing_ok=True)
            self.give_up_upload()
            raise
        self._take(clip)

    def begin_recording(self, fps: float) -> None:
        """Frames of a webcam come in the place of the clip before.

        Raises:
            RefusedError: something is going on.
        """
        with self._lock:
            self._require_idle()
            folder = self.files.new("")
            folder.mkdir()
            self._take(RecordedClip(folder, fps, self.limit))

    def add_frame(self, data: bytes) -> None:
        """Take the next frame of a webcam, a JPEG file.

        Raises:
            RefusedError: nothing is recorded, or the frame cannot be used.
        """
        clip = self.clip
        if not isinstance(clip, RecordedClip) or not clip.is_open:
            raise not_now("nothing is recorded: start the webcam first")
        try:
            clip.add(data)
        finally:
            self._tell()

    def end_recording(self) -> None:
        """No more frames of the webcam come."""
        if isinstance(self._clip, RecordedClip):
            self._clip.end()
            self._tell()

    def start(self, names: Sequence[str], frame: int, target: Shape | None) -> None:
        """Track: from a frame on where a target is given, else all again from the first mark.

        Args:
            names: of the trackers. Where they are others than before, all is tracked again from
                the first mark on.
            frame: that the target is marked in.
            target: in image px.

        Raises:
            UsageError: the target or a tracker is none.
            RefusedError: it is not the time.
        """
        with self._lock:
            self._require_idle()
            clip = self.clip
            if target is None and not self._run.marks:
                raise not_now("mark the target first: drag a box around it")
            if not 0 < len(names) <= MOST_TRACKERS or len(set(names)) < len(names):
                raise RefusedError("choose one tracker, or two different ones", 400)
            if target is not None:
                if not 0 <= frame < clip.count:
                    raise RefusedError(f"there is no frame {frame + 1} of {clip.count}", 400)
                read_target(target, clip.size[1], clip.size[0])
            is_new = self._run.use(list(names), self._tools.find)
            if target is not None:
                self._run.mark(frame, target)
            elif not is_new:
                self._run.restart()
            self._begin()

    def resume(self) -> None:
        """Go on where it was paused.

        Raises:
            RefusedError: nothing was.
        """
        with self._lock:
            if self._phase is not Phase.PAUSED:
                raise not_now("nothing is paused: mark the target and start")
            self._begin()

    def pause(self) -> None:
        """Stop after the frame that is tracked now; nothing happens where none is."""
        with self._lock:
            job = self._job
            self._stop.set()
        if job is not None:
            job.join()

    def frame(self, index: int) -> Image:
        """A frame to look at.

        Raises:
            RefusedError: there is none.
        """
        with self._viewing:
            clip = self.clip
            if self._viewer is None:
                self._viewer = clip.reader()
            image = self._viewer.frame(index)
        if image is None:
            raise RefusedError(f"frame {index + 1} cannot be read", 404)
        return image

    def propose(self, frame: int, point: tuple[float, float]) -> list[dict[str, Any]]:
        """What may be meant by a point: boxes, and the outlines of masks, the likeliest first.

        Raises:
            UsageError: the point is outside the frame.
            RefusedError: there is no such frame, or nothing at the point.
        """
        proposals = self._tools.propose(self.frame(frame), point)
        if not proposals:
            raise RefusedError("nothing holds together at this point: drag a box", 404)
        crops = [crop_mask(proposal.mask) for proposal in proposals]
        with self._lock:
            self._proposed = frame, crops
        return [
            {"box": list(proposal.box), "outlines": outlines(crop)}
            for proposal, crop in zip(proposals, crops, strict=True)
        ]

    def proposed(self, frame: int, number: int) -> Shape:
        """One of the targets that were proposed last.

        Raises:
            RefusedError: there is none of this number.
        """
        with self._lock:
            at, crops = self._proposed
        if at != frame or not 0 <= number < len(crops):
            raise RefusedError("this proposal is gone: click the target again", 409)
        return crops[number]

    def state(self) -> dict[str, Any]:
        """What the page shows, but the answers."""
        with self._lock:
            clip, run = self._clip, self._run
            return {
                "phase": self._phase,
                "message": self._message,
                "progress": self._progress,
                "clip": None if clip is None else describe(clip),
                "first": run.first if run.has_found else None,
                "next": run.next if run.has_found else None,
                "marks": {at: list(shape_box(mark)) for at, mark in sorted(run.marks.items())},
                "lanes": [lane.view() for lane in run.lanes],
            }

    def listen(self, listener: Listener) -> None:
        """Tell a listener the state and all that was found so far, then what happens."""
        with self._lock:
            self.listener = listener
            listener.on_state(self.state())
            if self._run.has_found:
                answers = zip(*(lane.found for lane in self._run.lanes), strict=False)
                for frame, found in enumerate(answers, self._run.first):
                    listener.on_found(frame, found, None)

    def leave(self, listener: Listener) -> None:
        """Tell a listener nothing more."""
        with self._lock:
            if self.listener is listener:
                self.listener = None

    def close(self) -> None:
        """End all that is going on, and delete all files."""
        self.listener = None
        self._stop.set()
        self.end_recording()
        self.pause()
        self._end_trackers()
        with self._viewing:
            self._drop_clip()
        self.files.delete()

    def _require_idle(self) -> None:
        if self._phase in BUSY:
            doing = "a video is being read" if self._phase is Phase.READING else "it is tracking"
            raise not_now(f"{doing}: wait, or pause first")

    def _take(self, clip: Clip) -> None:
        with self._lock, self._viewing:
            self._drop_clip()
            self._run.clear()
            self._clip = clip
            self._set(Phase.READY)

    def _drop_clip(self) -> None:
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None
        if self._clip is not None:
            self._clip.delete()
            self._clip = None

    def _begin(self) -> None:
        self._stop.clear()
        self._set(Phase.LOADING)
        self._job = threading.Thread(target=self._work, name="tracking", daemon=True)
        self._job.start()

    def _work(self) -> None:
        """Track to the end, or until it is to stop; in a thread of its own."""
        try:
            for lane in self._run.lanes:
                lane.load()
            self._set(Phase.TRACKING)
            ended = self._follow(self.clip)
        except (UsageError, EvaluationError) as error:
            self._fail(str(error))
        except Exception as error:
            _log.exception("tracking failed")
            self._fail(f"{type(error).__name__}: {' '.join(str(error).split())}")
        else:
            self._set(Phase.FINISHED if ended else Phase.PAUSED)

    def _follow(self, clip: Clip) -> bool:
        """Track; whether the end of the clip has been reached."""
        reader = clip.reader()
        try:
            while not self._stop.is_set():
                index = self._run.next
                if index < clip.count:
                    self._step(reader.frame(index), index)
                elif clip.is_open:
                    clip.wait(_POLL_SECONDS)
                else:
                    return True
        finally:
            reader.close()
        return False

    def _step(self, image: Image | None, index: int) -> None:
        found = self._run.step(image)
        with self._lock:
            if self.listener is not None:
                self.listener.on_found(index, found, image)

    def _fail(self, message: str) -> None:
        # What state the trackers are in is not known: they are built anew.
        self._end_trackers()
        self._set(Phase.FAILED, message)

    def _end_trackers(self) -> None:
        try:
            self._run.close()
        except Exception:
            # What is at its end must not keep the rest from it.
            _log.exception("a tracker could not be ended")

    def _set(self, phase: Phase, message: str = "", progress: int = 0) -> None:
        with self._lock:
            self._phase, self._message, self._progress = phase, message, progress
            self._tell()

    def _tell(self) -> None:
        with self._lock:
            if self.listener is not None:
                self.listener.on_state(self.state())
