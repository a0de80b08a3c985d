"""Our own weights files: safetensors that know which networks they are for.

A file holds the state dict of one network under its own names, or those of several with the
prefix "<network>/". Its metadata is one JSON text under the key "arvot":
{"parts": {network: {fact: text}}}. It is one text, because safetensors writes several metadata
entries in random order, and equal weights shall give equal files.
"""

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import safetensors
import safetensors.torch
from torch import Tensor

from alpharefine.errors import UsageError
from alpharefine.nets.registry import NETWORKS
from alpharefine.nets.spec import SUFFIX, rename_entry
from alpharefine.weights.mistaken_files import describe_mistaken
from alpharefine.weights.pickle_stream import shown

_METADATA_KEY = "arvot"


@dataclass(frozen=True)
class WeightsFile:
    """A weights file without its tensors.

    Attributes:
        path: where it is.
        parts: network -> what is known about these weights (fact -> text).
    """

    path: Path
    parts: Mapping[str, Mapping[str, str]]

    def read(self, network: str) -> dict[str, Tensor]:
        """Entries of one part, on the CPU, under their networks' present names.

        Raises:
            UsageError: the file has no such part or is damaged.
        """
        if network not in self.parts:
            raise UsageError(f"{self.path}: holds {', '.join(self.parts)}, not {network}")
        prefix = _prefix(network, self.parts)
        with _opened(self.path) as file:
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
            entries = {name.removeprefix(prefix): file.get_tensor(name) for name in names}
        renames = NETWORKS[network].config.renames if network in NETWORKS else {}
        return {rename_entry(name, renames): tensor for name, tensor in entries.items()}


def file_type(path: Path) -> Literal["file", "folder"] | None:
    """What is at a path; None for nothing, other things, and what cannot be a path."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else None


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error


def open_weights(path: Path) -> WeightsFile:
    """Look into a weights file.

    Raises:
        UsageError: no such file; not safetensors; not one of ours.
    """
    if file_type(path) != "file":
        raise UsageError(f"{path}: no such file")
    mistaken = _mistaken(path)
    if path.suffix != SUFFIX and mistaken is not None:
        raise UsageError(f"{path} {mistaken}")
    if path.suffix != SUFFIX:
        raise UsageError(
            f"{path}: not a {SUFFIX} file; `arvot weights convert` makes one of an official file"
        )
    with _opened(path) as file:
        metadata = file.metadata() or {}
    return WeightsFile(path, _parse_parts(path, metadata.get(_METADATA_KEY, "")))


def write_weights(
    destination: Path,
    parts: Mapping[str, Mapping[str, Tensor]],
    facts: Mapping[str, Mapping[str, str]],
) -> str:
    """Write a weights file in one step: the old file or the new one, never a part of it.

    Args:
        destination: path ending in ".safetensors" in an existing folder; replaced if it exists.
        parts: network -> state dict.
        facts: network -> what to remember about these weights (fact -> text).

    Returns:
        SHA-256 of the file. Equal arguments give equal files.

    Raises:
        UsageError: it cannot be written.
    """
    if destination.suffix != SUFFIX:
        raise UsageError(f"{destination}: the name must end in {SUFFIX}")
    tensors = {
        _prefix(network, parts) + name: tensor.detach().cpu().contiguous()
        for network, entries in parts.items()
        for name, tensor in entries.items()
    }
    text = json.dumps({"parts": {network: dict(facts.get(network, {})) for network in parts}})
    try:
        with replacing(destination) as partial:
            partial.write_bytes(safetensors.torch.save(tensors, {_METADATA_KEY: text}))
            return file_sha256(partial)
    except (OSError, safetensors.SafetensorError) as error:
        raise UsageError(f"{destination}: cannot be written ({shown(error)})") from error


def merge_weights(sources: Sequence[Path], destination: Path) -> str:
    """Put the networks of several weights files into one.

    Returns:
        SHA-256 of the new file.

    Raises:
        UsageError: a source is not a weights file, two hold the same network, or the
            destination cannot be written.
    """
    parts: dict[str, dict[str, Tensor]] = {}
    facts: dict[str, Mapping[str, str]] = {}
    for file in map(open_weights, sources):
        for network, known in file.parts.items():
            if network in parts:
                raise UsageError(f"{file.path}: another of the files holds {network} already")
            parts[network], facts[network] = file.read(network), known
    return write_weights(destination, parts, facts)


def _prefix(network: str, parts: Mapping[str, object]) -> str:
    return "" if len(parts) == 1 else f"{network}/"


@contextmanager
def replacing(destination: Path) -> Iterator[Path]:
    """A path beside a file to write; the file takes its name when nothing has failed."""
    partial = destination.with_name(f".{destination.name}.{secrets.token_hex(4)}.partial")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(destination)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            yield file
    except (OSError, safetensors.SafetensorError) as error:
        mistaken = _mistaken(path)
        reason = f"({shown(error)})" if mistaken is None else f"- it {mistaken}"
        raise UsageError(f"{path}: not a readable safetensors file {reason}") from error


def _mistaken(path: Path) -> str | None:
    try:
        return describe_mistaken(path)
    except OSError:
        return None


def _parse_parts(path: Path, text: str) -> dict[str, dict[str, str]]:
    try:
        parts = json.loads(text)["parts"]
        if parts:
            return {
                str(network): {str(fact): str(value) for fact, value in known.items()}
                for network, known in parts.items()
            }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise UsageError(f"{path}: does not say which network it is for: not written by this package")
