"""Video object segmentation: YouTube-VOS and DAVIS."""

import json
from pathlib import Path

import numpy as np

from alpharefine.data.folders import VIDEO_OBJECTS
from alpharefine.data.images import FrameError, FrameFiles, SkipCounter, layout_error, list_images
from alpharefine.data.label_maps import MaskTrack, ObjectFilter, scan_tracks
from alpharefine.data.mask_pictures import ObjectChoice
from alpharefine.data.source import FrameSequence, SequenceSource
from alpharefine.data.text import NAME_COMMENTS, read_lines

_YOUTUBE = "<split>/{meta.json, JPEGImages/<video>/00000.jpg, Annotations/<video>/00000.png}"
_DAVIS = (
    "ImageSets/<listing>.txt, JPEGImages/<resolution>/<video>/00000.jpg and "
    "Annotations/<resolution>/<video>/00000.png"
)


def read_youtube_vos(root: Path, split: str = "train") -> SequenceSource:
    """Every object of every video, in the frames that `meta.json` lists for it.

    Args:
        root: the data set's folder.
        split: "train"; the others come without masks.

    Raises:
        UsageError: another layout.
    """
    base = root / split
    try:
        videos = json.loads((base / "meta.json").read_bytes())["videos"]
        objects = [
            (video, int(label), [str(stem) for stem in item["frames"]])
            for video, content in sorted(videos.items())
            for label, item in sorted(content["objects"].items())
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"no readable {split}/meta.json"
        raise layout_error(root, problem, "YouTube-VOS", _YOUTUBE) from error
    skips = SkipCounter("YouTube-VOS")
    sequences = []
    for video, label, stems in objects:
        frames = FrameFiles(base / "JPEGImages" / video, tuple(f"{s}.jpg" for s in stems))
        masks = FrameFiles(base / "Annotations" / video, tuple(f"{s}.png" for s in stems))
        if not stems or not frames[0].is_file() or not masks[0].is_file():
            skips.add(f"{frames.folder}: object {label} has no frame or mask")
            continue
        track = MaskTrack(masks, ObjectChoice(label), np.ones(len(stems), dtype=np.bool_))
        sequences.append(FrameSequence(video, frames, track))
    skips.report(len(sequences))
    if not sequences:
        raise layout_error(root, "no usable object", "YouTube-VOS", _YOUTUBE)
    return SequenceSource("YouTube-VOS", sequences)


def read_davis(
    root: Path,
    listing: str = "2017/train",
    resolution: str = "480p",
    objects: ObjectFilter = VIDEO_OBJECTS,
) -> SequenceSource:
    """Every object of the listed videos; all their masks are read once to see where it is.

    Args:
        root: the data set's folder.
        listing: file below `ImageSets`, without ".txt": "2017/train", "2016/train", or
            "480p/train" of the DAVIS-2016 release, which names files in place of videos.
        resolution: folder of the pictures, "480p" or "Full-Resolution".
        objects: in which frames an object counts as visible.

    Raises:
        UsageError: another layout.
    """
    try:
        listed = read_lines(root / "ImageSets" / f"{listing}.txt", NAME_COMMENTS)
    except FrameError as error:
        raise layout_error(root, f"no ImageSets/{listing}.txt", "DAVIS", _DAVIS) from error
    skips = SkipCounter("DAVIS")
    sequences: list[FrameSequence] = []
    for video in dict.fromkeys(_video_name(line) for _, line in listed if line):
        images = root / "JPEGImages" / resolution / video
        masks = root / "Annotations" / resolution / video
        if not images.is_dir() or not masks.is_dir():
            skips.add(f"{images}: no frames, or no masks in {masks}")
            continue
        stems = [p.stem for p in list_images(images) if (masks / f"{p.stem}.png").is_file()]
        frames = FrameFiles(images, tuple(f"{s}.jpg" for s in stems))
        files = FrameFiles(masks, tuple(f"{s}.png" for s in stems))
        tracks = scan_tracks(files, len(stems), objects, skips)
        sequences += [FrameSequence(video, frames, track) for track in tracks]
    skips.report(len(sequences))
    if not sequences:
        raise layout_error(root, "no usable object", "DAVIS", _DAVIS)
    return SequenceSource("DAVIS", sequences)


def _video_name(line: str) -> str:
    """Video of a line: its name, or files like /JPEGImages/480p/<video>/00000.jpg."""
    first = line.split()[0]
    return Path(first).parent.name if "/" in first else first
