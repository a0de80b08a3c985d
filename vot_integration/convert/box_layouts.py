"""Data sets with a folder a sequence and a box a frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alpharefine.data.images import images_in, list_images
from alpharefine.errors import UsageError
from vot_integration.convert.boxes import BoxFiles, read_box_track
from vot_integration.convert.rate import read_rate
from vot_integration.convert.source import ConvertOptions, OneFrameError, SourceSequence
from vot_integration.files import absolute


@dataclass(frozen=True)
class BoxLayout:
    """A data set with a folder a sequence and a box a frame.

    Attributes:
        name: of the data set.
        images: folder of the frames, relative to the sequence's.
        boxes: glob pattern of the files of boxes; several files are several targets.
        hidden: files of a number a frame, not 0 where the target is hidden, where there are such.
        starts: number of the first frame that has a box, by sequence; 1 for others.
        has_rest: whether frames behind the last box are nothing wrong.
        rate: file and key of the frames a second, where there are such.
    """

    name: str
    images: str
    boxes: str
    hidden: tuple[str, ...] = ()
    starts: tuple[tuple[str, int], ...] = ()
    has_rest: bool = False
    rate: tuple[str, str] | None = None

    def fits(self, folder: Path) -> bool:
        """Whether a folder is a sequence of this data set."""
        return bool(self.box_files(folder)) and has_images(folder / self.images)

    def box_files(self, folder: Path) -> list[Path]:
        """Files of boxes in a sequence's folder, sorted."""
        return sorted(folder.glob(self.boxes))


BOX_LAYOUTS = (
    BoxLayout("OTB", "img", "groundtruth_rect*.txt", starts=(("David", 300),), has_rest=True),
    BoxLayout("LaSOT", "img", "groundtruth.txt", ("full_occlusion.txt", "out_of_view.txt")),
    BoxLayout(
        "GOT-10k",
        ".",
        "groundtruth.txt",
        ("absence.label",),
        rate=("meta_info.ini", "anno_fps"),
    ),
)
"""Sources: Wu et al., PAMI 2015; Fan et al., CVPR 2019; Huang et al., PAMI 2019. The first that
fits is taken. LaSOT keeps its sequences in folders of classes."""


def find_layout(folder: Path) -> BoxLayout | None:
    """The layout that fits a folder of a sequence."""
    return next((layout for layout in BOX_LAYOUTS if layout.fits(folder)), None)


def has_box_file(folder: Path) -> bool:
    """Whether a file of boxes is in a folder."""
    return any(layout.box_files(folder) for layout in BOX_LAYOUTS)


def read_boxed(
    folder: Path, layout: BoxLayout, options: ConvertOptions, name: str
) -> Iterator[SourceSequence]:
    """The sequences in a folder of a data set with boxes, one for each file of boxes.

    Args:
        folder: of the sequence.
        layout: of the data set.
        options: what the user says about it.
        name: of the sequence, which that of a target is made of where there are several.

    Raises:
        OneFrameError: it has one box for several frames.
        UsageError: a file cannot be read, or there is not one box a frame.
    """
    if options.label is not None:
        raise UsageError(f"--object chooses from label maps, and {layout.name} has boxes")
    if options.threshold is not None:
        raise UsageError(f"--threshold is for gray masks, and {layout.name} has boxes")
    files = layout.box_files(folder)
    hidden = [folder / file for file in layout.hidden if (folder / file).is_file()]
    images = list_images(folder / layout.images)
    total = len(images)
    images = images[dict(layout.starts).get(absolute(folder).name, 1) - 1 :]
    fps = None
    if options.fps is None and layout.rate is not None:
        fps = read_rate(folder / layout.rate[0], layout.rate[1])
    for number, file in enumerate(files, start=1):
        count, region = read_box_track(BoxFiles(file, hidden))
        if count == 1 < len(images):
            raise OneFrameError
        if count > len(images) or (count < len(images) and not layout.has_rest):
            raise UsageError(f"{file} has {count} boxes for {len(images)} frames")
        target = name if len(files) == 1 else f"{name}_{number}"
        yield SourceSequence(target, count, region, total, images[:count], fps=fps)


def has_images(folder: Path) -> bool:
    """Whether a folder is there and an image lies directly in it."""
    return folder.is_dir() and any(images_in(folder))
