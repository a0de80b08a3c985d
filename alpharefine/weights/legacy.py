"""Reads the authors' `.pth.tar` files (torch.save, old stream or zip) without running any of it.

The old stream (PyTorch < 1.6) is: five pickles (magic number, protocol, system, the object, the
storage keys), then for every key an int64 element count and the raw elements. The zip holds the
object as `<folder>/data.pkl` and the storages as uncompressed entries `<folder>/data/<key>`.
Tensors are only named by the pickles, so every declared size is checked against the file before
anything is allocated, and only the network's own entries are ever read.
"""

import contextlib
import io
import mmap
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, Protocol, cast

import torch
from torch import Tensor

from alpharefine.errors import UsageError
from alpharefine.weights.files import file_type
from alpharefine.weights.pickle_stream import Inert, Named, PickleStream, StreamError, shown

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001
_MAX_DIMENSIONS = 8

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

_STORAGES = {
    f"torch.{device}{name}Storage": dtype
    for device in ("", "cuda.")
    for name, dtype in {
        "Double": torch.float64,
        "Float": torch.float32,
        "Half": torch.float16,
        "BFloat16": torch.bfloat16,
        "Long": torch.int64,
        "Int": torch.int32,
        "Short": torch.int16,
        "Char": torch.int8,
        "Byte": torch.uint8,
        "Bool": torch.bool,
    }.items()
}

# The authors' own classes (trainer settings, constructor, meters) and what else their trainer may
# store beside the network. All of them become inert.
_AUTHORS = re.compile(r"(ltr|dlframework)(\.\w+)+")
_INERT = frozenset(
    {
        "torch.device",
        "torch.Size",
        "torch.float32",
        "torch.int64",
        "numpy.dtype",
        "numpy.ndarray",
        *(
            f"numpy.{core}.multiarray.{name}"
            for core in ("core", "_core")
            for name in ("scalar", "_reconstruct")
        ),
        "_codecs.encode",
        "__builtin__.set",
        "builtins.set",
    }
)


@dataclass(frozen=True)
class Checkpoint:
    """The network of an official file.

    Attributes:
        path: the file it was read from.
        tensors: entry name -> contiguous tensor on the CPU, in the file's dtype.
        network: the trainer's name of the network ("DiMPnet", ...), None when not stored.
        epoch: last finished epoch, None when not stored.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    network: str | None
    epoch: int | None


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: torch.dtype
    numel: int

    @property
    def nbytes(self) -> int:
        return self.numel * self.dtype.itemsize


@dataclass(frozen=True)
class _View:
    """A tensor that is still in the file: a strided view of a storage."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        return prod(self.size) * self.storage.dtype.itemsize


class _Container(Protocol):
    """A file format: the object that it stores, and where the storages are."""

    root: object

    def read(self, storage: _Storage) -> bytes: ...


def find_checkpoint(source: Path) -> Path:
    """The file meant by `source`: itself, or of a folder the lexicographically last `*.pth.tar`.

    Source: the official loader's rule.

    Raises:
        UsageError: there is no such file.
    """
    if file_type(source) == "folder":
        files = sorted(p for p in source.glob("*.pth.tar") if p.is_file())
        if not files:
            raise UsageError(f"{source}: the folder holds no *.pth.tar file")
        return files[-1]
    if file_type(source) != "file":
        raise UsageError(f"{source}: no such file")
    return source


def read_checkpoint(source: Path) -> Checkpoint:
    """Read the network of an official checkpoint.

    Args:
        source: `.pth.tar` file (old stream or zip), or a folder, see `find_checkpoint`.

    Raises:
        UsageError: no such file; not a checkpoint; damaged or cut off; names a global that is not
            on the allow-list (the message says which); declares more data than the file holds.
    """
    path = find_checkpoint(source)
    try:
        with _open(path) as container:
            return _checkpoint(path, container)
    except StreamError as error:
        raise UsageError(f"{path}: {error}") from error
    except _CONTAINER_ERRORS as error:
        raise UsageError(f"{path}: cannot be read ({shown(error)})") from error


def _checkpoint(path: Path, container: _Container) -> Checkpoint:
    root = container.root
    net = root.get("net") if isinstance(root, dict) else None
    if not isinstance(root, dict) or not isinstance(net, dict) or not net:
        raise StreamError("holds no network (no entry 'net'): not a checkpoint of the authors")
    for name, value in net.items():
        if not isinstance(value, _View):
            raise StreamError(f"holds something other than a tensor as {shown(name)}")
    if sum(view.nbytes for view in net.values()) > path.stat().st_size:
        raise StreamError("declares more weights than the file holds")
    network, epoch = root.get("net_type"), root.get("epoch")
    return Checkpoint(
        path=path,
        tensors={name: _tensor(container, view) for name, view in net.items()},
        network=network if isinstance(network, str) else None,
        epoch=epoch if isinstance(epoch, int) else None,
    )


def _tensor(container: _Container, view: _View) -> Tensor:
    if prod(view.size) == 0:
        return torch.empty(view.size, dtype=view.storage.dtype)
    # A bytearray, because torch wants writable memory.
    data = torch.frombuffer(bytearray(container.read(view.storage)), dtype=view.storage.dtype)
    return data.as_strided(view.size, view.stride, view.offset).clone(
        memory_format=torch.contiguous_format
    )


class _StorageTable:
    """What the pickles of one file may name, and the storages that they do name."""

    def __init__(self, file_size: int) -> None:
        self._file_size = file_size
        self.storages: dict[str, _Storage] = {}
        self._functions: dict[str, Callable[..., object]] = {
            "collections.OrderedDict": _empty_mapping,
            "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
            "torch._utils._rebuild_tensor": _rebuild_tensor,
            "torch._utils._rebuild_parameter": lambda data, *_: data,
        }

    def stream(self, stream: IO[bytes]) -> PickleStream:
        return PickleStream(stream, self._is_allowed, self._functions, self._persistent)

    def _is_allowed(self, name: str) -> bool:
        return (
            name in self._functions
            or name in _STORAGES
            or name in _INERT
            or _AUTHORS.fullmatch(name) is not None
        )

    def _persistent(self, saved: object) -> object:
        match saved:
            case ("module", *_):
                return Inert()
            case ("storage", Named(name=name), str(key), _, int(numel), *view) if (
                name in _STORAGES and numel >= 0 and view in ([], [None])
            ):
                storage = _Storage(key, _STORAGES[name], numel)
            case _:
                raise StreamError("is damaged (a storage is not described as torch.save does)")
        if storage.nbytes > self._file_size:
            raise StreamError(
                f"declares a storage of {storage.nbytes} bytes, but has {self._file_size} in all"
            )
        if self.storages.setdefault(key, storage) != storage:
            raise StreamError("is damaged (describes one storage in two ways)")
        return storage


def _empty_mapping() -> dict[str, object]:
    return {}


def _rebuild_tensor(
    storage: object, offset: object, size: object, stride: object, *_: Any
) -> _View:
    if not (
        isinstance(storage, _Storage)
        and isinstance(size, tuple)
        and isinstance(stride, tuple)
        and len(size) == len(stride) <= _MAX_DIMENSIONS
        and all(isinstance(n, int) and n >= 0 for n in (offset, *size, *stride))
    ):
        raise StreamError("is damaged (a tensor is not described as torch.save does)")
    view = _View(storage, cast(int, offset), size, stride)
    last = view.offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if prod(size) and (last >= storage.numel or view.nbytes > storage.nbytes):
        raise StreamError("declares a tensor that reaches beyond its storage")
    return view


@contextlib.contextmanager
def _open(path: Path) -> Iterator[_Container]:
    with path.open("rb") as file:
        head = file.read(512)
        if not head:
            raise StreamError("is empty")
        _refuse_web_page(head)
        if head.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(file) as archive:
                yield _ZipContainer(archive, path.stat().st_size)
        else:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield _StreamContainer(data)


def _refuse_web_page(head: bytes) -> None:
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise StreamError("is a web page, not a checkpoint: download the file itself")


class _StreamContainer:
    """The old stream format."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        table = _StorageTable(len(data))
        stream = table.stream(cast(IO[bytes], data))
        if stream.read() != _MAGIC_NUMBER:
            raise StreamError("is a pickle, but not a file of torch.save")
        if stream.read() != _PROTOCOL_VERSION:
            raise StreamError("was written by an unknown version of torch.save")
        system = stream.read()
        if not isinstance(system, dict) or system.get("little_endian") is not True:
            raise StreamError("was written on a big-endian machine, which is not supported")
        self.root = stream.read()
        self._offsets = self._locate(stream.read(), table.storages)

    def _locate(self, keys: object, storages: Mapping[str, _Storage]) -> dict[str, int]:
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

    def read(self, storage: _Storage) -> bytes:
        if storage.key not in self._offsets:
            raise StreamError("is damaged (a storage is missing)")
        start = self._offsets[storage.key]
        return self._data[start : start + storage.nbytes]


class _ZipContainer:
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
        self.root = self._read_root(_StorageTable(file_size))

    def _read_root(self, table: _StorageTable) -> object:
        return table.stream(io.BytesIO(self._entry("data.pkl"))).read()

    def _entry(self, name: str) -> bytes:
        try:
            return self._archive.read(self._folder + name)
        except KeyError as error:
            raise StreamError(f"is damaged (entry {shown(name)} is missing)") from error

    def read(self, storage: _Storage) -> bytes:
        data = self._entry(f"data/{storage.key}")
        if len(data) != storage.nbytes:
            raise StreamError("is damaged (a storage has not its declared size)")
        return data
