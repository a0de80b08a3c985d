"""The two formats of torch.save: where the pickles and the storages are in the file.

The old stream (PyTorch < 1.6) is: five pickles (magic number, protocol, system, the object, the
storage keys), then for every key an int64 element count and the raw elements. The zip holds the
object as `<folder>/data.pkl` and the storages as uncompressed entries `<folder>/data/<key>`.
"""

import contextlib
import io
import mmap
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Protocol, cast

from alpharefine.weights.mistaken_files import describe_mistaken
from alpharefine.weights.pickle_stream import PickleStream, RefusedNameError, StreamError, shown
from alpharefine.weights.torch_objects import Storage, StorageTable

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001
_ZIP_BEGIN = b"PK\x03\x04"

# What the zip reader raises on damaged, encrypted and exotic archives.
_CONTAINER_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    OverflowError,
    EOFError,
    LookupError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
)


class TorchFile(Protocol):
    """An open file of torch.save.

    Attributes:
        root: the object that it stores; tensors in it are `View`s.
    """

    root: object

    def read(self, storage: Storage) -> bytes:
        """The raw numbers of a storage."""
        ...


@contextlib.contextmanager
def open_torch_file(path: Path) -> Iterator[TorchFile]:
    """Open a file of torch.save, of either format.

    Raises:
        StreamError: it is damaged, cut off, not of torch.save, or names what is not allowed; also
            raised while it is open.
    """
    try:
        with _opened(path) as file:
            yield file
    except StreamError:
        raise
    except _CONTAINER_ERRORS as error:
        raise StreamError(f"cannot be read ({shown(error)})") from error


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[TorchFile]:
    mistaken = describe_mistaken(path, is_pickle=True)
    if mistaken is not None:
        raise StreamError(mistaken)
    with path.open("rb") as file:
        head = file.read(len(_ZIP_BEGIN))
        if head == _ZIP_BEGIN:
            with zipfile.ZipFile(file) as archive:
                yield _ZipFile(archive, path.stat().st_size)
        else:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield _StreamFile(data, path)


def _first(stream: PickleStream, path: Path) -> object:
    """The first pickle: whatever else is taken for a checkpoint ends here."""
    try:
        return stream.read()
    except RefusedNameError:
        raise
    except StreamError as error:
        mistaken = describe_mistaken(path)
        reason = f"it {mistaken}" if mistaken else "download the .pth.tar file itself again"
        raise StreamError(f"is no PyTorch checkpoint, or is damaged: {reason}") from error


class _StreamFile:
    """The old stream format."""

    def __init__(self, data: mmap.mmap, path: Path) -> None:
        self._data = data
        table = StorageTable(len(data))
        stream = table.stream(cast(IO[bytes], data))
        if _first(stream, path) != _MAGIC_NUMBER:
            raise StreamError("is a pickle, but not a file of torch.save")
        if stream.read() != _PROTOCOL_VERSION:
            raise StreamError("was written by an unknown version of torch.save")
        system = stream.read()
        if not isinstance(system, dict) or system.get("little_endian") is not True:
            raise StreamError("was written on a big-endian machine, which is not supported")
        self.root = stream.read()
        self._offsets = self._locate(stream.read(), table.storages)

    def _locate(self, keys: object, storages: Mapping[str, Storage]) -> dict[str, int]:
        if not isinstance(keys, list):
            raise StreamError("is damaged (no list of storages)")
        offsets: dict[str, int] = {}
        position = self._data.tell()
        for key in keys:
            storage = storages.get(key) if isinstance(key, str) else None
            count = self._data[position : position + 8]
            if storage is None or (
                len(count) == 8 and struct.unpack("<q", count)[0] != storage.numel
            ):
                raise StreamError("is damaged (the list of storages does not fit)")
            offsets[storage.key] = position + 8
            position += 8 + storage.nbytes
            if position > len(self._data):
                raise StreamError(f"is cut off: {position - len(self._data)} bytes or more missing")
        return offsets

    def read(self, storage: Storage) -> bytes:
        if storage.key not in self._offsets:
            raise StreamError("is damaged (a storage is missing)")
        start = self._offsets[storage.key]
        return self._data[start : start + storage.nbytes]


class _ZipFile:
    """The zip format."""

    def __init__(self, archive: zipfile.ZipFile, file_size: int) -> None:
        self._archive = archive
        entries = archive.infolist()
        # torch.save stores; an archive that holds more than its own size is a bomb.
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise StreamError("is a compressed zip, which torch.save does not write")
        if sum(entry.file_size for entry in entries) > file_size:
            raise StreamError("declares more data than the file holds (zip bomb)")
        names = {entry.filename for entry in entries}
        roots = sorted(name for name in names if re.fullmatch(r"[^/]*/data\.pkl", name))
        if len(roots) != 1 or len(names) != len(entries):
            raise StreamError("is a zip, but not a file of torch.save")
        self._folder = roots[0].removesuffix("data.pkl")
        if f"{self._folder}byteorder" in names and self._entry("byteorder") != b"little":
            raise StreamError("was written on a big-endian machine, which is not supported")
        self.root = self._read_root(StorageTable(file_size))

    def _read_root(self, table: StorageTable) -> object:
        return table.stream(io.BytesIO(self._entry("data.pkl"))).read()

    def _entry(self, name: str) -> bytes:
        try:
            return self._archive.read(self._folder + name)
        except KeyError as error:
            raise StreamError(f"is damaged (entry {shown(name)} is missing)") from error

    def read(self, storage: Storage) -> bytes:
        data = self._entry(f"data/{storage.key}")
        if len(data) != storage.nbytes:
            raise StreamError("is damaged (a storage has not its declared size)")
        return data
