"""What a file is that was taken for weights: a download that broke off, an archive, a web page."""

import json
import struct
import zipfile
from pathlib import Path

from alpharefine.weights.pickle_stream import shown

_HEAD = 512
_SHOWN = 40
_ZIP = b"PK\x03\x04"
_TAR_MARK = slice(257, 262)

_ARCHIVES = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!", "RAR"),
)
"""How the formats of archives begin."""

_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"\x89HDF", "an HDF5 file"),
    (b"MATLAB", "a MATLAB file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x93NUMPY", "an array of NumPy"),
)
_WEB_PAGE = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<!--")
_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp", ".aria2")
_AGAIN = "download it again"


def describe_mistaken(path: Path, *, is_pickle: bool = False) -> str | None:
    """What a file is that cannot be weights, and what to do; None where it may be some.

    Args:
        path: a file that can be read.
        is_pickle: whether it may be a pickle: those of the oldest kind are text.

    Returns:
        The end of a sentence that begins with the file, such as "is cut off: download it again".

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        return "is empty"
    if path.suffix in _UNFINISHED:
        return "is a download that has not ended, by its name: wait for its end, or start it again"
    if not any(head):
        return f"begins with zeros alone, so its download has not ended: {_AGAIN}"
    if head.startswith(_ZIP):
        return _describe_zip(path, size)
    for magic, name in _ARCHIVES:
        if head.startswith(magic):
            return f"is an archive ({name}): unpack it, and give the file in it"
    if head[_TAR_MARK] == b"ustar":
        return "is an archive (tar): unpack it, and give the file in it"
    for magic, name in _OTHERS:
        if head.startswith(magic):
            return f"is {name}, not weights"
    return _describe_text(head, is_pickle) or _describe_cut(path, size, head)


def _describe_zip(path: Path, size: int) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except zipfile.BadZipFile:
        return f"is cut off: a zip without an end, {size} bytes are there: {_AGAIN}"
    except (OSError, ValueError, RuntimeError, LookupError, NotImplementedError, struct.error):
        # Exotic or hostile: its reader says why it is refused.
        return None
    if not names or any(name.split("/")[-1] == "data.pkl" for name in names):
        return None
    packed = next((name for name in names if Path(name).suffix in _PACKED), names[0])
    return f"is a zip archive with {shown(packed)} in it: unpack it, and give that file"


_PACKED = (".tar", ".pth", ".pt", ".safetensors", ".ckpt")


def _describe_text(head: bytes, is_pickle: bool) -> str | None:
    try:
        # The last character may be cut in the middle.
        text = head.decode("utf-8", "strict" if len(head) < _HEAD else "ignore").lstrip("\ufeff")
    except UnicodeDecodeError:
        return None
    if not all(character.isprintable() or character.isspace() for character in text):
        return None
    if text.lstrip().lower().encode().startswith(_WEB_PAGE):
        return "is a web page, not a checkpoint: download the file itself"
    if text.startswith("version https://git-lfs"):
        return (
            "stands for a file of Git LFS that was not fetched: run `git lfs pull` where it is from"
        )
    if is_pickle:
        return None
    begin = " ".join(text.split())
    end = "..." if len(begin) > _SHOWN else ""
    return f"is a text file, which begins with {begin[:_SHOWN] + end!r}: give the file of weights"


def _describe_cut(path: Path, size: int, head: bytes) -> str | None:
    """Whether a safetensors file ends before its header says."""
    if path.suffix != ".safetensors" or len(head) < 8:
        return None
    (length,) = struct.unpack("<Q", head[:8])
    if head[8:9] != b"{":
        return "is no safetensors file, or is damaged: give the file of weights, or " + _AGAIN
    wanted = 8 + length
    if wanted <= size:
        with path.open("rb") as file:
            file.seek(8)
            wanted += _data_length(file.read(length))
    if wanted > size:
        return f"is cut off: {size} of {wanted} bytes are there: {_AGAIN}"
    return None


def _data_length(header: bytes) -> int:
    try:
        entries = [entry for name, entry in json.loads(header).items() if name != "__metadata__"]
        return max((int(entry["data_offsets"][1]) for entry in entries), default=0)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return 0
