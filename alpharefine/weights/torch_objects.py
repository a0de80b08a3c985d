"""What the pickles of a torch.save file may name: tensors, described but not yet read.

Every size is checked where it is declared, so that nothing is allocated for a false one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import IO, Any, cast

import torch

from alpharefine.weights.pickle_stream import Inert, Named, PickleStream, StreamError

_MAX_DIMENSIONS = 8

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
class Storage:
    """A block of numbers in the file.

    Attributes:
        key: its name in the file.
        dtype: type of the numbers.
        numel: how many.
    """

    key: str
    dtype: torch.dtype
    numel: int

    @property
    def nbytes(self) -> int:
        """Size in the file."""
        return self.numel * self.dtype.itemsize


@dataclass(frozen=True)
class View:
    """A tensor that is still in the file: a strided view of a storage, wholly inside it.

    Attributes:
        storage: where its numbers are.
        offset: first number.
        size: shape.
        stride: numbers from one index to the next, for each dimension.
    """

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Size once it is read."""
        return prod(self.size) * self.storage.dtype.itemsize


class StorageTable:
    """What the pickles of one file may name, and the storages that they do name.

    Args:
        file_size: size of the file, bytes; no storage may be larger.

    Attributes:
        storages: key -> storage, filled while a stream is read.
    """

    def __init__(self, file_size: int) -> None:
        self._file_size = file_size
        self.storages: dict[str, Storage] = {}
        self._functions: dict[str, Callable[..., object]] = {
            "collections.OrderedDict": _empty_mapping,
            "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
            "torch._utils._rebuild_tensor": _rebuild_tensor,
            "torch._utils._rebuild_parameter": lambda data, *_: data,
        }

    def stream(self, stream: IO[bytes]) -> PickleStream:
        """A reader of pickles that name storages of this table."""
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
                storage = Storage(key, _STORAGES[name], numel)
            case _:
                raise StreamError("is damaged (a storage is not described as torch.save does)")
        if storage.nbytes > self._file_size:
            raise StreamError(
                "declares a storage that is larger than the whole file, which is cut off or damaged"
            )
        if self.storages.setdefault(key, storage) != storage:
            raise StreamError("is damaged (describes one storage in two ways)")
        return storage


def _empty_mapping() -> dict[str, object]:
    return {}


def _rebuild_tensor(storage: object, offset: object, size: object, stride: object, *_: Any) -> View:
    if not (
        isinstance(storage, Storage)
        and isinstance(size, tuple)
        and isinstance(stride, tuple)
        and len(size) == len(stride) <= _MAX_DIMENSIONS
        and all(isinstance(n, int) and n >= 0 for n in (offset, *size, *stride))
    ):
        raise StreamError("is damaged (a tensor is not described as torch.save does)")
    view = View(storage, cast(int, offset), size, stride)
    last = view.offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if prod(size) and (last >= storage.numel or view.nbytes > storage.nbytes):
        raise StreamError("declares a tensor that reaches beyond its storage")
    return view
