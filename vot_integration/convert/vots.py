"""Sequences in VOT format with ground truth of several objects, as VOTS has them."""

from collections.abc import Iterator
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.convert.source import ConvertOptions, SourceSequence
from vot_integration.sequences.channels import find_frames
from vot_integration.sequences.folder import followed_objects, read_properties_file
from vot_integration.toolkit.files import read_regions


def read_objects(folder: Path, options: ConvertOptions, name: str) -> Iterator[SourceSequence]:
    """A sequence for each object.

    Args:
        folder: of the sequence.
        options: may choose an object by its number.
        name: of the sequence, which those of the objects are made of.

    Raises:
        UsageError: frames are missing, a file cannot be read, or there is not a region a frame.
    """
    properties = read_properties_file(folder)
    frames = find_frames(folder, properties)
    rate = properties.get("fps", "")
    fps = float(rate) if rate.isdecimal() else None
    objects = followed_objects(folder)
    if options.label is not None:
        objects = {key: file for key, file in objects.items() if key == str(options.label)}
        if not objects:
            known = ", ".join(followed_objects(folder))
            raise UsageError(f"object {options.label} is not in {folder}; there are {known}")
    for key, file in objects.items():
        regions = read_regions(file)
        if len(regions) != len(frames):
            raise UsageError(f"{file} has {len(regions)} regions for {len(frames)} frames")
        yield SourceSequence(
            f"{name}_{key}", len(frames), regions.__getitem__, len(frames), frames, fps=fps
        )
