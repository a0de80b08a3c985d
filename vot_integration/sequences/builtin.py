"""The built-in test sequences: rendered on demand, the same on every machine, in VOT format."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alpharefine.errors import UsageError
from vot_integration.sequences.folder import LIST_FILE, read_list, write_list
from vot_integration.sequences.writer import write_sequence_folder
from vot_integration.toolkit.files import read_properties

if TYPE_CHECKING:
    from rendering.renderer import RenderedFrame

RENDERING = 1
"""Version of the pictures; raised by whoever changes a pixel, so that old folders are replaced."""

BUILTIN_NAMES = ("beetle", "kite", "ball", "tractor", "fish", "bird")
"""Names of the built-in sequences, in the order in which they are listed: the keys of
`rendering.scenes.SCENES`, which is imported only where something is rendered."""

LENGTH = 130
"""Frames of each of them."""

_FPS = 30
_MIN_FRAMES = 2

_log = logging.getLogger(__name__)


def render_sequence(name: str, frames: int | None = None) -> "Iterator[RenderedFrame]":
    """Render a built-in sequence.

    Args:
        name: one of BUILTIN_NAMES.
        frames: how many frames, from the first; None for all 130.

    Returns:
        The frames: image 360 x 640 x 3 uint8 RGB, mask 360 x 640 uint8 {0, 1} of the visible part
        of the target, and how much of it is visible.

    Raises:
        UsageError: there is no such sequence, or `frames` is not 2..130.
    """
    from rendering.renderer import Renderer
    from rendering.scenes import SCENES

    _check_request([name], frames)
    renderer = Renderer(SCENES[name])
    return (renderer.frame(index) for index in range(frames or LENGTH))


def write_builtin_sequences(
    folder: Path, names: Sequence[str] | None = None, frames: int | None = None
) -> list[Path]:
    """Write built-in sequences as a folder that the toolkit and `arvot run --sequences` take.

    Each sequence appears whole or not at all, and list.txt is there only while all that it names
    is. A sequence that is there already, of the same version and length, is kept.

    Args:
        folder: made if need be; may hold other files, but no other sequences.
        names: which sequences, in the order of the list; None for all.
        frames: how many frames of each, from the first; None for all 130.

    Returns:
        The folders of the sequences.

    Raises:
        UsageError: there is no such sequence, `frames` is not 2..130, or `folder` holds sequences
            that are not built in.
    """
    names = list(dict.fromkeys(BUILTIN_NAMES if names is None else names))
    _check_request(names, frames)
    paths = [folder / name for name in names]
    _check_folder(folder, paths)
    length = frames or LENGTH
    stale = [path for path in paths if not _is_current(path, length)]
    if stale or _listed(folder) != paths:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LIST_FILE).unlink(missing_ok=True)
        for path in stale:
            _log.info("rendering %s (%d frames)", path.name, length)
            stamp = {"rendering": str(RENDERING)}
            write_sequence_folder(
                path, render_sequence(path.name, length), fps=_FPS, properties=stamp
            )
        write_list(folder, names)
    return paths


def _check_request(names: Sequence[str], frames: int | None) -> None:
    unknown = [name for name in names if name not in BUILTIN_NAMES]
    if unknown or not names:
        raise UsageError(
            f"there is no built-in sequence {', '.join(map(repr, unknown)) or 'in an empty list'}; "
            f"choose among {', '.join(BUILTIN_NAMES)}"
        )
    if frames is not None and not _MIN_FRAMES <= frames <= LENGTH:
        raise UsageError(f"frames={frames}: built-in sequences have {_MIN_FRAMES} to {LENGTH}")


def _check_folder(folder: Path, paths: Sequence[Path]) -> None:
    """Refuse to overwrite a list or a sequence that was not written here."""
    foreign = [path for path in _listed(folder) if path.name not in BUILTIN_NAMES]
    foreign += [path for path in paths if path.exists() and not _stamp(path)]
    if foreign:
        raise UsageError(
            f"{folder} holds sequences that are not built in ({foreign[0].name}): "
            "choose another folder"
        )


def _listed(folder: Path) -> list[Path]:
    return read_list(folder) if (folder / LIST_FILE).is_file() else []


def _stamp(path: Path) -> dict[str, str]:
    """Version and length of a sequence that was written here; empty if it was not."""
    properties = read_properties(path / "sequence")
    return {key: properties[key] for key in ("rendering", "length") if "rendering" in properties}


def _is_current(path: Path, length: int) -> bool:
    return _stamp(path) == {"rendering": str(RENDERING), "length": str(length)}
