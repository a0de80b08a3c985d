"""What can be downloaded: the overlay video, the masks, and a sequence in VOT format."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from alpharefine.types import Image
from vot_integration.demo.clips import Clip
from vot_integration.demo.lanes import Lane, Run
from vot_integration.demo.refused import RefusedError, not_now
from vot_integration.sequences.checks import is_in_image
from vot_integration.sequences.folder import write_list
from vot_integration.sequences.writer import NewFrame, SequenceFormat, write_frames
from vot_integration.toolkit.regions import absent_region, shape_region
from vot_integration.track.outputs import MaskFolder, OverlayVideo, Sink

_SHORTEST = 2


def export(kind: str, clip: Clip, run: Run, scratch: Path) -> Path:
    """Write what was found into one file, all that is there whole.

    Args:
        kind: a key of `KINDS`.
        clip: the frames.
        run: what was found in them; nothing is tracked meanwhile.
        scratch: folder that is the file's alone.

    Returns:
        The file, whose name says what it is.

    Raises:
        RefusedError: there is no such kind, or nothing to write.
    """
    if kind not in KINDS:
        raise RefusedError(f"there is no download {kind!r}: choose {', '.join(KINDS)}", 404)
    if not run.has_found:
        raise not_now("nothing is tracked yet: mark the target and start")
    with tempfile.TemporaryDirectory(dir=scratch) as draft:
        made = KINDS[kind](clip, run, Path(draft))
        return made.rename(scratch / made.name)


def _overlay(clip: Clip, run: Run, folder: Path) -> Path:
    file = folder / f"{clip.name}-{'-'.join(lane.name for lane in run.lanes)}.mp4"
    names = [lane.name for lane in run.lanes]
    _tell(clip, run, run.lanes, OverlayVideo(file, clip.fps, names, run.first + 1))
    return file


def _masks(clip: Clip, run: Run, folder: Path) -> Path:
    lanes = [lane for lane in run.lanes if lane.chosen.answers_masks]
    if not lanes:
        raise not_now(f"{run.lanes[0].name} answers no masks")
    name = f"{clip.name}-{'-'.join(lane.name for lane in lanes)}-masks"
    names = [lane.name for lane in lanes]
    _tell(clip, run, lanes, MaskFolder(folder / name, names, run.first + 1))
    return _zip(folder, name)


def _sequences(clip: Clip, run: Run, folder: Path) -> Path:
    if len(run.lanes[0].found) < _SHORTEST:
        raise not_now("a sequence has at least two frames: track one more")
    top = folder / f"{clip.name}-vot"
    top.mkdir()
    form = SequenceFormat(clip.size, max(1, round(clip.fps)))
    names = []
    for lane in run.lanes:
        names.append(f"{clip.name}-{lane.name}")
        write_frames(top / names[-1], _new_frames(clip, run, lane), form)
    write_list(top, names)
    return _zip(folder, top.name)


KINDS: Mapping[str, Callable[[Clip, Run, Path], Path]] = {
    "overlay": _overlay,
    "masks": _masks,
    "sequence": _sequences,
}
"""What can be downloaded, each written into a folder."""


def _frames(clip: Clip, run: Run) -> Iterator[tuple[Image, int]]:
    """The frames that something was found in, and their places in what was found.

    One that cannot be read shows the frame before.
    """
    reader = clip.reader()
    try:
        last = None
        for place in range(len(run.lanes[0].found)):
            image = reader.frame(run.first + place)
            last = last if image is None else image
            if last is None:
                raise not_now(f"frame {run.first + place + 1} cannot be read")
            yield last, place
    finally:
        reader.close()


def _tell(clip: Clip, run: Run, lanes: Sequence[Lane], sink: Sink) -> None:
    with sink:
        for image, place in _frames(clip, run):
            sink.write(image, [lane.found[place].answer() for lane in lanes])


def _new_frames(clip: Clip, run: Run, lane: Lane) -> Iterator[NewFrame]:
    for image, place in _frames(clip, run):
        shape = lane.found[place].answer().shape
        region = absent_region() if shape is None else shape_region(shape)
        yield NewFrame(image, region, is_in_image(region, clip.size))


def _zip(folder: Path, name: str) -> Path:
    return Path(shutil.make_archive(str(folder / name), "zip", folder, name))
