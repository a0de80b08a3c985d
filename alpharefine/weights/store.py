"""From what the user asks for to weights in a network."""

import hashlib
import logging
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pooch
import torch
from filelock import FileLock
from torch import Tensor, nn

from alpharefine.errors import UsageError
from alpharefine.nets.registry import WEIGHTS, build_network, find_network
from alpharefine.nets.spec import SUFFIX, WeightsSpec
from alpharefine.weights.download import Progress, ResumingDownload
from alpharefine.weights.entries import check_entries, check_finite
from alpharefine.weights.files import file_sha256, file_type, open_weights
from alpharefine.weights.pickle_stream import shown

RANDOM = "random"
BUNDLED = Path(__file__).parent / "bundled"
"""Weights that are shipped with the package."""

_MAX_SEED = 2**63 - 1
_HOW = f"give a registered name, a {SUFFIX} file, a folder of them, or {RANDOM}[:SEED]"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WeightsChoice:
    """Weights for one network.

    Attributes:
        network: that they are for.
        name: registered name, name of a file without its suffix, or "random:SEED".
        path: file that holds them, None for random ones.
        seed: of random ones, else None.
        sha256: of the file; of random ones once they are made (`load_weights`), None before.
    """

    network: str
    name: str
    path: Path | None
    seed: int | None
    sha256: str | None

    @property
    def random(self) -> bool:
        """These are untrained weights."""
        return self.path is None


def cache_folder() -> Path:
    """Where converted and fetched weights are kept.

    `$ARVOT_HOME/weights` if that variable is set, else the user's cache (`~/.cache/arvot/weights`
    on Linux).
    """
    home = os.environ.get("ARVOT_HOME")
    return (Path(home) if home else Path(pooch.os_cache("arvot"))) / "weights"


def find_weights(spec: WeightsSpec) -> Path | None:
    """File of registered weights on this machine: shipped with the package, or in the cache."""
    for folder in (BUNDLED, cache_folder()):
        if file_type(folder / spec.file) == "file":
            return folder / spec.file
    return None


def fetch_weights(spec: WeightsSpec, on_progress: Progress = lambda done, total: None) -> Path:
    """File of registered weights, downloaded if it is not on this machine.

    A file gets its final name in the cache only after its sha256 was found right. A download that
    was cut off goes on where it ended, also in a later call.

    Args:
        spec: the weights.
        on_progress: is told the bytes that are there and their final number, if known.

    Raises:
        UsageError: they cannot be downloaded, or what arrives is not what was expected.
    """
    found = find_weights(spec)
    if found is not None:
        return found
    if spec.url is None or spec.sha256 is None:
        raise UsageError(f"weights '{spec.name}' are not on this machine: {spec.obtain}")
    folder = cache_folder()
    # The name holds the hash: a part of another version is not continued.
    partial = folder / f".{spec.name}.{spec.sha256[:16]}.part"
    resumed = partial.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f".{spec.name}.lock"):
            download = ResumingDownload(partial, on_progress)
            known_hash = f"sha256:{spec.sha256}"
            return Path(
                pooch.retrieve(spec.url, known_hash, spec.file, folder, downloader=download)
            )
    except ValueError as error:
        if resumed:
            # What an earlier run had left may be at fault; it is gone now.
            return fetch_weights(spec, on_progress)
        raise UsageError(
            f"weights '{spec.name}': {spec.url} does not hold the expected file (sha256 differs); "
            "try again later"
        ) from error
    except OSError as error:
        raise UsageError(
            f"weights '{spec.name}' cannot be downloaded from {spec.url} ({shown(error, 200)}): "
            f"check the network and try again, or fetch the file yourself and give it to "
            f"`arvot weights fetch {spec.name} --from FILE`"
        ) from error


def resolve_weights(value: str | None, defaults: Mapping[str, str]) -> dict[str, WeightsChoice]:
    """Find weights for every network of a tracker.

    Args:
        value: what the user asked for; None for the defaults. One or several of these, separated
            by commas: a registered name; a ".safetensors" file; a folder with
            "<network>.safetensors" files; "random" or "random:SEED" for all networks that nothing
            else is given for. A network for which nothing is given takes its default.
        defaults: network -> what it takes by default, in the same notation. The keys are
            the networks that are needed.

    Returns:
        A choice for each key of `defaults`.

    Raises:
        UsageError: unknown name, no such file, weights for other networks, weights that are not
            on this machine, wrong sha256.
    """
    chosen: dict[str, WeightsChoice] = {}
    fallback: dict[str, WeightsChoice] = {}
    for item in _split(value):
        given = _choices(item, defaults)
        into = fallback if any(choice.random for choice in given.values()) else chosen
        twice = sorted(into.keys() & given.keys())
        if twice:
            raise UsageError(f"weights given twice for {', '.join(twice)}")
        into.update(given)
    for network, default in defaults.items():
        if network not in chosen:
            chosen[network] = (
                fallback.get(network) or _choices(default, {network: default})[network]
            )
    return {network: chosen[network] for network in defaults}


def default_weights(network: str) -> str:
    """Name of the best registered weights of a network that are on this machine, else `RANDOM`."""
    registered = find_network(network).weights
    return next((spec.name for spec in registered if find_weights(spec) is not None), RANDOM)


def load_weights(module: nn.Module, choice: WeightsChoice) -> WeightsChoice:
    """Put weights into a network.

    Args:
        module: the network `choice.network`, on any device.
        choice: from `resolve_weights`.

    Returns:
        `choice`, with the sha256 filled in.

    Raises:
        UsageError: names or shapes differ from the network's, or an entry is not finite.
    """
    if choice.path is None:
        state = _random_state(choice)
        _log.warning(
            "%s: %s weights, which are not trained: EAO is only proof that the pipeline runs",
            choice.network,
            choice.name,
        )
        choice = replace(choice, sha256=state_sha256(state))
    else:
        state = open_weights(choice.path).read(choice.network)
        check_entries(state, module.state_dict(), choice.path, choice.network)
        check_finite(state, choice.path)
        _log.info("%s: weights %s, sha256 %s", choice.network, choice.path, choice.sha256)
    module.load_state_dict(state, strict=True)
    return choice


def state_sha256(state: Mapping[str, Tensor]) -> str:
    """SHA-256 over the bytes of a state dict's tensors, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        flat = state[name].detach().cpu().contiguous().flatten()
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def name_and_hash(choices: Iterable[WeightsChoice]) -> tuple[str, str]:
    """Name and sha256 of the weights of a whole tracker.

    Returns:
        The different names, joined by "+"; and the sha256 of the one file that holds them all, or
        else the sha256 over the hexadecimal sha256 of each network's weights.
    """
    known = [
        choice if choice.sha256 else replace(choice, sha256=state_sha256(_random_state(choice)))
        for choice in choices
    ]
    names = dict.fromkeys(choice.name for choice in known)
    digests = dict.fromkeys(choice.sha256 or "" for choice in known)
    if len(digests) == 1:
        return "+".join(names), next(iter(digests))
    return "+".join(names), hashlib.sha256("".join(digests).encode()).hexdigest()


def _split(value: str | None) -> list[str]:
    if value is None:
        return []
    return [value] if file_type(Path(value)) else value.split(",")


def _choices(item: str, needed: Collection[str]) -> dict[str, WeightsChoice]:
    """What one item of the user's list gives for the networks that are needed."""
    if item == RANDOM or item.startswith(f"{RANDOM}:"):
        seed = _seed(item)
        name = f"{RANDOM}:{seed}"
        return {network: WeightsChoice(network, name, None, seed, None) for network in needed}
    spec = WEIGHTS.get(item)
    if spec is not None:
        return _from_file(fetch_weights(spec), item, needed, spec)
    path = Path(item)
    if item and file_type(path) == "folder":
        return _from_folder(path, needed)
    if item and (file_type(path) == "file" or path.suffix == SUFFIX):
        return _from_file(path, path.stem, needed, None)
    raise UsageError(
        f"unknown weights '{shown(item)}': {_HOW}; registered are {', '.join(WEIGHTS)}"
    )


def _seed(item: str) -> int:
    text = item.removeprefix(RANDOM).removeprefix(":") or "0"
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > _MAX_SEED:
        raise UsageError(f"weights '{shown(item)}': the seed must be an integer in 0..{_MAX_SEED}")
    return int(text)


def _from_folder(folder: Path, needed: Collection[str]) -> dict[str, WeightsChoice]:
    choices: dict[str, WeightsChoice] = {}
    for network in needed:
        file = folder / f"{network}{SUFFIX}"
        if file_type(file) == "file":
            choices.update(_from_file(file, network, [network], None))
    if not choices:
        files = ", ".join(f"{network}{SUFFIX}" for network in needed)
        raise UsageError(f"{folder}: the folder holds none of {files}")
    return choices


def _from_file(
    path: Path, name: str, needed: Collection[str], spec: WeightsSpec | None
) -> dict[str, WeightsChoice]:
    sha256 = file_sha256(path) if file_type(path) == "file" else None
    if spec is not None and spec.sha256 not in (None, sha256):
        raise UsageError(
            f"{path}: damaged or replaced (its sha256 is wrong): delete it, then {spec.obtain}"
        )
    parts = open_weights(path).parts
    choices = {
        network: WeightsChoice(network, name, path, None, sha256)
        for network in needed
        if network in parts
    }
    if not choices:
        raise UsageError(
            f"{path}: holds weights for {', '.join(parts)}; needed are {', '.join(needed)}"
        )
    return choices


def _random_state(choice: WeightsChoice) -> dict[str, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0 if choice.seed is None else choice.seed)
        return build_network(choice.network).state_dict()
