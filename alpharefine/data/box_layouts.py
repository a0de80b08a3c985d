"""Data sets of videos with a box a frame: where each keeps its frames and boxes.

One table for training, conversion and one-pass benchmarks. To add a data set: an entry in
`BOX_LAYOUTS`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from alpharefine.data.images import has_images, is_data

RowForm = Literal["regions", "vatic"]
"""What a line of boxes holds: x, y, w, h or the corners of a polygon; or what the annotation tool
VATIC writes: track, xmin, ymin, xmax, ymax, frame, lost, occluded, generated, label."""


@dataclass(frozen=True)
class BoxLayout:
    """Where a data set keeps its frames and annotations.

    A sequence's folder is the one that is called as it is. Paths are relative to it, and {name} in
    them is its name.

    Attributes:
        name: of the data set.
        expected: one sequence in words, for the message about a wrong layout.
        parts: part of the data set -> glob of the sequences' folders in it, below the data set's
            root; the first is what is trained on.
        images: folders in which the frames may lie; the first that holds images does.
        frame: `str.format` pattern of a frame's number that gives its file, where all files are
            named so; None where they have to be listed.
        first: number of the first frame of such a pattern.
        within: glob patterns of the end of a sequence's path, of which one fits.
        marks: files of which one has to be there, or any where this is empty.
        truth: folder of the files of boxes.
        boxes: names of the file of boxes; the first that is there is taken.
        more_boxes: regular expression of the names of further such files, each of another target.
        names_targets: whether the file of boxes names the target, in place of the folder.
        form: of a line of boxes.
        hidden: files of a number a box, above zero where the target is hidden.
        shown: the same, zero where it is hidden.
        starts: target -> number of the frame that the first box belongs to, where it is not the
            first; numbers are those in the frames' names, counted from 1.
        starts_file: MATLAB file that says the same, where it is there: structures with 'name',
            'path' and 'startFrame'.
        range_file: file of the numbers of the first and the last frame that have boxes.
        has_rest: whether frames behind the last box are nothing wrong.
        slack: how many boxes more or less than frames are nothing wrong.
        rates: name of the folder around the sequence's -> frames a second.
        rate_file: file and key of the frames a second.
        first_pixel: coordinate of the leftmost and topmost pixel in the boxes, by the data set's
            tools: 1 as in MATLAB, or 0. Most programs take the boxes as they are, and so do
            training and conversion here.
    """

    name: str
    expected: str
    parts: Mapping[str, str]
    images: tuple[str, ...] = (".",)
    frame: str | None = None
    first: int = 1
    within: tuple[str, ...] = ("*",)
    marks: tuple[str, ...] = ()
    truth: str = "."
    boxes: tuple[str, ...] = ("groundtruth.txt",)
    more_boxes: str | None = None
    names_targets: bool = False
    form: RowForm = "regions"
    hidden: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    starts: Mapping[str, int] = field(default_factory=dict)
    starts_file: str | None = None
    range_file: str | None = None
    has_rest: bool = False
    slack: int = 0
    rates: Mapping[str, int] = field(default_factory=dict)
    rate_file: tuple[str, str] | None = None
    first_pixel: int = 0

    def fits(self, folder: Path) -> bool:
        """Whether a folder is a sequence of this data set, with frames and boxes."""
        is_marked = not self.marks or any((folder / mark).is_file() for mark in self.marks)
        return is_marked and bool(self.box_files(folder)) and self.has_frames(folder)

    def folders_of(self, truth: Path) -> list[Path]:
        """Folders of frames that a folder of boxes belongs to, where it lies apart from them.

        Those that have no boxes there are among them.
        """
        path, apart = absolute(truth), Path(self.truth)
        below = [part for part in apart.parts if part != ".."]
        if not below or not path.match(str(Path(*below))):
            return []
        root = path.parents[len(below) - 1]
        found = (folder for pattern in self.within for folder in root.glob(pattern))
        return sorted(folder for folder in found if is_data(folder) and folder.is_dir())

    def has_frames(self, folder: Path) -> bool:
        """Whether frames of a sequence lie where they have to."""
        return any(has_images(folder / images) for images in self.images)

    def box_files(self, folder: Path) -> list[Path]:
        """Files of boxes of a sequence, one a target, by the order of their numbers."""
        path = absolute(folder)
        if not any(path.match(pattern) for pattern in self.within):
            return []
        truth = absolute(path / self.truth)
        plain = (truth / boxes.format(name=path.name) for boxes in self.boxes)
        files = [file for file in plain if file.is_file()][:1]
        if self.more_boxes is not None and truth.is_dir():
            pattern = re.compile(self.more_boxes.replace("{name}", re.escape(path.name)))
            found = ((pattern.fullmatch(p.name), p) for p in truth.iterdir() if is_data(p))
            numbered = [(int(match[1]), path) for match, path in found if match is not None]
            # OTB's Human4 has an empty file for its first target.
            files += [path for _, path in sorted(numbered) if path.stat().st_size]
        return files


def absolute(path: Path) -> Path:
    """The absolute path without "..", links as they are: a sequence may be one."""
    # `Path.resolve` would follow the links.
    return Path(os.path.abspath(path))  # noqa: PTH100


_UAV_STARTS = {
    **{"bird1_2": 775, "bird1_3": 1573, "car16_2": 415, "car1_2": 751, "car1_3": 1627},
    **{"car6_2": 487, "car6_3": 1807, "car6_4": 2953, "car6_5": 3925, "car8_2": 1357},
    **{"group1_2": 1333, "group1_3": 2515, "group1_4": 3925, "group2_2": 907, "group2_3": 1771},
    **{"group3_2": 1567, "group3_3": 2827, "group3_4": 4369, "person12_2": 601},
    **{"person14_2": 847, "person14_3": 1813, "person17_2": 1501, "person19_2": 1243},
    **{"person19_3": 2791, "person2_2": 1189, "person4_2": 1501, "person5_2": 877},
    **{"person7_2": 1249, "person8_2": 1075, "truck4_2": 577, "uav1_2": 1555, "uav1_3": 2473},
}
_UAV_STEP = 3
"""UAV123_10fps has every third frame."""

OTB = BoxLayout(
    name="OTB",
    expected="<sequence>/{img/0001.jpg, groundtruth_rect.txt}",
    parts={"all": "*"},
    images=("img",),
    boxes=("groundtruth_rect.txt",),
    # Jogging and Skating2 have two targets; a copy beside the file is none.
    more_boxes=r"groundtruth_rect\.(\d+)\.txt",
    starts={"David": 300, "BlurCar1": 247, "BlurCar3": 3, "BlurCar4": 18},
    has_rest=True,
    first_pixel=1,
)
"""Wu et al., PAMI 2015; the sequences of DTB70 lie in the same way."""

TC128 = BoxLayout(
    name="TC128",
    expected="<sequence>/{img/0001.jpg, <sequence>_gt.txt, <sequence>_frames.txt}",
    parts={"all": "*"},
    images=("img",),
    boxes=("{name}_gt.txt",),
    range_file="{name}_frames.txt",
    has_rest=True,
    first_pixel=1,
)
"""Temple Color 128: Liang et al., TIP 2015."""

LASOT = BoxLayout(
    name="LaSOT",
    expected="<class>/<class>-<n>/{img/00000001.jpg, groundtruth.txt, full_occlusion.txt, "
    "out_of_view.txt}",
    parts={"all": "*/*-*"},
    images=("img",),
    frame="{:08d}.jpg",
    hidden=("full_occlusion.txt", "out_of_view.txt"),
    first_pixel=1,
)
"""Fan et al., CVPR 2019."""

TRACKINGNET = BoxLayout(
    name="TrackingNet",
    expected="TRAIN_<n>/{frames/<sequence>/0.jpg, anno/<sequence>.txt}",
    parts={"train": "TRAIN_*/frames/*", "test": "TEST/frames/*"},
    frame="{}.jpg",
    first=0,
    within=("frames/*",),
    truth="../../anno",
    boxes=("{name}.txt",),
)
"""Mueller et al., ECCV 2018."""

UAV123 = BoxLayout(
    name="UAV123",
    expected="{data_seq/UAV123/<sequence>/000001.jpg, anno/UAV123/<sequence>[_<n>].txt}",
    parts={"all": "data_seq/UAV123/*"},
    within=("data_seq/UAV123/*",),
    truth="../../../anno/UAV123",
    boxes=("{name}.txt",),
    more_boxes=r"{name}_(\d+)\.txt",
    names_targets=True,
    starts=_UAV_STARTS,
    starts_file="../../../configSeqs.m",
    has_rest=True,
    rates={"UAV123": 30},
)
"""Mueller et al., ECCV 2016. Several targets are windows of one folder of frames."""

UAV123_10FPS = BoxLayout(
    name="UAV123_10fps",
    expected="{data_seq/UAV123_10fps/<sequence>/000001.jpg, "
    "anno/UAV123_10fps/<sequence>[_<n>].txt}",
    parts={"all": "data_seq/UAV123_10fps/*"},
    within=("data_seq/UAV123_10fps/*",),
    truth="../../../anno/UAV123_10fps",
    boxes=("{name}.txt",),
    more_boxes=r"{name}_(\d+)\.txt",
    names_targets=True,
    starts={name: (start - 1) // _UAV_STEP + 1 for name, start in _UAV_STARTS.items()},
    starts_file="../../../configSeqs.m",
    has_rest=True,
    rates={"UAV123_10fps": 10},
)
"""The same at 10 frames a second."""

UAV20L = BoxLayout(
    name="UAV20L",
    expected="{data_seq/UAV123/<sequence>/000001.jpg, anno/UAV20L/<sequence>.txt}",
    parts={"all": "data_seq/UAV123/*"},
    within=("data_seq/UAV123/*",),
    truth="../../../anno/UAV20L",
    boxes=("{name}.txt",),
    has_rest=True,
    rates={"UAV123": 30},
)
"""The long sequences of UAV123, in the same folders of frames."""

NFS = BoxLayout(
    name="NfS",
    expected="<sequence>/{240,30}/{<sequence>/00001.jpg, <sequence>.txt}",
    parts={"240": "*/240/*", "30": "*/30/*"},
    within=("240/*", "30/*"),
    truth="..",
    boxes=("{name}.txt",),
    form="vatic",
    slack=1,
    rates={"240": 240, "30": 30},
)
"""Need for Speed: Galoogahi et al., ICCV 2017. At 30 frames a second, files of boxes may be
those of all 240."""

NFS_FLAT = BoxLayout(
    name="NfS",
    expected="{sequences/<sequence>/00001.jpg, anno/[nfs_]<sequence>.txt}",
    parts={"all": "sequences/*"},
    within=("sequences/*",),
    truth="../../anno",
    boxes=("nfs_{name}.txt", "{name}.txt"),
    slack=1,
)
"""The same as it is often passed on: x, y, w, h at 30 frames a second."""

GOT10K = BoxLayout(
    name="GOT-10k",
    expected="train/GOT-10k_Train_<n>/{00000001.jpg, groundtruth.txt, absence.label, cover.label}",
    parts={"train": "train/*", "val": "val/*", "test": "test/*"},
    frame="{:08d}.jpg",
    marks=("absence.label", "cover.label", "meta_info.ini"),
    hidden=("absence.label",),
    shown=("cover.label",),
    rate_file=("meta_info.ini", "anno_fps"),
)
"""Huang et al., PAMI 2019."""

VOT = BoxLayout(
    name="VOT",
    expected="<sequence>/{00000001.jpg or color/00000001.jpg, groundtruth.txt}",
    parts={"all": "*"},
    images=("color", "."),
)
"""VOT2013 to VOT2018, with rectangles or rotated boxes: Kristan et al., PAMI 2016."""

BOX_LAYOUTS: Mapping[str, BoxLayout] = {
    "otb": OTB,
    "tc128": TC128,
    "lasot": LASOT,
    "trackingnet": TRACKINGNET,
    "uav123": UAV123,
    "uav123-10fps": UAV123_10FPS,
    "uav20l": UAV20L,
    "nfs": NFS,
    "nfs-flat": NFS_FLAT,
    "got10k": GOT10K,
    "vot": VOT,
}
"""Kind of data set, as training configurations name it -> its layout. A folder of unknown kind has
the first layout that fits it."""


def find_layout(folder: Path) -> BoxLayout | None:
    """The layout that fits a folder of a sequence."""
    return next((layout for layout in BOX_LAYOUTS.values() if layout.fits(folder)), None)
