"""Official files become ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from alpharefine import __version__
from alpharefine.errors import UsageError
from alpharefine.nets.registry import NETWORKS, expected_entries
from alpharefine.nets.spec import SUFFIX, NetworkSpec, OfficialFile, official_name
from alpharefine.weights.entries import check_entries, check_finite
from alpharefine.weights.files import file_sha256, write_weights
from alpharefine.weights.official_files import find_checkpoint, read_checkpoint

_COUNTER = ".num_batches_tracked"

OFFICIAL: Mapping[str, NetworkSpec] = {
    name: spec for name, spec in NETWORKS.items() if spec.official is not None
}
"""Name -> network of which the authors publish a file."""


@dataclass(frozen=True)
class ConvertedWeights:
    """What a conversion wrote.

    Attributes:
        name: network that the weights are for.
        sha256: of the new file.
        source_sha256: of the official file.
        entries: number of tensors written.
        path: the new file.
        source: the official file.
    """

    name: str
    sha256: str
    source_sha256: str
    entries: int
    path: Path
    source: Path


def convert(source: Path, network: str, destination: Path) -> ConvertedWeights:
    """Write the network of an official file as safetensors, after checking it entry by entry.

    Entries of stages that nothing reads are left out; missing BatchNorm counters become 0.

    Args:
        source: `.pth.tar` file, or a folder: the lexicographically last one in it.
        network: which network it is, a key of `OFFICIAL`.
        destination: file to write, ends in ".safetensors".

    Raises:
        UsageError: unknown network; unreadable or refused file (`read_checkpoint`); weights of
            another network; the file cannot be written. Nothing is written then.
    """
    if network not in OFFICIAL:
        raise UsageError(
            f"there are no official weights for '{network}': choose {', '.join(OFFICIAL)}"
        )
    source = find_checkpoint(source)
    if source.suffix == SUFFIX:
        raise UsageError(
            f"{source} is converted already: if it holds {network}, `arvot weights fetch {network} "
            f"--from {source}` puts it where trackers find it"
        )
    checkpoint = read_checkpoint(source, _layout(OFFICIAL[network]))
    entries = _fit(checkpoint.tensors, OFFICIAL[network], source)
    source_sha256 = file_sha256(source)
    facts = {
        "source": source.name,
        "source_sha256": source_sha256,
        "source_network": checkpoint.network or "not stated",
        "source_epoch": "not stated" if checkpoint.epoch is None else str(checkpoint.epoch),
        "converter": f"arvot {__version__}",
        "license": OFFICIAL[network].weights[0].license,
    }
    sha256 = write_weights(destination, {network: entries}, {network: facts})
    return ConvertedWeights(network, sha256, source_sha256, len(entries), destination, source)


def _layout(spec: NetworkSpec) -> OfficialFile:
    assert spec.official is not None
    return spec.official


def _fit(tensors: Mapping[str, Tensor], spec: NetworkSpec, source: Path) -> dict[str, Tensor]:
    """The entries that our network has, under its names; compared by the names of the file."""
    ours = expected_entries(spec.name)
    today = {official_name(name, spec.config.renames): name for name in ours}
    expected = {name: ours[renamed] for name, renamed in today.items()}
    unread = _layout(spec).unread
    found = {
        name: tensor
        for name, tensor in tensors.items()
        if name in expected or not name.startswith(unread)
    }
    for name, tensor in expected.items():
        if name.endswith(_COUNTER):
            found.setdefault(name, torch.zeros(tensor.shape, dtype=tensor.dtype))
    check_entries(found, expected, source, spec.name)
    check_finite(found, source)
    return {today[name]: found[name].to(tensor.dtype) for name, tensor in expected.items()}
