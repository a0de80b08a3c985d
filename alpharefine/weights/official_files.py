"""Reads the authors' `.pth.tar` files (torch.save, old stream or zip) without running any of it.

Tensors are only named by the pickles, so every declared size is checked against the file before
anything is allocated, and only the network's own entries are ever read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import torch
from torch import Tensor

from alpharefine.errors import UsageError
from alpharefine.nets.spec import OfficialFile
from alpharefine.weights.files import file_type
from alpharefine.weights.pickle_stream import StreamError, shown
from alpharefine.weights.torch_files import TorchFile, open_torch_file
from alpharefine.weights.torch_objects import View

_MAX_EPOCH = 1_000_000
_USUAL = OfficialFile()


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
        raise UsageError(
            f"there is no file {source}: give a .pth.tar file, or a folder that holds one; "
            "`arvot weights list` says where they are from"
        )
    return source


def read_checkpoint(source: Path, layout: OfficialFile = _USUAL) -> Checkpoint:
    """Read the network of an official checkpoint.

    Args:
        source: `.pth.tar` file (old stream or zip), or a folder, see `find_checkpoint`.
        layout: where the network lies in it.

    Raises:
        UsageError: no such file; not a checkpoint; damaged or cut off; names a global that is not
            on the allow-list (the message says which); declares more data than the file holds.
    """
    path = find_checkpoint(source)
    try:
        with open_torch_file(path) as file:
            return _checkpoint(path, file, layout)
    except StreamError as error:
        raise UsageError(f"{path} {error}") from error


def _checkpoint(path: Path, file: TorchFile, layout: OfficialFile) -> Checkpoint:
    root = file.root if isinstance(file.root, dict) else {}
    net = _network_views(root, layout)
    if sum(view.nbytes for view in net.values()) > path.stat().st_size:
        raise StreamError("declares more weights than the file holds")
    network, epoch = root.get("net_type"), root.get("epoch")
    return Checkpoint(
        path=path,
        tensors=_tensors(file, net),
        network=shown(network) if isinstance(network, str) else None,
        epoch=epoch if isinstance(epoch, int) and 0 <= epoch <= _MAX_EPOCH else None,
    )


def _network_views(root: Mapping[str, object], layout: OfficialFile) -> dict[str, View]:
    """The network's entries, where the layout says that they may be."""
    places = (root if key == "" else root.get(key) for key in layout.keys)
    net = next((place for place in places if isinstance(place, Mapping) and place), None)
    if net is None:
        wanted = " or ".join(repr(key) for key in layout.keys if key) or "of a tensor"
        raise StreamError(f"holds no network (no entry {wanted}): not a checkpoint of the authors")
    views = {}
    for name, value in net.items():
        if not isinstance(value, View):
            raise StreamError(f"holds something other than a tensor as {shown(name)}")
        views[str(name)] = value
    for prefix in layout.dropped:
        if all(name.startswith(prefix) for name in views):
            return {name.removeprefix(prefix): view for name, view in views.items()}
    return views


def _tensors(file: TorchFile, views: Mapping[str, View]) -> dict[str, Tensor]:
    """All tensors, in the order of `views`. Each storage is read once, and one at a time."""
    tensors: dict[str, Tensor] = {}
    by_storage = sorted(views, key=lambda name: views[name].storage.key)
    for _, names in groupby(by_storage, key=lambda name: views[name].storage.key):
        group = list(names)
        storage = views[group[0]].storage
        # torch wants writable memory, and some.
        data = bytearray(file.read(storage)) or bytearray(storage.dtype.itemsize)
        numbers = torch.frombuffer(data, dtype=storage.dtype)
        tensors.update((name, _copy(numbers, views[name])) for name in group)
    return {name: tensors[name] for name in views}


def _copy(numbers: Tensor, view: View) -> Tensor:
    if 0 in view.size:
        return numbers.new_empty(view.size)
    strided = numbers.as_strided(view.size, view.stride, view.offset)
    return strided.clone(memory_format=torch.contiguous_format)
